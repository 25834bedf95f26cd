"""Archives of servers and files that are programs: TorchServe, TorchScript, llamafile, NeMo."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from tests.support import samples
from tests.support.ggufs import gguf
from tests.support.looking import is_clean, look, rules

MODEL = {"modelName": "m", "serializedFile": "m.safetensors", "handler": "image_classifier", "modelVersion": "1"}


def mar(model: object, **members: bytes) -> bytes:
    raw = model if isinstance(model, bytes) else json.dumps({"runtime": "python", "model": model}).encode()
    return samples.zip_bytes({"MAR-INF/MANIFEST.json": raw, "m.safetensors": samples.safetensors()} | members)


def test_a_server_archive_without_a_program_is_clean() -> None:
    found = look("m.mar", mar(MODEL))
    assert is_clean(found), found
    assert found.format == "mar"


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        (MODEL | {"handler": "handler.py"}, "handler"),
        (MODEL | {"handler": "handler:run"}, "handler"),
        (MODEL | {"handler": ["image_classifier"]}, "handler"),
        ({}, "handler"),
        (MODEL | {"requirementsFile": "requirements.txt"}, "requirements"),
        (MODEL | {"serializedFile": "../x"}, "path"),
        (MODEL | {"modelFile": 1}, "path"),
        (None, "manifest"),
        (b"{", "manifest"),
        (b"[]", "manifest"),
    ],
)
def test_what_a_server_would_run_is_a_finding(model: object, rule: str) -> None:
    assert f"mar.{rule}" in rules(look("m.mar", mar(model)))


def test_members_of_a_server_archive_are_judged() -> None:
    assert "remote_code.file" in rules(look("m.mar", mar(MODEL, **{"handler.py": b"import os\n"})))
    assert "pickle.global" in rules(look("m.mar", mar(MODEL, **{"m.pt": samples.call("os", "system")})))
    assert not look("m.mar", mar(MODEL)[:-9]).inspected
    assert "file.mismatch" in rules(look("m.mar", samples.zip_bytes({"a.txt": b"x"})))


@pytest.mark.parametrize("head", [b"MZqFpD='\n\n\0", b"jartsr='\n\n"])
def test_a_program_with_a_model_inside_is_a_program(head: bytes) -> None:
    data = head + b"x" * 100 + samples.zip_bytes({"m.gguf": gguf()})
    for name in ("m.llamafile", "m.gguf", "m"):
        found = look(name, data)
        assert "remote_code.llamafile" in rules(found)
        assert "file.polyglot" in rules(found)
    assert "file.mismatch" in rules(look("m.gguf", data))
    assert "file.mismatch" not in rules(look("m.llamafile", data))
    assert "remote_code.file" in rules(look("m.llamafile", b"\x7fELF" + bytes(60)))


def test_a_scripted_model_is_a_program() -> None:
    found = look("m.pt", samples.torch_zip(extra={"code/__torch__.py": b"def forward(self): ...\n"}))
    assert found.format == "torchscript"
    assert "archive.code" in rules(found)


def test_what_is_named_like_a_nemo_archive_and_is_none() -> None:
    assert "file.mismatch" in rules(look("m.nemo", samples.zip_bytes({"a.txt": b"x"})))
    assert "file.mismatch" not in rules(look("m.nemo", bytes(257) + b"ustar" + bytes(250)))


def nemo(settings: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (("model_config.yaml", settings), ("model_weights.ckpt", samples.torch_zip())):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_what_settings_of_a_nemo_archive_name_is_a_finding() -> None:
    assert is_clean(look("m.nemo", nemo(b"sample_rate: 16000\n")))
    evil = nemo(b"x:\n  _target_: os.system\n")
    assert "remote_code.target" in rules(look("m.nemo", evil))
    assert "remote_code.target" in rules(look("m.nemo", gzip.compress(evil)))


RULES = re.compile(r'found\.add\(\s*f?"([a-z0-9_]+\.[a-z_]+)"')
BROKEN = re.compile(r'_GgufError\("([a-z_]+)"')
MODULES = (
    "gguf", "onnx", "hdf5", "keras", "saved_model", "skops", "mar", "llamafile", "coreml", "executables", "images",
    "msgpack", "tables", "tflite", "tokenizer", "torchscript", "vocabulary",
)  # fmt: skip


def test_every_rule_is_explained() -> None:
    root = Path(__file__).parents[3]
    sources = {name: (root / "gate" / "inspect" / f"{name}.py").read_text("utf-8") for name in MODULES}
    rules_of_code = {rule for source in sources.values() for rule in RULES.findall(source)}
    rules_of_code |= {f"gguf.{rule}" for rule in BROKEN.findall(sources["gguf"])}
    page = (root / "docs" / "explanation" / "model-files.md").read_text("utf-8")
    rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z0-9_]+\.[a-z_]+)`", rows)) == rules_of_code
