from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import samples
from tests.support.hdf5s import (
    NOWHERE,
    ROOT,
    SIGNATURE,
    VARIABLE,
    address,
    attribute,
    header,
    heap,
    message,
    newer,
    old_header,
    older,
    symbols,
    tree,
    variable,
)
from tests.support.looking import is_clean, look, rules

VECTORS = Path(__file__).parents[2] / "vectors" / "models"
LAMBDA = b'{"class_name": "Lambda"}'


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


@pytest.mark.parametrize("name", ["functional.h5", "sequential.h5", "chunked.h5", "tracked.h5"])
def test_files_of_keras_and_h5py_are_clean(name: str) -> None:
    found = look(name, vector(name))
    assert is_clean(found), found
    assert found.format == "hdf5"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("external_link.h5", "hdf5.link"),
        ("external_data.h5", "hdf5.external_data"),
        ("virtual.h5", "hdf5.external_data"),
        ("lambda_fixed.h5", "keras.code"),
        ("lambda_latest.h5", "keras.code"),
        ("array.h5", "hdf5.settings"),
        ("number.h5", "hdf5.settings"),
        ("empty.h5", "keras.invalid"),
    ],
)
def test_what_reaches_out_or_runs_code_is_a_finding(name: str, rule: str) -> None:
    found = look(name, vector(name))
    assert found.inspected
    assert rule in rules(found)


@pytest.mark.parametrize(
    ("name", "word"), [("dense_links.h5", "dense"), ("dense_attributes.h5", "dense"), ("committed.h5", "shared")]
)
def test_layouts_that_are_not_read_are_not_inspected(name: str, word: str) -> None:
    found = look(name, vector(name))
    assert not found.inspected
    assert word in (found.reason or "")


SETTINGS = message(0x0C, attribute("model_config", LAMBDA))
HEAP = heap((3, b"x" * 5), (7, LAMBDA))


def _variable(length: int, index: int, at: int | None = None, heap_bytes: bytes = HEAP) -> bytes:
    value = variable(length, 0, index)
    start = ROOT + len(header(message(0x0C, attribute("model_config", value, type_=VARIABLE))))
    text = attribute("model_config", variable(length, start if at is None else at, index), type_=VARIABLE)
    return newer(header(message(0x0C, text)) + heap_bytes)


def _linked(link: bytes) -> bytes:
    return newer(header(message(0x06, link)))


def _table(*parts: bytes, cached: int = 0, at: int = 0) -> bytes:
    start = 96 + len(old_header((0x11, bytes(16))))
    return older(old_header((0x11, address(start) + address(0))) + b"".join(parts), cached=cached, tree=at)


OBJECT = old_header((0x0C, attribute("model_config", LAMBDA, version=1, space=b"\1\0\0\0" + bytes(4))))
LEAF = 96 + len(old_header((0x11, bytes(16)))) + len(tree(0))
BEHIND = LEAF + len(symbols((0, 0, 0)))


@pytest.mark.parametrize(
    "data",
    [
        newer(header(SETTINGS)),
        newer(header(SETTINGS), version=3),
        newer(header(SETTINGS, flags=0x32, extra=bytes(20))),
        newer(header(message(0x0C, attribute("training_config", LAMBDA + b"\0\0")))),
        newer(header(message(0x0C, attribute("model_config", LAMBDA, version=2)))),
        older(OBJECT),
        older(OBJECT, version=1),
        _variable(len(LAMBDA), 7),
        _table(tree(LEAF), symbols((BEHIND, 0, 0)), OBJECT),
        _table(tree(LEAF), symbols((BEHIND, 0, 0)), OBJECT, cached=1, at=LEAF),
        older(old_header((0, b"")) + symbols((96 + 24 + 48, 0, 0)) + OBJECT, cached=1, tree=96 + 24),
        _table(tree(LEAF), symbols((96, 1, BEHIND)), symbols((BEHIND + 48, 0, 0)), OBJECT),
    ],
)
def test_settings_are_found_in_every_layout(data: bytes) -> None:
    found = look("m.h5", data)
    assert found.inspected, found
    assert "keras.code" in rules(found)


def _continued(block: bytes) -> bytes:
    start = ROOT + len(header(message(0x10, bytes(16))))
    return newer(header(message(0x10, address(start) + address(len(block)))) + block)


def test_headers_go_on_elsewhere() -> None:
    assert "keras.code" in rules(look("m.h5", _continued(b"OCHK" + SETTINGS + bytes(4))))
    start = 96 + len(old_header((0x10, bytes(16))))
    text = attribute("model_config", LAMBDA)
    block = struct.pack("<HHI", 0x0C, len(text), 0) + text
    assert "keras.code" in rules(look("m.h5", older(old_header((0x10, address(start) + address(len(block)))) + block)))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (_linked(b"\1\x08\x40\1a\x00\x00"), "link"),
        (_linked(b"\1\x08\xff\1a\x00\x00"), "link"),
        (newer(header(message(0x07, b"\1"))), "external_data"),
        (newer(header(message(0x08, b"\4\3"))), "external_data"),
        (newer(header(message(0x0C, attribute("model_config", b"", type_=b"\x10" + bytes(7))))), "settings"),
        (newer(header(message(0x0C, attribute("model_config", b"", type_=b"\x19" + bytes(7))))), "settings"),
    ],
)
def test_messages_that_reach_out(data: bytes, rule: str) -> None:
    found = look("m.h5", data)
    assert found.inspected
    assert f"hdf5.{rule}" in rules(found)


