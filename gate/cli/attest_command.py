"""`gate attest`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from gate.app.attest import CreateRequest, create
from gate.app.produce import Place
from gate.attest.statement import makeable_claims
from gate.cli.output import progress, show
from gate.cli.params import TimeParameter
from gate.cli.signing import ask_passphrase, result_text, shown
from gate.errors import ConfigError
from gate.model.claim import CLAIMS

_CLAIM_HELP: Final = f"What is stated, one of: {', '.join(makeable_claims())}."


@click.group("attest")
def command() -> None:
    """Create attestations."""


@command.command(
    "create",
    epilog="""\b
Examples:
  gate attest create --claim prompt --predicate prompt.json --subject app/prompts
  gate attest create --claim build.provenance --predicate slsa.json --subject models/summarizer --key keys/builder.key
  gate attest create --claim eval --predicate eval.json --subject eval/results.json \\
      --depends-on .gate/attestations/app-prompts.prompt.sigstore.json --key keys/release.key
""",
)
@click.option("--claim", required=True, type=click.Choice(sorted(CLAIMS)), metavar="CLAIM", help=_CLAIM_HELP)
@click.option(
    "--predicate",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The predicate: a JSON object that fits the claim's predicate type.",
)
@click.option(
    "--subject",
    "subjects",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="What it is about: a file, or a folder with all its files. May be given again.",
)
@click.option("--predicate-type", metavar="URI", help="Another predicate type of the claim, such as SLSA v0.2.")
@click.option(
    "--depends-on",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A statement or bundle that this one builds on. May be given again.",
)
@click.option("--created-at", type=TimeParameter(), metavar="TIME", help="created_at of the predicate (RFC 3339).")
@click.option("--key", metavar="KEY", help="Sign it with this private key: a PEM file (PKCS#8), or file:PATH.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write  [default: <path>.<claim> in .gate/statements, with --key in .gate/attestations]",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The root that names are relative to  [default: the top of this repository, else this folder]",
)
def create_command(  # noqa: PLR0913 - one parameter an option
    *,
    claim: str,
    predicate: Path,
    subjects: tuple[Path, ...],
    predicate_type: str | None,
    depends_on: tuple[Path, ...],
    created_at: int | None,
    key: str | None,
    out: Path | None,
    root: Path | None,
) -> None:
    """Create an in-toto statement about files, and sign it with --key.

    The same input gives the same bytes. created_at is taken from the predicate, --created-at or, failing both,
    SOURCE_DATE_EPOCH; no clock is read. What the gate would refuse when it verifies is refused here.
    """
    request = CreateRequest(
        place=Place(Path(), root),
        claim=claim,
        predicate=predicate,
        subjects=subjects,
        predicate_type=predicate_type,
        depends_on=depends_on,
        key=key,
        out=out,
        created_s=created_at,
        fallback_s=_source_date_epoch(),
    )
    made = create(request, ask_passphrase, progress)
    show(result_text(made, "gate verify" if key else f"gate sign {shown(made.path)} --key KEY"))


def _source_date_epoch() -> int | None:
    """The build's time (reproducible-builds.org): it describes content, and is no security option."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise ConfigError("SOURCE_DATE_EPOCH is not a number of seconds since 1970")
    return int(text)
