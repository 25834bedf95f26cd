"""TensorFlow Lite: a FlatBuffer whose table of operators says what code an interpreter needs.

The operators of the format are numbers, and each of them only computes. A custom one is a name that some library must
bring; those of TensorFlow itself (`Flex`) are judged as in a SavedModel.
"""

from __future__ import annotations

from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.saved_model_operators import COMPUTING
from gate.inspect.source import Source
from gate.model.scan import FileInspection, Severity

_CUSTOM: Final = 32
_LAST: Final = 255
_NAME_BYTES: Final = 256
_CODES: Final = 10_000
_BUILT_IN: Final = frozenset(
    {
        "AudioSpectrogram",
        "Mfcc",
        "NumericVerify",
        "TFLite_Detection_PostProcess",
    }
)
"""Custom operators that every interpreter brings."""


class _BrokenError(Exception):
    """The bytes are not such a FlatBuffer; the text says why."""


def inspect_tflite(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the operators that a model needs; of tensors and subgraphs only that they are not looked at."""
    found = Findings(context.limits.findings)
    try:
        for name in _custom_operators(_Buffer(source)):
            if name not in _BUILT_IN and name.removeprefix("Flex") not in COMPUTING:
                text = f"operator {shown(name, 60)} needs a library, or does more than compute"
                found.add("tflite.operator", Severity.HIGH, text)
    except (_BrokenError, CapError) as problem:
        return FileInspection("tflite", inspected=False, reason=f"not a readable model: {problem}")
    return FileInspection("tflite", inspected=True, findings=found.done())


class _Buffer:
    """Tables of a FlatBuffer: places in it, never beyond its end."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def number(self, at: int, width: int) -> int:
        """An unsigned number."""
        if at < 0 or at + width > self._source.size:
            raise _BrokenError("an offset leads out of the file")
        return int.from_bytes(self._source.read_at(at, width), "little")

    def signed(self, at: int, width: int) -> int:
        """A number with a sign."""
        value, half = self.number(at, width), 1 << (8 * width - 1)
        return (value ^ half) - half

    def field(self, table: int, index: int) -> int | None:
        """Where a field of a table is; `None` if the table does not have it."""
        distance = self.number(table, 4)
        start = table - (distance - (1 << 32) if distance >> 31 else distance)
        if 4 + 2 * index + 2 > self.number(start, 2):
            return None
        offset = self.number(start + 4 + 2 * index, 2)
        return table + offset if offset else None

    def target(self, at: int) -> int:
        """Where an offset leads."""
        return at + self.number(at, 4)

    def text(self, at: int) -> str:
        """The text that an offset leads to."""
        start = self.target(at)
        length = self.number(start, 4)
        if length > _NAME_BYTES:
            raise _BrokenError("a name is longer than any")
        self.number(start + 4 + length, 1)
        return self._source.read_at(start + 4, length).decode("utf-8", "backslashreplace")


def _custom_operators(buffer: _Buffer) -> set[str]:
    """The names of the operators that are none of the format's own; a number that is unknown is one."""
    model = buffer.target(0)
    place = buffer.field(model, 1)
    if place is None:
        raise _BrokenError("it has no operators")
    vector = buffer.target(place)
    count = buffer.number(vector, 4)
    if count > _CODES:
        raise CapError("it has more operators than the limit")
    names: set[str] = set()
    for index in range(count):
        code = buffer.target(vector + 4 + 4 * index)
        old, name, new = buffer.field(code, 0), buffer.field(code, 1), buffer.field(code, 3)
        number = max(buffer.signed(old, 1) if old else 0, buffer.signed(new, 4) if new else 0)
        if number == _CUSTOM or not 0 <= number <= _LAST:
            names.add(buffer.text(name) if name else f"number {number}")
    return names
