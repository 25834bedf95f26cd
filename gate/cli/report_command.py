"""`gate report`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gate.app.log import is_identity, log_files, log_place, logged_decision
from gate.app.report import saved_decision
from gate.app.workspace import Request
from gate.cli.attesting import attesting_options, prepare_signing, rendered
from gate.cli.document import read_bytes
from gate.cli.output import OutputFile, show, wants_colour
from gate.cli.reports import format_option


@click.command(
    "report",
    epilog="""\b
Examples:
  gate check --base origin/main --output decision.json
  gate report decision.json
  gate report decision.json --format html --output report.html
  gate report 01J8ZQ4T7M3N5P6R7S8T9V0W1X --format markdown
  gate report decision.json --format vsa --key keys/gate.key --output verdict.jsonl
""",
)
@click.argument("decision", metavar="DECISION")
@format_option
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file, emptied first.")
@attesting_options
def command(decision: str, form: str, output: Path | None) -> int:
    """Show a saved decision in another form.

    DECISION is a file that `gate check --output` wrote, or the id of a decision in the log of gate.yaml, or
    latest (a file of such a name is ./latest); - reads standard input. The exit code is 0 whatever the decision
    says: it was made before, and nothing is judged here.
    """
    target = OutputFile(output) if output is not None else None
    place = None
    if is_identity(decision):
        place = log_place(Request(Path.cwd(), None, "gate.yaml", None, True, 0))
        prepare_signing({form}, log_files(place))
    else:
        read = Path("/dev/stdin").resolve() if decision == "-" else Path(decision)
        prepare_signing({form}, [read] if decision != "-" or read.is_file() else [])
    found = saved_decision(*read_bytes(decision, "DECISION")) if place is None else logged_decision(place, decision)
    text = rendered(form, found, colour=target is None and wants_colour(sys.stdout.isatty()))
    if target is not None:
        target.write(text)
    else:
        show(text)
    return 0
