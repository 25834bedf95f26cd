"""`gate diff`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.diff import Opened, diff, open_document
from gate.app.log import is_identity, log_place, logged_decision
from gate.app.workspace import Request
from gate.cli.output import OutputFile, show
from gate.formats.canonical_json import pretty
from gate.report.diff import FORMATS, diff_json, diff_markdown, diff_text, summary


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the answer to a file.")
def command(old: str, new: str, form: str, output: Path | None) -> int:
    """Say what differs between two decisions, or between two input documents.

    \b
    gate diff monday.json tuesday.json                    decisions: gate check --output FILE
    gate diff before.json after.json --format markdown    documents: gate input > FILE
    gate diff 01J8ZQ4T latest                             decisions in the log of gate.yaml

    Of decisions first what turned: the verdict, and each control with the violations that came and went. Then all
    other differences, place by place. Exit code 0 means that both were compared, whatever differs.
    """  # noqa: D301 - click reads the control character
    file = None if output is None else OutputFile(output)
    found = diff(_opened(old), _opened(new))
    if form == "json":
        text = pretty(diff_json(found)) + "\n"
    else:
        text = diff_markdown(found) if form == "markdown" else diff_text(found)
    if file is None:
        show(text)
    else:
        file.write(text)
        show(summary(found))
    return 0


def _opened(name: str) -> Opened:
    """What can be the id of a decision is one; a file of that name is ./NAME."""
    if is_identity(name):
        request = Request(Path.cwd(), None, "gate.yaml", None, config_from_worktree=True, now_s=0)
        return Opened(name, logged_decision(log_place(request), name))
    return open_document(Path(name))
