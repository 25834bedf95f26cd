"""Reads the structure of a zip archive and says where two readers could see two archives (APPNOTE 6.3.10).

The module `zipfile` is not used: it follows one reading, forgives what other readers do not, and hides members
that it cannot open, which is how archives were hidden from scanners.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.inspect.context import CapError, Findings, shown
from gate.inspect.limits import InspectLimits
from gate.inspect.source import Source
from gate.model.path import is_plain_relative
from gate.model.scan import Severity

_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_COMMENT_BYTES: Final = 1 << 16
"""One more than a comment can have: Python's reader looks that far back."""
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_END64: Final = struct.Struct("<4sQHHIIQQQQ")
_DESCRIPTORS: Final = frozenset({12, 16, 20, 24})
_DESCRIPTOR_FLAG: Final = 0x8
_ENCRYPTED_FLAGS: Final = 0x1 | 0x40 | 0x2000
_KNOWN_FLAGS: Final = 0x2 | 0x4 | _DESCRIPTOR_FLAG | 0x800
_UNICODE_PATH: Final = 0x7075
_MAX32: Final = 0xFFFFFFFF


class ZipError(Exception):
    """The structure cannot be read at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: where its bytes begin in the file, their packed and unpacked number."""

    name: str
    raw_name: bytes
    method: int
    flags: int
    packed: int
    unpacked: int
    header: int
    data: int
    mode: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder without content."""
        return self.name.endswith("/") and self.unpacked == 0 and self.packed == 0


@dataclass(frozen=True, slots=True)
class _End:
    """The end record: where it stands, and the directory it speaks of."""

    at: int
    count: int
    size: int
    offset: int
    trailing: int


def find_end(source: Source) -> int | None:
    """Where a zip's end record stands, if a reader that looks for one from the end would find it."""
    span = min(source.size, _COMMENT_BYTES + _END_BYTES)
    base = source.size - span
    tail = source.read_at(base, span)
    at = tail.rfind(_END)
    while at >= 0:
        if at + _END_BYTES <= len(tail):
            size = int.from_bytes(tail[at + 12 : at + 16], "little")
            start = base + at - size
            is_directory = size >= _CENTRAL.size and start >= 0 and source.read_at(start, 4) == b"PK\x01\x02"
            if is_directory or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
                return base + at
        at = tail.rfind(_END, 0, at)
    return None


def read_directory(source: Source, limits: InspectLimits, found: Findings) -> tuple[Member, ...]:
    """All members. Adds what is odd to the findings; raises `ZipError`, or `CapError` at a limit."""
    end = _read_end(source, found)
    if end.count > limits.archive_members or end.size > limits.archive_directory_bytes:
        raise CapError("has more members than the limit")
    start = end.at - end.size
    if start < 0:
        raise ZipError("its directory does not fit into the file")
    shift = start - end.offset
    if shift:
        found.add("archive.structure", Severity.HIGH, "its directory is not where it says; something is put before it")
    directory = source.read_at(start, end.size)
    if _END in directory or source.read_at(end.at, source.size - end.at).count(_END) != 1:
        # Inside a member's data one is ordinary: an archive in an archive.
        found.add("archive.structure", Severity.HIGH, "it has more than one end record")
    members: list[Member] = []
    at = 0
    while at + _CENTRAL.size <= len(directory) and directory[at : at + 4] == b"PK\x01\x02":
        member, at = _read_central(source, directory, at, shift, found)
        members.append(member)
    if at != len(directory) or len(members) != end.count:
        found.add("archive.structure", Severity.HIGH, "its directory does not hold the members that it counts")
    if end.trailing:
        found.add("archive.trailing_data", Severity.HIGH, "bytes follow the end of the archive")
    _check_names(members, found)
    _check_layout(members, start, found)
    return tuple(members)


def _read_end(source: Source, found: Findings) -> _End:
    span = min(source.size, _COMMENT_BYTES + _END_BYTES)
    base = source.size - span
    tail = source.read_at(base, span)
    at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        raise ZipError("it has no end record")
    disk, first, here, count, size, offset, comment = struct.unpack_from("<HHHHIIH", tail, at + 4)
    if disk != first or here != count:
        raise ZipError("it is a part of a divided archive")
    trailing = len(tail) - at - _END_BYTES
    if trailing != comment:
        found.add("archive.structure", Severity.HIGH, "its comment has another length than it says")
    end = _End(base + at, count, size, offset, trailing)
    return _read_end64(source, end, found)


