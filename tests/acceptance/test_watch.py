"""`gate check --watch`: judges again after each change, is no decision, and ends when it is told to."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.cli import watch as watching
from gate.errors import ConfigError, PolicyError
from tests.acceptance.world import ENVIRONMENT, NOW, WEIGHTS, World, command, inside

Step = Callable[[], None]


def play(root: Path, *steps: Step, judge: Callable[[], str] = lambda: "judged") -> int:
    """Watches; each pause is a step, and after the last one somebody presses Ctrl-C."""
    left = list(steps)

    def wait(_: float) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    return watching.watch(root, None, judge, wait)


def nothing() -> None:
    """Time passes."""


def write(path: Path, text: str) -> Step:
    def step() -> None:
        path.write_text(text)

    return step


def test_it_judges_again_after_a_change_and_not_without_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = play(tmp_path, nothing, write(tmp_path / "a", "1"), nothing, nothing, nothing)
    shown = capsys.readouterr()
    assert shown.out == "judged\n" * 2
    assert f"watching {tmp_path}; nothing is recorded" in shown.err
    assert "changed: a; nothing is recorded" in shown.err
    assert code == 130, "nobody can take it for an approval"


def test_only_a_terminal_is_cleared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tmp_path)
    assert capsys.readouterr().out == "judged\n"
    monkeypatch.setattr(watching, "wants_colour", lambda _: True)
    play(tmp_path)
    assert capsys.readouterr().out == "\x1b[2J\x1b[Hjudged\n"


def test_it_waits_until_whoever_writes_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [write(tmp_path / "a", "1" * number) for number in range(1, 6)]
    play(tmp_path, *steps, nothing, nothing)
    assert capsys.readouterr().out == "judged\n" * 2


def test_what_is_undone_at_once_is_no_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a"
    play(tmp_path, write(path, "1"), path.unlink, nothing, nothing)
    assert capsys.readouterr().out == "judged\n"


def test_what_changes_while_it_is_judged_is_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts: Iterator[str] = iter(("first", "second"))

    def judge() -> str:
        text = next(texts)
        (tmp_path / "a").write_text("once") if text == "first" else None
        return text

    play(tmp_path, nothing, nothing, judge=judge)
    assert capsys.readouterr().out == "first\nsecond\n"


def test_an_error_is_shown_and_the_work_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    errors = iter((ConfigError("gate.yaml:1:1: no", hint="say yes"), PolicyError("first line\nsecond\x1b line")))

    def judge() -> str:
        raise next(errors)

    play(tmp_path, write(tmp_path / "a", "1"), nothing, judge=judge)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "gate: usage or configuration: gate.yaml:1:1: no\n      try: say yes\n" in shown.err
    assert "gate: policy could not be evaluated: first line\n        second\\x1b line\n" in shown.err


def test_many_changes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def lay() -> None:
        for number in range(8):
            (tmp_path / f"f{number}\x1b").write_text("x")

    play(tmp_path, lay, nothing, nothing)
    assert "changed: f0\\x1b, f1\\x1b, f2\\x1b, f3\\x1b, f4\\x1b and 3 more" in capsys.readouterr().err


def test_a_large_root_is_looked_at_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking takes a tenth of the time at most."""
    pauses: list[float] = []
    times = iter(range(0, 1000, 3))
    clock = SimpleNamespace(monotonic=lambda: float(next(times)), strftime=time.strftime)
    monkeypatch.setattr(watching, "time", clock)

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        raise KeyboardInterrupt

    watching.watch(tmp_path, None, lambda: "", wait)
    assert pauses == [30.0]


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [["--output", "d.json"], ["--report", "junit=d.xml"], ["--format", "vsa"]])
def test_it_writes_and_signs_nothing(world: World, option: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.root)
    done = inside("check", "--watch", *option)
    assert (done.code, done.out) == (2, "")
    assert "--watch writes no file and signs nothing" in done.err


def test_s36_what_is_not_recorded_is_no_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.on_main({"gate.yaml": (world.root / "gate.yaml").read_bytes() + b"record: {sqlite: .gate/log.db}\n"})

    def once(_root: Path, _base: str | None, judge: Callable[[], str]) -> int:
        sys.stdout.write(judge())
        return 130

    monkeypatch.setattr("gate.cli.check_command.watch", once)
    arguments = ["check", "--base", "main", "--now", NOW, "--root", str(world.root)]
    done = inside(*arguments, "--watch")
    assert (done.code, done.out.split()[0]) == (130, "ALLOW")
    assert not (world.root / ".gate/log.db").exists()
    assert inside(*arguments).code == 0
    assert (world.root / ".gate/log.db").exists()


def test_it_follows_an_author_on_a_terminal_and_ends_with_ctrl_c(world: World) -> None:
    master, terminal = pty.openpty()
    arguments = ["check", "--base", "main", "--now", NOW, "--watch", "--jobs", "1"]
    process = subprocess.Popen(
        command(*arguments), cwd=world.root, env={**ENVIRONMENT, "TERM": "xterm"}, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    try:
        first = until(master, "watching")
        assert first.startswith("\x1b[2J\x1b[H"), "the screen is cleared"
        assert "ALLOW" in first
        world.write(WEIGHTS, b"\x00" * 64)
        second = until(master, "changed: ")
        assert "DENY" in second
        assert WEIGHTS in second
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "Traceback" not in rest(master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_it_ends_with_ctrl_c_where_nobody_watches_and_clears_nothing(world: World) -> None:
    arguments = ["check", "--base", "main", "--now", NOW, "--watch", "--jobs", "1"]
    with subprocess.Popen(
        command(*arguments), cwd=world.root, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert b"watching" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.startswith(b"ALLOW")
    assert b"\x1b" not in out
    assert err.strip() == b""


def until(descriptor: int, word: str) -> str:
    """What a terminal shows up to and with the line of a word."""
    shown, deadline = "", time.monotonic() + 90
    while f"{word}" not in shown or not shown.endswith("\n"):
        assert time.monotonic() < deadline, shown
        shown += os.read(descriptor, 1 << 16).decode()
    return shown


def rest(descriptor: int) -> str:
    try:
        return os.read(descriptor, 1 << 16).decode()
    except OSError:
        return ""
