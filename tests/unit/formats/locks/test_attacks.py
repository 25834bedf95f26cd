"""Lock files that say one thing to the gate and another to their tool: each is a problem, or locks nothing."""

from __future__ import annotations

import json
import time

import pytest

from tests.unit.formats.locks.reading import H1, LONG, ONE, SRI, TWO, only, problem, read

GOOD = f"a==1 --hash=sha256:{ONE}\n"


def is_locked(name: str, content: object) -> bool:
    lock = read(name, content)
    return not lock.problems and all(item.is_pinned for item in lock.packages.values())


# --- requirements: what pip reads ---


def test_s20_blanks_are_read_in_one_go() -> None:
    begin = time.process_time()
    assert not is_locked("requirements.txt", f"{GOOD}b{' ' * 60_000}==1\n")
    assert is_locked("requirements.txt", f"  # x\n{GOOD[:-1]}{' ' * 60_000}# a comment\n \t# y\n")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "content",
    [
        f"# -*- coding: utf-7 -*-\n# +AAo-torch==1.0 --hash+AD0-sha256:{TWO}\n{GOOD}",
        f"#\n# vim: set fileencoding=latin-1 :\n{GOOD}",
        f"# coding: nonsense\n{GOOD}",
        f"\ufeff{GOOD}",
        f"# x\u2028torch==1\n{GOOD}",
        f"# x\x0ctorch==1\n{GOOD}",
        f"# x\rtorch==1\n{GOOD}",
        f"# \u00c5torch==1\n{GOOD}",
        GOOD.encode("utf-16"),
        f"{GOOD}-require-hashes\n",
        f"{GOOD}-extra-index-url\n",
        f'{GOOD}-i https://x.test "-r" other.txt\n',
        f"{GOOD}-i https://x.test \\-r other.txt\n",
        f'{GOOD}--pre "-r" other.txt\n',
        f"{GOOD}--pre=x\n",
        f"{GOOD}-e=.\n",
        f"{GOOD}-e . -r other.txt\n",
        f"{GOOD}a==1 ; python_version > '3' -r o.txt --hash=sha256:{ONE}\n",
        f"b==1 --hash=sha256:{ONE} # note \\\ntorch==1\n",
        f"b==1 \\\\\n --hash=sha256:{ONE}\n",
        f"\\b==1 --hash=sha256:{ONE}\n",
        f"https://x.test/torch-1.0.tar.gz --hash=sha256:{ONE}\n",
        f"https://x.test/torch.whl --hash=sha256:{ONE}\n",
        f"https://x.test/?a-1-py3-none-any.whl --hash=sha256:{ONE}\n",
        f"https://x.test/%2Dt-1-py3-none-any.whl --hash=sha256:{ONE}\n",
    ],
)
def test_what_pip_reads_otherwise_is_a_problem(content: str | bytes) -> None:
    assert problem("requirements.txt", content)


@pytest.mark.parametrize("word", ["utf-8", "UTF_8", "utf8"])
def test_utf_8_may_be_declared(word: str) -> None:
    assert only("requirements.txt", f"# coding: {word}\n# \u00c5\n{GOOD}").is_pinned


def test_a_hash_in_an_address_counts_beside_the_option() -> None:
    place = "torch @ https://x.test/t-1-py3-none-any.whl"
    found = only("requirements.txt", f"{place}#sha256={TWO} --hash=sha256:{ONE}")
    assert (found.name, found.digests) == ("torch", (f"sha256:{ONE}", f"sha256:{TWO}"))
    assert not only("requirements.txt", f"{place}#md5={'a' * 32} --hash=sha256:{ONE}").is_pinned
    assert not only("requirements.txt", f"{place}#sha256={ONE}").is_pinned
    lock = read("requirements.txt", f"--require-hashes\n{place}#egg=x&sha256={ONE}")
    assert [item.is_pinned for item in lock.packages.values()] == [True]


def test_a_wheel_has_the_name_of_its_file() -> None:
    line = f"https://x.test/%74orch-1.0-py3-none-any.whl?x=y-1-py3-none-any.whl --hash=sha256:{ONE}"
    assert only("requirements.txt", line).name == "torch"
    assert only("requirements.txt", f"./Torch_x-1-2-py3-none-any.whl --hash=sha256:{ONE}").name == "torch-x"


# --- other tools of Python ---

