"""`gate sign`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.model import WHOLE_FILES, Hashing
from gate.app.produce import Place
from gate.app.sign import SignRequest, names_statements, sign, sign_statements
from gate.cli.output import progress, show
from gate.cli.params import SizeParameter
from gate.cli.signing import KEY_HELP, ask_passphrase, batch_text, result_text
from gate.formats.predicates.model_signature import SHARD_BYTES


@click.command(
    "sign",
    epilog="""\b
Examples:
  gate sign models/summarizer --key keys/release.key
  gate sign prompts/system.txt --key keys/release.key
  gate sign models/summarizer --key keys/release.key --shards 256MiB --hash-cache ~/.cache/gate-hashes.json
  gate sign .gate/statements/app.prompt.json --key keys/release.key --out .gate/attestations/prompt.sigstore.json
  gate sign --in .gate/statements --key keys/release.key
  gate sign --in .gate/statements --key env:SIGNING_KEY --out .gate/attestations
  gate sign models/summarizer --key awskms:alias/release
  gate sign models/summarizer --key "pkcs11:token=ci;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so"
""",
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--in",
    "statements",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A statement, or a folder of which every statement (*.json) is signed; instead of PATH.",
)
@click.option("--key", required=True, metavar="KEY", help=KEY_HELP)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file to write; for a folder of statements and with --in, the folder to write into"
    "  [default: .gate/attestations/<path or name>.sigstore.json below the root]",
)
@click.option(
    "--shards",
    "shard_size",
    is_flag=False,
    flag_value=str(SHARD_BYTES),
    type=SizeParameter(),
    metavar="[SIZE]",
    help="Of a model: hash every file in shards of SIZE bytes, so that one huge file uses all cores"
    f"  [without SIZE: {SHARD_BYTES}]",
)
@click.option(
    "--hash-cache",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Of a model: do not read again what looks unchanged since FILE was written. Verification never believes it.",
)
@click.option(
    "--tracked",
    is_flag=True,
    help="Of statements: also sign those that git tracks. A change can bring them, so a job in CI must not.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The root that .gate lies in  [default: the top of this repository, else this folder]",
)
def command(
    *,
    path: Path | None,
    statements: Path | None,
    key: str,
    out: Path | None,
    shard_size: int | None,
    hash_cache: Path | None,
    tracked: bool,
    root: Path | None,
) -> None:
    """Sign a model folder, a file or statements.

    A folder or file gets an OpenSSF model signature v1.0: every file in it is signed, nothing is left out. A JSON
    file that is an in-toto statement gets a signature over the statement, byte for byte, and so does each statement
    of a folder that holds nothing else. Either is written as a Sigstore bundle that `gate check` and model-signing
    tools read. A bundle that lies there already is replaced, any other file is not.

    Of many statements, all are checked before the first is written: a single bad one leaves everything as it was. A
    statement that git tracks is refused: a pull request could have brought it.
    The key is a PEM file, or is kept in a cloud, a Vault or a token; a passphrase or PIN is asked for on the terminal.
    """
    if (path is None) == (statements is None):
        raise click.UsageError("Give what to sign: PATH, or statements with --in.")
    hashing = Hashing(shard_size, hash_cache)
    request = SignRequest(Place(Path(), root), path or statements or Path(), key, out, hashing, tracked)
    if statements is not None or names_statements(request):
        if hashing != WHOLE_FILES:
            raise click.UsageError("--shards and --hash-cache are for models, not for statements")
        show(batch_text(sign_statements(request, ask_passphrase, progress), "gate verify"))
    else:
        show(result_text(sign(request, ask_passphrase, progress), "gate verify"))
