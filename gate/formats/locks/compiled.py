"""Lock files of Cargo and Go.

`Cargo.lock` does not say where a package without a source lies: it is the project's own code, or anybody's. `go.sum`
lists the hash of each module's files (`h1`, the `dirHash` of in-toto) and of each `go.mod`; what is replaced by a
folder stands in `go.mod` alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from gate.formats.locks.common import LockError, Packages, entries, hashed, hexadecimal, name_of, text, toml
from gate.model.dependencies import Dependency

_GO_MOD: Final = "/go.mod"
_REPLACED: Final = re.compile(r"(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+(\.{0,2}/\S*|\.{1,2}|[A-Za-z]:\S+)\s*")


def read_cargo(data: bytes) -> Packages:
    """`Cargo.lock`, versions 1 to 4; raises `LockError`."""
    value = toml(data)
    if value.get("version", 1) not in (1, 2, 3, 4):
        raise LockError(f"it is of version {str(value.get('version'))[:40]}, versions 1 to 4 are read")
    older = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
    packages = Packages()
    for entry in entries(value.get("package"), "package"):
        name, version = name_of(entry.get("name"), "a package"), text(entry.get("version"))
        source = text(entry.get("source"))
        checksum = entry.get("checksum", (older or {}).get(f"checksum {name} {version} ({source})"))
        item = Dependency(
            name,
            version,
            source=source,
            is_local=source is None,
            is_mutable=source is not None and not source.startswith(("registry+", "sparse+")),
            is_complete=version is not None,
        )
        packages.add(hashed(item, [hexadecimal("sha256", checksum)]))
    return packages


def read_go(data: bytes) -> Packages:
    """`go.sum`; raises `LockError`."""
    found: dict[tuple[str, str], str | None] = {}
    for line in _text(data).splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) != 3:
            raise LockError(f"the line {line[:200]!r} is not `<module> <version> <hash>`")
        place = words[0], words[1]
        digest = _h1(words[2])
        if found.get(place, digest) != digest:
            raise LockError(f"it has two hashes of {words[0][:200]} {words[1][:80]}")
        found[place] = digest
    packages = Packages()
    for (module, version), digest in found.items():
        if not version.endswith(_GO_MOD):
            packages.add(hashed(Dependency(module, version), [digest]))
    return packages


def replaced(data: bytes) -> Packages:
    """The modules that a `go.mod` replaces by folders; raises `LockError`."""
    packages = Packages()
    for line in _text(data).splitlines():
        found = _REPLACED.fullmatch(line.partition("//")[0].strip())
        if found is not None:
            folder = found[2].strip('"`')
            packages.add(Dependency(found[1].strip('"`'), None, source=folder, folder=folder, is_local=True))
    return packages


def _h1(word: str) -> str | None:
    try:
        return hexadecimal("sha256", base64.b64decode(word.removeprefix("h1:"), validate=True).hex())
    except (binascii.Error, ValueError):
        return None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LockError(f"it is not UTF-8: {error.reason}") from None
