from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import pytest

from gate.inspect import safetensors
from gate.inspect.context import shown
from gate.inspect.interface import inspect_file
from gate.inspect.source import BytesSource, FileSource, Slice, SourceError, chunks
from tests.support import samples
from tests.support.looking import is_clean, look, rules

EVIL = samples.call("os", "system")
ZIP = samples.zip_bytes({"a.txt": b"x"})


def test_an_empty_file_is_empty() -> None:
    found = look("anything.bin", b"")
    assert (found.format, found.inspected, found.findings) == ("empty", True, ())


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("model.safetensors", EVIL, "pickle"),
        ("model.safetensors", ZIP, "zip"),
        ("model.safetensors", samples.torch_zip(), "torch"),
        ("config.json", pickle.dumps({}), "pickle"),
        ("config.yaml", ZIP, "zip"),
        ("README.md", ZIP, "zip"),
        ("notes.txt", samples.npy(), "numpy"),
        ("a.npy", samples.safetensors(), "safetensors"),
        ("a.gguf", ZIP, "zip"),
        ("a.keras", ZIP, "zip"),
        ("a.onnx", pickle.dumps(1), "pickle"),
        ("logo.png", EVIL, "pickle"),
        ("pytorch_model.bin", samples.safetensors(), "safetensors"),
        ("model.pkl", samples.safetensors(), "safetensors"),
        ("model.pt", samples.npy(), "numpy"),
        ("model.ckpt", ZIP, "zip"),
        ("model.joblib", b"\x89HDF\r\n\x1a\n", "hdf5"),
    ],
)
def test_a_file_is_judged_by_its_content_and_flagged_for_its_name(name: str, data: bytes, kind: str) -> None:
    found = look(name, data)
    assert found.format == kind
    assert "file.mismatch" in rules(found)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.safetensors", samples.safetensors()),
        ("pytorch_model.bin", samples.torch_zip()),
        ("model.pt", samples.legacy_torch()),
        ("a.npz", samples.zip_bytes({"a.npy": samples.npy()})),
        ("noname", samples.npy()),
        ("x.zip", samples.torch_zip()),
    ],
)
def test_good_files_are_clean(name: str, data: bytes) -> None:
    found = look(name, data)
    assert is_clean(found), found


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.safetensors", samples.safetensors() + ZIP),
        ("model.pkl", pickle.dumps([1]) + ZIP),
        ("README.md", b"hello\n" + ZIP[:2] + b"\x03\x04" + ZIP[4:]),
        ("a.npy", samples.npy(shape="()", data=b"") + ZIP),
        ("model.gguf", b"GGUF" + ZIP),
        ("a.py", b"1\n" + ZIP),
        ("blob", b"\x01\x02" + ZIP),
        ("model.pkl", pickle.dumps([1]) + b"PK\x06\x07" + b"\0" * 16 + b"PK\x05\x06" + b"\0" * 18),
    ],
)
def test_a_zip_behind_something_else_is_a_finding(name: str, data: bytes) -> None:
    assert "file.polyglot" in rules(look(name, data))


def test_a_tar_archive_around_tensors() -> None:
    header = b'{"__metadata__":{"x":"' + b"a" * (257 - 8 - 22) + b'ustar"}}'
    found = look("m.safetensors", samples.safetensors(raw=header, data=b""))
    assert rules(found) == {"file.polyglot"}


def test_bytes_that_only_look_like_the_end_of_a_zip_are_none() -> None:
    for tail in (b"PK\x05\x06", b"PK\x05\x06" + b"\0" * 30, b"PK\x05\x06" + b"\xff" * 30):
        header = {"w": {"dtype": "U8", "shape": [len(tail)], "data_offsets": [0, len(tail)]}}
        assert is_clean(look("m.safetensors", samples.safetensors(header, tail)))


@pytest.mark.parametrize("name", ["README.md", "config.json", "a.yaml", "chat_template.jinja", "run.py"])
def test_text_that_is_a_pickle_too(name: str) -> None:
    for data in (
        b"(S'x'\nios\nsystem\n.",
        b"cos\nsystem\n(S'x'\ntR.",
        b"cos\nsystem\n(S'x'\ntR",
        b"cevil\nf\n}b.",
        b"cevil\nf\n.",
    ):
        assert "file.polyglot" in rules(look(name, data))