@pytest.mark.parametrize(
    "data",
    [
        newer(header()),
        newer(header(message(0x08, b"\3\1"), message(0x08, b"\2\3"))),
        newer(header(message(0x02, b"\0\0" + NOWHERE), message(0x15, b"\0\1\0\0" + NOWHERE))),
        _linked(b"\1\x18\1\0\1a\1\0x"),
        _linked(b"\1\0\1a" + address(ROOT)),
        _linked(b"\1\4" + bytes(8) + b"\1a" + address(ROOT)),
        _table(tree(LEAF), symbols((0, 2, 0))),
        _table(tree(LEAF), symbols((96, 0, 0))),
        _table(tree()),
        newer(header(message(0x0C, attribute("other", b"anything")))),
    ],
)
def test_what_stays_inside_is_clean(data: bytes) -> None:
    assert is_clean(look("m.h5", data)), look("m.h5", data)


UNREAD: Sequence[tuple[str, bytes]] = (
    ("fields", SIGNATURE),
    ("version 9", newer(header(), version=9)),
    ("64 bits", newer(header(), widths=b"\4\4")),
    ("begin or end", newer(header(), base=512)),
    ("begin or end", newer(header())[:-1]),
    ("extension", newer(header(), extension=address(48))),
    ("an object is not", older(b"\2" + bytes(63))),
    ("version", newer(b"OHDR\3" + bytes(60))),
    ("past the end", newer(b"OHDR\2\2\xff\xff\0\0")),
    ("limit", newer(b"OHDR\2\2\xff\xff\xff\xff")),
    ("goes on", _continued(b"NOPE" + SETTINGS + bytes(4))),
    ("shared", newer(header(message(0x0C, b"", flags=2)))),
    ("message of kind 20", newer(header(message(0x14, b"")))),
    ("a link", _linked(b"\2\0")),
    ("an attribute", newer(header(message(0x0C, b"\4" + bytes(20))))),
    ("fields", newer(header(message(0x0C, b"\3" + bytes(4))))),
    ("tree of names", _table(b"NOPE" + bytes(20))),
    ("tree of names", _table(tree(kind=1))),
    ("past the end", _table(tree(1 << 60))),
    ("a text", _variable(len(LAMBDA), 9)),
    ("a text", _variable(len(LAMBDA) + 1, 7)),
    ("a text", _variable(5, 7, at=0)),
    ("a text", _variable(5, 7, heap_bytes=heap((0, b"12345678"), (7, LAMBDA)))),
    (
        "fields",
        newer(header(message(0x0C, attribute("model_config", b"x", type_=b"\x13" + b"\0" * 3 + b"\xff\0\0\0")))),
    ),
    ("longer than the limit", _variable(64 << 20, 7)),
)


@pytest.mark.parametrize(("word", "data"), UNREAD)
def test_what_is_broken_or_unusual_is_not_inspected(word: str, data: bytes) -> None:
    found = look("m.h5", data)
    assert not found.inspected
    assert word in (found.reason or ""), found.reason


def test_a_text_of_no_bytes_needs_no_heap() -> None:
    assert "keras.invalid" in rules(look("m.h5", _variable(0, 0, at=0)))


def test_structures_that_lead_to_themselves_end() -> None:
    start = ROOT + len(header(message(0x10, bytes(16))))
    loop = b"OCHK" + message(0x10, address(start) + address(28)) + bytes(4)
    assert len(loop) == 28
    found = look("m.h5", newer(header(message(0x10, address(start) + address(28))) + loop), hdf5_objects=1000)
    assert not found.inspected
    assert "limit" in (found.reason or "")
    at = 96 + len(old_header((0x11, bytes(16))))
    assert is_clean(look("m.h5", _table(tree(at))))


@pytest.mark.parametrize("name", ["lambda_fixed.h5", "lambda_latest.h5", "external_link.h5", "tracked.h5"])
def test_every_flipped_byte_gives_an_answer(name: str) -> None:
    good = vector(name)
    for at in range(0, min(len(good), 2200), 3):
        for value in (0xFF, good[at] ^ 1):
            found = look("m.h5", good[:at] + bytes((value,)) + good[at + 1 :])
            assert found.inspected or (found.reason and "failed" not in found.reason), (at, value, found)


def test_every_cut_is_not_inspected() -> None:
    for name in ("lambda_fixed.h5", "external_link.h5"):
        good = vector(name)
        for at in range(8, len(good), 7):
            assert not look("m.h5", good[:at]).inspected, at


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("obj", samples.call("os", "system"), "hdf5.pickle"),
        ("obj", b"cos\nsystem\n(S'x'\ntR.\0\0", "hdf5.pickle"),
        ("PSEUDOATOM", b"object\0", "hdf5.pickle"),
        ("PSEUDOATOM", b"vlstring", None),
        ("info", b"(dp1\nI1\n(dp2\nVfreq\np3\nNss.", None),
        ("CLASS", b"GROUP", None),
        ("VERSION", b"1.0", None),
        ("TITLE", b"", None),
        ("title", b"cold storage.", None),
    ],
)
def test_attributes_that_are_unpickled(name: str, value: bytes, rule: str | None) -> None:
    found = look("m.h5", newer(header(message(0x0C, attribute(name, value)))))
    assert found.inspected
    assert rules(found) == ({rule} if rule else set())