UV = 'version = 1\n[[package]]\nname = "a"\nversion = "1"\nsource = %s\n%s'
WHEEL = f'wheels = [{{url="v", hash="sha256:{ONE}"}}]\n'
POETRY = f'[metadata]\nlock-version="2.1"\n[[package]]\nname="a"\nversion="1"\nfiles=[{{hash="sha256:{ONE}"}}]\n'
PDM = '[metadata]\nlock_version="4.5"\n[[package]]\nname="a"\nversion="1"\n'
PYLOCK = 'lock-version="1.0"\n[[packages]]\nname="a"\n'


def pipfile(**entry: object) -> str:
    good: dict[str, object] = {"version": "==1", "hashes": [f"sha256:{ONE}"]}
    return json.dumps({"_meta": {"pipfile-spec": 6}, "default": {"a": {**good, **entry}}})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("uv.lock", UV % ('{virtual=".", registry="https://x.test"}', "")),
        ("uv.lock", UV % ('{editable=".", git="https://x.test"}', "")),
        ("uv.lock", UV % ('{registry="r", git="g"}', WHEEL)),
        ("uv.lock", UV % ('{virtual=".", odd="x"}', "")),
        ("uv.lock", UV % ('{registry="r", subdirectory="x"}', WHEEL)),
        ("uv.lock", UV % ('{virtual=["."]}', "")),
        ("uv.lock", UV % ('{virtual="."}', WHEEL)),
        ("uv.lock", UV % ('{registry="r"}', WHEEL) + "odd=1\n"),
        ("uv.lock", UV.replace("version = 1\n", "version = true\n", 1) % ('{registry="r"}', WHEEL)),
        ("uv.lock", UV % ('{registry="r"}', WHEEL) + '[[distribution]]\nname="b"\n'),
        ("uv.lock", UV.replace('"a"', '"a b"') % ('{registry="r"}', WHEEL)),
        ("poetry.lock", POETRY + 'source={type=["a"], url="u"}\n'),
        ("poetry.lock", POETRY + 'source={type="legacy"}\n'),
        ("poetry.lock", POETRY + 'source={url="."}\n'),
        ("poetry.lock", POETRY + 'source={type="legacy", url="u", path="."}\n'),
        ("poetry.lock", POETRY + "odd=1\n"),
        ("poetry.lock", POETRY + 'source={type="directory", url=".", subdirectory="../../x"}\n'),
        ("pdm.lock", PDM + 'path="."\nsubdirectory="../../x"\n'),
        ("pylock.toml", PYLOCK + 'directory={path=".", subdirectory="../../x"}\n'),
        ("Pipfile.lock", pipfile(path=".", subdirectory="../../x")),
        ("Pipfile.lock", pipfile(extras=[["x"]])),
        ("poetry.lock", POETRY.replace("lock-version", "hashes={a=[]}\nlock-version")),
        ("poetry.lock", POETRY.replace("lock-version", "files={a=[]}\nlock-version")),
        ("pdm.lock", PDM + 'path="."\nurl="https://x.test/e.tgz"\n'),
        ("pdm.lock", PDM + 'path="."\ngit="https://x.test/e"\n'),
        ("pdm.lock", PDM + "path=1\n"),
        ("pdm.lock", PDM + 'path="."\neditable=1\n'),
        ("pdm.lock", PDM + 'path="."\nodd=1\n'),
        ("pdm.lock", PDM.replace("lock_version", "files={}\nlock_version")),
        ("Pipfile.lock", pipfile(path=".", file="https://x.test/e.tgz")),
        ("Pipfile.lock", pipfile(path=".", uri="https://x.test/e.tgz")),
        ("Pipfile.lock", pipfile(markers=f"python_version > '3' --hash=sha256:{TWO}")),
        ("Pipfile.lock", pipfile(index="x\ntorch==1")),
        ("Pipfile.lock", pipfile(extras=["x] # "])),
        ("Pipfile.lock", pipfile(ref={"a": 1})),
        ("Pipfile.lock", pipfile().replace('"a"', '"a\\ntorch"')),
        ("Pipfile.lock", pipfile().replace("6", "6.0")),
        ("pylock.toml", PYLOCK + 'directory={path="."}\nwheels=[{url="u", hashes={md5="0"}}]\n'),
        ("pylock.toml", PYLOCK + 'directory={path="."}\nvcs={url="u"}\n'),
        ("pylock.toml", PYLOCK + 'directory={path=["."]}\n'),
        ("pylock.toml", PYLOCK + 'directory={path="."}\nodd=1\n'),
        ("Cargo.lock", f'version=3\n[[package]]\nname="a"\nsource="registry+x"\nchecksum="{ONE}"\nreplace="b 1"\n'),
        ("Cargo.lock", f'[[package]]\nname="a"\n[metadata]\n"checksum b 1 (x)"="{ONE}"\n'),
        ("Cargo.lock", 'version=3\n[[odd]]\nname="a"\n'),
    ],
)
def test_two_sources_or_an_unknown_member_are_a_problem(name: str, content: str) -> None:
    assert problem(name, content)


