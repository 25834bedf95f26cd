"""`gate verify`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.verify import verify
from gate.app.workspace import Request
from gate.cli.exit_codes import EXIT_CODES
from gate.cli.output import OutputFile, progress, show
from gate.cli.params import jobs, jobs_option, now_or_clock, start_folder, workspace_options
from gate.normalize.sections.evidence import attestations_section, rejected_section
from gate.report.verification import FORMATS, render_verification, summary


@click.command(
    "verify",
    epilog="""\b
Examples:
  gate verify
  gate verify --explain
  gate verify --root ../application --format junit --output evidence.xml
""",
)
@workspace_options
@jobs_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report to a file.")
@click.option("--explain", is_flag=True, help="Show every stage of every item, and what to do about what failed.")
def command(
    base: str | None,
    config: str,
    config_from: str,
    root: Path | None,
    now: int | None,
    form: str,
    output: Path | None,
    explain: bool,
) -> int:
    """Verify the evidence and say what counts and what does not.

    Each item goes through the stages envelope, signature, statement, subject and chain. Everything that is wrong with
    any of them is reported, not only the first. Exit code 0: something is verified and nothing is rejected. 10: there
    is no evidence. With several causes the code is the first of 11, 12, 14, 10; see also `gate --help`.
    """
    file = None if output is None else OutputFile(output)
    at_s, processes = now_or_clock(now), jobs()
    request = Request(start_folder(root), root, config, base, config_from == "worktree", at_s, processes)
    found = verify(request, progress)
    meaning = "all evidence holds" if found.exit_code == 0 else EXIT_CODES[found.exit_code]
    sections = {
        "attestations": attestations_section(found.evidence.verified),
        "rejected": rejected_section(found.evidence.rejected),
    }
    text = render_verification(form, found, meaning, explain=explain, sections=sections)
    if file is None:
        show(text)
    else:
        file.write(text if text.endswith("\n") else f"{text}\n")
        show(summary(found, meaning))
    return found.exit_code