@pytest.mark.parametrize(
    "data",
    [
        b"config\nvalue\nR",
        b"(in brackets)\nfoo\n",
        b"N.B. this\n",
        b".",
        b"I\n",
        b"carrot\n(x",
        b"chapter one\ntwo\n.\n",
    ],
)
def test_ordinary_text_is_no_pickle(data: bytes) -> None:
    assert is_clean(look("README.md", data))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.py", b"import os"),
        ("a.pyc", b"\xcb\r\r\n"),
        ("lib.so", b"x"),
        ("run.sh", b"echo"),
        ("noname", b"#!/bin/sh\n"),
        ("README.md", b"#! /usr/bin/env python\n"),
        ("weights.bin", b"\x7fELF\x02\x01"),
        ("weights.bin", b"MZ\x90\x00" + b"\0" * 60),
        ("weights.bin", b"\xcf\xfa\xed\xfe"),
        ("weights.bin", b"\xca\xfe\xba\xbe"),
        ("weights.bin", b"\x00asm\1\0\0\0"),
        ("A.PY", b"1"),
    ],
)
def test_code_is_a_finding(name: str, data: bytes) -> None:
    found = look(name, data)
    assert "remote_code.file" in rules(found)
    assert found.format == "code"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("m.zst", b"\x28\xb5\x2f\xfd", "zstd"),
        ("m.rar", b"Rar!\x1a\x07", "rar"),
        ("m.7z", b"7z\xbc\xaf'\x1c", "7z"),
        ("tokenizer.model", b"\n\x0e\n\x05<unk>", "sentencepiece"),
        ("m.tflite", b"\0\0\0\0TFL3", "tflite"),
        ("d.parquet", b"PAR1", "parquet"),
        ("logo.png", b"\x89PNG\r\n\x1a\n", "png"),
        ("graph.pb", b"\x08\x01", "protobuf"),
        ("blob", b"\x01\x02\x03", "unknown"),
        ("odd.words", b"plain words", "unknown"),
        ("weights.bin", b"\x01\x02\x03", "unknown"),
    ],
)
def test_other_formats_are_named_and_not_inspected(name: str, data: bytes, kind: str) -> None:
    found = look(name, data)
    assert (found.format, found.inspected) == (kind, False)
    assert found.reason


def test_pickles_without_a_name_or_magic_are_recognised() -> None:
    for data in (EVIL[2:], b"(lp0\nI1\na.", samples.named("evil", "x"), b"S'a'\n."):
        assert look("blob", data).format == "pickle"
        assert look("tokenizer.model", data).format == "pickle"
    assert look("blob", b".").format == "unknown"


def test_a_fault_of_an_inspector_is_not_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: Any) -> Any:
        raise ZeroDivisionError("a secret path")

    monkeypatch.setattr(safetensors, "inspect_safetensors", faulty)
    found = look("m.safetensors", samples.safetensors())
    assert (found.inspected, found.reason) == (False, "the inspection failed (ZeroDivisionError)")


def test_files_that_cannot_be_read_are_not_clean() -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError(5, "secret")

    assert inspect_file("a", Broken(b"x"), 1).reason == "the inspection failed (OSError)"
    short = inspect_file("m.safetensors", io.BytesIO(samples.safetensors()), 10_000)
    assert (short.inspected, short.reason) == (False, "the file is shorter than its stated size")
    closed = io.BytesIO(b"x")
    closed.close()
    assert not inspect_file("a", closed, 1).inspected


def test_files_that_give_little_at_a_time_are_read_whole() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    data = samples.safetensors()
    assert is_clean(inspect_file("m.safetensors", Slow(data), len(data)))


def test_sources() -> None:
    whole = BytesSource(b"0123456789")
    part = Slice(whole, 2, 5)
    assert part.read_at(0, 100) == b"23456"
    assert part.read_at(4, 2) == b"6"
    assert part.read_at(9, 2) == b""
    assert b"".join(chunks(part, 1)) == b"3456"
    assert FileSource(io.BytesIO(b"abc"), 3).read_at(3, 1) == b""
    with pytest.raises(SourceError):
        FileSource(io.BytesIO(b"abc"), 5).read_at(0, 5)


def test_messages_are_one_line_of_ascii() -> None:
    assert shown("a\x1b\n\u202eé") == "a\\x1b\\n\\u202e\\xe9"
    assert shown("x" * 500) == "x" * 120 + "..."
    for name, data in samples.bypasses().items():
        for finding in look(name, data).findings:
            assert finding.message.isascii()
            assert finding.message.isprintable()
            assert len(finding.message) < 400


@pytest.mark.parametrize("behind", [0, 1, 65_534, 65_535, 65_536])
def test_a_zip_archive_is_looked_for_as_far_back_as_readers_look(behind: int) -> None:
    data = b"\0" * 100 + samples.zip_bytes({"config.json": b"{}"}) + bytes(behind)
    assert zipfile.is_zipfile(io.BytesIO(data))
    assert "file.polyglot" in rules(look("model.onnx_data", data))
