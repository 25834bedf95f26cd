"""`gate policy sweep`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app import policy_sweep as app
from gate.app.policy_mutate import folders
from gate.app.workshop import load_sources
from gate.cli.output import progress, show
from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.report import escape

_REFUSED = 13


@click.command("sweep")
@click.argument("directories", metavar="[DIRECTORY]...", nargs=-1)
@click.option("--control", metavar="ID", help="Only this control, such as artifact.signed.")
@click.option("--input", "inputs", metavar="FILE", multiple=True, help="Inputs that pass, instead of the scenarios.")
@click.option("--allow", metavar="FILE", help=f"An allow-list, instead of {app.ALLOWED} beside each control.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    directories: tuple[str, ...], control: str | None, inputs: tuple[str, ...], allow: str | None, form: str
) -> int:
    """Take passing inputs apart, and say what a control does not miss.

    Every place of each passing input is deleted, and replaced by null, "", 0, [], {} and a text. The control must
    not pass any more, for what it no longer reads proves nothing. The inputs are those of the scenarios
    DIRECTORY/scenarios/<control>/<name>/input.json that pass.

    Left out is what the control does not read at all, which its rules say. What may change without the pass being
    lost stands in sweep.json beside the control, `[{"path": "artifacts/*/path", "changes": ["text"], "reason":
    "..."}]`: `*` is any one key, `**` anything below; changes are delete, null, empty text, zero, empty array, empty
    object, text, or any. An entry that nothing needs is an error too.

    Exit codes: 0 every change is noticed, 13 one is not, 2 usage, or no input that passes.
    """
    here = Path.cwd()
    sources = load_sources(here, directories)
    allowed = app.read_allowed(here, sources, allow)
    documents = app.read_inputs(here, sources, folders(sources), inputs, control)
    with progress("taking inputs apart"):
        report = app.sweep(sources, documents, allowed)
    show(pretty(_json(report)) if form == "json" else _text(report))
    return 0 if report.is_clean else _REFUSED


def _text(report: app.SweepReport) -> str:
    lines: list[str] = []
    for found in report.findings:
        rule = f"{escape.terminal(found.rule)} in {escape.terminal(found.place)}:{found.line}"
        lines += [
            f"{escape.terminal(found.control)} still passes: {escape.terminal(_path(found))}: {_change(found.change)}",
            f"  in {escape.terminal(found.input)}",
            f"  {rule} should have noticed; if it need not, say why in {app.ALLOWED}",
            "",
        ]
    for control, entry in report.needless:
        path = escape.terminal("/".join(entry.path))
        lines += [f"{escape.terminal(control)}: nothing needs the exception for {path}", "  remove it", ""]
    inputs = f"{report.inputs:,} {'input' if report.inputs == 1 else 'inputs'}"
    needless = f"; {len(report.needless):,} exceptions without need" if report.needless else ""
    return "\n".join([*lines, f"{report.changes:,} changes of {inputs}: {len(report.findings):,} unnoticed{needless}"])


def _path(found: app.Unnoticed) -> str:
    return "/".join(map(str, found.path))


def _change(change: str) -> str:
    return "deleted" if change == "delete" else f"replaced by {change}"


def _json(report: app.SweepReport) -> JsonObject:
    return {
        "changes": report.changes,
        "findings": [
            {
                "change": found.change,
                "control": found.control,
                "file": found.place,
                "input": found.input,
                "line": found.line,
                "path": _path(found),
                "rule": found.rule,
            }
            for found in report.findings
        ],
        "inputs": report.inputs,
        "needless": [
            {"changes": sorted(entry.changes), "control": control, "path": "/".join(entry.path)}
            for control, entry in report.needless
        ],
    }
