"""The tar archives of `torch.save` before 0.1.10: pickles of storages, of tensors, and of the object that names them.

`storages` is a count, then for each a pickle (key, location, class), the number of its elements and its bytes, and at
the end a list of views. `tensors` is a count, then for each a pickle (key, storage, class) and its extent. The object
in `pickle` names tensors by persistent ids. All of it is data; its pickles are held to the same list as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.inspect.context import CapError, Context, Findings
from gate.inspect.pickle import add_walk, walk_pickle
from gate.inspect.pickle_values import Items, Reference, Storage, Value, Walk, tuple_parts
from gate.inspect.source import Source
from gate.model.scan import Severity

MEMBERS: Final = frozenset({"sys_info", "pickle", "storages", "tensors"})
"""The members of such an archive, all at its top."""
_DIMENSIONS: Final = 64


class _BrokenError(Exception):
    """A member is not what torch wrote; the text says why."""


def inspect_torch_tar(members: Mapping[str, Source], context: Context, found: Findings) -> None:
    """Judges the four members; adds to the findings. Raises `CapError`."""
    storages: dict[str, Storage] = {}
    tensors: set[str] = set()
    try:
        _read_storages(_Member(members["storages"], context, found), storages)
        _read_tensors(_Member(members["tensors"], context, found), storages, tensors)
    except _BrokenError as problem:
        found.add("pickle.storage", Severity.HIGH, f"not an archive of torch: {problem}")
    for name, keys in (("sys_info", frozenset[str]()), ("pickle", frozenset(tensors))):
        member = _Member(members[name], context, found)
        member.read(keys)
        member.finish(name)


class _Member:
    """One member, read forwards: pickles and numbers between them."""

    def __init__(self, source: Source, context: Context, found: Findings) -> None:
        self._source = source
        self._context = context
        self._found = found
        self.at = 0

    def read(self, tensors: frozenset[str] | None = None) -> Walk:
        """The next pickle. Raises `CapError`."""
        walk = walk_pickle(self._source, self.at, self._context, tensors=tensors)
        add_walk(self._found, walk)
        if walk.exhausted:
            raise CapError("has more in its pickles than the limits allow to follow")
        self.at = walk.end if walk.error is None else self._source.size
        return walk

    def value(self) -> Value:
        """What the next pickle stands for."""
        walk = self.read()
        if walk.error is not None:
            raise _BrokenError("a pickle breaks off")
        return walk.value

    def count(self) -> int:
        """A pickled number of what follows."""
        value = self.value()
        if not isinstance(value, int) or value < 0:
            raise _BrokenError("a count is no number")
        return value

    def numbers(self, count: int) -> tuple[int, ...]:
        """Numbers of eight bytes."""
        data = self._source.read_at(self.at, 8 * count)
        if len(data) < 8 * count:
            raise _BrokenError("it ends in the middle of its numbers")
        self.at += 8 * count
        return tuple(int.from_bytes(data[at : at + 8], "little", signed=True) for at in range(0, 8 * count, 8))

    def skip(self, count: int) -> None:
        """Passes over raw bytes."""
        if count < 0 or count > self._source.size - self.at:
            raise _BrokenError("a storage reaches past the end")
        self.at += count

    def finish(self, name: str) -> None:
        """Nothing may follow."""
        if self.at != self._source.size:
            self._found.add("pickle.trailing_data", Severity.HIGH, f"{name} holds more than torch wrote")


def _read_storages(member: _Member, storages: dict[str, Storage]) -> None:
    for _ in range(member.count()):
        parts = tuple_parts(member.value())
        kind = parts[2] if len(parts) == 3 else None
        if not isinstance(kind, Reference) or kind.role is None or not kind.role.startswith("storage:"):
            raise _BrokenError("a storage of an unknown class")
        width = int(kind.role.removeprefix("storage:"))
        (elements,) = member.numbers(1)
        member.skip(elements * width)
        storages[_key(parts[0])] = Storage(width, elements)
    views = member.value()
    if not isinstance(views, Items) or views.items:
        raise _BrokenError("storages that are views of others are not read")
    member.finish("storages")


def _read_tensors(member: _Member, storages: Mapping[str, Storage], tensors: set[str]) -> None:
    for _ in range(member.count()):
        parts = tuple_parts(member.value())
        if len(parts) != 3 or _key(parts[1]) not in storages:
            raise _BrokenError("a tensor without a storage")
        # Only four bytes are the number of dimensions; the others were never looked at.
        dimensions = member.numbers(1)[0] & 0xFFFFFFFF
        if dimensions > _DIMENSIONS:
            raise _BrokenError("a tensor of too many dimensions")
        numbers = member.numbers(2 * dimensions + 1)
        shape, steps, offset = numbers[:dimensions], numbers[dimensions:-1], numbers[-1]
        last = offset + sum((size - 1) * step for size, step in zip(shape, steps, strict=True))
        if min(numbers) < 0 or (all(shape) and last >= storages[_key(parts[1])].elements):
            raise _BrokenError("a tensor reaches outside its storage")
        tensors.add(_key(parts[0]))
    member.finish("tensors")


def _key(value: Value) -> str:
    if not isinstance(value, str | int):
        raise _BrokenError("a key is neither a number nor a text")
    return str(value)
