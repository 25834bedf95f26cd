"""`gate recall`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.recall import recall
from gate.app.recall_target import Asked
from gate.app.workspace import Request
from gate.cli.exit_codes import RESTS
from gate.cli.output import OutputFile, progress, show
from gate.cli.params import TimeParameter, now_or_clock, start_folder
from gate.errors import EvidenceError
from gate.report.recall import FORMATS, recall_summary, render_recall

_PATH = click.Path(path_type=Path)


@click.command(
    "recall",
    epilog="""\b
Examples:
  gate recall --key release
  gate recall --key keys/old.pub --directory evidence/2025 --directory evidence/2026
  gate recall --identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main
  gate recall --artifact models/summarizer --decisions decisions/ --format json
""",
)
@click.option("--key", metavar="KEY", help="A signer of gate.yaml, a public key file, or sha256:<hex> of a key (SPKI).")
@click.option("--identity", metavar="SUBJECT", help="A keyless signer: the subject of its certificates.")
@click.option("--issuer", metavar="URL", help="With --identity: the issuer of its certificates.")
@click.option("--evidence", metavar="DIGEST", help="A bundle, envelope or payload: sha256:<hex>.")
@click.option(
    "--artifact",
    metavar="NAME|PATH|DIGEST",
    help="A name of gate.yaml, a file, a folder, or sha256:, sha384: or sha512:<hex>.",
)
@click.option(
    "--directory",
    "directories",
    multiple=True,
    type=_PATH,
    metavar="DIR",
    help="A folder of evidence, instead of those of gate.yaml.",
)
@click.option(
    "--decisions", multiple=True, type=_PATH, metavar="FILE|DIR", help="Saved decisions (JSON of `gate check`)."
)
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="The folder of gate.yaml.")
@click.option("--config", metavar="FILE", default="gate.yaml", show_default=True, help="The configuration.")
@click.option("--now", type=TimeParameter(), metavar="TIME", help="Time at which trust is asked for (RFC 3339).")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=_PATH, metavar="FILE", help="Write the report to a file.")
def command(
    *,
    directories: tuple[Path, ...],
    decisions: tuple[Path, ...],
    root: Path | None,
    config: str,
    now: int | None,
    form: str,
    output: Path | None,
    **target: str | None,
) -> int:
    """List what rests on a key, an identity, a statement or an artifact.

    Statements that it signed, that are it or about it, those that build on them or are about what was made from it,
    everything that they cover, and saved decisions that counted any of them. The key may be revoked or gone from
    gate.yaml: it is asked itself. What only claims to be signed by it is listed as UNPROVED. A file of a folder takes
    the folder with it. Exit code 0: nothing rests on it. 20: something does, if only by its own word. 3: nothing was
    found, and something could not be read.
    """
    given = {name for name, value in target.items() if value is not None}
    if len(given - {"issuer"}) != 1:
        raise click.UsageError("give exactly one of --key, --identity, --evidence and --artifact")
    if given > {"issuer"} and "identity" not in given:
        raise click.UsageError("--issuer is for --identity")
    file = None if output is None else OutputFile(output)
    request = Request(start_folder(root), root, config, None, True, now_or_clock(now))
    asked = Asked(**target, directories=directories, decisions=decisions)
    found = recall(request, asked, progress)
    code = RESTS if not found.is_empty else EvidenceError.exit_code if found.searched.unread else 0
    text = render_recall(form, found, code)
    if file is None:
        show(text)
    else:
        file.write(text if text.endswith("\n") else f"{text}\n")
        show(recall_summary(found, code))
    return code
