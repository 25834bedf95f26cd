"""`gate policy eval`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.policy_eval import evaluate
from gate.cli.document import document_options, read_bytes
from gate.cli.output import progress, show
from gate.formats.canonical_json import pretty
from gate.report.trace import shown

_LINE = 2_000


@click.command("eval")
@click.argument("expression")
@document_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text"]),
    default="json",
    show_default=True,
    help="A list of all values as JSON, or one value a line.",
)
def command(expression: str, document: str | None, policy: tuple[str, ...], form: str) -> int:
    """Evaluate an expression against an input document.

    \b
    gate policy eval 'data.gate.controls.artifact.signed.violations' --input input.json
    gate policy eval 'some name, a in input.artifacts; a.kind == "weights"' --input input.json

    An expression that iterates has several values. One that is undefined is an error (exit code 4). Nothing that is
    evaluated here reaches a decision.
    """  # noqa: D301 - click reads the control character
    with progress("evaluating"):
        values = evaluate(Path.cwd(), expression, policy, None if document is None else read_bytes(document))
    show(pretty(values) if form == "json" else "\n".join(shown(value, _LINE) for value in values))
    return 0
