"""Lock files of npm, Yarn and pnpm."""

from __future__ import annotations

import base64

import pytest

from gate.model.dependencies import Dependency
from tests.unit.formats.locks.reading import LONG, SRI, only, problem, read

YARN = "# yarn lockfile v1\n"


def npm(packages: dict[str, object], version: int = 3, **more: object) -> dict[str, object]:
    return {"lockfileVersion": version, "packages": {"": {"name": "own"}, **packages}, **more}


PACKAGE: dict[str, object] = {"version": "1.0.0", "resolved": "https://x.test/a.tgz", "integrity": SRI}


def test_npm_locks_by_integrity() -> None:
    found = only("package-lock.json", npm({"node_modules/@s/a/node_modules/b": PACKAGE}))
    assert (found.name, found.version, found.digests, found.is_pinned) == ("b", "1.0.0", (f"sha512:{LONG}",), True)
    lock = read("package-lock.json", npm({"node_modules/c": {**PACKAGE, "name": "@s/real"}}))
    assert list(lock.packages) == ["@s/real@1.0.0", "c@1.0.0"]
    assert only("package-lock.json", npm({"node_modules/a": {**PACKAGE, "resolved": "file:a.tgz"}})).is_pinned
    weak = "sha1-" + base64.b64encode(b"x" * 20).decode()
    assert only("package-lock.json", npm({"node_modules/a": {**PACKAGE, "integrity": f"{weak} {SRI}?x"}})).is_pinned
    for change in (
        {"integrity": weak},
        {"integrity": "sha512-*"},
        {"integrity": None},
        {"resolved": "git+ssh://git@x.test/a.git#main"},
        {"version": None},
    ):
        assert not only("package-lock.json", npm({"node_modules/a": {**PACKAGE, **change}})).is_pinned


def test_folders_of_npm_are_told() -> None:
    lock = read(
        "package-lock.json", npm({"libs/a": {"version": "1"}, "node_modules/a": {"link": True, "resolved": "libs/a"}})
    )
    assert {(item.folder, item.is_local) for item in lock.packages.values()} == {("libs/a", True)}


def test_both_halves_of_version_2_are_read() -> None:
    inner = {"version": "2.0.0", "resolved": "https://x.test/b.tgz"}
    half = {"a": {**PACKAGE, "dependencies": {"b": inner}}, "c": {"version": "file:libs/c"}}
    lock = read("package-lock.json", npm({"node_modules/a": PACKAGE}, 2, dependencies=half))
    assert {key: item.is_pinned for key, item in lock.packages.items()} == {
        "a@1.0.0": True,
        "b@2.0.0": False,
        "c@file:libs/c": False,
    }
    assert lock.packages["c@file:libs/c"].folder == "libs/c"
    other = npm({"node_modules/a": PACKAGE}, 2, dependencies={"a": {**PACKAGE, "integrity": None}})
    assert [item.is_pinned for item in read("package-lock.json", other).packages.values()] == [True, False]
    git = npm({}, 2, dependencies={"a": {"version": "git+https://x.test/a#main", "integrity": SRI}})
    assert not only("package-lock.json", git).is_pinned
    assert "version 1" in problem("package-lock.json", {"lockfileVersion": 1})
    assert problem("package-lock.json", npm({"node_modules/a": []}))


def yarn(resolved: str = "https://x.test/a.tgz#abc", more: str = f"  integrity {SRI}\n", asked: str = "^1") -> str:
    head = f'# yarn lockfile v1\n\n\n"@s/a@{asked}", "@s/a@~1":\n  version "1.0.0"\n'
    return f'{head}  resolved "{resolved}"\n{more}  dependencies:\n    "@s/a" "~1"\n    "@s/a" "^1"\n'


def test_yarn_locks_by_integrity() -> None:
    assert only("yarn.lock", yarn()) == Dependency("@s/a", "1.0.0", (f"sha512:{LONG}",), "https://x.test/a.tgz#abc")
    assert not only("yarn.lock", yarn(more="")).is_pinned
    assert not only("yarn.lock", yarn("git+https://x.test/a.git#main")).is_pinned
    local = '# yarn lockfile v1\n"a@file:../a":\n  version "1"\n'
    assert only("yarn.lock", local).folder == "../a"
    for content in (
        "__metadata:\n  version: 8\n",
        "# yarn lockfile v1\nodd\n",
        "# yarn lockfile v1\n odd:\n",
        "# yarn lockfile v1\n@:\n",
    ):
        assert problem("yarn.lock", content) if content != "# yarn lockfile v1\n@:\n" else read("yarn.lock", content)
    assert "names no package" in problem("yarn.lock", f'{YARN}odd:\n  version "1"\n')


def pnpm(key: str, resolution: str, version: str = "'9.0'", more: str = "") -> str:
    entry = f"    resolution: {resolution}\n    engines: {{node: '>=6'}}\n"
    return f"lockfileVersion: {version}\n{more}packages:\n  '{key}':\n{entry}"


