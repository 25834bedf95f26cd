from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.support import samples
from tests.support.looking import is_clean, look, rules

GOOD: dict[str, Any] = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def entry(**changes: Any) -> dict[str, Any]:
    return {"w": {**GOOD["w"], **changes}}


def two(*spans: tuple[int, int]) -> dict[str, Any]:
    return {str(a): {"dtype": "U8", "shape": [b - a], "data_offsets": [a, b]} for a, b in spans}


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (GOOD, 8),
        ({}, 0),
        ({"__metadata__": {"format": "pt", "ss_tag": '{"a": {"b": 1}}'}, **GOOD}, 8),
        ({"b": {"dtype": "U8", "shape": [3], "data_offsets": [8, 11]}, **GOOD}, 11),
        ({"e": {"dtype": "F64", "shape": [0, 5], "data_offsets": [0, 0]}, **GOOD}, 8),
        ({"s": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}}, 8),
        ({"f": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}, 2),
        ({"f": {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]}}, 3),
        ({"f": {"dtype": "F8_E8M0", "shape": [4], "data_offsets": [0, 4]}}, 4),
        ({"f": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}, 8),
    ],
)
def test_good_files_are_clean(header: Any, size: int) -> None:
    found = look("model.safetensors", samples.safetensors(header, bytes(size)))
    assert is_clean(found), found
    assert found.format == "safetensors"


def test_padding_is_spaces() -> None:
    raw = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    assert is_clean(look("m.safetensors", samples.safetensors(raw=raw + b"   ")))
    for padding in (b"\n", b"\t", b"\0", b" \n"):
        assert "safetensors.header" in rules(look("m.safetensors", samples.safetensors(raw=raw + padding)))


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (entry(dtype="F31"), "dtype"),
        (entry(dtype=4), "dtype"),
        (entry(shape=[3]), "shape"),
        (entry(shape=[-2]), "shape"),
        (entry(shape=[True, 2]), "shape"),
        (entry(shape="2"), "shape"),
        (entry(shape=[2.0]), "shape"),
        (entry(shape=[2**62] * 200), "shape"),
        (entry(shape=[]), "shape"),
        (entry(dtype="F4", shape=[3]), "shape"),
        (entry(data_offsets=[0, 9]), "offsets"),
        (entry(data_offsets=[8, 0]), "offsets"),
        (entry(data_offsets=[0]), "offsets"),
        (entry(data_offsets={"a": 1}), "offsets"),
        (entry(data_offsets=[-1, 8]), "offsets"),
        (entry(more=1), "entry"),
        ({"w": {"dtype": "F32", "shape": [2]}}, "entry"),
        ({"w": []}, "entry"),
        (two((0, 2), (1, 8)), "layout"),
        (two((0, 2), (3, 8)), "layout"),
        ({"a": {"dtype": "U8", "shape": [7], "data_offsets": [1, 8]}}, "layout"),
        ({"a": {"dtype": "U8", "shape": [7], "data_offsets": [0, 7]}}, "size"),
        ({}, "size"),
        ({**GOOD, "__metadata__": {"a": 1}}, "metadata"),
        ({**GOOD, "__metadata__": []}, "metadata"),
        ({**GOOD, "__metadata__": {"config": '{"_target_": "os.system"}'}}, "metadata_code"),
        ({**GOOD, "__metadata__": {"t": "{{ 7*7 }}"}}, "metadata_code"),
        ({**GOOD, "__metadata__": {"{% x %}": ""}}, "metadata_code"),
    ],
)  # fmt: skip
def test_every_violation_is_a_finding(header: Any, rule: str) -> None:
    found = look("model.safetensors", samples.safetensors(header))
    assert f"safetensors.{rule}" in rules(found)
    assert found.inspected


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (samples.safetensors() + b"x", "size"),
        (samples.safetensors()[:-1], "offsets"),
        (samples.safetensors(length=2**63), "header_size"),
        (samples.safetensors(length=0), "header_size"),
        (b"1234567", "header_size"),
        (samples.safetensors(raw=b"[]"), "header"),
        (samples.safetensors(raw=b" {}"), "header"),
        (samples.safetensors(raw=b'{"a":1,"a":2}'), "header"),
        (samples.safetensors(raw=b'{"a":NaN}'), "header"),
        (samples.safetensors(raw=b'{"\xff":1}'), "header"),
        (samples.safetensors(raw=b'{"w":' + b"[" * 100 + b"]" * 100 + b"}"), "header"),
        (samples.safetensors(raw=b"{}}"), "header"),
    ],
)
def test_broken_files_are_findings(data: bytes, rule: str) -> None:
    found = look("model.safetensors", data)
    assert f"safetensors.{rule}" in rules(found)
    assert found.inspected


def test_headers_beyond_the_limits() -> None:
    data = samples.safetensors(raw=b"{" + b" " * 100 + b"}", data=b"")
    assert "safetensors.header_size" in rules(look("m.safetensors", data, safetensors_header_bytes=50))
    assert not look("m.safetensors", data, safetensors_metadata_bytes=50).inspected


def test_a_length_that_looks_like_a_pickle_is_no_pickle() -> None:
    """640 is written 80 02: the first operation of a pickle."""
    raw = b"{" + b" " * 638 + b"}"
    assert is_clean(look("m.safetensors", samples.safetensors(raw=raw, data=b"")))


def test_a_file_that_is_a_pickle_too() -> None:
    """The length's bytes are PROTO and the begin of a text; the pickle goes on between the header's tokens."""
    size = 0x80 | 0x02 << 8 | ord("X") << 16 | 3 << 24
    body = b'{"' + samples.named("os", "system") + samples.args("x") + b"R."
    data = struct.pack("<Q", size) + body
    found = look("m.safetensors", data + b" " * (size - len(body)))
    assert "file.polyglot" in rules(found)


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"config": '{"x": [{"_target_": "os.system"}]}'}, {"safetensors.metadata_code", "remote_code.target"}),
        ({"config": ' {"class_path": "os.system"}'}, {"remote_code.class_path"}),
        ({"chat_template": "x"}, {"template.present"}),
        ({"chat_template": "{{ x._y }}"}, {"safetensors.metadata_code", "template.unsafe", "template.present"}),
        ({"config": '{"lr": 1}', "note": "{not json", "list": "[1]"}, set()),
    ],
)
def test_settings_in_the_metadata(metadata: dict[str, str], found: set[str]) -> None:
    seen = look("m.safetensors", samples.safetensors({"__metadata__": metadata}, b""))
    assert rules(seen) == found
    assert ("chat_template" in metadata) == bool(seen.templates)
