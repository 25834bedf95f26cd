"""`gate log verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gate.app.log import Proved, verify, verify_file, verify_proof
from gate.cli.log_options import asked, chosen_log, configured_log, log_options, trust_options
from gate.cli.output import progress, show
from gate.formats.canonical_json import pretty
from gate.report.escape import terminal
from gate.report.log import FORMATS, verification_json, verification_text

_CHANGED: Final = 14
_FILE: Final = click.Path(path_type=Path)


@click.command(
    "verify",
    epilog="""\b
Examples:
  gate log verify
  gate log verify --checkpoint kept/checkpoint --key keys/log.pub
  gate log verify --file export.jsonl --key keys/log.pub
  gate log verify --proof decision.tlog-proof --key keys/log.pub
""",
)
@click.option(
    "--checkpoint", "witnesses", multiple=True, type=_FILE, metavar="FILE", help="One that was kept elsewhere."
)
@click.option("--file", "exported", type=_FILE, metavar="FILE", help="Verify exported lines instead of the log.")
@click.option("--proof", type=_FILE, metavar="FILE", help="Verify a proof that a decision is in the log.")
@trust_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@log_options
def command(witnesses: tuple[Path, ...], exported: Path | None, proof: Path | None, form: str) -> int:
    """Find edits, deletions, reordering and truncation.

    Every record, every checkpoint, and all that records name by digest. What was cut off together with its checkpoints,
    or rewritten as a whole by who has no key, is found with a checkpoint that was kept elsewhere. Exit code 0: intact.
    14: something is wrong. 3: the log cannot be read.
    """
    if proof is not None:
        return _proof(verify_proof(configured_log(), proof, asked()))
    if exported is not None:
        found = verify_file(configured_log(), exported, asked(witnesses))
    else:
        with progress("verifying the log"):
            found = verify(chosen_log(), asked(witnesses))
    code = _CHANGED if found.findings else 0
    show(pretty(verification_json(found, code)) if form == "json" else verification_text(found, code))
    return code


def _proof(found: Proved) -> int:
    if found.problem is not None:
        show(f"WRONG     {terminal(found.problem)}")
        return _CHANGED
    signed = "signed by a known key" if found.is_signed else "whose signature was not checked: give its --key"
    show(
        f"record    {terminal(found.record.decode('utf-8', 'replace'), 4000)}\n"
        f"proved    it is record {found.index} of {terminal(found.origin)}, by a checkpoint of {found.size} records,"
        f" {signed}"
    )
    return 0
