"""`gate policy mutate`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gate.app import policy_mutate as app
from gate.app.workshop import load_sources
from gate.cli.output import show
from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.report import escape

_REFUSED = 13
_USUAL_JOBS = 2


@click.command("mutate")
@click.argument("directories", metavar="[DIRECTORY]...", nargs=-1)
@click.option("--tests", metavar="DIR", multiple=True, help="Directories of tests that do not lie beside the controls.")
@click.option("--control", metavar="ID", help="Only this control, such as artifact.signed.")
@click.option("--accepted", metavar="FILE", help=f"Accepted mutants; else {app.ACCEPTED} in any of the directories.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1, 64), help="Processes; two unless there are fewer processors."
)
def command(
    directories: tuple[str, ...],
    tests: tuple[str, ...],
    control: str | None,
    accepted: str | None,
    form: str,
    jobs: int | None,
) -> int:
    """Weaken the controls in every way, and say what no test notices.

    Each mutant changes one place: a comparison is turned round or moved by one, a condition or a rule is dropped,
    `every` becomes `some`, a set loses an element, a constant is another. The tests of the control run against it;
    for what controls share, all tests that reach it. A mutant that all of them let pass survives: where it weakens
    the control, an edit that does the same would be shipped unnoticed.

    A mutant that changes nothing that matters is accepted in a JSON file, `[{"file", "mutant", "reason"}]`, with
    the name that is shown here. An accepted mutant that is no more, or that a test does notice, is an error too.

    Exit codes: 0 nothing survives, 13 something does, 2 usage, no tests, or tests that fail unchanged.
    """
    here = Path.cwd()
    sources = load_sources(here, directories, tests)
    entries = app.read_accepted(here, accepted, app.folders(sources))
    report = app.mutate(
        sources,
        control=control,
        accepted=entries,
        jobs=jobs or min(_USUAL_JOBS, os.cpu_count() or 1),
        judged=_progress if sys.stderr is not None and sys.stderr.isatty() else _silent,
    )
    show(pretty(_json(report)) if form == "json" else _text(report))
    return 0 if report.is_clean else _REFUSED


def _progress(done: int, total: int) -> None:
    click.echo(f"\r{done} of {total} mutants", err=True, nl=done == total)


def _silent(_done: int, _total: int) -> None:
    """Nobody is watching."""


def _text(report: app.MutationReport) -> str:
    lines: list[str] = []
    for survivor in report.survivors:
        mutant = survivor.mutant
        place = f"{escape.terminal(survivor.place)}:{mutant.line}:{mutant.column}"
        lines += [
            f"{place}: no test notices {escape.terminal(mutant.change)}",
            f"  - {escape.terminal(survivor.old)}",
            f"  + {escape.terminal(survivor.new) if survivor.new else '(dropped)'}",
            f"  write a test where {mutant.advice}",
            f"  or accept: {escape.terminal(mutant.name)}",
            "",
        ]
    for entry in report.stale:
        lines += [
            f"{escape.terminal(entry.file)}: accepted, but there is no such survivor: {escape.terminal(entry.mutant)}",
            "  remove it from the accepted mutants",
            "",
        ]
    return "\n".join([*lines, counts(report)])


def counts(report: app.MutationReport) -> str:
    """The last line: how many there were, and what became of them."""
    survive = len(report.survivors)
    line = (
        f"{report.total:,} mutants: {report.killed:,} killed, {report.accepted:,} accepted,"
        f" {survive:,} {'survives' if survive == 1 else 'survive'}"
    )
    line += f" ({report.timed_out:,} of the killed ran out of time)" if report.timed_out else ""
    line += f"; {report.refused:,} more do not load" if report.refused else ""
    return line + (f"; {len(report.stale):,} accepted without need" if report.stale else "")


def _json(report: app.MutationReport) -> JsonObject:
    return {
        "accepted": report.accepted,
        "killed": report.killed,
        "mutants": report.total,
        "refused": report.refused,
        "stale": [{"file": entry.file, "mutant": entry.mutant, "reason": entry.reason} for entry in report.stale],
        "survivors": [
            {
                "advice": f"write a test where {survivor.mutant.advice}",
                "after": survivor.mutant.after,
                "before": survivor.mutant.before,
                "column": survivor.mutant.column,
                "file": survivor.place,
                "line": survivor.mutant.line,
                "mutant": survivor.mutant.name,
                "new_line": survivor.new,
                "old_line": survivor.old,
            }
            for survivor in report.survivors
        ],
        "timed_out": report.timed_out,
    }
