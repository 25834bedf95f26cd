"""`gate check`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gate.app.check import check
from gate.app.engines import engine_with
from gate.app.verdict import ATTESTATIONS
from gate.app.workspace import Request, root_of
from gate.cli.attesting import attesting_options, prepare_signing, rendered
from gate.cli.output import progress, show, wants_colour
from gate.cli.params import (
    engine_choice,
    engine_options,
    jobs,
    jobs_option,
    now_or_clock,
    start_folder,
    workspace_options,
)
from gate.cli.reports import ReportFiles, format_option, report_option
from gate.cli.watch import watch
from gate.model.decision import Decision, Verdict


@click.command("check")
@workspace_options
@jobs_option
@engine_options
@format_option
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the decision as JSON. The file is emptied first.",
)
@report_option
@attesting_options
@click.option("--dry-run", is_flag=True, help="Show the true verdict, but exit with 0 whatever a decision says.")
@click.option(
    "--watch", "is_watching", is_flag=True, help="For authors: judge again after each change; record nothing."
)
def command(  # noqa: PLR0913 - one parameter an option
    *,
    base: str | None,
    config: str,
    config_from: str,
    root: Path | None,
    now: int | None,
    form: str,
    output: Path | None,
    dry_run: bool,
    is_watching: bool,
) -> int:
    """Decide whether a change may be promoted.

    \b
    gate check --base origin/main             the change of a pull request
    gate check                                everything, as if all of it were new
    gate check --base main --format markdown  for the pull request's comment
    gate check --report sarif=gate.sarif --report junit=gate.xml
    gate check --base main --watch            while you write a policy, until Ctrl-C
    gate check --report vsa=verdict.jsonl --key env:GATE_KEY

    Exit code 0 means allow; 10 to 14 mean that the decision is no; others mean that there is no decision.
    """  # noqa: D301 - click reads the control character
    files = ReportFiles(output)
    prepare_signing({form, *files.forms})
    start, processes, engine = start_folder(root), jobs(), engine_with(engine_choice())

    def request() -> Request:
        return Request(start, root, config, base, config_from == "worktree", now_or_clock(now), processes)

    def judged() -> Decision:
        made = check(request(), dry_run=dry_run, progress=progress, engine=engine, is_recorded=not is_watching)
        return made.decision

    def shown(decision: Decision) -> str:
        return rendered(form, decision, colour=wants_colour(sys.stdout.isatty()))

    if is_watching:
        if files.forms or form in ATTESTATIONS:
            raise click.UsageError("--watch writes no file and signs nothing: what it shows is no decision.")
        return watch(root_of(request()), base, lambda: shown(judged()))
    decision = judged()
    text = shown(decision)
    files.write(decision)
    show(text)
    if decision.verdict is Verdict.ERROR:
        click.echo("gate: policy could not be evaluated: a control reports an error", err=True)
        return decision.exit_code
    return 0 if dry_run else decision.exit_code
