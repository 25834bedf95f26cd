"""`gate log prune`."""

from __future__ import annotations

import click

from gate.app.log import prune
from gate.cli.log_options import asked, chosen_log, log_options, trust_options
from gate.cli.output import progress, show
from gate.cli.params import TimeParameter


@click.command(
    "prune",
    epilog="""\b
Examples:
  gate log prune --before 2026-01-01T00:00:00Z --dry-run
  gate log prune --before 2026-01-01T00:00:00Z
""",
)
@click.option("--before", "before_s", type=TimeParameter(), required=True, metavar="TIME", help="Records before then.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@trust_options
@log_options
def command(*, before_s: int, dry_run: bool) -> int:
    """Remove old records that others have and a checkpoint signs.

    Only what every consumer of `gate log export` acknowledged, up to a checkpoint, and only from a log that verifies.
    What stays can still be verified and proved. In PostgreSQL this takes the role gate_keeper.
    """
    with progress("verifying and pruning the log"):
        found = prune(chosen_log(), asked(), before_s, dry_run=dry_run)
    if not found.removed:
        show(f"nothing up to a checkpoint is old enough and acknowledged as a whole; {found.kept} records stay")
    else:
        word = "would be removed" if dry_run else "were removed"
        show(f"{found.removed} records below {found.size} {word}; {found.kept} stay")
    return 0
