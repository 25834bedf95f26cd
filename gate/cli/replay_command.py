"""`gate replay`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.replay import replay
from gate.app.replay_source import exported, open_case
from gate.app.workspace import Request
from gate.cli.output import OutputFile, progress, show
from gate.cli.params import TimeParameter, now_or_clock, start_folder
from gate.formats.canonical_json import pretty
from gate.report.replay import replay_json, replay_text

_DIFFERS = 12


@click.command(
    "replay",
    epilog="""\b
Examples:
  gate replay 01J8ZQ4T7M3N5P6R7S8T9V0W1X
  gate replay 01J8ZQ4T --export case.json
  gate replay case.json
  gate replay decision.json --input input.json
""",
)
@click.argument("decision", metavar="DECISION")
@click.option(
    "--input",
    "document",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The input document of a decision in a file.",
)
@click.option(
    "--export",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the decision with all that it was made from, to be replayed anywhere.",
)
@click.option(
    "--sqlite", type=click.Path(path_type=Path), metavar="FILE", help="A log in this file, whatever gate.yaml says."
)
@click.option(
    "--config", metavar="FILE", default="gate.yaml", show_default=True, help="The configuration, relative to the root."
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the configuration  [default: the top of this repository, else this folder]",
)
@click.option("--now", type=TimeParameter(), metavar="TIME", help="When a signed policy has to be valid (RFC 3339).")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    *,
    decision: str,
    document: Path | None,
    export: Path | None,
    sqlite: Path | None,
    config: str,
    root: Path | None,
    now: int | None,
    form: str,
) -> int:
    """Make a recorded decision again, and compare it byte by byte.

    DECISION is the id of a decision in the log of gate.yaml, the beginning of one, or latest; a case that --export
    wrote; or a decision that `gate check --output` wrote, with its input document from `gate input` or from the log.
    The recorded input is judged by the recorded policy, in a process of its own unless that is the installed one.

    Exit codes: 0 the record gives this very decision, whatever it says; 12 it does not; 4 its policy cannot be
    evaluated. It says nothing about who wrote the record: `gate log verify` does.
    """
    file = None if export is None else OutputFile(export, "--export")
    request = Request(start_folder(root), root, config, None, config_from_worktree=True, now_s=now_or_clock(now))
    case = open_case(request, decision, document, sqlite)
    with progress("judging again"):
        found = replay(case)
    if file is not None:
        file.write(pretty(exported(case)) + "\n")
    show(pretty(replay_json(found)) if form == "json" else replay_text(found))
    return 0 if found.is_same_bytes else _DIFFERS
