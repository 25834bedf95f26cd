"""GGUF, versions 1 to 3: a header, keys and values, a list of tensors, their bytes, and nothing else.

Readers in C allocate by the counts and jump by the offsets of the file, so each of them is checked against the bytes
that are there. Every chat template is handed on: a runtime renders it in every conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.cursor import Cursor, CursorError
from gate.inspect.source import Source
from gate.inspect.templates import judge_template
from gate.model.scan import FileInspection, Severity

_VERSIONS: Final = frozenset({1, 2, 3})
_WIDTHS: Final[Mapping[int, int]] = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value by its type; the other types are text and lists."""
_BOOL: Final = 7
_UINT32: Final = 4
_TEXT: Final = 8
_LIST: Final = 9
_KEY_BYTES: Final = 65_535
_NAME_BYTES: Final = 127
_DIMENSIONS: Final = 4
_ALIGNMENT: Final = 32
_ALIGNMENT_MAX: Final = 1 << 20
_TENSOR_BYTES: Final = 24
_PAIR_BYTES: Final = 9
_TOKENS: Final = "tokenizer.ggml.tokens"
_BESIDE_TOKENS: Final[Mapping[str, frozenset[int]]] = {
    _TOKENS: frozenset({_TEXT}),
    "tokenizer.ggml.scores": frozenset({6}),
    "tokenizer.ggml.token_type": frozenset({4, 5}),
}
"""Lists with an item for each token, which readers in C take to be of these types and to be that long."""
_BLOCKS: Final[Mapping[int, tuple[int, int]]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
    40: (64, 36), 41: (128, 18),
}  # fmt: skip
"""Numbers in a block, and its bytes, by the type of a tensor."""


class _GgufError(Exception):
    """The file breaks a rule of the format; the rule's last part and the text."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


@dataclass(slots=True)
class _Reading:
    """One file on its way: the place, how its numbers are written, and what was seen."""

    cursor: Cursor
    context: Context
    found: Findings
    order: str = "little"
    wide: int = 8
    alignment: int = _ALIGNMENT
    spans: list[tuple[int, int]] = field(default_factory=list)
    texts: int = 0
    lists: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self) -> int:
        """A count or a length."""
        return self.cursor.number(self.wide, self.order)

    def u32(self) -> int:
        """A number of 32 bits."""
        return self.cursor.number(4, self.order)

    def text(self, limit: int, what: str) -> str:
        """A text of at most `limit` bytes."""
        length = self.count()
        if length > limit:
            raise _GgufError("text", f"{what} of {length} bytes is longer than any that readers take")
        raw = self.cursor.take(length)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise _GgufError("text", f"{what} is not UTF-8") from None

    def spend(self, count: int) -> None:
        """Takes texts off the limit; raises `CapError`."""
        self.texts += count
        if self.texts > self.context.limits.gguf_entries:
            raise CapError("holds more keys, tensors and texts than the limit")


def inspect_gguf(_path: str, source: Source, context: Context) -> FileInspection:
    """Checks the whole structure; of the tensors' bytes only that they are there."""
    found = Findings(context.limits.findings)
    reading = _Reading(Cursor(source, at=4), context, found)
    try:
        _read(reading, source.size)
    except _GgufError as problem:
        found.add(f"gguf.{problem.rule}", Severity.HIGH, str(problem))
    except CursorError as problem:
        found.add("gguf.size", Severity.HIGH, f"a field reaches past the end of the file: {problem}")
    except CapError as problem:
        return FileInspection("gguf", inspected=False, reason=str(problem), findings=found.done())
    return FileInspection("gguf", inspected=True, findings=found.done(), templates=found.templates)


def _read(reading: _Reading, size: int) -> None:
    version = reading.u32()
    if version == 3 << 24:
        reading.order, version = "big", 3
    if version not in _VERSIONS:
        raise _GgufError("version", f"version {version} is unknown")
    reading.wide = 4 if version == 1 else 8
    tensors, pairs = reading.count(), reading.count()
    if tensors * _TENSOR_BYTES + pairs * _PAIR_BYTES > size:
        raise _GgufError("count", f"{tensors} tensors and {pairs} keys do not fit into the file")
    reading.spend(tensors + pairs)
    _read_pairs(reading, pairs)
    _check_tokens(reading)
    _read_tensors(reading, tensors)
    _check_layout(reading, size)


def _read_pairs(reading: _Reading, count: int) -> None:
    seen: set[str] = set()
    for _ in range(count):
        key = reading.text(_KEY_BYTES, "a key")
        if key in seen:
            reading.found.add("gguf.duplicate", Severity.HIGH, f"key {shown(key, 60)} is there twice")
        seen.add(key)
        kind = reading.u32()
        if key == "general.alignment":
            _read_alignment(reading, kind)
        elif "chat_template" in key:
            _read_template(reading, key, kind)
        else:
            _skip_value(reading, key, kind)


def _check_tokens(reading: _Reading) -> None:
    tokens = reading.lists.get(_TOKENS, (_TEXT, 0))[1]
    for key, (kind, count) in reading.lists.items():
        if kind not in _BESIDE_TOKENS[key] or count < tokens:
            message = f"key {key} is not a list of what readers take, one for each token"
            reading.found.add("gguf.tokens", Severity.HIGH, message)