def test_pnpm_locks_by_integrity() -> None:
    good = f"{{integrity: {SRI}}}"
    for key, version in {"@s/a@1.0.0": "'9.0'", "/@s/a@1.0.0(b@2)": "'6.0'", "/@s/a/1.0.0_b@2": "5.4"}.items():
        found = only("pnpm-lock.yaml", pnpm(key, good, version))
        assert (found.name, found.version, found.is_pinned) == ("@s/a", "1.0.0", True)
    assert only("pnpm-lock.yaml", pnpm("odd", good + "\n    name: n\n    version: '2'")).name == "n"
    assert not only("pnpm-lock.yaml", pnpm("a@1.0.0", "{tarball: 'https://x.test/a.tgz'}")).is_pinned
    assert not only("pnpm-lock.yaml", pnpm("a@1.0.0", "{type: git, repo: 'https://x.test', commit: abc}")).is_pinned
    assert only("pnpm-lock.yaml", pnpm("a@1.0.0", "{type: directory, directory: ../a}")).folder == "../a"
    assert problem("pnpm-lock.yaml", pnpm("a@1.0.0", good, "'4.0'"))
    assert problem("pnpm-lock.yaml", "a: &x 1\n")
    assert problem("pnpm-lock.yaml", "- 1\n")


ENTRY = f"{{resolution: {{integrity: {SRI}}}}}"


def test_links_of_pnpm_are_told() -> None:
    asked = "b: {specifier: '*', version: 'link:../b'}\n      c: {version: 1.0.0}\n      d: 1.0.0\n"
    more = f"importers:\n  pkgs/a:\n    dependencies:\n      {asked}"
    lock = read(
        "pnpm-lock.yaml", f"lockfileVersion: '9.0'\n{more}packages:\n  c@1.0.0: &\n  d@1.0.0: &".replace("&", ENTRY)
    )
    assert [(item.name, item.folder) for item in lock.packages.values()] == [("c", None), ("d", None), ("b", "pkgs/b")]
    older = read(
        "pnpm-lock.yaml",
        "lockfileVersion: 5.4\ndependencies:\n  b: link:../b\n  c: 1.0.0\npackages:\n  /c/1.0.0: " + ENTRY,
    )
    assert [(item.name, item.folder) for item in older.packages.values()] == [("c", None), ("b", "../b")]


def asking(place: str, kind: str, **more: object) -> dict[str, object]:
    first = {} if place == "" else {place: PACKAGE if "node_modules" in place else {"version": "1"}}
    packages: dict[str, object] = {"": {"name": "own"}, **first, "node_modules/a": PACKAGE}
    known = packages[place]
    assert isinstance(known, dict)
    return {"lockfileVersion": 3, "packages": {**packages, place: {**known, kind: {"torch": "*"}, **more}}}


@pytest.mark.parametrize("place", ["", "libs/b", "node_modules/b", "node_modules/a/node_modules/b"])
@pytest.mark.parametrize("kind", ["dependencies", "peerDependencies"])
def test_what_a_package_of_npm_needs_is_in_the_lock(place: str, kind: str) -> None:
    value = asking(place, kind)
    said = problem("package-lock.json", value)
    assert said == f"{place or 'the project'} needs 'torch', which is not in it"
    packages = value["packages"]
    assert isinstance(packages, dict)
    assert problem(
        "package-lock.json", {**value, "packages": {**packages, "node_modules/c/node_modules/torch": PACKAGE}}
    )
    found = f"{place}/node_modules/torch".removeprefix("/")
    for there in {found, "node_modules/torch"}:
        assert not read("package-lock.json", {**value, "packages": {**packages, there: PACKAGE}}).problems


def test_what_may_be_left_out_of_a_lock_of_npm() -> None:
    assert problem("package-lock.json", asking("", "devDependencies"))
    assert problem("package-lock.json", asking("libs/b", "devDependencies"))
    meta = {"torch": {"optional": True}}
    for value in (
        asking("node_modules/b", "devDependencies"),
        asking("", "optionalDependencies"),
        asking("", "dependencies", optionalDependencies={"torch": "*"}),
        asking("node_modules/b", "peerDependencies", peerDependenciesMeta=meta),
        asking("../b", "dependencies"),
    ):
        assert not read("package-lock.json", value).problems
    no = {"torch": {"optional": False}}
    assert problem("package-lock.json", asking("node_modules/b", "peerDependencies", peerDependenciesMeta=no))


def test_what_a_package_of_yarn_needs_is_in_the_lock() -> None:
    need = yarn().replace('"@s/a" "~1"', 'torch "^2"')
    assert problem("yarn.lock", need) == "'torch@^2' is needed, and not in it"
    assert problem("yarn.lock", f'{need}torch@^1:\n  version "1.0.0"\n  integrity {SRI}\n')
    assert not read("yarn.lock", f'{need}torch@^2:\n  version "2.0.0"\n  integrity {SRI}\n').problems
    assert not read("yarn.lock", need.replace("  dependencies:", "  optionalDependencies:")).problems
