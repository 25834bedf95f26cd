"""`gate explain`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.controls import page_of
from gate.app.explain import decided_control, explain, find_catalogue, find_control, policy_sources, read_document
from gate.app.log import is_identity, log_place, logged_decision
from gate.app.report import saved_decision
from gate.app.workspace import Request
from gate.cli.document import document_options, read_bytes
from gate.cli.output import progress, show
from gate.errors import ConfigError
from gate.formats.canonical_json import pretty
from gate.model.decision import Decision
from gate.report.controls import control_json, control_text
from gate.report.explanation import explanation_json, explanation_text, without_input_text
from gate.report.refusal import refusal_json, refusal_text


@click.command("explain")
@click.argument("control")
@document_options
@click.option(
    "--decision",
    metavar="FILE|ID",
    help="A decision that `gate check --output` wrote, or the id of one in the log; - reads standard input.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(control: str, document: str | None, policy: tuple[str, ...], decision: str | None, form: str) -> int:
    """Say why a control passes or refuses an input, condition by condition.

    \b
    gate input > input.json
    gate explain artifact.signed --input input.json
    gate check --output decision.json
    gate explain artifact.signed --decision decision.json

    Shows each rule of the control with the conditions that held and the first that did not, and for each violation
    the nearest evidence in the document. With --decision it says of each violation what was expected and found, the
    nearest evidence and why it did not count, what to run, and the waiver to ask for. Without either it says what the
    control checks.
    """  # noqa: D301 - click reads the control character
    if decision is not None:
        if document is not None or policy:
            raise ConfigError("--decision holds all that is to be explained", hint="leave out --input and --policy")
        made = _decision(decision)
        judged = decided_control(made, control)
        show(refusal_json(made, judged) if form == "json" else refusal_text(made, judged))
        return 0
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


def _decision(name: str) -> Decision:
    if is_identity(name):
        place = log_place(Request(Path.cwd(), None, "gate.yaml", None, config_from_worktree=True, now_s=0))
        return logged_decision(place, name)
    return saved_decision(*read_bytes(name, "--decision"))
