"""`gate policy fmt`."""

from __future__ import annotations

import click

from gate.app.rego_tools import Tools, format_policy
from gate.cli.output import show
from gate.cli.params import start_folder
from gate.report.escape import terminal

_REFUSED = 13


@click.command("fmt")
@click.argument("directories", nargs=-1, metavar="[DIRECTORY]...")
@click.option("--tests", multiple=True, metavar="DIR", help="A directory of tests that is not beside the controls.")
@click.option("--check", is_flag=True, help="Change nothing; exit code 13 when a file is not formatted.")
@click.option("--opa", metavar="PROGRAM", help="The program to use  [default: opa on the PATH]")
def command(directories: tuple[str, ...], tests: tuple[str, ...], check: bool, opa: str | None) -> int:
    """Format Rego with OPA.

    Without a directory: those that gate.yaml names under policy.directories, else policy/.
    """
    found = format_policy(start_folder(None), directories, tests, Tools(opa), check=check)
    word = "not formatted" if check else "formatted"
    show("\n".join(f"{word}: {terminal(path)}" for path in found) or "everything is formatted")
    return _REFUSED if found and check else 0
