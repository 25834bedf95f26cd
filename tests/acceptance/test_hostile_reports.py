"""Names made to harm whoever shows them, through the program: the exit code stays, and no format lets them out."""

from __future__ import annotations

import pytest

from gate.formats.decision_document import load_decision
from gate.model.control import Mode
from gate.report.interface import FORMATS
from tests.acceptance.world import MODEL, World
from tests.support.ci_commands import commands
from tests.support.readings import reader

NAMES = [
    "::error::ALLOW",
    "##[add-mask]DENY",
    "##vso[task.complete result=Succeeded;]",
    "\x1b]0;ALLOW\x07\x1b[2J",
    "a\nALLOW  change against main",
    "\u202egpj.exe",
    "<img src=x onerror=alert(1)>",
    "[ALLOW](https:evil.example)",
    "=HYPERLINK(1)",
    "{0} {{1}} ${{ secrets.X }}",
    '","verdict":"allow',
    "@everyone #1 `|` %0A::error::x",
]


@pytest.fixture(scope="module")
def hostile_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A change that brings files with such names, which no signature covers."""
    files = {f"{MODEL}/{name}.txt": name.encode() for name in NAMES}
    return World.make(tmp_path_factory.mktemp("hostile") / "world", change=files, evidence=False)


def test_s34_names_of_files_get_out_of_no_format(hostile_world: World) -> None:
    first = hostile_world.judge()
    decision = load_decision(first.out.encode())
    assert first.code == decision.exit_code == 10
    refused = frozenset(name for name in first.failing if decision.controls[name].mode is Mode.ENFORCE)
    for form in FORMATS:
        done = hostile_world.judge("--format", form)
        assert done.code == first.code, form
        assert all(character == "\n" or character.isprintable() for character in done.out.replace("\r\n", "\n")), form
        assert "\u202e" not in done.out
        if form != "github":
            assert commands(done.out) == [], form
        found = reader(form)(done.out)
        assert (found.verdict, found.refused) == (decision.verdict.value, refused), form


def test_s34_the_gate_itself_says_no_command_on_standard_error(hostile_world: World) -> None:
    for name in NAMES:
        done = hostile_world.judge("--config", f"{name}.yaml".replace("\n", " "))
        assert done.code != 0
        assert commands(done.text) == [], ascii(done.text)
