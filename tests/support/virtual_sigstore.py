"""A Sigstore of its own in one process: certificate authority, certificate log, Rekor v1 and v2, timestamp authority.

It makes bundles without a socket, for the unmodified sigstore library to judge. Nothing in it is trusted outside
tests; `trusted_root()` is what a test pins.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from gate.verify.certificate import quiet
from tests.support.virtual_tsa import TimestampAuthority

BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
FULCIO: Final = "1.3.6.1.4.1.57264.1"
SOURCE_REPOSITORY: Final = 12
SCT_LIST: Final = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
BEGAN: Final = datetime(2024, 1, 1, tzinfo=UTC)
ENDS: Final = datetime(2044, 1, 1, tzinfo=UTC)
ISSUER: Final = "https://token.actions.test"
REPOSITORY: Final = "https://forge.test/acme/model"
WORKFLOW: Final = f"{REPOSITORY}/.forge/workflows/release.yml@refs/heads/main"
_SHA256: Final = hashes.SHA256()
_ECDSA: Final = ec.ECDSA(_SHA256)
_NO_USAGE: Final = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True)
class Person:
    """Whom a certificate names. `extensions` are Fulcio's, by the last number of their identifier."""

    subject: str = WORKFLOW
    issuer: str = ISSUER
    extensions: Mapping[int, str] = field(default_factory=lambda: {SOURCE_REPOSITORY: REPOSITORY})


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def spki(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    return f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode() + payload


def asn1_text(text: str) -> bytes:
    data = text.encode()
    return b"\x0c" + asn1_length(len(data)) + data


def asn1_length(size: int) -> bytes:
    if size < 128:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(digits)]) + digits


