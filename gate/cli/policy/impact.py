"""`gate policy impact`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.log import log_place
from gate.app.policy_impact import impact, logged_cases, saved_cases
from gate.app.workspace import Request
from gate.cli.output import OutputFile, progress, show
from gate.cli.params import TimeParameter, now_or_clock, start_folder
from gate.formats.canonical_json import pretty
from gate.report.impact import FORMATS, impact_csv, impact_json, impact_markdown, impact_text, summary


@click.command(
    "impact",
    epilog="""\b
Examples:
  gate policy impact --base origin/main --last 500
  gate policy impact --base origin/main inputs/
  gate policy impact --base v1.4 --format csv --output impact.csv
""",
)
@click.argument("inputs", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--base", required=True, metavar="REF", help="The commit with the old policy.")
@click.option(
    "--sqlite", type=click.Path(path_type=Path), metavar="FILE", help="A log in this file, whatever gate.yaml says."
)
@click.option("--since", type=TimeParameter(), metavar="TIME", help="Of the log only what was recorded since then.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Of the log only the N newest decisions.")
@click.option(
    "--config", metavar="FILE", default="gate.yaml", show_default=True, help="The configuration, relative to the root."
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the configuration  [default: the top of this repository, else this folder]",
)
@click.option("--now", type=TimeParameter(), metavar="TIME", help="When signed policies have to be valid (RFC 3339).")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the answer to a file.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    inputs: tuple[Path, ...],
    base: str,
    sqlite: Path | None,
    since: int | None,
    last: int | None,
    config: str,
    root: Path | None,
    now: int | None,
    form: str,
    output: Path | None,
) -> int:
    """Say what past decisions would become under the policy of the work tree.

    Past cases are the input documents and exported cases that are named, files or folders; without any, the decisions
    of the log in gate.yaml. Each is judged twice, by policy, profile and parameters of gate.yaml at REF and of those in
    the work tree, as of its own time. Exit code 0 says that this was done, whatever turns.
    """
    if inputs and (sqlite, since, last) != (None, None, None):
        raise click.UsageError("--sqlite, --since and --last are for the decision log, and files are named here.")
    file = None if output is None else OutputFile(output)
    request = Request(start_folder(root), root, config, None, config_from_worktree=True, now_s=now_or_clock(now))
    past = saved_cases(inputs) if inputs else logged_cases(log_place(request, sqlite), since, last)
    found = impact(request, base, past, progress)
    render = {"text": impact_text, "markdown": impact_markdown, "csv": impact_csv}
    text = pretty(impact_json(found)) + "\n" if form == "json" else render[form](found)
    if file is None:
        show(text)
    else:
        file.write(text)
        show(summary(found))
    return 0
