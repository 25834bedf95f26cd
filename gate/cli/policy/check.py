"""`gate policy check`."""

from __future__ import annotations

import click

from gate.app.rego_tools import Tools, check_policy
from gate.cli.output import show
from gate.cli.params import start_folder
from gate.report.escape import terminal

_REFUSED = 13


@click.command("check")
@click.argument("directories", nargs=-1, metavar="[DIRECTORY]...")
@click.option("--tests", multiple=True, metavar="DIR", help="A directory of tests that is not beside the controls.")
@click.option("--opa", metavar="PROGRAM", help="The OPA to use  [default: opa on the PATH]")
@click.option("--regal", metavar="PROGRAM", help="The Regal to use  [default: regal on the PATH]")
def command(directories: tuple[str, ...], tests: tuple[str, ...], opa: str | None, regal: str | None) -> int:
    """Check Rego with OPA and Regal, types of the input included.

    Without a directory: those that gate.yaml names under policy.directories, else policy/. The library is beside
    them, and only what both engines understand alike is allowed. Exit code 13 when there is a finding.
    """
    checked = check_policy(start_folder(None), directories, tests, Tools(opa, regal))
    lines = [terminal(f"{one.path}:{one.line}:{one.column}: {one.rule}: {one.message}") for one in checked.findings]
    lines += [f"skipped: {text}" for text in checked.absent]
    count = len(checked.findings)
    ran = " and ".join(checked.ran)
    show(
        "\n".join(
            [*lines, f"{count} finding{'' if count == 1 else 's'} of {ran}" if count else f"{ran}: nothing found"]
        )
    )
    return _REFUSED if checked.findings else 0
