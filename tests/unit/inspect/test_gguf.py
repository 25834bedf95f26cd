from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import samples
from tests.support.ggufs import GOOD_DATA, Pair, gguf, list_pair, string, tensor, text_pair
from tests.support.looking import is_clean, look, rules

VECTORS = Path(__file__).parents[2] / "vectors" / "models"
CHATML = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
PAIRS: tuple[Pair, ...] = (
    text_pair("general.architecture", "llama"),
    (b"a.u8", 0, b"\1"),
    (b"a.i16", 3, b"\1\0"),
    (b"a.u32", 4, bytes(4)),
    (b"a.bool", 7, b"\1"),
    (b"a.u64", 10, bytes(8)),
    list_pair("tokenizer.ggml.tokens", 8, 2, string(b"a") + string(b"\xff")),
    list_pair("tokenizer.ggml.scores", 6, 2, bytes(8)),
    list_pair("a.flags", 7, 2, b"\0\1"),
)


def test_a_file_that_gguf_wrote_is_clean_and_its_template_is_told() -> None:
    found = look("tiny.gguf", (VECTORS / "tiny.gguf").read_bytes())
    assert is_clean(found), found
    assert set(found.templates) == {"tokenizer.chat_template"}


@pytest.mark.parametrize(
    "data",
    [
        gguf(),
        gguf(PAIRS),
        gguf(version=2),
        gguf((text_pair("a", "b", "<", "I"),), [tensor("a", (3,), 0, wide="I")], bytes(12), version=1),
        gguf((text_pair("a", "b", ">"),), [tensor("a", (3,), 0, order=">")], bytes(32), order=">"),
        gguf(PAIRS, (), b""),
        gguf((), (), b"") + bytes(8),
        gguf(tensors=[tensor("a", (), 0)], data=bytes(4)),
        gguf(((b"general.alignment", 4, struct.pack("<I", 64)),), alignment=64),
        gguf((text_pair("tokenizer.chat_template", CHATML),)),
        gguf((text_pair("tokenizer.chat_template.tool_use", CHATML),)),
        gguf((list_pair("tokenizer.chat_templates", 8, 1, string(b"tool_use")),)),
    ],
)
def test_good_files_are_clean(data: bytes) -> None:
    found = look("m.gguf", data)
    assert is_clean(found), found
    assert found.format == "gguf"


def _alignment(kind: int, value: int) -> bytes:
    return gguf(((b"general.alignment", kind, struct.pack("<I", value)),))


