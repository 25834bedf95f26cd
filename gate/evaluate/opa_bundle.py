"""OPA bundles: a policy as one `.tar.gz` that OPA servers load and the gate reads back, byte for byte.

There is one archive for a policy: plain files in the order of their paths, no times, no owners. Reading makes that
archive again from what was found and compares, so nothing can hide in links, devices, doubled or odd names,
extended headers, padding or a second compressed stream. Everything happens in memory, within limits.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.errors import PolicyError
from gate.evaluate.bundle import PolicyBundle, make_bundle
from gate.evaluate.catalogue import control_id
from gate.formats import opa_signatures
from gate.formats.canonical_json import dumps
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.json import JsonObject, JsonValue

ROOTS: Final = ("custom", "gate", "system")
MANIFEST: Final = ".manifest"
AUTHZ: Final = "system/authz/authz.rego"
MAX_SERIAL: Final = (1 << 53) - 1
MAX_PACKED: Final = 8 << 20
_MAX_UNPACKED: Final = 32 << 20
_MAX_FILES: Final = 10_000
_MODULE: Final = re.compile(r"(?:gate|custom)(?:/[a-z][a-z0-9_]*)+\.rego")
_PROFILE: Final = re.compile(r"gate/profiles/[a-z][a-z0-9_-]*/data\.json")
_REQUIRED: Final = (MANIFEST, opa_signatures.PATH, AUTHZ)
_REBUILD: Final = "a bundle is made by `gate policy bundle`, and changed by making it again"
# gzip (RFC 1952): deflate, no name, no time, best compression, no system.
_GZIP_HEADER: Final = bytes.fromhex("1f8b08000000000002ff")
_BLOCK: Final = 512
_SIZE: Final = re.compile(rb"[0-7]{11}\0")
_NAME_BYTES: Final = 100


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `.manifest` says. `revision` is the digest of the policy, `gate_version` that of who made the bundle."""

    revision: str
    serial: int
    gate_version: str
    own: tuple[str, ...]
    replaced: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """The file: canonical JSON."""
        metadata: JsonObject = {
            "gate_version": self.gate_version,
            "own": list(self.own),
            "replaced": list(self.replaced),
            "serial": self.serial,
        }
        return dumps({"revision": self.revision, "roots": list(ROOTS), "rego_version": 1, "metadata": metadata})


def bundle_files(policy: PolicyBundle, authz: bytes, serial: int, gate_version: str) -> Mapping[str, bytes]:
    """The files of a bundle but its signature. `authz` is what an OPA server lets in, of package `system.authz`."""
    manifest = Manifest(policy.digest, serial, gate_version, policy.own, policy.replaced)
    files = {**policy.files, AUTHZ: authz, MANIFEST: manifest.to_bytes()}
    for path in files:
        _check_path(path)
    return dict(sorted(files.items()))


def read_bundle(files: Mapping[str, bytes]) -> tuple[PolicyBundle, Manifest]:
    """The policy in a bundle's files and the manifest that fits it; raises `PolicyError`. No signature is checked."""
    for path in _REQUIRED:
        if path not in files:
            raise PolicyError(f"the bundle lacks {path}", hint=_REBUILD)
    manifest = _read_manifest(files[MANIFEST])
    evaluated = {path: data for path, data in files.items() if path not in _REQUIRED}
    policy = make_bundle(evaluated, manifest.own, manifest.replaced, serial=manifest.serial)
    if policy.digest != manifest.revision:
        raise PolicyError(
            f"the bundle's revision is {manifest.revision[:200]}, but its files are {policy.digest}", hint=_REBUILD
        )
    controls = {control_id(path) for path in policy.modules} - {None}
    custom = {control for control in controls if control is not None and control.startswith("custom.")}
    if not custom <= set(policy.own) <= controls or not set(policy.replaced) <= set(policy.own):
        raise PolicyError("the bundle's manifest does not name its own controls as they are", hint=_REBUILD)
    return policy, manifest


def _read_manifest(data: bytes) -> Manifest:
    try:
        value = loads_object(data)
    except StrictJsonError as error:
        raise PolicyError(f"{MANIFEST} of the bundle: {error}", hint=_REBUILD) from None
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    serial, revision, version = metadata.get("serial"), value.get("revision"), metadata.get("gate_version")
    own, replaced = _texts(metadata.get("own")), _texts(metadata.get("replaced"))
    if value.get("roots") != list(ROOTS):
        raise PolicyError(f"the roots of the bundle are not exactly {', '.join(ROOTS)}", hint=_REBUILD)
    if not isinstance(serial, int) or isinstance(serial, bool) or not 1 <= serial <= MAX_SERIAL:
        raise PolicyError("the bundle's manifest has no serial", hint=_REBUILD)
    manifest = Manifest(str(revision), serial, str(version), own, replaced)
    if manifest.to_bytes() != data:
        raise PolicyError(f"{MANIFEST} of the bundle is not as the gate writes it", hint=_REBUILD)
    return manifest


