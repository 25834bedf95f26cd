"""Writes HDF5 files by hand, structure by structure; they need not make sense."""

from __future__ import annotations

import struct

NOWHERE = b"\xff" * 8
SIGNATURE = b"\x89HDF\r\n\x1a\n"
ROOT = 48
"""Where the root group's header is in a file of the newer kind."""


def address(value: int) -> bytes:
    return struct.pack("<Q", value)


def message(kind: int, data: bytes, flags: int = 0) -> bytes:
    return struct.pack("<BHB", kind, len(data), flags) + data


def header(*messages: bytes, flags: int = 2, extra: bytes = b"") -> bytes:
    body = b"".join(messages)
    return b"OHDR\2" + bytes((flags,)) + extra + struct.pack("<I", len(body)) + body + bytes(4)


def newer(
    root: bytes, *, version: int = 2, widths: bytes = b"\x08\x08", base: int = 0, extension: bytes = NOWHERE
) -> bytes:
    """A file whose superblock is of version 2 or 3; `root` begins at `ROOT`."""
    end = address(ROOT + len(root))
    lead = SIGNATURE + bytes((version,)) + widths + b"\0" + address(base) + extension + end
    return lead + address(ROOT) + bytes(4) + root


def older(root: bytes, *, version: int = 0, cached: int = 0, tree: int = 0) -> bytes:
    """A file whose superblock is of version 0 or 1; `root` begins where it ends."""
    start = 96 + 4 * version
    lead = SIGNATURE + bytes((version, 0, 0, 0, 0, 8, 8, 0)) + struct.pack("<HHI", 4, 16, 0) + bytes(4 * version)
    entry = address(0) + address(start) + struct.pack("<II", cached, 0) + address(tree) + address(0)
    return lead + address(0) + NOWHERE + address(start + len(root)) + NOWHERE + entry + root


def old_header(*messages: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack("<HHI", kind, len(data), 0) + data for kind, data in messages)
    return struct.pack("<BBHIII", 1, 0, len(messages), 1, len(body), 0) + body


def symbols(*entries: tuple[int, int, int]) -> bytes:
    """Entries of a group: the address of each object, what is cached, and where its tree is."""
    out = b"SNOD\1\0" + struct.pack("<H", len(entries))
    for target, cached, tree in entries:
        out += address(0) + address(target) + struct.pack("<II", cached, 0) + address(tree) + address(0)
    return out


def tree(*children: int, kind: int = 0) -> bytes:
    body = address(0) + b"".join(address(child) + address(0) for child in children)
    return b"TREE" + bytes((kind, 0)) + struct.pack("<H", len(children)) + NOWHERE * 2 + body


def attribute(
    name: str, value: bytes, *, version: int = 3, type_: bytes | None = None, space: bytes = b"\2\0\0\0", flags: int = 0
) -> bytes:
    """An attribute; without a type it is one text of a fixed length."""
    kind = struct.pack("<BBBBI", 0x13, 1, 0, 0, len(value)) if type_ is None else type_
    label = name.encode() + b"\0"
    lead = struct.pack("<BBHHH", version, flags, len(label), len(kind), len(space))
    if version == 1:
        return lead + b"".join(part + bytes(-len(part) % 8) for part in (label, kind, space)) + value
    return lead + (b"\0" if version == 3 else b"") + label + kind + space + value


VARIABLE = struct.pack("<BBBBI", 0x19, 1, 0, 0, 16) + struct.pack("<BBBBI", 0x13, 0, 0, 0, 1)


def variable(length: int, at: int, index: int) -> bytes:
    return struct.pack("<IQI", length, at, index)


def heap(*objects: tuple[int, bytes]) -> bytes:
    body = b"".join(
        struct.pack("<HHIQ", index, 1, 0, len(data)) + data + bytes(-len(data) % 8) for index, data in objects
    )
    return b"GCOL\1\0\0\0" + address(16 + len(body)) + body
