"""`gate verify`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.verify import Verification, verify
from gate.app.workspace import Request
from gate.cli.exit_codes import EXIT_CODES
from gate.cli.output import progress, show
from gate.cli.params import now_or_clock, start_folder, workspace_options
from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.normalize.sections.evidence import attestations_section, rejected_section
from gate.report.escape import terminal


@click.command("verify")
@workspace_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(base: str | None, config: str, config_from: str, root: Path | None, now: int | None, form: str) -> int:
    """Verify the evidence and say what counts and what does not.

    Exit code 0: something is verified and nothing is rejected. 10: there is no evidence. 11, 12, 14: see --help.
    """
    request = Request(start_folder(root), root, config, base, config_from == "worktree", now_or_clock(now))
    found = verify(request, progress)
    show(pretty(_json(found)) if form == "json" else _text(found))
    return found.exit_code


def _json(found: Verification) -> JsonObject:
    return {
        "exit_code": found.exit_code,
        "attestations": attestations_section(found.evidence.verified),
        "rejected": rejected_section(found.evidence.rejected),
        "skipped": dict(found.evidence.skipped),
    }


def _text(found: Verification) -> str:
    lines = []
    for item in found.evidence.verified:
        about = ", ".join(item.artifacts) or "nothing configured here"
        signers = ", ".join(signer.name for signer in item.signers)
        lines.append(f"verified  {terminal(item.origin)}")
        lines.append(f"          {item.statement.claim} by {terminal(signers)}, covers {terminal(about)}")
    for refused in found.evidence.rejected:
        lines.append(f"rejected  {terminal(refused.origin)}")
        lines.append(f"          {refused.code}: {terminal(refused.detail)}")
    for path, reason in sorted(found.evidence.skipped.items()):
        lines.append(f"skipped   {terminal(path)}: {terminal(reason)}")
    verified, rejected = len(found.evidence.verified), len(found.evidence.rejected)
    lines.append(f"{verified} verified, {rejected} rejected.   exit {found.exit_code} ({_meaning(found.exit_code)})")
    return "\n".join(lines)


def _meaning(code: int) -> str:
    return "all evidence holds" if code == 0 else EXIT_CODES[code]
