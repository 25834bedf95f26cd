"""`gate sign`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.produce import Place
from gate.app.sign import SignRequest, sign
from gate.cli.output import progress, show
from gate.cli.signing import ask_passphrase, result_text


@click.command(
    "sign",
    epilog="""\b
Examples:
  gate sign models/summarizer --key keys/release.key
  gate sign prompts/system.txt --key keys/release.key
  gate sign .gate/statements/app.prompt.json --key keys/release.key --out .gate/attestations/prompt.sigstore.json
""",
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--key", required=True, metavar="KEY", help="The private key: a PEM file (PKCS#8), or file:PATH.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write  [default: .gate/attestations/<path>.sigstore.json below the root]",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The root that .gate lies in  [default: the top of this repository, else this folder]",
)
def command(path: Path, key: str, out: Path | None, root: Path | None) -> None:
    """Sign a model folder, a file or a statement.

    A folder or file gets an OpenSSF model signature v1.0: every file in it is signed, nothing is left out. A JSON
    file that is an in-toto statement gets a signature over the statement, byte for byte. Either is written as a
    Sigstore bundle that `gate check` and model-signing tools read. A bundle that lies there already is replaced,
    any other file is not. The passphrase of an encrypted key is asked for on the terminal.
    """
    made = sign(SignRequest(Place(Path(), root), path, key, out), ask_passphrase, progress)
    show(result_text(made, "gate verify"))
