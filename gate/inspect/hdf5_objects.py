"""The structures of an HDF5 file (format specification 3.0) that lead from its root to every object.

Each is read where it is, within its bounds, and counted against a limit; addresses may be visited by several names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gate.inspect.context import CapError
from gate.inspect.cursor import Cursor, CursorError
from gate.inspect.source import BytesSource, Source

_WIDE: Final = 8
_CONTINUED: Final = 0x10
_STRING: Final = 3
_VARIABLE: Final = 9
_BLOCK_BYTES: Final = 16 << 20
_TOTAL_BYTES: Final = 256 << 20
_ENTRY_BYTES: Final = 40
_TREE_CACHE: Final = 1
_SOFT_CACHE: Final = 2
_HEAD_BYTES: Final = 100


class UnreadError(Exception):
    """The file is broken, or uses what is not read here; the text says which."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an object's header."""

    kind: int
    flags: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """A name in a group: 0 for an object at an address, 1 for a path in the same file, any other leads elsewhere."""

    kind: int
    address: int = 0


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name and a value, as its bytes; `type` and `space` say how they are to be read."""

    name: str
    type: bytes
    space: bytes
    value: bytes


class Objects:
    """The objects of one file. Everything raises `UnreadError`, or `CapError` beyond `limit` structures."""

    def __init__(self, source: Source, limit: int) -> None:
        self._source = source
        self.end = source.size
        """Where the file ends, as its head says: known when the root was read."""
        self._left = limit
        self._bytes = _TOTAL_BYTES
        self._trees: set[int] = set()

    def root(self) -> tuple[Link, ...]:
        """The root group, and what its entry says is in it."""
        head = _Fields(self._block(0, min(_HEAD_BYTES, self._source.size)))
        head.take(8)
        version = head.number(1)
        if version in {0, 1}:
            head.take(4)
        elif version not in {2, 3}:
            raise UnreadError(f"is of version {version}, which is not known here")
        if (head.number(1), head.number(1)) != (_WIDE, _WIDE):
            raise UnreadError("has addresses that are not of 64 bits, which are not read")
        head.take({0: 9, 1: 13}.get(version, 1))
        base, other, end = head.number(8), head.number(8), head.number(8)
        self.end = end
        if base or end > self._source.size:
            raise UnreadError("does not begin or end where it says")
        if version in {2, 3}:
            if other != (1 << 64) - 1:
                raise UnreadError("has an extension, which is not read")
            return (Link(0, head.number(8)),)
        head.take(16)
        address, cached = head.number(8), head.number(4)
        head.take(4)
        return (Link(0, address), *(self.table(head.take(8)) if cached == _TREE_CACHE else ()))

    def messages(self, address: int) -> Iterator[Message]:
        """All messages of the object at an address."""
        start = self._block(address, min(64, max(0, self._source.size - address)))
        yield from self._second(address, start) if start[:4] == b"OHDR" else self._first(address, start)

    def _first(self, address: int, start: bytes) -> Iterator[Message]:
        head = _Fields(start)
        if head.number(1) != 1:
            raise UnreadError("an object is not where it should be")
        head.take(7)
        blocks = [(address + 16, head.number(4))]
        while blocks:
            fields = _Fields(self._block(*blocks.pop(0)))
            while fields.left >= 8:
                kind, size, flags = fields.number(2), fields.number(2), fields.number(4) & 0xFF
                yield from self._message(Message(kind, flags, fields.take(size)), blocks)

    def _second(self, address: int, start: bytes) -> Iterator[Message]:
        head = _Fields(start)
        head.take(4)
        if head.number(1) != 2:
            raise UnreadError("an object is of a version that is not known here")
        flags = head.number(1)
        head.take((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
        size = head.number(1 << (flags & 3))
        blocks = [(address + head.at, size)]
        tail, least = 0, 6 if flags & 4 else 4
        while blocks:
            fields = _Fields(self._block(*blocks.pop(0)))
            if tail and fields.take(4) != b"OCHK":
                raise UnreadError("an object goes on where nothing is")
            while fields.left >= tail + least:
                kind, length, mode = fields.number(1), fields.number(2), fields.number(1)
                fields.take(2 if flags & 4 else 0)
                yield from self._message(Message(kind, mode, fields.take(length)), blocks)
            tail = 4

    def _message(self, message: Message, blocks: list[tuple[int, int]]) -> Iterator[Message]:
        """The message; one that says where the header goes on adds to the blocks."""
        self._spend()
        if message.kind == _CONTINUED:
            where = _Fields(message.data)
            blocks.append((where.number(8), where.number(8)))
        else:
            yield message

    def link(self, data: bytes) -> Link:
        """The link in a message of links."""
        fields = _Fields(data)
        if fields.number(1) != 1:
            raise UnreadError("a link is of a version that is not known here")
        flags = fields.number(1)
        kind = fields.number(1) if flags & 8 else 0
        fields.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
        fields.take(fields.number(1 << (flags & 3)))
        return Link(kind, fields.number(8)) if kind == 0 else Link(kind)

    def heap_of(self, data: bytes, index_bytes: int) -> int:
        """Where links or attributes are kept that are not in the header; all ones if nowhere."""
        fields = _Fields(data)
        fields.take(1)
        fields.take(index_bytes if fields.number(1) & 1 else 0)
        return fields.number(8)

    def table(self, data: bytes) -> tuple[Link, ...]:
        """The links of a group that is kept as a tree, unless they were told before.

        An entry may repeat where the tree of a group inside is. Readers may take that for the group's own, so both are
        followed.
        """
        links: list[Link] = []
        waiting = [_Fields(data).number(8)]
        while waiting:
            address = waiting.pop()
            if address in self._trees:
                continue
            self._trees.add(address)
            head = _Fields(self._block(address, 24))
            magic = head.take(4)
            if magic == b"SNOD":
                head.take(2)
                self._entries(address + 8, head.number(2), links, waiting)
            elif magic == b"TREE" and head.number(1) == 0:
                head.take(1)
                count = head.number(2)
                keys = _Fields(self._block(address + 24, 8 + 16 * count))
                for _ in range(count):
                    keys.take(8)
                    waiting.append(keys.number(8))
            else:
                raise UnreadError("a tree of names is not where it should be")
        return tuple(links)

    def _entries(self, address: int, count: int, links: list[Link], trees: list[int]) -> None:
        fields = _Fields(self._block(address, _ENTRY_BYTES * count))
        for _ in range(count):
            self._spend()
            fields.take(8)
            target, cached = fields.number(8), fields.number(4)
            fields.take(4)
            tree = fields.number(8)
            fields.take(8)
            links.append(Link(1) if cached == _SOFT_CACHE else Link(0, target))
            if cached == _TREE_CACHE:
                trees.append(tree)

    def attribute(self, data: bytes) -> Attribute:
        """The attribute in a message."""
        fields = _Fields(data)
        version = fields.number(1)
        if version not in {1, 2, 3}:
            raise UnreadError("an attribute is of a version that is not known here")
        flags = fields.number(1)
        sizes = [fields.number(2) for _ in range(3)]
        if version == 3:
            fields.take(1)
        if version > 1 and flags & 3:
            raise UnreadError("an attribute has a type or a shape that is shared, which is not read")
        name, kind, space = (fields.take(size + (-size % 8 if version == 1 else 0)) for size in sizes)
        label = name[: sizes[0]].rstrip(b"\0").decode("utf-8", "backslashreplace")
        return Attribute(label, kind, space, fields.take(fields.left))

    def text(self, attribute: Attribute, limit: int) -> bytes | None:
        """The bytes of an attribute that is one text; `None` for anything else."""
        space, kind = _Fields(attribute.space), _Fields(attribute.type)
        space.take(1)
        if space.number(1):
            return None
        lead, bits, size = kind.number(1) & 0xF, kind.number(3), kind.number(4)
        value = _Fields(attribute.value)
        if lead == _STRING:
            return value.take(size).rstrip(b"\0 ")
        if lead != _VARIABLE or bits & 0xF != 1:
            return None
        length, address, index = value.number(4), value.number(8), value.number(4)
        if length > limit:
            raise CapError("holds settings that are longer than the limit")
        return self._heap_object(address, index, length).rstrip(b"\0") if length else b""

    def _heap_object(self, address: int, index: int, length: int) -> bytes:
        head = _Fields(self._block(address, 16))
        if head.take(4) != b"GCOL":
            raise UnreadError("a text is not where it should be")
        head.take(4)
        end = address + head.number(8)
        at = address + 16
        while at + 16 <= end:
            entry = _Fields(self._block(at, 16))
            number, size = entry.number(2), entry.number(14) >> 48
            if number == index and number:
                if length > size:
                    break
                return self._block(at + 16, length)
            if number == 0:
                break
            at += 16 + size + -size % 8
        raise UnreadError("a text is not where it should be")

    def _block(self, address: int, size: int) -> bytes:
        self._spend()
        self._bytes -= size
        if size > _BLOCK_BYTES or self._bytes < 0:
            raise CapError("has a structure that is longer than the limit")
        if address + size > self._source.size:
            raise UnreadError("a structure reaches past the end of the file")
        return self._source.read_at(address, size)

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise CapError("has more objects than the limit")


class _Fields:
    """The fields of one structure."""

    def __init__(self, data: bytes) -> None:
        self._cursor = Cursor(BytesSource(data))

    @property
    def at(self) -> int:
        """How many bytes were taken."""
        return self._cursor.at

    @property
    def left(self) -> int:
        """How many are left."""
        return self._cursor.left

    def take(self, count: int) -> bytes:
        """The next bytes."""
        try:
            return self._cursor.take(count)
        except CursorError:
            raise UnreadError("a structure is shorter than its fields") from None

    def number(self, width: int) -> int:
        """The next unsigned number."""
        return int.from_bytes(self.take(width), "little")
