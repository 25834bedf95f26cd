"""Private keys in environment variables: `env:NAME`, where NAME holds a PEM text as a key file would."""

from __future__ import annotations

from gate.attest.signers import Passphrase
from gate.attest.signers.file import parse_private_key
from gate.attest.signers.key import KeySigner, environment_value


def open_key(name: str, passphrase: Passphrase) -> KeySigner:
    """Reads the key; raises `AttestError`. No message holds anything of the variable's value."""
    value = environment_value(name, "--key env:")
    return parse_private_key(value.encode("utf-8", "surrogateescape"), f"the environment variable {name}", passphrase)
