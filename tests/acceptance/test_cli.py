"""The command line itself: help, mistakes, completion, and faults of the gate's own."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gate import __version__
from gate.app import check as use_case
from gate.cli import main as shell
from gate.cli.exit_codes import EXIT_CODES
from gate.errors import AttestError, ConfigError, EvidenceError, GateError, LimitError, PolicyError, PolicyTimeout
from tests.acceptance.world import World, gate, inside
from tests.support.cases import packaged


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


PATHS = list(commands(shell.main))


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(path: tuple[str, ...], option: str) -> None:
    done = inside(*path, option)
    assert done.code == 0
    assert done.out.startswith(f"Usage: gate {' '.join(path)}".rstrip())
    assert done.err == ""
    assert max(map(len, done.out.splitlines())) <= 120


@pytest.mark.parametrize("name", shell.COMMANDS)
def test_the_lines_of_the_overview_are_those_of_the_commands(name: str) -> None:
    found = importlib.import_module(f"gate.cli.{name}_command").command
    first = (found.help or "").strip().split(".")[0]
    assert shell.COMMANDS[name].split()[0] == first.split()[0]


def test_the_overview(tmp_path: Path) -> None:
    done = gate("--help", cwd=tmp_path)
    assert done.code == 0
    assert all(name in done.out for name in shell.COMMANDS)
    assert all(f"{code:>2}  {text}" in done.out for code, text in EXIT_CODES.items())


def test_version(tmp_path: Path) -> None:
    assert gate("--version", cwd=tmp_path).out == f"gate, version {__version__}\n"


def test_nothing_at_all_shows_the_overview() -> None:
    done = inside()
    assert done.code == 2
    assert "Commands:" in done.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], ["No such command 'chekc'", "Did you mean 'check'?"]),
        (["xyzzy"], ["No such command 'xyzzy'"]),
        (["check", "--fromat", "json"], ["No such option", "--format"]),
        (["check", "--format", "xml"], ["'xml' is not one of", "json"]),
        (["check", "--config-from", "head"], ["merge-base"]),
        (["check", "more"], ["unexpected extra argument"]),
        (["check", "--base"], ["requires an argument"]),
        (["--verbose"], ["No such option"]),
        (["controls", "lsit"], ["No such command"]),
        (["controls", "show", "scan.malwar"], ["did you mean 'scan.malware'?"]),
        (["completion", "powershell"], ["bash"]),
        (["attest", "create", "--claim", "prompts", "--predicate", "p", "--subject", "s"], ["prompt"]),
        (["sign", "x"], ["--key"]),
        (["keygen", "--type", "dsa"], ["p256"]),
    ],
)
def test_mistakes_are_exit_2_and_say_what_would_be_right(arguments: list[str], words: list[str]) -> None:
    done = inside(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("gate: usage or configuration: ")
    assert all(word in done.err for word in words), done.err


@pytest.mark.parametrize("text", ["\x1b[31mx", "a\nb", "\u202ex", "x" * 5000])
def test_hostile_arguments_are_shown_escaped(text: str) -> None:
    for arguments in (
        [text],
        ["check", f"--{text}"],
        ["controls", "show", text],
        ["check", "--base", text, "--now", text],
    ):
        done = inside(*arguments)
        assert done.code == 2
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.err)


# -- the catalogue and completion --------------------------------------------------------------------------------------


def test_controls_list() -> None:
    text, value = inside("controls", "list"), json.loads(inside("controls", "list", "--format", "json").out)
    assert len(value) == len(packaged().catalogue) >= 26
    for control in value:
        assert control["id"] in text.out
        assert {"baseline", "strict", "llm-application"} <= control["profiles"].keys()
        modes = ["off", "warn", "enforce"]
        assert modes.index(control["profiles"]["baseline"]) <= modes.index(control["profiles"]["strict"])
        assert set(control["profiles"].values()) <= set(modes)


@pytest.mark.parametrize(
    "control", [item["id"] for item in json.loads(inside("controls", "list", "--format", "json").out)]
)
def test_controls_show(control: str) -> None:
    text, value = (
        inside("controls", "show", control),
        json.loads(inside("controls", "show", control, "--format", "json").out),
    )
    assert text.out.startswith(f"{control}: {value['title']}\n")
    assert value["fix"] in text.out
    assert f"docs/controls/{control.replace('.', '/')}.md" in text.out
    assert all(item["name"] in text.out for item in value["parameters"])
    assert not re.search("(?i)" + "|".join(("compl" + "ies", "certif" + "ied", "satisf" + "ies")), text.out)


@pytest.mark.parametrize(("shell_name", "word"), [("bash", "complete"), ("zsh", "compdef"), ("fish", "complete")])
def test_completion(shell_name: str, word: str) -> None:
    done = inside("completion", shell_name)
    assert done.code == 0
    assert word in done.out
    assert "_GATE_COMPLETE" in done.out


def test_completion_of_a_shell_that_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from gate.cli import completion_command

    monkeypatch.setattr(completion_command, "get_completion_class", lambda _: None)
    assert inside("completion", "bash").code == 2


# -- faults of the gate ------------------------------------------------------------------------------------------------


class Odd(BaseException):
    """What nobody expects."""


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError("something"),
        KeyError("x"),
        AssertionError(),
        ZeroDivisionError(),
        MemoryError(),
        RecursionError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
        SystemExit(0),
        SystemExit(),
        SystemExit(None),
        SystemExit("ALLOW"),
        GeneratorExit(),
        StopIteration(0),
        Odd(),
        RuntimeError("\x1b[2JALLOW\nALLOW"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("place", ["open_workspace", "gather", "build_document", "evaluate", "decide", "new_id"])
def test_a_bug_says_so_and_is_never_a_yes(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: BaseException, place: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(use_case, place, fail)
    done = world.judge()
    assert done.code == 1
    assert done.out == ""
    assert "this is a bug in the gate" in done.err
    assert "Please report it" in done.err
    assert type(fault).__name__ in done.err
    assert re.search(r" at [\w.]+:\d+", done.err)
    assert "\x1b" not in done.err
    assert len(done.err.splitlines()) == 2


@pytest.mark.parametrize("place", ["open_workspace", "gather", "evaluate", "decide"])
@pytest.mark.parametrize("answer", [None, 0, True, "allow", {}])
def test_an_answer_of_the_wrong_kind_is_never_a_yes(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str, answer: object
) -> None:
    monkeypatch.setattr(use_case, place, lambda *_, **__: answer)
    assert world.judge().code == 1


def test_an_interrupt_is_neither_a_yes_nor_a_bug(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(use_case, "gather", stop)
    done = world.judge()
    assert done.code == 130
    assert "interrupted" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("x"),
        EvidenceError("x"),
        LimitError("x", hint="y"),
        PolicyError("x"),
        PolicyTimeout("x"),
        AttestError("x"),
        GateError("x"),
    ],
    ids=repr,
)
def test_every_error_has_its_exit_code(world: World, monkeypatch: pytest.MonkeyPatch, error: GateError) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(use_case, "gather", fail)
    done = world.judge()
    assert done.code == error.exit_code != 0
    assert done.err.startswith(f"gate: {EXIT_CODES[error.exit_code]}: x\n")
    assert ("try: y" in done.err) is bool(error.hint)


@pytest.mark.parametrize(
    "error", [OSError(5, "Input/output error", "models/x"), PermissionError(13, "denied"), OSError()]
)
def test_a_fault_of_the_system(world: World, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(use_case, "gather", fail)
    done = world.judge()
    assert done.code == 5
    assert done.out == ""


def test_a_fault_of_the_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise click.ClickException("x")

    monkeypatch.setattr(use_case, "gather", fail)
    assert world.judge().code == 1


def test_a_fault_without_a_trace() -> None:
    assert shell._bug(RuntimeError("x")) == 1


def test_the_engine_takes_too_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise PolicyTimeout("the evaluation used up its time")

    monkeypatch.setattr("gate.evaluate.regorus.RegorusEngine.report", slow)
    assert world.judge().code == 4


@pytest.mark.parametrize("answer", [True, "0", 0.0, [], object()])
def test_an_exit_code_that_is_none_is_a_bug(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    monkeypatch.setattr(importlib.import_module("gate.cli.doctor_command").command, "callback", lambda **_: answer)
    assert inside("doctor").code == 1


def test_an_environment_that_asks_for_completion_does_not_turn_a_check_into_a_yes(world: World) -> None:
    for instruction in ("bash_source", "bash_complete", "zsh_source", "fish_complete", "nonsense"):
        assert world.check(base="no-such-branch", _GATE_COMPLETE=instruction).code == 3


def test_what_the_shell_asks_for(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "gate ch", "COMP_CWORD": "1"}
    done = gate(cwd=tmp_path, environment={"_GATE_COMPLETE": "bash_complete", **words})
    assert done.code == 0
    assert done.out == "plain,check\nplain,chain\n"
    words["COMP_WORDS"] = "gate none ch"
    done = gate(cwd=tmp_path, environment={"_GATE_COMPLETE": "bash_complete", **words, "COMP_CWORD": "2"})
    assert done.code == 0


def test_a_command_module_that_holds_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("gate.cli.doctor_command")
    monkeypatch.setattr(module, "command", None)
    assert inside("doctor").code != 0
