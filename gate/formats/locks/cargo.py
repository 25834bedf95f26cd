"""Lock files of Cargo. They do not say where a package without a source lies: it is the project's own, or anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gate.formats.locks.common import (
    LockError,
    Packages,
    entries,
    hashed,
    hexadecimal,
    is_version,
    name_of,
    only,
    table,
    text,
    toml,
)
from gate.model.dependencies import Dependency

_TOP: Final = frozenset({"metadata", "package", "patch", "root", "version"})
_PACKAGE: Final = frozenset({"checksum", "dependencies", "name", "source", "version"})


def read_cargo(data: bytes) -> Packages:
    """`Cargo.lock`, versions 1 to 4; raises `LockError`."""
    value = toml(data)
    if not is_version(value.get("version", 1), 1, 2, 3, 4):
        raise LockError(f"it is of version {str(value.get('version'))[:40]}, versions 1 to 4 are read")
    only(value, _TOP, "it")
    older = table(value.get("metadata"), "metadata")
    listed = {key for key in older if key.startswith("checksum ")}
    packages = Packages()
    known: set[str] = set()
    needed: set[str] = set()
    for entry in [
        *entries(value.get("package"), "package"),
        *([table(value["root"], "root")] if "root" in value else ()),
    ]:
        key = _checksum_key(entry)
        if key in older and "checksum" in entry:
            raise LockError(f"it has two checksums of {entry.get('name')!r}")
        listed.discard(key)
        packages.add(_package(entry, entry.get("checksum", older.get(key))))
        said = [str(entry.get(member)) for member in ("name", "version", "source")]
        known |= {said[0], " ".join(said[:2]), f"{said[0]} {said[1]} ({said[2].partition('#')[0]})"}
        needed |= _needs(entry)
    if listed:
        raise LockError(f"{min(listed)[:200]!r} is of no package in it")
    if needed - known:
        raise LockError(f"{min(needed - known)[:200]!r} is needed, and not in it")
    return packages


def _needs(entry: Mapping[str, Any]) -> set[str]:
    """What a package needs, as `<name>`, `<name> <version>` or these with the source, without a commit."""
    needs = entry.get("dependencies", [])
    if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
        raise LockError("what a package needs is no list of texts")
    return {f"{need.partition('#')[0]})" if "#" in need else need for need in needs}


def _checksum_key(entry: Mapping[str, Any]) -> str:
    return f"checksum {entry.get('name')} {entry.get('version')} ({entry.get('source')})"


def _package(entry: Mapping[str, Any], checksum: Any) -> Dependency:
    name, version, source = (
        name_of(entry.get("name"), "a package"),
        text(entry.get("version")),
        text(entry.get("source")),
    )
    only(entry, _PACKAGE, name)
    item = Dependency(
        name,
        version,
        source=source,
        is_local=source is None,
        is_mutable=source is not None and not source.startswith(("registry+", "sparse+")),
        is_complete=version is not None,
    )
    return hashed(item, [hexadecimal("sha256", checksum)])
