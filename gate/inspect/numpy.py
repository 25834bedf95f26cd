"""Array files of NumPy (`.npy`, format versions 1 to 3): a header that is a literal, then bytes or a pickle."""

from __future__ import annotations

import re
from typing import Final

from gate.inspect.context import Context, Findings
from gate.inspect.pickle import inspect_stream
from gate.inspect.source import Slice, Source
from gate.model.scan import FileInspection, Severity

_CODE: Final = re.compile(r"[<>|=]?([?bBhHiIlLqQefdgFDGSUVOmMcu])([0-9]{0,9})(?:\[(?:[0-9]{0,9}[A-Za-z]{1,2})\])?")
_SIZES: Final = {
    "?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "e": 2, "q": 8, "Q": 8, "d": 8, "F": 8, "D": 16,
    "M": 8, "m": 8, "S": 0, "U": 0, "V": 0, "c": 1,
}  # fmt: skip
_DEPTH: Final = 8
_DIMENSIONS: Final = 64


class _HeaderError(Exception):
    """The header is not one that NumPy writes."""


def inspect_npy(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges one array file: an array of objects is a pickle and judged as such, any other is its bytes."""
    found = Findings(context.limits.findings)
    try:
        start, header = _header(source, context)
        item, shape = _fields(header)
    except _HeaderError as problem:
        found.add("numpy.header", Severity.HIGH, str(problem))
        return FileInspection("numpy", inspected=True, findings=found.done())
    rest = source.size - start
    if item is None:
        return inspect_stream("numpy", Slice(source, start, rest), context)
    expected = item
    for extent in shape:
        expected *= extent
    if expected != rest:
        found.add("numpy.size", Severity.HIGH, f"{rest} bytes follow the header, its array takes {expected}")
    return FileInspection("numpy", inspected=True, findings=found.done())


def _header(source: Source, context: Context) -> tuple[int, str]:
    """Where the data begins, and the text of the header."""
    lead = source.read_at(0, 12)
    version = lead[6:8]
    width = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}.get(version, 0)
    if width == 0:
        raise _HeaderError("its format version is unknown")
    length = int.from_bytes(lead[8 : 8 + width], "little")
    start = 8 + width + length
    if length > context.limits.npy_header_bytes or start > source.size:
        raise _HeaderError("its header is too long")
    try:
        return start, source.read_at(8 + width, length).decode("utf-8" if version == b"\x03\x00" else "latin-1")
    except UnicodeDecodeError:
        raise _HeaderError("its header is not text") from None


def _fields(header: str) -> tuple[int | None, tuple[int, ...]]:
    """Bytes of an item (`None` when the items are objects) and the shape."""
    import ast

    try:
        # Only literals: no name is looked up and nothing is called. The text is bounded.
        value: object = ast.literal_eval(header.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise _HeaderError("its header is not a literal") from None
    if not isinstance(value, dict) or set(value) != {"descr", "fortran_order", "shape"}:
        raise _HeaderError("its header does not have exactly descr, fortran_order and shape")
    if not isinstance(value["fortran_order"], bool):
        raise _HeaderError("its header has an unknown order")
    return _item_bytes(value["descr"], 0), _shape(value["shape"])


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > _DIMENSIONS:
        raise _HeaderError("its shape is not a tuple of sizes")
    sizes = tuple(
        item for item in value if isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 1 << 63
    )
    if len(sizes) != len(value):
        raise _HeaderError("its shape is not a tuple of sizes")
    return sizes


def _item_bytes(descr: object, depth: int) -> int | None:
    if depth > _DEPTH:
        raise _HeaderError("its type is nested too deeply")
    if isinstance(descr, str):
        return _code_bytes(descr)
    if not isinstance(descr, list):
        raise _HeaderError("its type is unknown")
    total: int | None = 0
    for field in descr:
        if not isinstance(field, tuple) or len(field) not in {2, 3}:
            raise _HeaderError("a field of its type is unknown")
        part = _item_bytes(field[1], depth + 1)
        if part is None or total is None:
            total = None
            continue
        for extent in _shape(field[2]) if len(field) == 3 else ():
            part *= extent
        total += part
    return total


def _code_bytes(text: str) -> int | None:
    match = _CODE.fullmatch(text)
    if match is None:
        # A type can also be spelled `object` or `i4,O`; only what NumPy itself writes is read.
        raise _HeaderError("its type is not a plain type code")
    letter, digits = match[1], match[2]
    if letter == "O":
        return None
    count = int(digits) if digits else _SIZES.get(letter)
    if count is None:
        raise _HeaderError("its type has no fixed size")
    return count * 4 if letter == "U" else count
