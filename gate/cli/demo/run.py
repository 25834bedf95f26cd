"""`gate demo run`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from gate.app.demo import CASES, run_demo
from gate.cli.exit_codes import BUG
from gate.cli.output import progress, show
from gate.model.demo import Shown
from gate.report.escape import terminal

_WHY: int = 96


@click.command(
    "run",
    epilog="""\b
Examples:
  gate demo run
  gate demo run --keep ../tampered
""",
)
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="A new folder to keep all cases in.")
def command(keep: Path | None) -> int:
    """Tamper with an attested application in every known way, and show what is noticed.

    A small LLM application is attested and signed with a key made for it. Then every case starts from there: a file is
    edited, a signature forged, a chain broken, git misled. The table says what was done, the exit code that is right
    and the one that came, and why. Nothing outside a temporary folder is read or written, and no network is used.
    """
    if keep is not None:
        if keep.exists():
            raise click.UsageError(f"--keep: {keep} exists already")
        keep.mkdir(parents=True)
        return _run(keep)
    with tempfile.TemporaryDirectory(prefix="gate-demo-") as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    show(f"{'case':<5}{'what was done':<78}{'right':<13}{'came':<6}why")
    wrong = 0
    for shown in run_demo(int(time.time()), folder.resolve(), progress):
        show(_line(shown))
        wrong += not shown.is_right
    if wrong:
        show(f"{wrong} of {len(CASES)} cases are not as they have to be: that is a bug in the gate")
        return BUG
    show(f"{len(CASES)} cases, each as it has to be; exit 0 stands where what was done is harmless")
    return 0


def _line(shown: Shown) -> str:
    right = " or ".join(map(str, shown.expected))
    mark = "" if shown.is_right else "WRONG "
    return f"{shown.id:<5}{terminal(shown.what):<78}{right:<13}{shown.code:<6}{mark}{terminal(shown.why, _WHY)}"