def test_a_second_checksum_is_a_problem() -> None:
    content = f'[[package]]\nname="a"\nversion="1"\nsource="r"\nchecksum="{ONE}"\n[metadata]\n'
    assert "two checksums" in problem("Cargo.lock", f'{content}"checksum a 1 (r)"="{TWO}"\n')
    assert only("Cargo.lock", '[root]\nname="a"\nversion="1"\n').is_local


def test_each_hash_of_a_common_lock_counts() -> None:
    content = PYLOCK + f'version="1"\narchive={{url="u", hashes={{sha256="{ONE}", sha512="{LONG}"}}}}\n'
    assert only("pylock.toml", content).digests == (f"sha256:{ONE}", f"sha512:{LONG}")
    assert not is_locked("pylock.toml", content.replace(f'sha512="{LONG}"', f'md5="{"a" * 32}"'))


def test_a_repository_is_no_file_wherever_it_stands() -> None:
    for name, content in (
        ("uv.lock", UV % ('{url="git+https://x.test/a"}', WHEEL)),
        ("poetry.lock", POETRY + 'source={type="url", url="git+https://x.test/a"}\n'),
        ("pdm.lock", PDM + f'url="git+https://x.test/a"\nfiles=[{{hash="sha256:{ONE}"}}]\n'),
        ("Pipfile.lock", pipfile(file="git+https://x.test/a")),
    ):
        assert not only(name, content).is_pinned


# --- npm, Yarn and pnpm ---

PACKAGE: dict[str, object] = {"version": "1.0.0", "resolved": "https://x.test/a.tgz", "integrity": SRI}


def npm(place: str, **change: object) -> str:
    packages = {"": {}, place: {**PACKAGE, **change}}
    return json.dumps({"lockfileVersion": 3, "packages": packages})


@pytest.mark.parametrize(
    "content",
    [
        npm("node_modules/a", link=1),
        npm("node_modules/a", link=True),
        npm("node_modules/a", link=True, integrity=None, resolved=None),
        npm("node_modules/a", hasShrinkwrap=True),
        npm("node_modules/a", resolved="../evil"),
        npm("node_modules/a", resolved=["x"]),
        npm("node_modules/a", version="git+https://x.test/a"),
        npm("node_modules/a", resolved="https://x.test/torch/-/torch-1.0.0.tgz"),
        npm("node_modules/a", resolved="https://x.test/@s%2ftorch/-/torch-1.0.0.tgz"),
        npm("node_modules/./torch"),
        npm("node_modules/a/../torch"),
        npm("node_modules/torch/"),
        npm("node_modules/a/torch"),
        npm("node_modules\\torch"),
        npm("Node_Modules/torch"),
        npm("/node_modules/torch"),
        npm("lib"),
        npm("."),
        npm("./"),
        npm(""),
        json.dumps({"lockfileVersion": 3.0, "packages": {}}),
        json.dumps(
            {"lockfileVersion": 2, "dependencies": {"a": {"version": "https://x.test/a.tgz", "resolved": "file:a"}}}
        ),
    ],
)
def test_what_npm_reads_otherwise_is_a_problem(content: str) -> None:
    assert problem("package-lock.json", content)


def test_a_package_of_npm_is_judged_under_each_of_its_names() -> None:
    content = npm("node_modules/torch", name="left", resolved="https://x.test/left/-/left-1.0.0.tgz")
    assert [item.name for item in read("package-lock.json", content).packages.values()] == ["left", "torch"]
    older = {"torch": {**PACKAGE, "version": "npm:left@1.0.0"}}
    lock = read("package-lock.json", {"lockfileVersion": 2, "dependencies": older})
    assert list(lock.packages) == ["left@1.0.0", "torch@1.0.0"]
    link = {"link": True, "resolved": "lib", "name": "left"}
    lock = read("package-lock.json", {"lockfileVersion": 3, "packages": {"node_modules/torch": link}})
    assert [item.name for item in lock.packages.values()] == ["left", "torch"]


