"""Data sets: files of columns and text of rows."""

from __future__ import annotations

import base64
import struct

import pytest

from gate.inspect.source import CHUNK_BYTES
from tests.support import samples
from tests.support.looking import is_clean, look, rules

PARQUET = b"PAR1" + b"\x15\x04" * 50 + struct.pack("<I", 40) + b"PAR1"
ARROW = b"ARROW1\0\0" + b"\xff" * 100 + struct.pack("<I", 40) + b"ARROW1"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("train.parquet", PARQUET, "parquet"),
        ("train.arrow", ARROW, "arrow"),
        ("train.feather", ARROW, "arrow"),
        ("train", PARQUET, "parquet"),
        ("train.csv", b"a,b\r\n1,2\r\n", "text"),
        ("train.tsv", b"a\tb\n", "text"),
        ("train.jsonl", b'{"a": 1}\n', "text"),
        ("train.ndjson", b'{"a": 1}\n', "text"),
    ],
)
def test_formats_of_data_are_clean(name: str, data: bytes, kind: str) -> None:
    found = look(name, data)
    assert is_clean(found), found
    assert found.format == kind


@pytest.mark.parametrize("good", [PARQUET, ARROW])
def test_what_does_not_end_as_it_begins_is_not_inspected(good: bytes) -> None:
    magic = good[-6:] if good is ARROW else good[-4:]
    body = good[: -len(magic) - 4]
    for bad in (
        good[:-1], good + b"x", body + bytes(4) + magic, body + b"\xff\0\0\0" + magic, good[:8], good[:4] + good[-10:],
    ):  # fmt: skip
        if bad.startswith((b"PAR1", b"ARROW1")):
            assert not look("train.parquet", bad).inspected


def test_data_that_is_something_else_too() -> None:
    zipped = samples.zip_bytes({"a.txt": b"x"})
    for start in (PARQUET[:-8], ARROW[:-10]):
        assert "file.polyglot" in rules(look("train.parquet", start + zipped))
    assert "file.mismatch" in rules(look("train.arrow", PARQUET))
    assert "file.mismatch" in rules(look("train.parquet", samples.call("os", "system")))
    evil = b"cos\nsystem\n(S'x'\ntR."
    for name in ("train.csv", "train.jsonl", "train.tsv"):
        assert "file.polyglot" in rules(look(name, evil))
        assert not look(name, b"a,\x00b").inspected


def test_other_formats_of_data_are_not_inspected() -> None:
    for name, data in (("a.tar", bytes(257) + b"ustar"), ("a.zst", b"\x28\xb5\x2f\xfd"), ("a.7z", b"7z\xbc\xaf'\x1c")):
        assert not look(name, data).inspected


PICKLED = b"ARROW:extension:name\0\0\0arrow.py_extension_type\0"


@pytest.mark.parametrize("shift", range(3))
def test_types_of_columns_that_are_pickles(shift: int) -> None:
    for name in (bytes(shift) + PICKLED, base64.b64encode(bytes(shift) + PICKLED + b"\x80\4N.")):
        footer = b"\x15\x04" * shift + name + bytes(9)
        end = struct.pack("<I", len(footer))
        assert rules(look("a.parquet", b"PAR1data" + footer + end + b"PAR1")) == {"table.pickle"}
        assert rules(look("a.arrow", b"ARROW1\0\0data" + footer + end + b"ARROW1")) == {"table.pickle"}
        assert is_clean(look("a.parquet", b"PAR1" + footer + bytes(4) + struct.pack("<I", 4) + b"PAR1")), "only a row"


def test_long_footers_are_read_in_pieces() -> None:
    for before in range(CHUNK_BYTES - 60, CHUNK_BYTES, 7):
        footer = bytes(before) + PICKLED + bytes(CHUNK_BYTES)
        data = b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1"
        assert rules(look("a.parquet", data)) == {"table.pickle"}
