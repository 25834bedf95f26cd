"""`gate chain show`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.verify import verify
from gate.app.workspace import Request
from gate.cli.output import progress, show
from gate.cli.params import now_or_clock, start_folder, workspace_options
from gate.report.chain import FORMATS, render_chain


@click.command(
    "show",
    epilog="""\b
Examples:
  gate chain show
  gate chain show --format mermaid
  gate chain show --format dot | dot -Tsvg > chain.svg
""",
)
@workspace_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
def command(base: str | None, config: str, config_from: str, root: Path | None, now: int | None, form: str) -> int:
    """Draw the chain of statements, with its gaps.

    Each statement stands with its claim, its payload digest, its file and its signers; below it stands what it builds
    on. What is rejected or not there is drawn as such. Exit code as `gate verify`.
    """
    request = Request(start_folder(root), root, config, base, config_from == "worktree", now_or_clock(now))
    found = verify(request, progress)
    show(render_chain(form, found.evidence))
    return found.exit_code
