"""`gate doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.doctor import examine
from gate.app.notes import Level
from gate.app.workspace import Request
from gate.cli.output import show
from gate.cli.params import engine_choice, engine_options, now_or_clock, start_folder, workspace_options
from gate.report.escape import terminal


@click.command("doctor")
@workspace_options
@engine_options
def command(base: str | None, config: str, config_from: str, root: Path | None, now: int | None) -> int:
    """Say what is missing, and what is weak in the configuration.

    Begins with the versions that are at work. An OPA server is asked for its health, its policy and what it lets in.

    Exit code 0: nothing is wrong (weak points may be listed). 2: something has to be mended first.
    """
    request = Request(start_folder(root), root, config, base, config_from == "worktree", now_or_clock(now))
    notes = examine(request, engine_choice())
    lines = []
    for note in notes:
        fix = f"\n       fix: {terminal(note.fix)}" if note.fix else ""
        lines.append(f"{note.level.value:<6} {terminal(note.text)}{fix}")
    wrong, weak = (sum(note.level is level for note in notes) for level in (Level.WRONG, Level.WEAK))
    lines.append(f"{wrong} wrong, {weak} weak")
    show("\n".join(lines))
    return 2 if wrong else 0
