"""Signers of the library securesystemslib behind the gate's own envelope."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gate.attest.signers.key import ED25519, P256, P384, PKCS1, PSS, KeySigner, Sign, key_signer
from gate.errors import AttestError

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

_SCHEMES: Final = {
    "ed25519": ED25519,
    "ecdsa-sha2-nistp256": P256,
    "ecdsa-sha2-nistp384": P384,
    "rsassa-pss-sha256": PSS,
    "rsa-pkcs1v15-sha256": PKCS1,
}


def library_signer(public: SSlibKey, origin: str, sign: Sign) -> KeySigner:
    """The signer for the public key that the service named; raises `AttestError` for one that is not accepted."""
    # What the library logs is told as an error anyway, and without the service's words.
    logging.getLogger("securesystemslib").addHandler(logging.NullHandler())
    algorithm = _SCHEMES.get(public.scheme)
    if algorithm is None:
        raise AttestError(f"{origin}: it signs with {public.scheme}, which is not accepted", hint="use ECDSA P-256")
    return key_signer(load_pem_public_key(public.keyval["public"].encode()), origin, sign, algorithm)
