"""Signers by URI scheme: what every private key, wherever it is kept, can do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote

from gate.attest.signers import Passphrase
from gate.errors import AttestError
from gate.model.digest import Digest

# One letter is a drive, not a scheme.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)


class Signer(Protocol):
    """A private key that signs with its one algorithm, the one that verification fixes for its public key."""

    @property
    def algorithm(self) -> str:
        """The name that `gate.verify.keys` gives the algorithm."""

    @property
    def public_key_pem(self) -> bytes:
        """The public key, SubjectPublicKeyInfo in PEM."""

    @property
    def spki(self) -> Digest:
        """The SHA-256 of the public key's SubjectPublicKeyInfo in DER."""

    def sign(self, data: bytes) -> bytes:
        """The signature over exactly these bytes."""


def key_file(uri: str) -> Path:
    """The file that a key reference names: a plain path or `file:`; raises `AttestError` for any other scheme."""
    match = _SCHEME.fullmatch(uri)
    if match is None:
        return Path(uri)
    scheme, rest = match[1], match[2]
    if scheme.lower() != "file":
        raise AttestError(
            f"--key {scheme}:... : only key files are supported in this version",
            hint=f"give the path of a PEM file; ./{uri} if that is its name",
        )
    if rest.startswith("//"):
        rest = rest[2:]
        if not rest.startswith("/"):
            raise AttestError(f"--key {uri}: a file on another host cannot be read", hint="file:///absolute/path")
    return Path(unquote(rest))


def open_signer(uri: str, base: Path, passphrase: Passphrase) -> Signer:
    """The signer for a key reference; raises `AttestError`.

    Relative paths start at `base`. `passphrase` is asked for an encrypted key only.
    """
    from gate.attest.signers.file import load_file_signer

    return load_file_signer(base / key_file(uri), passphrase)
