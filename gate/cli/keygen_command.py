"""`gate keygen`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import click

from gate.app.attest import KeygenRequest, KeyPair, keygen
from gate.app.produce import Place
from gate.attest.keygen import KEY_TYPES
from gate.cli.output import show
from gate.cli.signing import ask_new_passphrase, has_terminal, shown

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PLAIN_YAML: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")


@click.command(
    "keygen",
    epilog="""\b
Examples:
  gate keygen                                    keys/release.key and keys/release.pub
  gate keygen --out keys/builder --type ed25519
  gate keygen --private ~/.config/gate/me.key --public keys/me.pub --passphrase
""",
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(KEY_TYPES),
    default="p256",
    show_default=True,
    help="p256 and p384 are ECDSA, which every model-signing tool reads.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="NAME", help="NAME.key and NAME.pub  [keys/release]")
@click.option("--private", type=click.Path(path_type=Path), metavar="FILE", help="The private key, with --public.")
@click.option("--public", type=click.Path(path_type=Path), metavar="FILE", help="The public key, with --private.")
@click.option(
    "--passphrase/--no-passphrase",
    default=None,
    help="Encrypt the private key  [default: ask on a terminal, where an empty answer means no; else no]",
)
def command(kind: str, out: Path | None, private: Path | None, public: Path | None, passphrase: bool | None) -> None:
    """Make a signing key, and say how to trust it.

    The private key can be read by you alone; no existing file is overwritten.
    """
    if (private is None) != (public is None) or (out is not None and private is not None):
        raise click.UsageError("Give --out NAME, or --private FILE and --public FILE.")
    name = out or Path("keys", "release")
    private = private or name.with_name(f"{name.name}.key")
    public = public or name.with_name(f"{name.name}.pub")
    secret = ask_new_passphrase(required=passphrase is True) if _wants_passphrase(passphrase) else None
    show(_text(keygen(KeygenRequest(Place(Path()), kind, private, public, secret))))


def _wants_passphrase(given: bool | None) -> bool:
    return has_terminal() if given is None else given


def _text(pair: KeyPair) -> str:
    name = pair.public.stem if _NAME.fullmatch(pair.public.stem) else "release"
    path = pair.trusted_path or f"keys/{name}.pub"
    copy = "" if pair.trusted_path else ", once the public key is copied into the repository"
    key = path if _PLAIN_YAML.fullmatch(path) else json.dumps(path)
    state = "encrypted" if pair.encrypted else "not encrypted"
    return "\n".join(
        (
            f"private   {shown(pair.private)}  ({state}, mode 600; never commit it)",
            f"public    {shown(pair.public)}",
            f"key       {pair.algorithm} {pair.spki}",
            "",
            f"Trust it in gate.yaml{copy}, with the claims that it may speak for:",
            "",
            "trust:",
            "  signers:",
            f"    {name}: {{key: {key}, claims: [artifact.signature]}}",
            "",
            f"next      gate sign PATH --key {shown(pair.private)}",
        )
    )
