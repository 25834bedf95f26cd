"""`gate diff`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.diff import diff, open_document
from gate.cli.output import OutputFile, show
from gate.formats.canonical_json import pretty
from gate.report.diff import FORMATS, diff_json, diff_markdown, diff_text, summary


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the answer to a file.")
def command(old: Path, new: Path, form: str, output: Path | None) -> int:
    """Say what differs between two decisions, or between two input documents.

    \b
    gate diff monday.json tuesday.json                    decisions: gate check --output FILE
    gate diff before.json after.json --format markdown    documents: gate input > FILE

    Of decisions first what turned: the verdict, and each control with the violations that came and went. Then all
    other differences, place by place. Exit code 0 means that both were compared, whatever differs.
    """  # noqa: D301 - click reads the control character
    file = None if output is None else OutputFile(output)
    found = diff(open_document(old), open_document(new))
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
