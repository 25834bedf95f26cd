"""Lock files of JavaScript's tools: npm, Yarn 1 and pnpm. A package is locked by its subresource integrity."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gate.formats.locks.common import (
    LockError,
    Packages,
    integrity,
    is_repository,
    json_object,
    name_of,
    table,
    text,
)
from gate.formats.strict_yaml import Node, YamlError
from gate.formats.strict_yaml import loads as yaml
from gate.model.dependencies import Dependency

_MODULES: Final = "node_modules/"
_YARN: Final = "# yarn lockfile v1"
_PATTERN: Final = re.compile(r'"?((?:@[^@/"]+/)?[^@/"]+)@')
_PEERS: Final = re.compile(r"[(_].*", re.DOTALL)
_LOCAL: Final = ("file:", "link:", "portal:", "workspace:")


def _package(name: str, version: str | None, source: str | None, hashes: tuple[str, ...]) -> Dependency:
    """A package of a registry, of a repository or of a folder. A packed file at a path is known by its hash."""
    path = next((source.removeprefix(word) for word in _LOCAL if source is not None and source.startswith(word)), None)
    is_folder = path is not None and not hashes
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

    Version 2 says everything twice, the second time for npm 6: both are read.
    """
    value = json_object(data)
    if value.get("lockfileVersion") not in (2, 3):
        raise LockError(f"it is of version {str(value.get('lockfileVersion'))[:40]}, versions 2 and 3 are read")
    packages = Packages()
    places = table(value.get("packages"), "packages")
    for place, found in sorted(places.items()):
        entry = table(found, "a package")
        resolved = text(entry.get("resolved"))
        if not place or (_MODULES not in place and entry.get("link") is not True):
            if place:
                packages.add(Dependency(place, text(entry.get("version")), source=place, folder=place, is_local=True))
            continue
        name = text(entry.get("name")) or place.rpartition(_MODULES)[2]
        if entry.get("link") is True:
            packages.add(Dependency(name, None, source=resolved, folder=resolved, is_local=True))
        else:
            packages.add(_package(name, text(entry.get("version")), resolved, integrity(entry.get("integrity"))))
    for name, entry in _nested(value.get("dependencies")):
        version = text(entry.get("version"))
        is_place = version is not None and (":" in version)
        resolved = version if is_place else text(entry.get("resolved"))
        if version is None or not version.startswith("file:"):  # the packages have told the folders already
            packages.add(_package(name, version, resolved, integrity(entry.get("integrity"))))
    return packages


def _nested(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, found in sorted(table(value, "dependencies").items()):
        entry = table(found, "a dependency")
        yield name, entry
        yield from _nested(entry.get("dependencies"))


def read_yarn(data: bytes) -> Packages:
    """`yarn.lock`, version 1; raises `LockError`."""
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise LockError(f"it is not UTF-8: {error.reason}") from None
    if _YARN not in lines:
        raise LockError("it is not of version 1 of Yarn's lock files, which alone are read")
    packages = Packages()
    pattern: str | None = None
    fields: dict[str, str] = {}
    for line in [*lines, "end:"]:
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("  "):
            if not line.startswith("   "):
                word, _, rest = line.strip().partition(" ")
                fields[word] = rest.strip('"')
            continue
        if not line.endswith(":") or line.startswith(" "):
            raise LockError(f"the line {line[:200]!r} is not of this format")
        if pattern is not None:
            packages.add(_yarn(pattern, fields))
        pattern, fields = line, {}
    return packages


def _yarn(pattern: str, fields: Mapping[str, str]) -> Dependency:
    found = _PATTERN.match(pattern)
    if found is None:
        raise LockError(f"{pattern[:200]!r} names no package")
    asked = pattern[found.end() :].partition(",")[0].rstrip(':"')
    source = fields.get("resolved") or (asked if asked.startswith(_LOCAL) or is_repository(asked) else None)
    return _package(found[1], fields.get("version") or None, source, integrity(fields.get("integrity")))


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
    packages = Packages()
    for key, found in table(document.get("packages"), "packages").items():
        entry = table(found, "a package")
        name, version = _pnpm_name(key, entry, is_old=major == "5")
        packages.add(_pnpm(name, version, table(entry.get("resolution"), "resolution")))
    importers = document.get("importers", {".": document})
    for place, importer in table(importers, "importers").items():
        for name, said in _asked(table(importer, "an importer")):
            version = text(table(said, name).get("version")) if isinstance(said, Mapping) else text(said)
            if version is not None and version.startswith("link:"):
                folder = posixpath.normpath(posixpath.join(place, version.removeprefix("link:")))
                packages.add(Dependency(name, None, source=version, folder=folder, is_local=True))
    return packages


def _asked(importer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for kind in ("dependencies", "devDependencies", "optionalDependencies"):
        yield from table(importer.get(kind), kind).items()


def _pnpm_name(key: str, entry: Mapping[str, Any], *, is_old: bool) -> tuple[str, str | None]:
    plain = _PEERS.sub("", key.removeprefix("/")) if not is_old else key.removeprefix("/")
    name, _, version = plain.rpartition("/") if is_old else _cut(plain)
    version = _PEERS.sub("", version)
    said = text(entry.get("name")) or name
    return name_of(said or plain, "a package"), text(entry.get("version")) or version or None


def _cut(plain: str) -> tuple[str, str, str]:
    place = plain.find("@", 1)
    return (plain[:place], "@", plain[place + 1 :]) if place > 0 else (plain, "", "")


def _pnpm(name: str, version: str | None, resolution: Mapping[str, Any]) -> Dependency:
    kind = resolution.get("type")
    hashes = integrity(resolution.get("integrity"))
    if kind == "directory" or "directory" in resolution:
        folder = text(resolution.get("directory"))
        return Dependency(name, version, source=folder, folder=folder, is_local=True)
    if kind == "git" or "repo" in resolution:
        return Dependency(name, version, source=f"git+{resolution.get('repo')}", is_mutable=True)
    return _package(name, version, text(resolution.get("tarball")), hashes)


def _plain(node: Node) -> Any:
    """The value of a node without its places."""
    value = node.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
