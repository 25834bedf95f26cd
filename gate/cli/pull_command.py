"""`gate pull`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.pull import Pulled, PullRequest, pull
from gate.cli.exit_codes import EXIT_CODES
from gate.cli.output import progress, show
from gate.cli.registry import registry_access, registry_options, shown_path
from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.report.escape import terminal


@click.command(
    "pull",
    epilog="""\b
Examples:
  gate pull registry.example/llm/server@sha256:6105d6cc... --out .gate/attestations
  gate pull localhost:5000/llm/server:1.4 --out pulled --format json
""",
)
@click.argument("image")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder to write to; each file is named by the digest of its content.",
)
@registry_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(image: str, out: Path, form: str) -> int:
    """Write the bundles that are attached to an image in a registry.

    Everything that refers to the image is looked at, every byte is checked against its digest, and nothing is written
    before all of it was read. What is no bundle is listed as skipped. Nothing is verified here: that is for
    `gate verify` and `gate check`. Exit code 10: there is no bundle. 3: the registry could not be read.
    """
    found = pull(PullRequest(image, out, registry_access()), progress)
    show(pretty(_json(found)) if form == "json" else _text(found, image))
    return found.exit_code


def _json(found: Pulled) -> JsonObject:
    return {
        "exit_code": found.exit_code,
        "subject": found.subject,
        "pulled": [
            {"file": shown_path(item.path), "reference": item.reference, "bundle": item.bundle} for item in found.items
        ],
        "skipped": dict(found.skipped),
    }


def _text(found: Pulled, image: str) -> str:
    lines = [f"image     {terminal(found.subject or f'{image}: there is none')}"]
    for item in found.items:
        lines.append(f"pulled    {terminal(shown_path(item.path))}")
        lines.append(f"          {terminal(item.reference)}")
    lines += [f"skipped   {terminal(origin)}: {terminal(reason)}" for origin, reason in found.skipped.items()]
    meaning = "next: gate verify" if found.items else EXIT_CODES[found.exit_code]
    lines.append(f"{len(found.items)} pulled, {len(found.skipped)} skipped.   exit {found.exit_code} ({meaning})")
    return "\n".join(lines)
