"""An own module's package is read without the engine's parser, and means the same to both engines."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from gate.errors import PolicyError
from gate.evaluate.bundle import packaged_bundle, with_own_controls
from gate.evaluate.syntax import parse
from tests.support.opa_server import opa_program

PATH = "custom/lib/own/own.rego"
LIBRARY = packaged_bundle()
STARTS = [
    "package custom.lib.own\n",
    "package custom.lib.own",
    "# package custom.lib.evil\npackage custom.lib.own\n",
    "#\tx\n\n \t\n  package custom.lib.own \t\r\n",
    "package custom.lib.own # package custom.lib.evil\n",
    "package custom.lib.evil\n",
    "package custom.lib.evil\npackage custom.lib.own\n",
    "# x\u2028package custom.lib.own\npackage custom.lib.evil\n",
    "# x\x0cpackage custom.lib.own\npackage custom.lib.evil\n",
    "# x\vpackage custom.lib.own\npackage custom.lib.evil\n",
    "\u00a0package custom.lib.own\n",
    "\ufeffpackage custom.lib.own\n",
    "package\ncustom.lib.own\n",
    "package\tcustom.lib.own\n",
    "package  custom.lib.own\n",
    "package custom.lib\n.own\n",
    "package custom.lib.own\n.evil\n",
    'package custom.lib.own\n["evil"]\n',
    'package custom.lib["own"]\n',
    'package custom.lib.own["evil"]\n',
    "package custom.lib.own x := 1\n",
    "package custom.lib.own; x := 1\n",
    "x := 1\n\npackage custom.lib.own\n",
    "import data.x\npackage custom.lib.own\n",
    '"\npackage custom.lib.own\n"',
    "`\npackage custom.lib.own\n`",
    "packages custom.lib.own\n",
    "package custom.lib.Own\n",
    "package custom.lib.own.\n",
    "",
    "#",
    "\n\n",
]


def accepted(source: str) -> bool:
    try:
        with_own_controls(LIBRARY, [{PATH: source.encode()}])
    except PolicyError:
        return False
    return True


def in_regorus(source: str) -> str | None:
    try:
        return ".".join(parse("m.rego", source).package)
    except PolicyError:
        return None


def in_opa(source: str, folder: Path) -> bool:
    """Whether OPA finds the package that belongs here."""
    path = folder / "m.rego"
    path.write_bytes(source.encode())
    command = [opa_program(), "parse", "--format", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return False
    words = [term["value"] for term in json.loads(done.stdout)["package"]["path"]]
    return bool(words == ["data", "custom", "lib", "own"])


@pytest.mark.parametrize("start", STARTS)
def test_no_package_is_taken_for_another(start: str, tmp_path: Path) -> None:
    """What is accepted is the module's package for both engines, where it parses at all."""
    source = start + "\nx := 1\n"
    if accepted(source):
        assert in_regorus(source) in {"custom.lib.own", None}
        assert in_opa(source, tmp_path) == (in_regorus(source) is not None)


@pytest.mark.parametrize("start", STARTS[:5])
def test_comments_and_space_may_come_first(start: str) -> None:
    assert accepted(start + "\nx := 1\n")


def test_a_module_that_the_parser_chokes_on_is_not_parsed() -> None:
    """The parser dies of the first one and takes minutes for the second: that is left to the worker process."""
    began = time.monotonic()
    assert accepted("package custom.lib.own\n\nx := " + ("-" * 900 + "\n") * 250 + "1\n")
    assert accepted("package custom.lib.own\n\nx := 1" + "\n+1" * 18000 + "\n")
    assert time.monotonic() - began < 5
