"""Strategies that change good samples: bytes flipped, cut, moved, doubled, numbers beyond all bounds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.target import Sample

_NUMBERS: Final = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    (1 << 63) - 1,
    1 << 63,
)
_TOKENS: Final = (
    b"{", b"}", b"[", b"]", b'"', b"'", b":", b",", b"\n", b"\n---\n", b"- ", b"&a ", b"*a ", b"<<: ", b"!!python/x ",
    b"{{", b"}}", b"{%", b"%}", b"null", b"true", b"-1", b"1e999", b"9" * 30, b"\0", b"\xff", b"\xef\xbb\xbf",
    b"\\u0000",
    b"\xed\xa0\x80", b"PK\x03\x04", b"PK\x05\x06", b"\x80\x04", b".", b"../", b"/etc/", b"auto_map", b"_target_",
)  # fmt: skip
_SCALED: Final = 250_000
HOSTILE_TEXTS: Final = (
    "", " ", "\0", "\x1b[31m", "\u202e", "\ud7ff", "../..", "/etc/passwd", "C:\\x", "a" * 3000, "{{ x }}", "<script>",
    "9" * 400, "NaN", "\n\n", "::", "#", "os.system", "é" * 200,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, samples: st.SearchStrategy[Sample], others: Sequence[Sample] = ()) -> Sample:
    """A sample with up to four changes. What it held may be gone, so nothing is said of its being dangerous."""
    sample = draw(samples)
    data = bytearray(sample.data)
    for _ in range(draw(st.integers(1, 4))):
        _change(draw, data, others)
    return Sample(sample.name, bytes(data))


def _change(draw: st.DrawFn, data: bytearray, others: Sequence[Sample]) -> None:
    at = draw(st.integers(0, len(data)))
    length = draw(st.sampled_from((1, 2, 4, 8, 64, 512)))
    match draw(st.integers(0, 8)):
        case 0:
            data[at : at + 1] = bytes((draw(st.integers(0, 255)),))
        case 1:
            data[at : at + 1] = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in data[at : at + 1])
        case 2:
            width = draw(st.sampled_from((1, 2, 4, 8)))
            number = draw(st.sampled_from(_NUMBERS)) & (1 << 8 * width) - 1
            data[at : at + width] = number.to_bytes(width, draw(st.sampled_from(("little", "big"))))
        case 3:
            del data[at : at + length]
        case 4:
            del data[at:]
        case 5:
            data[at:at] = data[at : at + length] * draw(st.integers(1, 4))
        case 6:
            data[at:at] = draw(st.binary(max_size=12))
        case 7:
            data[at:at] = draw(st.sampled_from(_TOKENS)) * draw(st.sampled_from((1, 1, 2, 200, 2000)))
        case _:
            other = draw(st.sampled_from(others)).data if others else bytes(data)
            start = draw(st.integers(0, len(other)))
            data[at : at + length * draw(st.integers(0, 1))] = other[start : start + length]


SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.sampled_from((0, -1, 1, 1 << 31, 1 << 53, 1 << 63, 10**30, 1.5, -0.0, 1e300))
    | st.sampled_from(HOSTILE_TEXTS)
    | st.text(max_size=8)
)
JSONS: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside a document, the document itself included."""
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += paths(item, (*path, number))
    return found


@st.composite
def edited(draw: st.DrawFn, document: Any) -> tuple[Any, tuple[Any, ...]]:
    """A copy of a document with one value removed, doubled, wrapped or replaced, and the way to it."""
    copy = json.loads(json.dumps(document))
    path = draw(st.sampled_from(paths(copy)))
    if not path:
        return draw(JSONS), path
    parent = copy
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    match draw(st.integers(0, 4)):
        case 0:
            del parent[last]
        case 1 if isinstance(parent, list):
            parent.insert(last, parent[last])
        case 2:
            parent[last] = draw(st.sampled_from(([parent[last]], {"x": parent[last]})))
        case 3 if isinstance(parent, dict):
            parent[draw(st.sampled_from(HOSTILE_TEXTS))] = draw(JSONS)
        case _:
            parent[last] = draw(JSONS)
    return copy, path


@st.composite
def scaled(draw: st.DrawFn, document: Any) -> Any:
    """A copy of a document in which up to three lists hold their first item many times, as long as it stays small."""
    copy = json.loads(json.dumps(document))
    lists = [path for path in paths(copy) if isinstance(_at(copy, path), list) and _at(copy, path)]
    for path in draw(st.lists(st.sampled_from(lists), max_size=3, unique=True)) if lists else ():
        items = _at(copy, path)
        before = list(items)
        items.extend(items[:1] * draw(st.sampled_from((10, 300, 2000))))
        if len(json.dumps(copy)) > _SCALED:
            items[:] = before
    return copy


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document
