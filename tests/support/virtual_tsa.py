"""The timestamp authority of the virtual Sigstore: time stamp responses (RFC 3161) over a SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding


@dataclass(frozen=True)
class TimestampAuthority:
    """Says that it has seen something, at the time that the caller names."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def timestamp(self, digest: bytes, at: datetime, nonce: int | None = None) -> bytes:
        at = at.replace(microsecond=0)
        info: dict[str, Any] = {
            "version": "v1",
            "policy": "1.3.6.1.4.1.99999.1",
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest},
            "serial_number": secrets.randbits(63),
            "gen_time": at,
            "ordering": False,
        }
        token = tsp.TSTInfo(info if nonce is None else {**info, "nonce": nonce})
        encoded = self.certificate.public_bytes(Encoding.DER)
        certificate = asn1_x509.Certificate.load(encoded)
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(token.dump())},
                "certificates": [certificate],
                "signer_infos": [self._signer(certificate, encoded, token.dump(), at)],
            }
        )
        content = {"content_type": "signed_data", "content": signed}
        return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": content}).dump())

    def _signer(self, certificate: Any, encoded: bytes, token: bytes, at: datetime) -> dict[str, Any]:
        named = {"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": hashlib.sha256(encoded).digest()}
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "signing_time", "values": [cms.Time({"utc_time": at})]},
                {"type": "message_digest", "values": [hashlib.sha256(token).digest()]},
                {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [named]})]},
            ]
        )
        serial = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        return {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": serial}),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