def _texts(value: JsonValue) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(sorted({item for item in found if isinstance(item, str)}))


def _check_path(path: str) -> None:
    """A bundle holds modules, profiles and its own three files: no tests, no other data, no patches, no WebAssembly."""
    if path in _REQUIRED or _PROFILE.fullmatch(path):
        pass
    elif not _MODULE.fullmatch(path) or path.endswith("_test.rego"):
        raise PolicyError(f"{path[:200]!r} has no place in a policy bundle", hint=_REBUILD)
    if len(path) > _NAME_BYTES:
        raise PolicyError(f"{path[:200]!r} is longer than the {_NAME_BYTES} bytes of a bundle", hint="shorten its name")


# --- the archive -----------------------------------------------------------------------------------------------------


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files; equal files give equal bytes. Raises `PolicyError` for what would not be read."""
    for path in files:
        _check_path(path)
    tar = _tar(files)
    if len(files) > _MAX_FILES or len(tar) > _MAX_UNPACKED:
        raise PolicyError(f"a policy bundle has at most {_MAX_FILES} files and {_MAX_UNPACKED >> 20} MiB")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = _GZIP_HEADER + deflate.compress(tar) + deflate.flush() + _gzip_trailer(tar)
    if len(packed) > MAX_PACKED:
        raise PolicyError(f"a policy bundle has at most {MAX_PACKED >> 20} MiB")
    return packed


def unpack(data: bytes) -> Mapping[str, bytes]:
    """The files of an archive that `pack` would make like this; raises `PolicyError` for any other."""
    tar = _unzip(data)
    files: dict[str, bytes] = {}
    offset = 0
    while tar[offset : offset + _BLOCK] != bytes(_BLOCK):
        header = tar[offset : offset + _BLOCK]
        name = header[:_NAME_BYTES].rstrip(b"\0").decode("ascii", "replace")
        if len(header) < _BLOCK or not _SIZE.fullmatch(header[124:136]):
            raise _damaged("it is cut off, or is no tar archive")
        if header[156:157] != b"0":
            raise _damaged(f"{name[:200]!r} is a link, a folder, a device or an extended header")
        _check_path(name)
        if name in files or len(files) == _MAX_FILES:
            raise _damaged(f"{name!r} is in it twice, or one file too many")
        start, size = offset + _BLOCK, int(header[124:135], 8)
        files[name] = tar[start : start + size]
        offset = start + size + -size % _BLOCK
    if _tar(files) != tar:
        raise _damaged("it is not laid out as the gate does")
    return files


def _unzip(data: bytes) -> bytes:
    if len(data) > MAX_PACKED or not data.startswith(_GZIP_HEADER):
        raise _damaged("it is no gzip file as the gate writes it")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        tar = inflate.decompress(data[len(_GZIP_HEADER) :], _MAX_UNPACKED + 1)
    except zlib.error:
        raise _damaged("it cannot be unpacked") from None
    if len(tar) > _MAX_UNPACKED or not inflate.eof:
        raise _damaged(f"it is cut off, or larger than {_MAX_UNPACKED >> 20} MiB")
    if inflate.unused_data != _gzip_trailer(tar):
        raise _damaged("its checksum is wrong, or something follows it")
    return tar


def _damaged(why: str) -> PolicyError:
    return PolicyError(f"this is no policy bundle: {why}", hint=_REBUILD)


def _gzip_trailer(tar: bytes) -> bytes:
    return struct.pack("<LL", zlib.crc32(tar), len(tar))


def _tar(files: Mapping[str, bytes]) -> bytes:
    """The files as ustar (POSIX.1-1988), sorted, with two empty blocks at the end."""
    return b"".join(_parts(files)) + bytes(2 * _BLOCK)


def _parts(files: Mapping[str, bytes]) -> Iterable[bytes]:
    for path, data in sorted(files.items()):
        before = path.encode("ascii").ljust(_NAME_BYTES, b"\0") + b"0000644\0" + b"0000000\0" * 2
        before += b"%011o\0" % len(data) + b"%011o\0" % 0
        after = b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(155 + 12)
        checksum = sum(before) + 8 * ord(" ") + sum(after)
        yield before + b"%06o\0 " % checksum + after
        yield data + bytes(-len(data) % _BLOCK)
