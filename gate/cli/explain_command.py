"""`gate explain`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.controls import page_of
from gate.app.explain import explain, find_catalogue, find_control, policy_sources, read_document
from gate.cli.document import document_options, read_bytes
from gate.cli.output import progress, show
from gate.formats.canonical_json import pretty
from gate.report.controls import control_json, control_text
from gate.report.explanation import explanation_json, explanation_text, without_input_text


@click.command("explain")
@click.argument("control")
@document_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(control: str, document: str | None, policy: tuple[str, ...], form: str) -> int:
    """Say why a control passes or refuses an input, condition by condition.

    \b
    gate input > input.json
    gate explain artifact.signed --input input.json

    Shows each rule of the control with the conditions that held and the first that did not, and for each violation
    the nearest evidence in the document. Without --input it says what the control checks.
    """  # noqa: D301 - click reads the control character
    sources = policy_sources(Path.cwd(), policy)
    info = find_control(sources, control)
    if document is None:
        catalogue = find_catalogue(sources)
        if form == "json":
            show(pretty(control_json(catalogue, info)))
        else:
            page = None if control in sources.bundle.own else page_of(info)
            show(without_input_text(control_text(catalogue, info, page), info))
        return 0
    with progress(f"explaining {control}"):
        found = explain(sources, control, read_document(*read_bytes(document)))
    show(explanation_json(found) if form == "json" else explanation_text(found))
    return 0
