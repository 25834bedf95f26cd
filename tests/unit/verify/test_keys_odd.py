"""RSA keys whose bits are no whole bytes."""

from __future__ import annotations

import functools

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.verify.keys import load_key

MESSAGE = b"message"


@functools.cache
def odd_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2052)


def test_an_rsa_key_may_have_bits_beyond_whole_bytes() -> None:
    private = odd_rsa()
    signature = private.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert len(signature) == 257
    assert load_key(pem, "rsa-pkcs1v15-sha256").verifies(signature, MESSAGE)
