"""`gate scenarios run`."""

from __future__ import annotations

import dataclasses
import os
import shlex
from pathlib import Path

import click

from gate.app.scenarios import FOLDER, load_set, run_scenarios, under_profile
from gate.cli.output import OutputFile, progress, show
from gate.report.scenarios import FORMATS, render_scenarios
from gate.report.scenarios_text import scenarios_summary

_WRONG = 13


@click.command(
    "run",
    epilog="""\b
Examples:
  gate scenarios run
  gate scenarios run --only weights- --format plot
  gate scenarios run --format svg --output evaluation.svg
  gate scenarios run --profile ladder-1-hashes
  gate scenarios run --gate 'python3 /opt/other/judge.py' --format json --output other.json
""",
)
@click.option(
    "--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True, metavar="DIR", help="The set."
)
@click.option("--only", multiple=True, metavar="TEXT", help="Only scenarios with TEXT in their name; can be repeated.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report to a file.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Processes; 1 starts none.  [default: one for each core]"
)
@click.option("--profile", metavar="NAME", help="Judge all by one packaged profile, instead of each by its own.")
@click.option("--gate", "other", metavar="COMMAND", help="Judge another gate: its exit code 0 is its only yes.")
@click.option(
    "--keep", type=click.Path(path_type=Path), metavar="DIR", help="A new folder to keep the repositories in."
)
def command(
    *,
    folder: Path,
    only: tuple[str, ...],
    form: str,
    output: Path | None,
    jobs: int | None,
    profile: str | None,
    other: str | None,
    keep: Path | None,
) -> int:
    """Play supply-chain scenarios, and say how many decisions were right.

    Each scenario becomes a repository with a change and evidence, and is judged as `gate check` judges it. Reported
    are decisions by threat and by profile, what the scenarios cover, each attack that was let through, each good change
    that was refused, and what no static gate can see. Exit code 0: all is as expected. 13: something is not.

    The scenarios lie in the gate's repository and not in its package: they hold files that scanners are right to
    refuse. --gate is run in each repository with SCENARIO, SCENARIO_AGAINST, SCENARIO_NOW and SCENARIO_TARGET.
    """
    command = _command(other)
    if command is not None and profile is not None:
        raise click.UsageError("--profile is for this gate, and --gate asks another one")
    if keep is not None and keep.exists():
        raise click.UsageError(f"--keep: {keep} exists already")
    file = None if output is None else OutputFile(output)
    found, works = load_set(folder, only)
    kept = None if keep is None else keep.absolute()
    works = tuple(dataclasses.replace(work, command=command, keep=kept) for work in works)
    if profile is not None:
        works = tuple(under_profile(work, profile) for work in works)
    count = len(os.sched_getaffinity(0)) if jobs is None else jobs
    with progress("playing scenarios", len(works)) as tell:
        evaluated = run_scenarios(found, works, jobs=count, ended=tell)
    text = render_scenarios(form, evaluated)
    if file is None:
        show(text)
    else:
        file.write(text)
        show(scenarios_summary(evaluated))
    return 0 if evaluated.is_right else _WRONG


def _command(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise click.UsageError(f"--gate: {error}") from None
    if not words:
        raise click.UsageError("--gate: there is no command")
    return words
