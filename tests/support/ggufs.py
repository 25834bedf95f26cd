"""Writes GGUF files by hand, good ones and those that no writer would make."""

from __future__ import annotations

import struct
from collections.abc import Sequence

Pair = tuple[bytes, int, bytes]


def string(value: bytes, order: str = "<", wide: str = "Q") -> bytes:
    return struct.pack(f"{order}{wide}", len(value)) + value


def text_pair(key: str, value: str, order: str = "<", wide: str = "Q") -> Pair:
    return key.encode(), 8, string(value.encode(), order, wide)


def list_pair(key: str, kind: int, count: int, body: bytes) -> Pair:
    return key.encode(), 9, struct.pack("<IQ", kind, count) + body


def tensor(name: str, shape: Sequence[int], offset: int, kind: int = 0, order: str = "<", wide: str = "Q") -> bytes:
    sizes = b"".join(struct.pack(f"{order}{wide}", extent) for extent in shape)
    head = string(name.encode(), order, wide) + struct.pack(f"{order}I", len(shape))
    return head + sizes + struct.pack(f"{order}IQ", kind, offset)


GOOD_TENSORS = (tensor("a", (3, 5), 0), tensor("b", (64,), 64, 8))
GOOD_DATA = b"\1" * 60 + bytes(4) + b"\2" * 68 + bytes(28)


def gguf(
    pairs: Sequence[Pair] = (),
    tensors: Sequence[bytes] = GOOD_TENSORS,
    data: bytes = GOOD_DATA,
    *,
    version: int = 3,
    order: str = "<",
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
) -> bytes:
    """A file of some keys and tensors; `counts` are stated instead of the true ones."""
    wide = "I" if version == 1 else "Q"
    stated = counts or (len(tensors), len(pairs))
    head = b"GGUF" + struct.pack(f"{order}I2{wide}", version, *stated)
    for key, kind, value in pairs:
        head += string(key, order, wide) + struct.pack(f"{order}I", kind) + value
    head += b"".join(tensors)
    return head + bytes(-len(head) % alignment if data else 0) + data
