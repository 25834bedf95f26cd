"""Pictures beside a model: whole ones are clean, and what hides behind their end is a finding."""

from __future__ import annotations

import struct
import zlib

import pytest

from tests.support.looking import is_clean, look, rules


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
)  # fmt: skip
SCAN = b"ab\xff\x00cd\xff\xd0ef"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xff\xdb\x00\x04ab\xff\x01"
    b"\xff\xda\x00\x08\x01\x01\x00\x00?\x00" + SCAN * 10_000 + b"\xff\xd9"
)
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(6) + b"!\xf9\x04\x00\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x80" + bytes(6) + b"\x02\x02D\x01\x00;"
)
WEBP = b"RIFF" + struct.pack("<I", 12) + b"WEBPVP8 " + bytes(4)
PICTURES = {"a.png": PNG, "a.jpg": JPEG, "a.jpeg": JPEG, "a.gif": GIF, "a.webp": WEBP}


@pytest.mark.parametrize("name", PICTURES)
def test_whole_pictures_are_clean(name: str) -> None:
    found = look(name, PICTURES[name])
    assert is_clean(found), found


def test_a_picture_without_colours_of_its_own_is_clean() -> None:
    assert is_clean(look("a.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"))


@pytest.mark.parametrize("name", PICTURES)
def test_bytes_behind_the_end_are_a_finding(name: str) -> None:
    assert rules(look(name, PICTURES[name] + b"MZ")) == {"file.trailing_data"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        *((name, data[:-1]) for name, data in PICTURES.items()),
        ("a.png", PNG[:8]),
        ("a.jpg", b"\xff\xd8\xff\xe0\x00\x04ab" + b"xx"),
        ("a.jpg", JPEG[:-2] + b"a" * 32768 + b"\xff"),
        ("a.gif", GIF[:-1] + b"?"),
        ("a.gif", b"GIF89a\x01\x00"),
        ("a.webp", b"XXXX" + WEBP[4:]),
        ("a.png", PNG[:8] + chunk(b"tEXt", b"") * 100_001 + PNG[8:]),
        ("a.jpg", b"\xff\xd8" + b"\xff\x01" * 100_001 + JPEG[2:]),
        ("a.gif", GIF[:19] + b"!\xf9\x00" * 100_001 + b";"),
        ("a.gif", GIF[:19] + b"!\xf9" + b"\x01a" * 100_001),
    ],
)
def test_pictures_that_break_off_are_not_inspected(name: str, data: bytes) -> None:
    assert not look(name, data).inspected


def test_a_mark_at_the_end_of_what_is_read_at_once() -> None:
    head = JPEG[: JPEG.index(SCAN)]
    for gap in range(32760, 32770):
        assert is_clean(look("a.jpg", head + b"a" * gap + b"\xff\x00\xff\xd9"))
