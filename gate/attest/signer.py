"""Signers by URI scheme: what every private key, wherever it is kept, can do.

| scheme | the key is | extra |
|---|---|---|
| `file:PATH`, or a path | a PEM file | |
| `env:NAME` | a PEM text in an environment variable | |
| `awskms:KEY` | in AWS KMS | `kms-aws` |
| `gcpkms:VERSION` | in Google Cloud KMS | `kms-gcp` |
| `azurekms://VAULT/keys/NAME` | in Azure Key Vault | `kms-azure` |
| `hashivault:NAME` | in the transit engine of Vault or OpenBao | `kms-vault` |
| `pkcs11:ATTRIBUTES` | in a token or HSM (RFC 7512) | `kms-pkcs11` |
| `sigstore:` | made for one signature, with a certificate of an identity | `sigstore` |

Each is one module of `gate.attest.signers`, imported when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, runtime_checkable
from urllib.parse import unquote

from gate.attest.signers import Passphrase
from gate.errors import AttestError
from gate.model.digest import Digest

# One letter is a drive, not a scheme.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_EXTRAS: Final = {
    "awskms": "kms-aws",
    "gcpkms": "kms-gcp",
    "azurekms": "kms-azure",
    "hashivault": "kms-vault",
    "pkcs11": "kms-pkcs11",
    "sigstore": "sigstore",
}
SCHEMES: Final = ("file", "env", *_EXTRAS)


@runtime_checkable
class BundleSigner(Protocol):
    """An identity that signs whole bundles: a certificate and a log entry belong to each of its signatures."""

    def sign_statement(self, payload: bytes) -> bytes:
        """The bundle around a statement, whose bytes are signed as they are; raises `AttestError`."""


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


def key_file(uri: str) -> Path | None:
    """The file that a key reference names, `None` for a key that is no file; raises `AttestError` for neither."""
    scheme, rest = _parts(uri)
    if scheme != "file":
        return None
    if rest.startswith("//"):
        rest = rest[2:]
        if not rest.startswith("/"):
            raise AttestError(f"--key {uri}: a file on another host cannot be read", hint="file:///absolute/path")
    return Path(unquote(rest) if uri != rest else rest)


def open_any_signer(uri: str, base: Path, passphrase: Passphrase) -> Signer | BundleSigner:
    """The key, or the identity, for a key reference; raises `AttestError`. The arguments are those of `open_signer`."""
    scheme, rest = _parts(uri)
    if scheme != "sigstore":
        return open_signer(uri, base, passphrase)
    with _named_extra(scheme):
        found: BundleSigner = import_module("gate.attest.signers.sigstore").open_keyless(rest, base)
    return found


def open_signer(uri: str, base: Path, passphrase: Passphrase) -> Signer:
    """The signer for a reference to a key; raises `AttestError`, also for an identity, which is none.

    Relative paths start at `base`. `passphrase` is asked for an encrypted key or a PIN only.
    """
    scheme, rest = _parts(uri)
    if scheme == "sigstore":
        raise AttestError("--key sigstore: signs statements alone, and here a key is needed", hint="--key FILE")
    location = key_file(uri)
    if location is not None:
        from gate.attest.signers.file import load_file_signer

        return load_file_signer(base / location, passphrase)
    with _named_extra(scheme):
        signer: Signer = import_module(f"gate.attest.signers.{scheme}").open_key(rest, passphrase)
    return signer


@contextmanager
def _named_extra(scheme: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        missing = getattr(error, "name", None) or "a library"
        extra = _EXTRAS[scheme]
        raise AttestError(
            f"--key {scheme}: needs the extra {extra} ({missing} cannot be imported)",
            hint=f"pip install 'gate[{extra}]'",
        ) from None


def _parts(uri: str) -> tuple[str, str]:
    """The scheme and what follows it; a plain path is of the scheme `file`."""
    if "PRIVATE KEY-" in uri:
        raise AttestError(
            "--key holds a private key itself, and command lines are read by others",
            hint="put it into an environment variable: --key env:NAME; and replace that key",
        )
    match = _SCHEME.fullmatch(uri)
    if match is None:
        return "file", uri
    scheme, rest = match[1].lower(), match[2]
    if scheme not in SCHEMES:
        raise AttestError(
            f"--key {match[1]}:... : there is no such kind of key; known are {', '.join(SCHEMES)}",
            hint=f"./{uri} if that is the name of a file",
        )
    return scheme, rest