def test_a_folder_with_a_hash_is_no_packed_file() -> None:
    assert not is_locked("package-lock.json", npm("node_modules/a", resolved="file:../evil"))
    assert not is_locked("package-lock.json", npm("node_modules/a", resolved="link:evil.tgz"))
    assert not is_locked("package-lock.json", npm("node_modules/a", integrity=f"{SRI} sha3-x"))


YARN = (
    f'# yarn lockfile v1\n\n"torch@^1":\n  version "1.0.0"\n  resolved "https://x.test/a.tgz#aa"\n  integrity {SRI}\n'
)


@pytest.mark.parametrize(
    "content",
    [
        f'{YARN}  "integrity" {SRI}\n',
        f"{YARN}  integrity {SRI}\n",
        f'{YARN}  "resolved" "git+https://x.test/x.git"\n',
        f"{YARN}  prebuiltVariants:\n    a b\n",
        f"{YARN}  odd x\n",
        f"{YARN}  # note\n",
        f"{YARN}    a b\n",
        f'{YARN}  dependencies:\n    a "1"\n  dependencies:\n',
        f'{YARN}  dependencies:\n      a "1"\n',
        YARN.replace("torch@", "t\\u006frch@"),
        YARN.replace('1":', '1": # x'),
        YARN.replace("\n\n", "\u2028\n"),
        YARN.replace('"torch@^1"', '"https://x.test/t.tgz"'),
        YARN.replace("/a.tgz", "/left/-/left-1.tgz"),
        f"  version x\n{YARN}",
    ],
)
def test_what_yarn_does_not_write_is_a_problem(content: str) -> None:
    assert problem("yarn.lock", content)


def test_each_pattern_of_yarn_is_judged() -> None:
    content = YARN.replace('"torch@^1"', '"@s/a@^1", b@^1, "torch@npm:left@^1"') + "  name other\n"
    lock = read("yarn.lock", content)
    assert [item.name for item in lock.packages.values()] == ["@s/a", "b", "left", "other", "torch"]
    assert is_locked("yarn.lock", content)
    for place in ("file:../evil", "link:../evil.tgz", "git+https://x.test/x", "git@x.test:x/y.git"):
        assert not is_locked("yarn.lock", YARN.replace("torch@^1", f"torch@{place}"))


def pnpm(resolution: str = f"{{integrity: {SRI}}}", key: str = "left@1.0.0", more: str = "", top: str = "") -> str:
    return f"lockfileVersion: '9.0'\n{top}packages:\n  {key}:\n    resolution: {resolution}\n{more}"


@pytest.mark.parametrize(
    "content",
    [
        pnpm(f"{{integrity: {SRI}, directory: .}}"),
        pnpm(f"{{integrity: {SRI}, type: binary}}"),
        pnpm(f"{{integrity: {SRI}, odd: x}}"),
        pnpm("{directory: ., tarball: 'https://x.test/a.tgz'}"),
        pnpm("{directory: [.]}"),
        pnpm("{directory: ., path: ../../x}"),
        pnpm(top="patchedDependencies:\n  left: {hash: a, path: b}\n"),
        pnpm(top="importers:\n  .:\n    dependencies:\n      torch: {specifier: '1', version: 1.0.0}\n"),
        pnpm(top="importers:\n  .:\n    dependencies:\n      torch: {specifier: '1'}\n"),
        pnpm(more="snapshots:\n  left@1.0.0:\n    dependencies: {torch: 2.0.0}\n"),
    ],
)
def test_what_pnpm_reads_otherwise_is_a_problem(content: str) -> None:
    assert problem("pnpm-lock.yaml", content)


def test_a_package_of_pnpm_is_judged_under_each_of_its_names() -> None:
    importers = "importers:\n  .:\n    dependencies:\n      torch: {specifier: npm:left@1, version: left@1.0.0(x@1)}\n"
    lock = read("pnpm-lock.yaml", pnpm(top=importers))
    assert [item.name for item in lock.packages.values()] == ["left", "torch"]
    lock = read("pnpm-lock.yaml", pnpm(more="    name: other\n"))
    assert [item.name for item in lock.packages.values()] == ["left", "other"]
    lock = read("pnpm-lock.yaml", pnpm(more="snapshots:\n  left@1.0.0:\n    dependencies: {torch: left@1.0.0}\n"))
    assert [item.name for item in lock.packages.values()] == ["left", "torch"]