HOSTILE: Sequence[tuple[str, bytes]] = (
    ("version", gguf(version=4)),
    ("version", gguf(version=2, order=">")),
    ("count", gguf(counts=(1 << 60, 0))),
    ("count", gguf(counts=(0, (1 << 64) - 1))),
    ("shape", gguf(tensors=[tensor("a", (3, 0), 0)], data=bytes(32))),
    ("shape", gguf(tensors=[tensor("a", (1 << 63, 1 << 63, 0), 0)], data=bytes(32))),
    ("tokens", gguf((PAIRS[6], list_pair("tokenizer.ggml.scores", 6, 1, bytes(4))))),
    ("tokens", gguf((list_pair("tokenizer.ggml.token_type", 5, 1, bytes(4)), PAIRS[6]))),
    ("tokens", gguf((PAIRS[6], list_pair("tokenizer.ggml.scores", 0, 2, bytes(2))))),
    ("tokens", gguf((list_pair("tokenizer.ggml.tokens", 0, 2, bytes(2)),))),
    ("text", gguf(((b"k" * 65_536, 0, b"\0"),))),
    ("text", gguf(((b"\xff", 0, b"\0"),))),
    ("size", gguf(((b"k", 8, struct.pack("<Q", (1 << 64) - 1)),))),
    ("size", gguf((list_pair("k", 4, 1 << 62, b""),))),
    ("duplicate", gguf((text_pair("a", "b"), text_pair("a", "c")))),
    ("duplicate", gguf(tensors=[tensor("a", (3, 5), 0), tensor("a", (64,), 64, 8)])),
    ("alignment", _alignment(4, 0)),
    ("alignment", _alignment(4, 33)),
    ("alignment", _alignment(4, 1 << 30)),
    ("alignment", _alignment(5, 32)),
    ("type", gguf(((b"k", 13, b""),))),
    ("type", gguf((list_pair("k", 9, 1, bytes(12)),))),
    ("bool", gguf(((b"k", 7, b"\2"),))),
    ("bool", gguf((list_pair("k", 7, 2, b"\1\xff"),))),
    ("template", gguf((list_pair("tokenizer.chat_template", 8, 1, string(b"x")),))),
    ("template", gguf(((b"tokenizer.chat_template", 0, b"x"),))),
    ("text", gguf(tensors=[tensor("n" * 128, (3,), 0)])),
    ("shape", gguf(tensors=[tensor("a", (1, 1, 1, 1, 1), 0)])),
    ("shape", gguf(tensors=[tensor("a", (33,), 0, 8)])),
    ("dtype", gguf(tensors=[tensor("a", (32,), 0, 4)])),
    ("offset", gguf(tensors=[tensor("a", (32,), 1)])),
    ("layout", gguf(tensors=[tensor("a", (3,), 32)])),
    ("layout", gguf(tensors=[tensor("a", (3, 5), 0), tensor("b", (3, 5), 32)])),
    ("size", gguf(tensors=[tensor("a", (1 << 62, 1 << 62), 0)])),
    ("size", gguf(tensors=[tensor("a", (3,), 0)], data=b"")),
    ("layout", gguf(tensors=[tensor("a", (3,), 0), tensor("b", (3,), 1 << 40)])),
    ("size", gguf(tensors=[tensor("a", (1 << 20,), 0), tensor("b", (3,), 1 << 22)])),
    ("trailing_data", gguf(data=GOOD_DATA + b"x")),
    ("trailing_data", gguf((), (), b"") + bytes(32)),
    ("padding", gguf((), (), b"") + b"\0x"),
    ("padding", gguf(data=GOOD_DATA[:60] + b"evil" + GOOD_DATA[64:])),
    ("padding", gguf(data=GOOD_DATA[:-1] + b"x")),
)


@pytest.mark.parametrize(("rule", "data"), HOSTILE)
def test_what_breaks_the_format_is_a_finding(rule: str, data: bytes) -> None:
    found = look("m.gguf", data)
    assert found.inspected
    assert f"gguf.{rule}" in rules(found), found


def test_a_file_that_is_cut_anywhere_is_a_finding() -> None:
    good = gguf(PAIRS)
    for at in range(8, len(good) - 28):
        assert "gguf.size" in rules(look("m.gguf", good[:at])) or "gguf.count" in rules(look("m.gguf", good[:at])), at


@pytest.mark.parametrize("key", ["tokenizer.chat_template", "tokenizer.chat_template.rag", "x.chat_template"])
def test_every_chat_template_is_judged(key: str) -> None:
    hidden = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    plain = text_pair("tokenizer.chat_template", CHATML)
    pairs = (text_pair(key, hidden),) if key.endswith("tokenizer.chat_template") else (plain, text_pair(key, hidden))
    assert "template.unsafe" in rules(look("m.gguf", gguf(pairs)))


def test_more_than_the_limits_is_not_inspected() -> None:
    for data in (gguf(PAIRS), gguf((list_pair("k", 8, 4, string(b"") * 4),))):
        found = look("m.gguf", data, gguf_entries=5)
        assert not found.inspected
        assert "limit" in (found.reason or "")
    assert "gguf.text" in rules(look("m.gguf", gguf((text_pair("tokenizer.chat_template", CHATML),)), json_bytes=9))


def test_tensors_are_passed_over() -> None:
    """Reads what describes the tensors, and not the tensors."""
    data = gguf(tensors=[tensor("a", (1 << 20,), 0)], data=bytes(4 << 20))
    assert is_clean(look("m.gguf", data))
    assert "file.polyglot" in rules(look("m.gguf", gguf(data=GOOD_DATA + samples.zip_bytes({"a.txt": b"x"}))))