class MerkleLog:
    """An append-only log as RFC 6962 describes it."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []

    def add(self, body: bytes) -> int:
        self.leaves.append(hashlib.sha256(b"\0" + body).digest())
        return len(self.leaves) - 1

    def root(self, leaves: list[bytes] | None = None) -> bytes:
        leaves = self.leaves if leaves is None else leaves
        if len(leaves) == 1:
            return leaves[0]
        half = self._half(leaves)
        return hashlib.sha256(b"\1" + self.root(leaves[:half]) + self.root(leaves[half:])).digest()

    def proof(self, index: int, leaves: list[bytes] | None = None) -> list[bytes]:
        leaves = self.leaves if leaves is None else leaves
        if len(leaves) == 1:
            return []
        half = self._half(leaves)
        if index < half:
            return [*self.proof(index, leaves[:half]), self.root(leaves[half:])]
        return [*self.proof(index - half, leaves[half:]), self.root(leaves[:half])]

    @staticmethod
    def _half(leaves: list[bytes]) -> int:
        return 1 << ((len(leaves) - 1).bit_length() - 1)


class VirtualSigstore:
    """One instance: its keys, its logs, and what it signs. Times are those that the caller names."""

    @quiet()
    def __init__(self, name: str = "virtual.test", now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = name
        self.now = now
        self._lock = threading.Lock()
        self.root_key = ec.generate_private_key(ec.SECP384R1())
        self.authority_key = ec.generate_private_key(ec.SECP256R1())
        self.ct_key = ec.generate_private_key(ec.SECP256R1())
        self.rekor_key = ec.generate_private_key(ec.SECP256R1())
        self.rekor2_key = ed25519.Ed25519PrivateKey.generate()
        self.tsa_root_key = ec.generate_private_key(ec.SECP256R1())
        tsa_key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._authority("root", self.root_key, "root", self.root_key, 1)
        self.authority = self._authority("intermediate", self.authority_key, "root", self.root_key, 0)
        self.tsa_root = self._authority("tsa-root", self.tsa_root_key, "tsa-root", self.tsa_root_key, 0)
        self.tsa = TimestampAuthority(tsa_key, self._timestamp_certificate(tsa_key.public_key()))
        self.log, self.log2 = MerkleLog(), MerkleLog()
        self.rekor_id = hashlib.sha256(spki(self.rekor_key.public_key())).digest()
        self.rekor2_origin = f"rekor2.{name}"
        raw = self.rekor2_key.public_key().public_bytes_raw()
        self.rekor2_id = hashlib.sha256(self.rekor2_origin.encode() + b"\n\x01" + raw).digest()
        # Proofs of a log with one entry have no hashes, and would hide mistakes.
        for log in (self.log, self.log2):
            for number in range(5):
                log.add(b"earlier %d" % number)

    # -- certificates --------------------------------------------------------------------------------------------------

    def _name(self, common: str) -> x509.Name:
        # Fulcio's own ephemeral authority names a country of three letters, at which libraries warn.
        country = x509.NameAttribute(NameOID.COUNTRY_NAME, "USA", _validate=False)
        organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.name)
        return x509.Name([country, organization, x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def _base(
        self, subject: x509.Name, key: PublicKey, issuer: str, begins: datetime = BEGAN, ends: datetime = ENDS
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name(issuer))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )

    def _authority(
        self, name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, depth: int
    ) -> x509.Certificate:
        usage = x509.KeyUsage(**{**_NO_USAGE, "key_cert_sign": True, "crl_sign": True})
        builder = (
            self._base(self._name(name), key.public_key(), issuer)
            .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        return builder.sign(signer, hashes.SHA384() if signer.key_size == 384 else _SHA256)

    def _timestamp_certificate(self, key: PublicKey) -> x509.Certificate:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.tsa_root_key.public_key())
        builder = (
            self._base(self._name("tsa"), key, "tsa-root")
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**{**_NO_USAGE, "digital_signature": True}), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(issuer, critical=False)
        )
        return builder.sign(self.tsa_root_key, _SHA256)

    @quiet()
    def issue(
        self,
        key: PublicKey,
        person: Person,
        at: datetime,
        *,
        names: list[x509.GeneralName] | None = None,
        raw: Mapping[int, bytes] | None = None,
        usage: ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
        promised: bool = True,
        promised_at: datetime | None = None,
        life: timedelta = timedelta(minutes=10),
    ) -> x509.Certificate:
        """A certificate for ten minutes, with the promise of the certificate log unless told otherwise.

        `names` replaces the subject, `raw` sets extensions to exact bytes (empty bytes leave one out).
        """
        at = at.replace(microsecond=0)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority_key.public_key())
        found = {1: person.issuer.encode(), 8: asn1_text(person.issuer)}
        # 9 and above are UTF8String, those below are the text itself.
        found |= {n: text.encode() if n < 7 else asn1_text(text) for n, text in person.extensions.items()}
        builder = (
            self._base(x509.Name([]), key, "intermediate", at, at + life)
            .add_extension(x509.KeyUsage(**{**_NO_USAGE, "digital_signature": True}), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectAlternativeName(names or [_general_name(person.subject)]), critical=True)
        )
        for number, data in (found | dict(raw or {})).items():
            if data:
                extension = x509.UnrecognizedExtension(ObjectIdentifier(f"{FULCIO}.{number}"), data)
                builder = builder.add_extension(extension, critical=False)
        unpromised = builder.sign(self.authority_key, _SHA256)
        if not promised:
            return unpromised
        promise = x509.UnrecognizedExtension(
            SCT_LIST, self._promise(unpromised.tbs_certificate_bytes, promised_at or at)
        )
        return builder.add_extension(promise, critical=False).sign(self.authority_key, _SHA256)

    def _promise(self, body: bytes, at: datetime) -> bytes:
        """The certificate log's promise (RFC 6962, section 3.2) over a certificate without it."""
        at_ms = int(at.timestamp() * 1000)
        issuer = hashlib.sha256(spki(self.authority_key.public_key())).digest()
        signed = struct.pack("!BBQH", 0, 0, at_ms, 1) + issuer + len(body).to_bytes(3) + body + b"\0\0"
        signature = self.ct_key.sign(signed, _ECDSA)
        log = hashlib.sha256(spki(self.ct_key.public_key())).digest()
        entry = b"\0" + log + struct.pack("!Q", at_ms) + b"\0\0\4\3" + struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!H", len(entry)) + entry
        listed = struct.pack("!H", len(listed)) + listed
        return b"\x04" + asn1_length(len(listed)) + listed

    # -- logs ----------------------------------------------------------------------------------------------------------

    @staticmethod
    def _checkpoint(origin: str, key_id: bytes, sign: Callable[[bytes], bytes], log: MerkleLog) -> str:
        body = f"{origin}\n{len(log.leaves)}\n{b64(log.root())}\n"
        return f"{body}\n\u2014 {origin.partition(' ')[0]} {b64(key_id[:4] + sign(body.encode()))}\n"

    @staticmethod
    def _proof(index: int, log: MerkleLog, checkpoint: str) -> dict[str, Any]:
        return {
            "logIndex": str(index),
            "rootHash": b64(log.root()),
            "treeSize": str(len(log.leaves)),
            "hashes": [b64(item) for item in log.proof(index)],
            "checkpoint": {"envelope": checkpoint},
        }

    def rekor(self, body: bytes, kind: str, at: datetime) -> dict[str, Any]:
        """An entry of Rekor v1, which says when it was made."""

        def sign(data: bytes) -> bytes:
            return self.rekor_key.sign(data, _ECDSA)

        with self._lock:
            index, at_s = self.log.add(body), int(at.timestamp())
            checkpoint = self._checkpoint(f"rekor.{self.name} - 1", self.rekor_id, sign, self.log)
            proof = self._proof(index, self.log, checkpoint)
        promised: dict[str, Any] = {
            "body": b64(body),
            "integratedTime": at_s,
            "logID": self.rekor_id.hex(),
            "logIndex": index,
        }
        return {
            "logIndex": str(index),
            "logId": {"keyId": b64(self.rekor_id)},
            "kindVersion": {"kind": kind, "version": "0.0.1"},
            "integratedTime": str(at_s),
            "inclusionPromise": {"signedEntryTimestamp": b64(sign(rfc8785.dumps(promised)))},
            "inclusionProof": proof,
            "canonicalizedBody": b64(body),
        }

    def rekor2(self, digest: bytes, signature: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        """An entry of Rekor v2, which leaves time to a timestamp authority."""
        verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": b64(der(certificate))}}
        record: dict[str, Any] = {
            "data": {"algorithm": "SHA2_256", "digest": b64(digest)},
            "signature": {"content": b64(signature), "verifier": verifier},
        }
        spec = {"hashedRekordV002": record}
        body = rfc8785.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec})
        with self._lock:
            index = self.log2.add(body)
            checkpoint = self._checkpoint(self.rekor2_origin, self.rekor2_id, self.rekor2_key.sign, self.log2)
            proof = self._proof(index, self.log2, checkpoint)
        return {
            "logIndex": str(index),
            "logId": {"keyId": b64(self.rekor2_id)},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "inclusionProof": proof,
            "canonicalizedBody": b64(body),
        }

    # -- bundles -------------------------------------------------------------------------------------------------------

    def sign(
        self,
        payload: bytes,
        person: Person = Person(),
        *,
        at: datetime | None = None,
        log: str = "v1",
        stamped: bool | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
        certificate: x509.Certificate | None = None,
        payload_type: str = PAYLOAD_TYPE,
    ) -> dict[str, Any]:
        """A bundle v0.3 around a DSSE envelope. An entry of Rekor v2 comes with a timestamp unless told otherwise."""
        at = at or self.now()
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = certificate or self.issue(key.public_key(), person, at)
        signed = pae(payload, payload_type)
        signature = key.sign(signed, _ECDSA)
        envelope = {"payload": b64(payload), "payloadType": payload_type, "signatures": [{"sig": b64(signature)}]}
        if log == "v1":
            body = dsse_entry(json.dumps(envelope).encode(), payload, [b64(signature)], pem(certificate))
            entry = self.rekor(body, "dsse", at)
        else:
            entry = self.rekor2(hashlib.sha256(signed).digest(), signature, certificate)
        material: dict[str, Any] = {"certificate": {"rawBytes": b64(der(certificate))}, "tlogEntries": [entry]}
        if log == "v2" if stamped is None else stamped:
            stamp = self.tsa.timestamp(hashlib.sha256(signature).digest(), at)
            material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": b64(stamp)}]}
        return {"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}

    def trusted_root(self) -> dict[str, Any]:
        valid = {"start": BEGAN.strftime("%Y-%m-%dT%H:%M:%SZ")}

        def log(url: str, key: PublicKey, details: str, key_id: bytes) -> dict[str, Any]:
            public = {"rawBytes": b64(spki(key)), "keyDetails": details, "validFor": valid}
            return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": {"keyId": b64(key_id)}}

        def authority(name: str, *chain: x509.Certificate) -> dict[str, Any]:
            return {
                "subject": {"organization": self.name, "commonName": name},
                "certChain": {"certificates": [{"rawBytes": b64(der(item))} for item in chain]},
                "validFor": valid,
            }

        p256, ct = "PKIX_ECDSA_P256_SHA_256", self.ct_key.public_key()
        rekor, rekor2 = self.rekor_key.public_key(), self.rekor2_key.public_key()
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                log(f"https://rekor.{self.name}", rekor, p256, self.rekor_id),
                log(f"https://{self.rekor2_origin}", rekor2, "PKIX_ED25519", self.rekor2_id),
            ],
            "certificateAuthorities": [authority("fulcio", self.authority, self.root)],
            "ctlogs": [log(f"https://ct.{self.name}", ct, p256, hashlib.sha256(spki(ct)).digest())],
            "timestampAuthorities": [authority("tsa", self.tsa.certificate, self.tsa_root)],
        }


def dsse_entry(envelope: bytes, payload: bytes, signatures: list[str], certificate: bytes) -> bytes:
    """What Rekor v1 records of an envelope."""

    def digest(data: bytes) -> dict[str, str]:
        return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}

    listed = [{"signature": item, "verifier": b64(certificate)} for item in signatures]
    spec: dict[str, Any] = {"envelopeHash": digest(envelope), "payloadHash": digest(payload), "signatures": listed}
    return bytes(rfc8785.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}))


def older(bundle: dict[str, Any], version: str) -> dict[str, Any]:
    """The same bundle as v0.1 or v0.2 wrote it."""
    material = dict(bundle["verificationMaterial"])
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    media_type = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    return {**bundle, "mediaType": media_type, "verificationMaterial": material}


def _general_name(subject: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(subject) if "://" in subject else x509.RFC822Name(subject)
