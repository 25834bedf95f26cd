"""`gate input`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.check import input_document
from gate.app.workspace import Request
from gate.cli.output import progress, show
from gate.cli.params import now_or_clock, start_folder, workspace_options
from gate.formats.canonical_json import pretty


@click.command("input")
@workspace_options
def command(base: str | None, config: str, config_from: str, root: Path | None, now: int | None) -> int:
    """Print the normalised document that the policy judges.

    It is a urn:gate:input:v1 document. Give --now to get the same bytes again.
    """
    request = Request(start_folder(root), root, config, base, config_from == "worktree", now_or_clock(now))
    show(pretty(input_document(request, progress).value))
    return 0
