"""Where private keys are kept: one module a URI scheme, named in `gate.attest.signer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gate.errors import AttestError

MAX_PASSPHRASE: Final = 1023
"""Bytes of a passphrase that OpenSSL takes."""

Passphrase = Callable[[str], str]
"""Called with what is asked for; returns the passphrase. It is called only when a key needs one."""


def passphrase_bytes(text: str) -> bytes:
    """A passphrase as it was typed, also where that was no UTF-8; raises `AttestError` for one that is too long."""
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > MAX_PASSPHRASE:
        raise AttestError(f"the passphrase is longer than {MAX_PASSPHRASE} bytes")
    return data
