"""Lock files: what each format locks, and what leaves a package open."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.formats.locks import is_lock, read_lock, unlocked
from gate.model.dependencies import Dependency, Lock
from tests.unit.formats.locks.reading import H1, LONG, ONE, TWO, only, problem, read

ROOT = Path(__file__).resolve().parents[4]
# --- which files ---


@pytest.mark.parametrize(
    ("name", "word"),
    {
        "uv.lock": "uv",
        "poetry.lock": "poetry",
        "pdm.lock": "pdm",
        "Pipfile.lock": "pipenv",
        "pylock.toml": "pylock",
        "pylock.dev.toml": "pylock",
        "package-lock.json": "npm",
        "npm-shrinkwrap.json": "npm",
        "yarn.lock": "yarn",
        "pnpm-lock.yaml": "pnpm",
        "Cargo.lock": "cargo",
        "go.sum": "go",
        "requirements.txt": "requirements",
        "requirements.lock": "requirements",
        "requirements-dev.txt": "requirements",
        "dev-requirements.txt": "requirements",
        "requirements/test.txt": "requirements",
        "a/requirements/test.lock": "requirements",
        "Requirements.TXT": "requirements",
        "Requirements/Test.Lock": "requirements",
        "PYLOCK.toml": "pylock",
        "UV.lock": "uv",
        "cargo.LOCK": "cargo",
    }.items(),
)
def test_a_format_is_known_by_the_name_of_its_file(name: str, word: str) -> None:
    for path in (name, f"app/{name}"):
        assert is_lock(path)
        assert read_lock(path, b"\xff").format == word


@pytest.mark.parametrize(
    "name", ["bun.lock", "bun.lockb", "composer.lock", "conda-lock.yml", "gradle.lockfile", "x.lock", "X.LOCK"]
)
def test_an_unknown_format_is_a_problem(name: str) -> None:
    assert is_lock(name)
    assert read(name, "") == Lock(None, {}, ("it is in no format that the gate reads",))


@pytest.mark.parametrize(
    "name", ["README.md", "requirements.in", "notes.txt", "lock", "uv.lock.bak", "pylock.a.b.toml"]
)
def test_other_files_are_no_locks(name: str) -> None:
    assert not is_lock(name)


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "Cargo.lock", "package-lock.json", "yarn.lock", "go.sum"])
@pytest.mark.parametrize("data", [b"\xff\xfe", b"[[[", b"{", b"\x00"])
def test_what_is_not_its_format_is_a_problem(name: str, data: bytes) -> None:
    assert read(name, data).problems


def test_a_manifest_needs_a_lock_beside_or_above_it() -> None:
    assert unlocked("package.json", {"package.json": 1})
    assert unlocked("a/b/package.json", {"package.json": 1, "c/package-lock.json": 1, "a/uv.lock": 1})
    assert not unlocked("a/b/package.json", {"pnpm-lock.yaml": 1})
    assert not unlocked("a/b/package.json", {"a/yarn.lock": 1})
    assert not unlocked("pyproject.toml", {"requirements/dev.lock": 1})
    assert not unlocked("pyproject.toml", {"pylock.toml": 1})
    assert unlocked("x/pyproject.toml", {"x/y/uv.lock": 1})
    assert unlocked("go.mod", {"go.work": 1})
    assert not unlocked("README.md", {})
    for name in ("setup.py", "setup.cfg", "environment.yml", "environment.yaml", "Gemfile", "PACKAGE.json", "Setup.py"):
        assert unlocked(name, {name: 1})
    assert not unlocked("setup.py", {"Pipfile.lock": 1})
    assert not unlocked("setup.cfg", {"requirements.txt": 1})
    assert not unlocked("environment.yml", {"conda-lock.yml": 1})
    assert not unlocked("Gemfile", {"Gemfile.lock": 1})
    assert unlocked("package.json", {"Package-Lock.json": 1})  # its tool looks for the other name


# --- requirements ---


def test_a_requirement_with_hashes() -> None:
    content = f"""\
        # made by a tool
        --require-hashes
        -i https://index.test/simple
        Acme.Tool[x,y]==1.2 ; python_version < "3.12" \\
            --hash=sha256:{ONE} \\
            --hash=sha256:{TWO.upper()}
            # via -r dev.in
        """.replace("        ", "")
    assert only("requirements.txt", content) == Dependency("acme-tool", "1.2", (f"sha256:{ONE}", f"sha256:{TWO}"))
    assert only("requirements.txt", content).is_pinned


@pytest.mark.parametrize(
    ("line", "is_pinned"),
    {
        f"a==1 --hash=sha256:{ONE}": True,
        f"a === 1 --hash sha256:{ONE}": True,
        f"a @ https://x.test/a.whl --hash=sha256:{ONE}": True,
        f"a @ https://x.test/a.whl#sha256={ONE}": False,
        f"a @ https://x.test/a.whl#sha256={ONE} --hash=sha256:{ONE}": True,
        f"https://x.test/a-1-py3-none-any.whl#egg=a&sha256={ONE} --hash=sha256:{ONE}": True,
        f"https://x.test/a-1-py3-none-any.whl#md5={ONE} --hash=sha256:{ONE}": False,
        f"./a-1-py3-none-any.whl --hash=sha256:{ONE}": True,
        "a==1": False,
        "a": False,
        f"a>=1 --hash=sha256:{ONE}": False,
        f"a==1.* --hash=sha256:{ONE}": False,
        f"a==1,<2 --hash=sha256:{ONE}": False,
        f"a==1 --hash=md5:{'a' * 32}": False,
        f"a==1 --hash=sha256:{ONE} --hash=md5:{'a' * 32}": False,
        f"a==1 --hash=sha256:{ONE[:-1]}": False,
        "a @ https://x.test/a.whl": False,
        f"a @ git+https://x.test/a@main --hash=sha256:{ONE}": False,
        f"git+https://x.test/a@{'a' * 40}#egg=a": False,
        "-e git+https://x.test/a": False,
        "-e ./a": False,
        "./a": False,
        "a @ ../a": False,
    }.items(),
)
def test_a_requirement_is_pinned_by_version_and_hash(line: str, is_pinned: bool) -> None:
    assert only("requirements.txt", line).is_pinned is is_pinned


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "--pre -r other.txt",
        "-i https://x.test -r other.txt",
        "--no-index  --requirement=x",
        "-i x\t-r y",
        "--requirement=other.txt",
        "-c other.txt",
        "a==1 --config-settings=x",
        "a==${V}",
        "--unknown",
        "-rx",
    ],
)
def test_what_reads_something_else_is_a_problem(line: str) -> None:
    assert problem("requirements.txt", f"b==1 --hash=sha256:{ONE}\n{line}\n")


def test_a_comment_ends_a_line_that_goes_on() -> None:
    content = f"a==1 \\\n# note\n--hash=sha256:{ONE}\n"
    assert "reads what is not in this file" in problem("requirements.txt", content)
    assert only("requirements.txt", "a==1 \\").version == "1"


def test_folders_are_told() -> None:
    assert only("requirements.txt", "./lib").folder == "./lib"
    assert only("requirements.txt", "-e ../lib").folder == "../lib"
    assert only("requirements.txt", "-e git+https://x.test/a").folder is None


# --- other tools of Python ---

UV = 'version = 1\n[[package]]\nname = "A_b"\nversion = "1"\nsource = %s\n%s'
FILES = f'sdist = {{url="u", hash="sha256:{ONE}"}}\nwheels = [{{url="v", hash="sha256:{TWO}"}}]\n'


def test_uv_locks_each_file() -> None:
    found = only("uv.lock", UV % ('{registry="https://index.test"}', FILES))
    assert (found.name, found.digests, found.is_pinned) == ("a-b", (f"sha256:{ONE}", f"sha256:{TWO}"), True)
    assert only("uv.lock", UV % ('{url="https://x.test/a.whl"}', FILES)).is_pinned
    assert not only("uv.lock", UV % ('{registry="r"}', 'wheels = [{url="v"}]')).is_pinned
    assert not only("uv.lock", UV % ('{registry="r"}', FILES[:-2] + ", {url='w'}]\n")).is_pinned
    assert not only("uv.lock", UV % ('{registry="r"}', "")).is_pinned
    assert not only("uv.lock", UV % ('{git="https://x.test/a?rev=main#abc"}', FILES)).is_pinned
    for kind in ("directory", "editable", "virtual"):
        assert only("uv.lock", UV % (f'{{{kind}="lib"}}', "")).folder == "lib"


@pytest.mark.parametrize(
    "content",
    [
        "version = 2\n",
        "version = 1\npackage = 1\n",
        UV % ('{odd="x"}', ""),
        UV % ("{git=1}", ""),
        UV % ('"registry"', ""),
        'version = 1\n[[package]]\nversion = "1"\nsource = {registry="r"}\n',
    ],
)
def test_what_is_no_lock_of_uv_is_a_problem(content: str) -> None:
    assert problem("uv.lock", content)


def poetry(source: str = "", files: str = f'[{{file="f", hash="sha256:{ONE}"}}]', version: str = "2.1") -> str:
    return f'[[package]]\nname="a"\nversion="1"\nfiles={files}\n{source}\n[metadata]\nlock-version="{version}"\n'


def test_poetry_locks_each_file() -> None:
    assert only("poetry.lock", poetry()).is_pinned
    assert only("poetry.lock", poetry('[package.source]\ntype="legacy"\nurl="https://i.test"')).is_pinned
    assert not only("poetry.lock", poetry(files="[]")).is_pinned
    assert not only("poetry.lock", poetry(files='[{file="f"}]')).is_pinned
    assert not only("poetry.lock", poetry('[package.source]\ntype="git"\nurl="https://x.test/a"')).is_pinned
    assert not only("poetry.lock", poetry('[package.source]\ntype="new"\nurl="https://x.test/a"')).is_pinned
    assert only("poetry.lock", poetry('[package.source]\ntype="directory"\nurl="../a"')).folder == "../a"
    files = f'A=[{{file="f", hash="sha256:{ONE}"}}]'
    older = f'[[package]]\nname="A"\nversion="1"\n[metadata]\nlock-version="1.1"\n[metadata.files]\n{files}\n'
    assert only("poetry.lock", older).digests == (f"sha256:{ONE}",)
    assert "version '3.0'" in problem("poetry.lock", poetry(version="3.0"))


def pdm(more: str = "", files: str = f'[{{file="f", hash="sha256:{ONE}"}}]') -> str:
    return f'[metadata]\nlock_version="4.5.0"\n[[package]]\nname="a"\nversion="1"\nfiles={files}\n{more}\n'


def test_pdm_locks_each_file() -> None:
    assert only("pdm.lock", pdm()).is_pinned
    assert only("pdm.lock", pdm('url="https://x.test/a.whl"')).is_pinned
    assert only("pdm.lock", pdm('path="./a.whl"')).is_pinned
    assert not only("pdm.lock", pdm('git="https://x.test/a"')).is_pinned
    assert not only("pdm.lock", pdm(files="[]")).is_pinned
    assert only("pdm.lock", pdm('path="./a"', "[]")).folder == "./a"
    assert not only("pdm.lock", pdm('path="./a"\neditable=true')).is_pinned
    assert problem("pdm.lock", '[metadata]\nlock_version="3"\n')


def pipfile(entry: dict[str, object], category: str = "default") -> dict[str, object]:
    return {"_meta": {"pipfile-spec": 6}, category: {"A": entry}}


def test_pipenv_locks_each_file() -> None:
    good: dict[str, object] = {"version": "==1", "hashes": [f"sha256:{ONE}"]}
    assert only("Pipfile.lock", pipfile(good)) == Dependency("a", "1", (f"sha256:{ONE}",))
    assert only("Pipfile.lock", pipfile(good, "develop")).is_pinned
    assert only("Pipfile.lock", pipfile({"file": "https://x.test/a.whl", "hashes": [f"sha256:{ONE}"]})).is_pinned
    changes: list[dict[str, object]] = [
        {"version": "*"},
        {"version": "==1.*"},
        {"hashes": []},
        {"git": "https://x.test"},
        {"editable": True},
    ]
    for change in changes:
        assert not only("Pipfile.lock", pipfile(good | change)).is_pinned
    assert "no list" in problem("Pipfile.lock", pipfile(good | {"hashes": "x"}))
    assert problem("Pipfile.lock", {"_meta": {"pipfile-spec": 5}})
    assert problem("Pipfile.lock", pipfile(good) | {"develop": []})


def pylock(more: str) -> str:
    return f'lock-version="1.0"\n[[packages]]\nname="a"\nversion="1"\n{more}\n'


def test_the_common_lock_locks_each_file() -> None:
    wheel = f'wheels=[{{name="a", hashes={{md5="x", sha256="{ONE}"}}}}]'
    assert only("pylock.toml", pylock(wheel)).digests == (f"sha256:{ONE}",)
    assert not only("pylock.toml", pylock(wheel)).is_pinned
    wheel = wheel.replace('md5="x"', f'sha512="{LONG}"')
    assert only("pylock.toml", pylock(wheel)).digests == (f"sha256:{ONE}", f"sha512:{LONG}")
    assert only("pylock.toml", pylock(wheel)).is_pinned
    assert not only("pylock.toml", pylock('wheels=[{name="a"}]')).is_pinned
    assert only("pylock.toml", pylock(f'archive={{url="u", hashes={{sha512="{LONG}"}}}}')).is_pinned
    assert not only("pylock.toml", pylock(f'{wheel}\nsdist={{name="b", hashes={{md5="x"}}}}')).is_pinned
    assert not only("pylock.toml", pylock('vcs={type="git", url="https://x.test/a"}')).is_pinned
    assert only("pylock.toml", pylock('directory={path="../a"}')).folder == "../a"
    assert problem("pylock.toml", 'lock-version="2.0"\n')


# --- Cargo and Go ---


def cargo(source: str = 'source = "registry+https://x.test"\n', more: str = f'checksum = "{ONE}"\n') -> str:
    return f'version = 4\n[[package]]\nname = "a"\nversion = "1.0.0"\n{source}{more}'


def test_cargo_locks_by_checksum() -> None:
    assert only("Cargo.lock", cargo()).is_pinned
    assert only("Cargo.lock", cargo('source = "sparse+https://x.test/"\n')).is_pinned
    assert not only("Cargo.lock", cargo(more="")).is_pinned
    assert not only("Cargo.lock", cargo('source = "git+https://x.test/a?branch=main#abc"\n')).is_pinned
    own = only("Cargo.lock", cargo("", ""))
    assert (own.is_local, own.folder, own.is_pinned) == (True, None, False)
    older = (
        f'[[package]]\nname="a"\nversion="1"\nsource="registry+x"\n[metadata]\n"checksum a 1 (registry+x)"="{ONE}"\n'
    )
    assert only("Cargo.lock", older).is_pinned
    assert problem("Cargo.lock", "version = 9\n")


def test_the_lock_of_this_project_is_read() -> None:
    lock = read_lock("native/Cargo.lock", (ROOT / "native/Cargo.lock").read_bytes())
    assert {item.name for item in lock.packages.values() if not item.is_pinned} == {"gate-native"}
    lock = read_lock("requirements/dev.lock", (ROOT / "requirements/dev.lock").read_bytes())
    assert len(lock.packages) > 50
    assert all(item.is_pinned for item in lock.packages.values())


def test_go_locks_by_the_hash_of_the_files() -> None:
    lines = f"x.test/a v1.0.0 {H1}\nx.test/a v1.0.0/go.mod {H1}\n\nx.test/b v1.0.0/go.mod {H1}\n"
    assert only("go.sum", lines) == Dependency("x.test/a", "v1.0.0", (f"sha256:{ONE}",))
    for word in ("h1:*", "h2:" + H1[3:], "h1:AAAA"):
        assert not only("go.sum", f"x.test/a v1.0.0 {word}\n").is_pinned
    assert "two hashes" in problem("go.sum", f"x.test/a v1 {H1}\nx.test/a v1 h1:AAAA\n")
    assert "is not" in problem("go.sum", "x.test/a v1\n")


def test_replaced_modules_are_told() -> None:
    block = "replace (\n\tb.test/b v1.0.0 => ./b\n\tc.test/c => d.test/d v1.0.0\n)\n"
    content = f"module x\nreplace a.test/a => ../a // note\n{block}"
    lock = read("go.mod", content)
    folders = {"a.test/a": "../a", "b.test/b": "./b", "c.test/c": None}
    assert {item.name: item.folder for item in lock.packages.values()} == folders
    assert lock.packages["c.test/c@v1.0.0"].source == "d.test/d"
    assert read("go.mod", "module x\n") == Lock("go.mod", {})
    assert problem("go.mod", b"\xff")


# --- what is shared ---


def test_entries_that_differ_are_kept_apart() -> None:
    lines = [f"a==1 --hash=sha256:{ONE}", f"a==1 --hash=sha256:{ONE}", f"a==1 --hash=sha256:{TWO}", "a==1"]
    lock = read("requirements.txt", "\n".join(lines))
    assert list(lock.packages) == ["a@1", "a@1#2", "a@1#3"]


def test_long_texts_are_cut() -> None:
    entry = {"version": "1", "resolved": "https://x.test/" + "x" * 9000}
    lock = read("package-lock.json", {"lockfileVersion": 3, "packages": {f"node_modules/{'a' * 9000}": entry}})
    ((key, found),) = lock.packages.items()
    assert (len(found.name), len(found.source or ""), len(key)) == (4096, 4096, 4098)


def test_deep_nesting_is_a_problem() -> None:
    assert problem("uv.lock", "a = " + "[" * 100_000)
    assert problem("package-lock.json", '{"packages":' * 1000)
