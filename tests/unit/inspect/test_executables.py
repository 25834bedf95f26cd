"""Programs by what they begin with and by the names that tools run; polyglots of models and programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.model.scan import Severity
from tests.support import samples
from tests.support.ggufs import gguf
from tests.support.looking import is_clean, look, rules

ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
PE = b"MZ" + bytes(58) + b"\x40\x00\x00\x00PE\x00\x00" + bytes(64)
PROGRAMS = {
    "elf": ELF,
    "pe": PE,
    "macho32": b"\xfe\xed\xfa\xce" + bytes(28),
    "macho64": b"\xcf\xfa\xed\xfe" + bytes(28),
    "fat": b"\xca\xfe\xba\xbe" + bytes(28),
    "fat64": b"\xca\xfe\xba\xbf" + bytes(28),
    "fat little": b"\xbe\xba\xfe\xca" + bytes(28),
    "wasm": b"\x00asm\x01\x00\x00\x00",
    "dex": b"dex\n035\x00",
    "bitcode": b"BC\xc0\xde" + bytes(8),
    "lua": b"\x1bLua\x54\x00",
    "luajit": b"\x1bLJ\x02",
    "ar": b"!<arch>\nx.o/",
    "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(24),
    "shortcut": b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(8),
    "java objects": b"\xac\xed\x00\x05sr",
    "r workspace": b"RDX3\nX\n",
    "r object": b"X\n\x00\x00\x00\x03" + bytes(8),
    "pyc 3.11": b"\xa7\x0d\r\n" + bytes(12),
    "pyc 2.7": b"\x03\xf3\r\n" + bytes(12),
    "script": b"#!/bin/sh\nexit\n",
    "script by env": b"#! /usr/bin/env python3\n",
    "script beside": b"#!python\nimport os\n",
    "script with a mark": b"\xef\xbb\xbf#!/bin/sh\n",
    "batch": b"@echo off\r\ndel x\r\n",
    "php": b"<?php system('x'); ?>",
}


@pytest.mark.parametrize("kind", PROGRAMS)
@pytest.mark.parametrize("name", ["blob", "README.md", "model.safetensors", "pytorch_model.bin", "x/model.onnx_data"])
def test_a_program_is_one_whatever_its_name(kind: str, name: str) -> None:
    found = look(name, PROGRAMS[kind])
    assert found.format == "code"
    (told,) = (finding for finding in found.findings if finding.rule == "remote_code.file")
    assert told.severity is Severity.HIGH
    assert "take it out of the artifact" in told.message
    assert ("file.mismatch" in rules(found)) is (name in {"model.safetensors", "pytorch_model.bin"})


@pytest.mark.parametrize(
    "data",
    [
        b"#![warn]\n",
        b"# a title\n",
        b"#!\n",
        b"MZ is how a name begins\n",
        b"ab\r\ncd\r\n",
        b"X\nY\n",
        b"@echo\n",
        b"BC 100\n",
    ],
)
def test_text_that_only_looks_like_a_program(data: bytes) -> None:
    assert is_clean(look("README.md", data))


@pytest.mark.parametrize(
    "name",
    [
        "a.py", "b.SH", "x.ps1", "x.bat", "x.dll", "x.so", "x.dylib", "x.jar", "x.whl", "x.ipynb", "x.c", "x.metal",
        "x.cubin", "Makefile", "sub/Dockerfile", "CMakeLists.txt", ".bashrc", "setup.py", "conftest.py",
        "sitecustomize.py", "custom_generate/generate.py",
    ],
)  # fmt: skip
def test_a_name_that_something_runs_is_a_finding(name: str) -> None:
    found = look(name, b"import os\n")
    assert (found.format, rules(found)) == ("code", {"remote_code.file"})


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt", "requirements-dev.txt", "cuda-requirements.txt", "requirement.txt", "requirements/base.txt",
        "requirements.in", "pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", "environment.yml", "conda.yaml",
        "package.json", "docker-compose.yml", "compose.prod.yaml", ".github/workflows/a.yml", ".git/config",
        ".git/hooks/pre-commit", ".gitmodules", ".pre-commit-config.yaml", "a/.vscode/tasks.json", "action.yml",
        "pyvenv.cfg", "constraints.txt", "python_env.yaml", "dvc.yaml", "cog.yaml", "azure-pipelines.yml", "mcp.json",
        ".devcontainer/a.json", "devcontainer.json", ".claude/settings.json", ".cursor/a.json", "deno.json",
    ],
)  # fmt: skip
def test_a_file_that_tells_a_tool_what_to_install_is_a_finding(name: str) -> None:
    found = look(name, b"{}\n")
    assert "remote_code.build" in rules(found) or name == "requirements/base.txt"
    assert "file.mismatch" not in rules(found)


@pytest.mark.parametrize(
    "name", ["my_requirements_of_it.md", "required.txt", "docker.md", ".gitattributes", "git/notes.txt"]
)
def test_other_names_are_ordinary(name: str) -> None:
    assert is_clean(look(name, b"text\n"))


def test_a_path_file_is_text_and_a_checkpoint_is_not() -> None:
    assert "remote_code.file" in rules(look("x.pth", b"import os; os.system('x')\n"))
    assert "remote_code.file" not in rules(look("x.pth", samples.torch_zip()))
    assert is_clean(look("x.pth", samples.torch_zip()))


WRITTEN = Path(__file__).parents[2] / "vectors" / "models"
ZIP = samples.zip_bytes({"a.txt": b"x"})
POLYGLOTS = {
    "program behind HDF5": ("m.h5", (WRITTEN / "functional.h5").read_bytes() + ELF),
    "program behind Keras": ("m.keras", (WRITTEN / "functional.keras").read_bytes() + ELF),
    "program behind ONNX": ("m.onnx", (WRITTEN / "weights_inside.onnx").read_bytes() + ELF),
    "program behind skops": ("m.skops", (WRITTEN / "sgd.skops").read_bytes() + ELF),
    "script before JSON": ("config.json", b"#!/bin/sh\n{}"),
    "program behind tensors": ("m.safetensors", samples.safetensors() + ELF),
    "program behind a GGUF": ("m.gguf", gguf() + PE),
    "program behind a pickle": ("m.pkl", b"\x80\x04N." + PE),
    "program behind torch": ("m.pt", samples.torch_zip() + ELF),
    "program behind an array": ("a.npy", samples.npy() + ELF),
    "zip behind tensors": ("m.safetensors", samples.safetensors() + ZIP),
    "zip behind a program": ("m.bin", ELF + ZIP),
    "zip behind a script": ("m.zip", b"#!/bin/sh\nexit\n" + ZIP),
    "zip behind a PDF": ("paper.pdf", b"%PDF-1.4\n" + ZIP),
    "zip behind a picture": ("logo.gif", b"GIF89a" + ZIP),
    "zip behind a zip": ("x.zip", ZIP + ZIP),
    "program in a zip": ("x.zip", samples.zip_bytes({"notes.txt": ELF})),
    "macros in a zip": ("x.zip", samples.zip_bytes({"word/vbaProject.bin": PROGRAMS["ole"]})),
    "class in a zip": ("x.zip", samples.zip_bytes({"A": PROGRAMS["fat"]})),
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_two_files_in_one_are_never_clean(name: str) -> None:
    found = look(*POLYGLOTS[name])
    assert not is_clean(found)
    assert rules(found)


@pytest.mark.parametrize("name", ["shell.php", "modeling.py", "setup.cfg", "a/.git/hooks/x"])
def test_names_of_programs_count_whatever_a_file_begins_with(name: str) -> None:
    parquet = b"PAR1=1;import os#" + bytes(40) + b"\x08\0\0\0PAR1"
    rule = "remote_code.file" if name.endswith((".php", ".py")) else "remote_code.build"
    assert rule in rules(look(name, parquet))
    assert rule in rules(look("x.zip", samples.zip_bytes({name: parquet})))