def _read_end64(source: Source, end: _End, found: Findings) -> _End:
    locator = source.read_at(end.at - 20, 20) if end.at >= 20 else b""
    if not locator.startswith(b"PK\x06\x07"):
        if end.count == 0xFFFF or _MAX32 in {end.size, end.offset}:
            raise ZipError("its 64-bit end record is missing")
        return end
    at = end.at - 20 - _END64.size
    if at < 0:
        raise ZipError("its 64-bit end record is missing")
    magic, length, _, _, disk, first, here, count, size, offset = _END64.unpack(source.read_at(at, _END64.size))
    if magic != b"PK\x06\x06" or length != _END64.size - 12 or disk != first or here != count:
        raise ZipError("its 64-bit end record cannot be read")
    pairs = ((end.count, count, 0xFFFF), (end.size, size, _MAX32), (end.offset, offset, _MAX32))
    if any(short not in {long, limit} for short, long, limit in pairs):
        found.add("archive.structure", Severity.HIGH, "its two end records differ")
    if int.from_bytes(locator[8:16], "little") != at:
        found.add("archive.structure", Severity.HIGH, "its 64-bit end record is not where it says")
    return _End(at, count, size, offset, end.trailing)


def _read_central(source: Source, directory: bytes, at: int, shift: int, found: Findings) -> tuple[Member, int]:
    fields = _CENTRAL.unpack_from(directory, at)
    flags, method = fields[3], fields[4]
    packed, unpacked, name_bytes, extra_bytes, comment_bytes = fields[8:13]
    external, header = fields[15], fields[16]
    name_at = at + _CENTRAL.size
    raw_name = directory[name_at : name_at + name_bytes]
    extra = _extra_fields(directory[name_at + name_bytes : name_at + name_bytes + extra_bytes])
    if _UNICODE_PATH in extra:
        found.add("archive.structure", Severity.HIGH, "a member has two names")
    wide = extra.get(1, b"")
    sizes = [unpacked, packed, header]
    for index, value in enumerate(sizes):
        if value == _MAX32:
            if len(wide) < 8:
                raise ZipError("a 64-bit size is missing")
            sizes[index], wide = int.from_bytes(wide[:8], "little"), wide[8:]
    name = raw_name.decode("utf-8" if flags & 0x800 else "cp437", "backslashreplace")
    member = _with_local(
        source, Member(name, raw_name, method, flags, sizes[1], sizes[0], sizes[2] + shift, 0, external >> 16), found
    )
    return member, name_at + name_bytes + extra_bytes + comment_bytes


def _extra_fields(extra: bytes) -> Mapping[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        fields.setdefault(kind, extra[at + 4 : at + 4 + size])
        at += 4 + size
    return fields


def _with_local(source: Source, member: Member, found: Findings) -> Member:
    """The member with the place of its data; its local header must say what the directory says."""
    local = source.read_at(member.header, _LOCAL.size) if member.header >= 0 else b""
    if len(local) < _LOCAL.size or local[:4] != b"PK\x03\x04":
        raise ZipError("a member is not where the directory says")
    _, _, flags, method, _, _, _, packed, unpacked, name_bytes, extra_bytes = _LOCAL.unpack(local)
    name = source.read_at(member.header + _LOCAL.size, name_bytes)
    sizes = {(member.packed, member.unpacked), (_MAX32, _MAX32)} | ({(0, 0)} if flags & _DESCRIPTOR_FLAG else set())
    if (name, flags, method) != (member.raw_name, member.flags, member.method) or (packed, unpacked) not in sizes:
        message = f"member {shown(member.name)} is described differently in the directory and before its data"
        found.add("archive.mismatch", Severity.HIGH, message)
    data = member.header + _LOCAL.size + name_bytes + extra_bytes
    if data + member.packed > source.size:
        raise ZipError("a member reaches past the end of the file")
    return Member(
        member.name, member.raw_name, member.method, member.flags, member.packed, member.unpacked, member.header, data,
        member.mode,
    )  # fmt: skip


def _check_names(members: Sequence[Member], found: Findings) -> None:
    seen: set[str] = set()
    for member in members:
        label = shown(member.name)
        if not is_plain_relative(member.name.removesuffix("/")):
            found.add("archive.path", Severity.HIGH, f"member {label} does not stay below the archive's root")
        if stat.S_IFMT(member.mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            found.add("archive.link", Severity.HIGH, f"member {label} is a link or a device")
        key = member.name.removesuffix("/").casefold()
        if key in seen:
            found.add("archive.duplicate", Severity.HIGH, f"member {label} is there twice")
        seen.add(key)
        if member.flags & _ENCRYPTED_FLAGS:
            found.add("archive.encrypted", Severity.HIGH, f"member {label} is encrypted")
        elif member.flags & ~_KNOWN_FLAGS:
            found.add("archive.flags", Severity.HIGH, f"member {label} has unknown flags")


def _check_layout(members: Sequence[Member], end: int, found: Findings) -> None:
    """Members follow one another without overlap or gap: a gap hides bytes, or a member that only some readers see."""
    at, slack = 0, frozenset({0})
    for member in sorted(members, key=lambda member: member.header):
        if member.header - at not in slack:
            found.add(
                "archive.layout", Severity.HIGH, f"before member {shown(member.name)} bytes overlap or are hidden"
            )
        at = member.data + member.packed
        slack = _DESCRIPTORS if member.flags & _DESCRIPTOR_FLAG else frozenset({0})
    if members and end - at not in slack:
        found.add("archive.layout", Severity.HIGH, "between the members and the directory bytes overlap or are hidden")
