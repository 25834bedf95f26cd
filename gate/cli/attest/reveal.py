"""`gate attest reveal`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gate.app.reveal import RevealRequest, reveal, write_revealed
from gate.cli.output import show, size_text
from gate.cli.signing import shown
from gate.report.escape import terminal

_FILE = click.Path(path_type=Path)


@click.command(
    "reveal",
    epilog="""\b
Examples:
  gate attest reveal .gate/attestations/prompt.sigstore.json --identity ~/.config/age/key.txt
  gate attest reveal prompt.json --identity key.txt --path app/system_prompt.txt --out ../prompt.txt
  gate attest reveal prompt.json --identity key.txt --stdout | less
""",
)
@click.argument("statement", type=_FILE, metavar="FILE")
@click.option(
    "--identity", type=_FILE, metavar="FILE", help="The key file of a recipient: of age, or a private SSH key."
)
@click.option("--path", metavar="PATH", help="The file whose content is wanted  [default: the only one]")
@click.option("--out", type=_FILE, metavar="FILE", help="Where to write  [default: the file's name, in this folder]")
@click.option("--stdout", "to_stdout", is_flag=True, help="Write the content to standard output, and to no file.")
def command(statement: Path, identity: Path | None, path: str | None, out: Path | None, to_stdout: bool) -> None:
    """Open a content that a statement carries, encrypted or plain.

    FILE is a statement, an envelope or a bundle. The content is given out only when it is what the statement commits
    to and has the digest of its subject. The file is written for its owner alone (mode 600); none is overwritten.
    Who signed the statement is not checked: `gate verify` does that.
    """
    if to_stdout and out is not None:
        raise click.UsageError("give --out or --stdout")
    request = RevealRequest(Path(), statement, identity, path, out)
    revealed = reveal(request)
    if to_stdout:
        sys.stdout.flush()
        sys.stdout.buffer.write(revealed.content)
        sys.stdout.buffer.flush()
        return
    written = write_revealed(request, revealed)
    lines = (
        f"{'revealed':<10}{terminal(revealed.path)}: {size_text(len(revealed.content))}",
        f"{'digest':<10}{revealed.digest}, that of the statement's subject",
        f"{'written':<10}{shown(written)}  (mode 600)",
        f"{'note':<10}who signed the statement was not checked; gate verify does that",
    )
    show("\n".join(lines))
