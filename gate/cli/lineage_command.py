"""`gate lineage`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.lineage import lineage
from gate.app.workspace import Request
from gate.cli.output import OutputFile, progress, show
from gate.cli.params import jobs, jobs_option, now_or_clock, start_folder, workspace_options
from gate.report.lineage import FORMATS, lineage_summary, render_lineage


@click.command(
    "lineage",
    epilog="""\b
Examples:
  gate lineage
  gate lineage --artifact summarizer
  gate lineage --format mermaid --output lineage.mmd
  gate lineage --format dot | dot -Tsvg > lineage.svg
""",
)
@workspace_options
@jobs_option
@click.option("--artifact", metavar="NAME", help="Only what this artifact of gate.yaml comes from.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the graph to a file.")
def command(
    base: str | None,
    config: str,
    config_from: str,
    root: Path | None,
    now: int | None,
    artifact: str | None,
    form: str,
    output: Path | None,
) -> int:
    """Draw where artifacts come from, and where nothing says so.

    Base models, data, code, adapters, compositions and images are followed as far as verified statements lead: build
    and training provenance, bills of materials, datasets, compositions, and what they build on. Things are the same
    when their digests are; a name alone connects nothing. GAP marks what nothing verified says, CONFLICT statements
    that cannot all be right. Exit code 0: the graph was drawn, whatever is in it; judging it is the work of controls.
    """
    file = None if output is None else OutputFile(output)
    at_s, processes = now_or_clock(now), jobs()
    request = Request(start_folder(root), root, config, base, config_from == "worktree", at_s, processes)
    found = lineage(request, artifact, progress)
    text = render_lineage(form, found)
    if file is None:
        show(text)
    else:
        file.write(text if text.endswith("\n") else f"{text}\n")
        show(lineage_summary(found))
    return 0