def test_a_name_with_a_low_line_is_a_name() -> None:
    for version, key in (("'9.0'", "a_b@1.0.0"), ("'6.0'", "/a_b@1.0.0(c@1)"), ("5.4", "/a_b/1.0.0_c@1")):
        found = only("pnpm-lock.yaml", pnpm(key=key).replace("'9.0'", version))
        assert (found.name, found.version, found.is_pinned) == ("a_b", "1.0.0", True)


def test_an_archive_of_a_forge_says_no_name() -> None:
    place = "https://x.test/group/project/-/archive/v1/project-v1.tar.gz"
    assert is_locked("package-lock.json", npm("node_modules/a", resolved=place))


# --- Go ---


@pytest.mark.parametrize(
    ("content", "folders"),
    [
        ('replace (\n\t"c.test/c" => "../e//v"\n)\n', ["../e//v"]),
        ("replace(\n\tb.test/b v1.0.0 => ../evil // note\n)\n", ["../evil"]),
        ("replace `c.test/c` => `../evil`//x\n", ["../evil"]),
        ("use (\n\t.\n\t../evil\n)\nuse ./b\n", [".", "../evil", "./b"]),
    ],
)
def test_each_form_of_a_replaced_module_is_told(content: str, folders: list[str]) -> None:
    for name in ("go.mod", "go.work"):
        assert [item.folder for item in read(name, content).packages.values()] == folders


@pytest.mark.parametrize(
    "content",
    [
        "replace(\nb.test/b v1.0.0=>../evil\n)\n",
        "replace c.test/c=>../evil\n",
        "replace c.test/c => a b c\n",
        "replace a => b => c\n",
        "replace (\n",
        "odd x\n",
        "use a b\n",
        'replace "a\\x2f" => ../b\n',
        "module x\n/* x */\n",
        "require a=>b v1\n",
        "\ufeffmodule x\n",
    ],
)
def test_a_line_that_is_not_understood_is_a_problem(content: str) -> None:
    assert problem("go.mod", content)


def test_a_workspace_has_sums_of_its_own() -> None:
    assert only("go.work.sum", f"x.test/a v1.0.0 {H1}\n").is_pinned


# --- what is needed, and not there ---


@pytest.mark.parametrize("need", ["b", "a 2", "a 1 (registry+y)"])
def test_what_a_package_of_cargo_needs_is_in_the_lock(need: str) -> None:
    content = f'version=3\n[[package]]\nname="a"\nversion="1"\nsource="registry+x#q"\nchecksum="{ONE}"\n'
    assert problem("Cargo.lock", f'{content}dependencies=["{need}"]\n') == f"{need!r} is needed, and not in it"
    needs = '["a", "a 1", "a 1 (registry+x)", "a 1 (registry+x#q)"]'
    assert only("Cargo.lock", f"{content}dependencies={needs}\n").is_pinned
    assert problem("Cargo.lock", f"{content}dependencies=[1]\n")
    assert problem("Cargo.lock", f'{content}dependencies="a"\n')


def test_what_a_package_of_uv_needs_is_in_the_lock() -> None:
    good = UV % ('{registry="r"}', WHEEL)
    for more in (
        "dependencies=[{name='Tor_ch'}]",
        "optional-dependencies={x=[{name='Tor_ch'}]}",
        "dev-dependencies={x=[{name='Tor_ch'}]}",
    ):
        assert problem("uv.lock", f"{good}{more}\n") == "'tor-ch' is needed, and not in it"
        assert not read("uv.lock", f"{good}{more}\n".replace("Tor_ch", "A")).problems
    assert problem("uv.lock", f"{good}dependencies=[{{}}]\n")


def test_what_a_package_of_poetry_needs_is_in_the_lock() -> None:
    for said in ("'*'", "{version='*'}", "[{version='*'}, {version='1', markers='m'}]", "['*']"):
        if said != "['*']":
            assert (
                problem("poetry.lock", f"{POETRY}dependencies={{Torch={said}}}\n") == "'torch' is needed, and not in it"
            )
        assert not read("poetry.lock", f"{POETRY}dependencies={{A={said}}}\n").problems
    for said in ("{version='*', optional=true}", "{version='*', markers='m'}", "[{version='*', python='<3'}]"):
        assert not read("poetry.lock", f"{POETRY}dependencies={{torch={said}}}\n").problems
    tools = f"{POETRY}dependencies={{setuptools='*'}}\n"
    assert problem("poetry.lock", tools)
    assert not read("poetry.lock", tools.replace('"2.1"', '"1.1"')).problems
    assert problem("poetry.lock", f"{POETRY}dependencies={{torch=[1]}}\n")
