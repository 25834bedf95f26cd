"""The promise of a certificate log that it shows a certificate to everybody (RFC 6962, section 3.2)."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING

from gate.verify.certificate import KeylessError
from gate.verify.sigstore.root import Log

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509.certificate_transparency import SignedCertificateTimestamp


def check_promise(certificate: x509.Certificate, issuer: x509.Certificate, logs: Mapping[str, tuple[Log, ...]]) -> None:
    """Raises `KeylessError` unless a log that was trusted then promised the certificate, exactly once."""
    from cryptography import x509

    try:
        found = list(
            certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
        )
    except x509.ExtensionNotFound:
        raise KeylessError("sct", "no certificate log promised the certificate") from None
    if len(found) != 1:
        raise KeylessError("sct", f"the certificate holds {len(found)} promises; exactly one is read")
    (promise,) = found
    signed, at_s = _signed(promise, certificate, issuer), int(promise.timestamp.replace(tzinfo=UTC).timestamp())
    for log in logs.get(base64.b64encode(promise.log_id).decode("ascii"), ()):
        if log.span.holds(at_s) and log.key is not None and log.key.verifies(promise.signature, signed):
            return
    raise KeylessError("sct", "no certificate log of the trusted root promised the certificate")


def _signed(promise: SignedCertificateTimestamp, certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    moment = promise.timestamp.replace(tzinfo=UTC)
    at_ms = int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000
    key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = certificate.tbs_precertificate_bytes
    head = struct.pack("!BBQH", 0, 0, at_ms, 1) + hashlib.sha256(key).digest()
    extensions = promise.extension_bytes
    return head + len(body).to_bytes(3) + body + struct.pack("!H", len(extensions)) + extensions