def _read_alignment(reading: _Reading, kind: int) -> None:
    value = reading.u32() if kind == _UINT32 else 0
    if value < 8 or value & (value - 1) or value > _ALIGNMENT_MAX:
        raise _GgufError("alignment", "general.alignment is not a power of two of 32 bits that readers take")
    reading.alignment = value


def _read_template(reading: _Reading, key: str, kind: int) -> None:
    """A template, or the list of the names of the others."""
    if kind != _TEXT:
        if kind != _LIST or key != "tokenizer.chat_templates":
            reading.found.add("gguf.template", Severity.HIGH, f"key {shown(key, 60)} is not a text")
        _skip_value(reading, key, kind)
        return
    template = reading.text(reading.context.limits.json_bytes, "a template")
    judge_template(template, reading.found, key)


def _skip_value(reading: _Reading, key: str, kind: int) -> None:
    if kind == _TEXT:
        _skip_texts(reading, 1)
    elif kind == _BOOL:
        _check_bools(reading, key, 1)
    elif kind in _WIDTHS:
        reading.cursor.skip(_WIDTHS[kind])
    elif kind == _LIST:
        inner, count = reading.u32(), reading.count()
        if key in _BESIDE_TOKENS:
            reading.lists[key] = inner, count
        if inner == _TEXT:
            reading.spend(count)
            _skip_texts(reading, count)
        elif inner == _BOOL:
            _check_bools(reading, key, count)
        elif inner in _WIDTHS:
            reading.cursor.skip(_WIDTHS[inner] * count)
        else:
            raise _GgufError("type", f"key {shown(key, 60)} is a list of type {inner}, which readers do not take")
    else:
        raise _GgufError("type", f"key {shown(key, 60)} is of type {kind}, which is unknown")


def _skip_texts(reading: _Reading, count: int) -> None:
    for _ in range(count):
        reading.cursor.skip(reading.count())


def _check_bools(reading: _Reading, key: str, count: int) -> None:
    reading.spend(count)
    if any(reading.cursor.number(1) > 1 for _ in range(count)):
        reading.found.add(
            "gguf.bool", Severity.HIGH, f"key {shown(key, 60)} holds a truth value that is neither 0 nor 1"
        )


def _read_tensors(reading: _Reading, count: int) -> None:
    seen: set[str] = set()
    for _ in range(count):
        name = reading.text(_NAME_BYTES, "a tensor's name")
        label = f"tensor {shown(name, 60)}"
        if name in seen:
            reading.found.add("gguf.duplicate", Severity.HIGH, f"{label} is there twice")
        seen.add(name)
        rank = reading.u32()
        if rank > _DIMENSIONS:
            raise _GgufError("shape", f"{label} has {rank} dimensions")
        shape = tuple(reading.count() for _ in range(rank))
        kind, offset = reading.u32(), reading.cursor.number(8, reading.order)
        if kind not in _BLOCKS:
            raise _GgufError("dtype", f"{label} is of type {kind}, which is unknown")
        block, width = _BLOCKS[kind]
        if 0 in shape:
            # A reader in C divides by extents to see whether their product is too large.
            raise _GgufError("shape", f"{label} has an extent of zero")
        numbers = 1
        for extent in shape:
            numbers *= extent
        if (shape[0] if shape else 1) % block:
            raise _GgufError("shape", f"{label} has rows that are not whole blocks of its type")
        if offset % reading.alignment:
            raise _GgufError("offset", f"{label} does not begin at a multiple of the alignment")
        reading.spans.append((offset, offset + numbers // block * width))


def _check_layout(reading: _Reading, size: int) -> None:
    """Tensors follow one another, each padded to the alignment; the padding is zeros."""
    cursor, pad = reading.cursor, reading.alignment
    if not reading.spans:
        if size - cursor.at >= pad:
            reading.found.add("gguf.trailing_data", Severity.HIGH, "bytes follow the header, and there is no tensor")
        _check_padding(reading, cursor.at, size)
        return
    start = _padded(cursor.at, pad)
    _check_padding(reading, cursor.at, min(start, size))
    end = 0
    for first, last in sorted(reading.spans):
        if first != _padded(end, pad):
            word = "leaves a hole" if first > end else "overlaps"
            reading.found.add("gguf.layout", Severity.HIGH, f"the tensor at byte {first} {word}; one ends at {end}")
        elif first <= size - start:
            _check_padding(reading, start + end, start + first)
        end = max(end, last)
    if start + end > size:
        raise _GgufError("size", f"the tensors take {end} bytes, {max(0, size - start)} are there")
    if size - start > _padded(end, pad):
        reading.found.add("gguf.trailing_data", Severity.HIGH, "bytes follow the last tensor")
    _check_padding(reading, start + end, min(start + _padded(end, pad), size))


def _padded(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _check_padding(reading: _Reading, start: int, end: int) -> None:
    reading.cursor.at = start
    if reading.cursor.left and any(reading.cursor.take(min(end - start, reading.alignment))):
        reading.found.add("gguf.padding", Severity.MEDIUM, "the padding between tensors holds more than zeros")
