"""Lock files of JavaScript's tools: npm, Yarn 1 and pnpm. A package is locked by its subresource integrity."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

from gate.formats.locks.common import (
    LockError,
    Packages,
    integrity,
    is_repository,
    is_version,
    json_object,
    lines,
    name_of,
    only,
    table,
    text,
)
from gate.formats.strict_yaml import Node, YamlError
from gate.formats.strict_yaml import loads as yaml
from gate.model.dependencies import Dependency

_MODULES: Final = "node_modules/"
_YARN: Final = "# yarn lockfile v1"
_PATTERN: Final = re.compile(r"((?:@[^@/]+/)?[^@/:]+)@(.*)")
_NAME: Final = re.compile(r"(@[^@/]+/)?[^@/]+")
_SAID: Final = re.compile(r"/((?:@[^/]+/)?[^/]+)/-/(?:@[^/]+/)?[^/]+\.tgz")
_WORD: Final = r'"[^"]*"|[A-Za-z][^\s",:]*'
_HEAD: Final = re.compile(rf"({_WORD})(, ({_WORD}))*:")
_FIELD: Final = re.compile(rf"  ([a-zA-Z]+) ({_WORD})")
_INNER: Final = re.compile(rf"    ({_WORD}) ({_WORD})")
_YARN_FIELDS: Final = frozenset({"integrity", "name", "registry", "resolved", "uid", "version"})
_NEEDED: Final = "  dependencies:"
_YARN_BLOCKS: Final = frozenset({_NEEDED, "  optionalDependencies:"})
_PNPM_KINDS: Final = {
    "commit": "git",
    "directory": "directory",
    "integrity": "tarball",
    "repo": "git",
    "tarball": "tarball",
}
_PNPM: Final = frozenset({"commit", "directory", "gitHosted", "integrity", "path", "repo", "tarball", "type"})
_LOCAL: Final = ("file:", "link:", "portal:", "workspace:")


def _package(name: str, version: str | None, source: str | None, hashes: tuple[str, ...]) -> Dependency:
    """A package of a registry, of a repository or of a folder. A packed file at a path is known by its hash."""
    path = next((source.removeprefix(word) for word in _LOCAL if source is not None and source.startswith(word)), None)
    is_known = source is None or path is not None or is_repository(source) or source.startswith(("https://", "http://"))
    if not is_known:
        raise LockError(f"the source of {name[:200]!r} is none that is known")
    is_packed = path is not None and (source or "").startswith("file:") and path.endswith((".tgz", ".tar.gz", ".tar"))
    is_folder = path is not None and not (hashes and is_packed)
    return Dependency(
        name,
        version,
        hashes,
        source,
        folder=path if is_folder else None,
        is_local=is_folder,
        is_mutable=is_repository(source),
        is_complete=version is not None,
    )


def read_npm(data: bytes) -> Packages:
    """`package-lock.json` and `npm-shrinkwrap.json`, versions 2 and 3; raises `LockError`.

    A package is installed as its place says; where it says another name too, it is judged under both. Version 2 says
    everything twice, the second time for npm 6: both are read.
    """
    value = json_object(data)
    if not is_version(value.get("lockfileVersion"), 2, 3):
        raise LockError(f"it is of version {str(value.get('lockfileVersion'))[:40]}, versions 2 and 3 are read")
    packages = Packages()
    places = table(value.get("packages"), "packages")
    for place, found in sorted(places.items()):
        _npm(place, entry := table(found, "a package"), packages)
        _check_needs(place, entry, places)
    for name, entry in _nested(value.get("dependencies")):
        version, resolved = text(entry.get("version")), text(entry.get("resolved"))
        names = {name}
        if version is not None and version.startswith("npm:"):
            real, _, version = _cut(version.removeprefix("npm:"))
            names.add(real)
        elif version is not None and ":" in version:
            if resolved is not None:
                raise LockError(f"{name[:200]!r} has more than one source")
            resolved = version
        _add(packages, names, version, resolved, integrity(entry.get("integrity")))
    return packages


def _npm(place: str, entry: Mapping[str, Any], packages: Packages) -> None:
    resolved, version, hashes = text(entry.get("resolved")), text(entry.get("version")), entry.get("integrity")
    is_link = entry.get("link", False)
    parts = place.split("/")
    if not isinstance(is_link, bool) or entry.get("hasShrinkwrap", False) is not False:
        raise LockError(f"{place[:200]!r} says of links or of a lock of its own what is not read")
    if place and (posixpath.normpath(place) != place or place.startswith("/") or "\\" in place or place == "."):
        raise LockError(f"{place[:200]!r} is no plain place")
    if any(part.lower() == "node_modules" != part for part in parts):
        raise LockError(f"{place[:200]!r} is no plain place")
    if _MODULES not in place:
        if is_link or resolved is not None or hashes is not None:
            raise LockError(f"{place[:200]!r} is a folder, and has a source")
        if place:
            packages.add(Dependency(place, version, source=place, folder=place, is_local=True))
        return
    name = place.rpartition(_MODULES)[2]
    if not _NAME.fullmatch(name) or (version is not None and re.search("[:/]", version)):
        raise LockError(f"{place[:200]!r} has a name or version that npm reads as something else")
    names = {name, text(entry.get("name")) or name}
    if not is_link:
        _add(packages, names, version, resolved, integrity(hashes))
    elif hashes is not None or resolved is None:
        raise LockError(f"{place[:200]!r} is a link, and has a hash or no folder")
    else:
        for one in sorted(names):
            packages.add(Dependency(one, None, source=resolved, folder=resolved, is_local=True))


def _check_needs(place: str, entry: Mapping[str, Any], places: Mapping[str, Any]) -> None:
    """What a package needs is in the lock, where Node looks for it: below its folder, or below one above that."""
    if place.partition("/")[0] == "..":
        return  # a folder elsewhere, which has a lock of its own
    kinds = ("dependencies", "peerDependencies", *(() if _MODULES in place else ("devDependencies",)))
    optional = set(table(entry.get("optionalDependencies"), "optionalDependencies"))
    for name, said in table(entry.get("peerDependenciesMeta"), "peerDependenciesMeta").items():
        if table(said, "what is said of a peer").get("optional") is True:
            optional.add(name)
    for name in sorted({name for kind in kinds for name in table(entry.get(kind), kind)} - optional):
        folder = place
        while f"{folder}/{_MODULES}{name}".removeprefix("/") not in places:
            if not folder:
                raise LockError(f"{place[:200] or 'the project'} needs {name[:200]!r}, which is not in it")
            folder = posixpath.dirname(folder)


def _add(packages: Packages, names: set[str], version: str | None, source: str | None, hashes: tuple[str, ...]) -> None:
    """Adds a package under each name that it is known by. An index's address says one, and that must be among them."""
    said = _SAID.search(unquote(source)) if source is not None else None
    if said is not None and said[1] not in names:
        raise LockError(f"{source[:200]!r} is of another package than {min(names)[:200]!r}" if source else "")
    for name in sorted(names):
        packages.add(_package(name_of(name, "a package"), version, source, hashes))


