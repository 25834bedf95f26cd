"""`gate check --watch`: judge again whenever something changed. For authors; nothing that it shows is a decision."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from gate.cli.exit_codes import INTERRUPTED
from gate.cli.failure import error_text
from gate.cli.output import show, wants_colour
from gate.collect.watch import Look, changed, look
from gate.errors import GateError
from gate.report.escape import terminal

_PAUSE_S: Final = 0.5
_SHARE: Final = 10
_NAMES: Final = 5
_CLEAR: Final = "\x1b[2J\x1b[H"


def watch(root: Path, base: str | None, judge: Callable[[], str], wait: Callable[[float], None] = time.sleep) -> int:
    """Shows what `judge` makes, and again after each change below a root, until somebody interrupts it.

    The exit code is never 0: nobody can take this for an answer. What changes while it is judged is judged again.
    """
    is_terminal = wants_colour(sys.stdout.isatty())
    what = f"watching {terminal(str(root))}"
    try:
        while True:
            seen = look(root, base)
            if is_terminal:
                sys.stdout.write(_CLEAR)
            _judge(judge)
            click.echo(f"-- {time.strftime('%H:%M:%S')}  {what}; nothing is recorded, Ctrl-C ends it", err=True)
            what = f"changed: {_names(_next(seen, root, base, wait))}"
    except KeyboardInterrupt:
        click.echo("", err=True)
        return INTERRUPTED


def _judge(judge: Callable[[], str]) -> None:
    try:
        show(judge())
    except GateError as error:
        click.echo(error_text(error), err=True)


def _next(seen: Look, root: Path, base: str | None, wait: Callable[[float], None]) -> tuple[str, ...]:
    """What is another than it was, as soon as it stays so for a moment: whoever writes may not be done."""
    before = seen
    while True:
        began = time.monotonic()
        now = look(root, base)
        if now == before and (differs := changed(seen, now)):
            return differs
        before = now
        # Looking is not what a machine should be busy with, however many files there are.
        wait(max(_PAUSE_S, _SHARE * (time.monotonic() - began)))


def _names(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _NAMES} more" if len(paths) > _NAMES else ""
    return ", ".join(terminal(path, 120) for path in paths[:_NAMES]) + more
