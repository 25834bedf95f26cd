"""`gate attest compose`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.compose import ComposeRequest, compose
from gate.app.produce import Place
from gate.cli.attest.create import source_date_epoch
from gate.cli.output import progress, show
from gate.cli.params import TimeParameter
from gate.cli.signing import result_text, shown


@click.command(
    "compose",
    epilog="""\b
Examples:
  gate attest compose --base models/base --adapter models/house-style --name assistant
  gate sign .gate/statements/assistant.composition.json --key keys/vendor.key \\
      --out .gate/attestations/assistant.vendor.sigstore.json
  gate sign .gate/statements/assistant.composition.json --key keys/team.key \\
      --out .gate/attestations/assistant.team.sigstore.json
""",
)
@click.option("--base", required=True, type=click.Path(path_type=Path), metavar="PATH", help="The base model.")
@click.option(
    "--adapter",
    "adapters",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="An adapter that goes with it. May be given again.",
)
@click.option("--name", metavar="NAME", help="What the composition is called; names the file too.")
@click.option(
    "--depends-on",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A statement or bundle that this one builds on. May be given again.",
)
@click.option("--created-at", type=TimeParameter(), metavar="TIME", help="created_at of the predicate (RFC 3339).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write  [default: .gate/statements/<name or adapter>.composition.json]",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The root that names are relative to  [default: the top of this repository, else this folder]",
)
def command(
    *,
    base: Path,
    adapters: tuple[Path, ...],
    name: str | None,
    depends_on: tuple[Path, ...],
    created_at: int | None,
    out: Path | None,
    root: Path | None,
) -> None:
    """State that a base model and its adapters go together.

    The statement names every file of all parts with its digest, so none can be exchanged, added or removed alone. It
    is unsigned: each party signs the same bytes, and gate.yaml says how many have to (trust.thresholds.composition).
    """
    created_s = source_date_epoch() if created_at is None else created_at
    made = compose(ComposeRequest(Place(Path(), root), base, adapters, name, depends_on, out, created_s), progress)
    show(result_text(made, f"gate sign {shown(made.path)} --key KEY, by each party into a file of its own (--out)"))