def _nested(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, found in sorted(table(value, "dependencies").items()):
        entry = table(found, "a dependency")
        yield name, entry
        yield from _nested(entry.get("dependencies"))


def read_yarn(data: bytes) -> Packages:
    """`yarn.lock`, version 1, as Yarn writes it: a key without quotes, once, and one value; raises `LockError`."""
    content = lines(data)
    if _YARN not in content:
        raise LockError("it is not of version 1 of Yarn's lock files, which alone are read")
    packages = Packages()
    patterns: list[str] = []
    fields: dict[str, str | None] = {}
    known: set[str] = set()
    needed: set[str] = set()
    for line in [*content, "end:"]:
        if not line.strip() or line.startswith("#"):
            continue
        field = _FIELD.fullmatch(line)
        if field is not None and patterns and field[1] in _YARN_FIELDS and field[1] not in fields:
            fields[field[1]] = _word(field[2])
        elif line in _YARN_BLOCKS and patterns and line not in fields:
            fields[line] = None
        elif (inner := _INNER.fullmatch(line)) and (block := next(reversed(fields), "")) in _YARN_BLOCKS:
            if block == _NEEDED:
                needed.add(f"{_word(inner[1])}@{_word(inner[2])}")
        elif _HEAD.fullmatch(line):
            if patterns:
                _yarn(patterns, fields, packages)
            patterns, fields = [_word(word) for word in re.findall(_WORD, line[:-1])], {}
            known.update(patterns)
        else:
            raise LockError(f"the line {line[:200]!r} is not of this format")
    if needed - known:
        raise LockError(f"{min(needed - known)[:200]!r} is needed, and not in it")
    return packages


def _word(word: str) -> str:
    if not word.startswith('"'):
        return word
    if "\\" in word:
        raise LockError(f"{word[:200]!r} has an escape, which is not read")
    return word[1:-1]


def _yarn(patterns: list[str], fields: Mapping[str, str | None], packages: Packages) -> None:
    names = {fields["name"] or ""} if "name" in fields else set()
    places = {fields["resolved"]} if "resolved" in fields else set()
    for pattern in patterns:
        found = _PATTERN.fullmatch(pattern)
        if found is None:
            raise LockError(f"{pattern[:200]!r} names no package")
        names.add(found[1])
        if found[2].startswith("npm:"):
            names.add(_cut(found[2].removeprefix("npm:"))[0])
        elif found[2].startswith(_LOCAL) or is_repository(found[2]):
            places.add(found[2])
    hashes, version = integrity(fields.get("integrity")), fields.get("version")
    for source in sorted(places, key=str) or [None]:  # such a place holds whatever else is written
        _add(packages, names, version or None, source or None, hashes)


def read_pnpm(data: bytes) -> Packages:
    """`pnpm-lock.yaml`, versions 5, 6 and 9; raises `LockError`."""
    try:
        value = _plain(yaml(data, decimals=True, limit=len(data)))
    except YamlError as error:
        raise LockError(f"it is not strict YAML: {error} (line {error.line})") from None
    document = table(value, "the document")
    major = str(document.get("lockfileVersion")).partition(".")[0]
    if major not in {"5", "6", "9"}:
        raise LockError(f"it is of version {str(document.get('lockfileVersion'))[:40]}, versions 5, 6 and 9 are read")
    if table(document.get("patchedDependencies"), "patchedDependencies"):
        raise LockError("it patches packages: what is installed is not what its hashes are of")
    packages = Packages()
    places = table(document.get("packages"), "packages")
    names = _aliases(document, places)
    for key, found in places.items():
        entry = table(found, "a package")
        said, version = _pnpm_name(key, entry, is_old=major == "5")
        for name in sorted(said | names.get(key, set())):
            packages.add(_pnpm(name, version, table(entry.get("resolution"), "resolution")))
    for place, importer in table(document.get("importers", {".": document}), "importers").items():
        for name, version in _asked(table(importer, "an importer")):
            if version.startswith("link:"):
                folder = posixpath.normpath(posixpath.join(place, version.removeprefix("link:")))
                packages.add(Dependency(name, None, source=version, folder=folder, is_local=True))
    return packages


def _aliases(document: Mapping[str, Any], places: Mapping[str, Any]) -> Mapping[str, set[str]]:
    """The names under which each package is asked for; what is asked for and not there is a problem."""
    asking = [
        *table(document.get("importers"), "importers").values(),
        document,
        *places.values(),
        *table(document.get("snapshots"), "snapshots").values(),
    ]
    names: dict[str, set[str]] = {}
    for item in asking:
        for name, version in _asked(table(item, "what asks for packages")):
            bare = version.partition("(")[0]
            forms = [
                form for one in (version, bare) for form in (one, f"{name}@{one}", f"/{name}@{one}", f"/{name}/{one}")
            ]
            key = next((form for form in forms if form in places), None)
            if key is not None:
                names.setdefault(key, set()).add(name)
            elif not version.startswith("link:"):
                raise LockError(f"{name[:200]!r} is asked for as {version[:200]!r}, which is not in it")
    return names


def _asked(importer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("dependencies", "devDependencies", "optionalDependencies"):
        for name, said in table(importer.get(kind), kind).items():
            version = text(said.get("version")) if isinstance(said, Mapping) else said
            yield (
                name,
                name_of(str(version) if isinstance(version, Decimal) else version, f"the version of {name[:200]}"),
            )


def _pnpm_name(key: str, entry: Mapping[str, Any], *, is_old: bool) -> tuple[set[str], str | None]:
    """The names of a package by its key and by its own word, and its version."""
    plain = key.removeprefix("/") if is_old else key.removeprefix("/").partition("(")[0]
    name, _, version = plain.rpartition("/") if is_old else _cut(plain)
    version = version.partition("_")[0] if is_old else version
    said, is_cut = text(entry.get("name")), bool(name and version)
    names = {one for one in (name if is_cut or said is None else None, said) if one}
    return names or {name_of(plain, "a package")}, text(entry.get("version")) or version or None


def _cut(plain: str) -> tuple[str, str, str]:
    place = plain.find("@", 1)
    return (plain[:place], "@", plain[place + 1 :]) if place > 0 else (plain, "", "")


def _pnpm(name: str, version: str | None, resolution: Mapping[str, Any]) -> Dependency:
    kind = text(resolution.get("type"))
    kinds = {found for word, found in _PNPM_KINDS.items() if word in resolution} | ({kind} if kind else set())
    only(resolution, _PNPM, f"the resolution of {name}")
    is_inner = "directory" in kinds and "path" in resolution
    if len(kinds) > 1 or is_inner or not kinds <= {"directory", "git", "tarball"}:
        raise LockError(f"the source of {name[:200]!r} is none that is known, or more than one")
    if kinds == {"directory"}:
        folder = text(resolution.get("directory"))
        return Dependency(name, version, source=folder, folder=folder, is_local=True)
    if kinds == {"git"}:
        return Dependency(name, version, source=f"git+{resolution.get('repo')}", is_mutable=True)
    return _package(name, version, text(resolution.get("tarball")), integrity(resolution.get("integrity")))


def _plain(node: Node) -> Any:
    """The value of a node without its places."""
    value = node.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
