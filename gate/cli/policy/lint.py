"""`gate policy lint`."""

from __future__ import annotations

import click

from gate.app.policy_lint import lint_policy
from gate.cli.output import show
from gate.cli.params import start_folder
from gate.formats.canonical_json import pretty
from gate.report.escape import terminal

_REFUSED = 13


@click.command("lint")
@click.argument("directories", nargs=-1, metavar="[DIRECTORY]...")
@click.option("--tests", multiple=True, metavar="DIR", help="A directory of tests that is not beside the controls.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(directories: tuple[str, ...], tests: tuple[str, ...], form: str) -> int:
    """Find what is not portable, misspelt, undocumented or untested.

    Without a directory: those that gate.yaml names under policy.directories, else policy/. Each finding is
    file:line:column. Exit code 13 when there is one.
    """
    linted = lint_policy(start_folder(None), directories, tests)
    if form == "json":
        show(pretty(linted.document))
    else:
        lines = [terminal(f"{one.path}:{one.line}:{one.column}: {one.rule}: {one.message}") for one in linted.findings]
        count = len(linted.findings)
        clean = f"{linted.controls} control{'' if linted.controls == 1 else 's'}, nothing to say"
        show("\n".join([*lines, f"{count} finding{'' if count == 1 else 's'}" if count else clean]))
    return _REFUSED if linted.findings else 0
