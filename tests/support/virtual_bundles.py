"""Bundles of every kind that the virtual Sigstore can stand behind: keys, log entries, messages, managed keys."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.keyless import AT, PAYLOAD, signature_of, sigstore
from tests.support.virtual_sigstore import BUNDLE, PAYLOAD_TYPE, Person, VirtualSigstore, b64, der, pae, pem, spki

LeafKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
FILE: Final = b"what is in the file\n"
_HASHES: Final = {"secp384r1": ("sha384", hashes.SHA384()), "secp256r1": ("sha256", hashes.SHA256())}
_NAMES: Final = {"sha256": "SHA2_256", "sha384": "SHA2_384"}
KINDS: Final = (
    "dsse/0.0.1",
    "dsse/0.0.2",
    "hashedrekord/0.0.1",
    "hashedrekord/0.0.2",
    "intoto/0.0.1",
    "intoto/0.0.2",
)


def hash_of(key: LeafKey) -> str:
    return _HASHES[key.curve.name][0] if isinstance(key, ec.EllipticCurvePrivateKey) else "sha256"


def made_by(key: LeafKey, data: bytes) -> bytes:
    """A signature in the one way of the key."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(_HASHES[key.curve.name][1]))
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key.sign(data)


def body_of(kind: str, signed: bytes, payload: bytes, signature: bytes, signer: bytes, algorithm: str) -> bytes:
    """What a log records. `signer` is a certificate or a public key, in PEM."""
    name, _, version = kind.partition("/")
    digest = hashlib.new(algorithm, signed)
    hashed: Any = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
    raw = b64(base64.b64decode(b"".join(signer.splitlines()[1:-1])))
    held: dict[str, Any] = (
        {"x509Certificate": {"rawBytes": raw}} if b"CERTIFICATE" in signer else {"publicKey": {"rawBytes": raw}}
    )
    verifier: dict[str, Any] = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", **held}
    specs: dict[str, Callable[[], dict[str, Any]]] = {
        "dsse/0.0.1": lambda: {
            "envelopeHash": hashed,
            "payloadHash": hashed,
            "signatures": [{"signature": b64(signature), "verifier": b64(signer)}],
        },
        "dsse/0.0.2": lambda: {
            "dsseV002": {
                "payloadHash": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(payload).digest())},
                "signatures": [{"content": b64(signature), "verifier": verifier}],
            }
        },
        "hashedrekord/0.0.1": lambda: {
            "data": {"hash": {"algorithm": algorithm, "value": digest.hexdigest()}},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(signer)}},
        },
        "hashedrekord/0.0.2": lambda: {
            "hashedRekordV002": {
                "data": {"algorithm": _NAMES[algorithm], "digest": b64(digest.digest())},
                "signature": {"content": b64(signature), "verifier": verifier},
            }
        },
        "intoto/0.0.1": lambda: {"content": {"hash": hashed, "payloadHash": hashed}, "publicKey": b64(signer)},
        "intoto/0.0.2": lambda: {
            "content": {
                "envelope": {
                    "payloadType": PAYLOAD_TYPE,
                    "signatures": [{"publicKey": b64(signer), "sig": b64(b64(signature).encode())}],
                },
                "hash": hashed,
                "payloadHash": hashed,
            }
        },
    }
    return bytes(rfc8785.dumps({"apiVersion": version, "kind": name, "spec": specs[kind]()}))


def entry_of(instance: VirtualSigstore, kind: str, body: bytes, at: datetime) -> dict[str, Any]:
    """The entry in the log that takes such entries."""
    name, _, version = kind.partition("/")
    if kind not in {"dsse/0.0.2", "hashedrekord/0.0.2"}:
        entry = instance.rekor(body, name, at)
        return {**entry, "kindVersion": {"kind": name, "version": version}}
    log = instance.log2
    index = log.add(body)
    checkpoint = instance._checkpoint(instance.rekor2_origin, instance.rekor2_id, instance.rekor2_key.sign, log)
    return {
        "logIndex": str(index),
        "logId": {"keyId": b64(instance.rekor2_id)},
        "kindVersion": {"kind": name, "version": version},
        "inclusionProof": instance._proof(index, log, checkpoint),
        "canonicalizedBody": b64(body),
    }


def bundle(
    kind: str | None = "dsse/0.0.1",
    *,
    key: LeafKey | None = None,
    content: bytes = PAYLOAD,
    message: bool = False,
    managed: bool = False,
    stamped: bool | None = None,
    at: datetime = AT,
    person: Person | None = None,
    instance: VirtualSigstore | None = None,
    certificate: x509.Certificate | None = None,
) -> dict[str, Any]:
    """A bundle around a statement or over a message, with an entry of a kind or in no log (`None`).

    An entry that says no time comes with a timestamp, unless told otherwise.
    """
    instance, key = instance or sigstore(), key or ec.generate_private_key(ec.SECP256R1())
    signed, algorithm = (content if message else pae(content)), hash_of(key)
    signature = made_by(key, signed)
    public = key.public_key()
    if managed:
        signer = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        material: dict[str, Any] = {"publicKey": {"hint": ""}}
    else:
        assert not isinstance(public, rsa.RSAPublicKey)
        certificate = certificate or instance.issue(public, person or Person(), at)
        signer, material = pem(certificate), {"certificate": {"rawBytes": b64(der(certificate))}}
    body = None if kind is None else body_of(kind, signed, content, signature, signer, algorithm)
    material["tlogEntries"] = [] if kind is None or body is None else [entry_of(instance, kind, body, at)]
    if kind in {None, "dsse/0.0.2", "hashedrekord/0.0.2"} if stamped is None else stamped:
        stamp = instance.tsa.timestamp(hashlib.sha256(signature).digest(), at)
        material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": b64(stamp)}]}
    if message:
        digest = {"algorithm": _NAMES[algorithm], "digest": b64(hashlib.new(algorithm, content).digest())}
        signs: dict[str, Any] = {"messageSignature": {"messageDigest": digest, "signature": b64(signature)}}
    else:
        envelope = {"payload": b64(content), "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": b64(signature)}]}
        signs = {"dsseEnvelope": envelope}
    return {"mediaType": BUNDLE, "verificationMaterial": material, **signs}


def promised(found: dict[str, Any]) -> dict[str, Any]:
    """A bundle v0.1 whose entry has the promise of its log and no proof."""
    material = dict(found["verificationMaterial"])
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    material["tlogEntries"] = [
        {name: value for name, value in item.items() if name != "inclusionProof"} for item in material["tlogEntries"]
    ]
    first = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    return {**found, "mediaType": first, "verificationMaterial": material}


def with_body(found: dict[str, Any], body: bytes, at: datetime = AT) -> dict[str, Any]:
    """A bundle with another body in its entry, which its log really holds."""
    (old,) = found["verificationMaterial"]["tlogEntries"]
    kind = f"{old['kindVersion']['kind']}/{old['kindVersion']['version']}"
    material = {**found["verificationMaterial"], "tlogEntries": [entry_of(sigstore(), kind, body, at)]}
    return {**found, "verificationMaterial": material}


def public_pem(key: LeafKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id(key: ec.EllipticCurvePrivateKey) -> str:
    return b64(hashlib.sha256(spki(key.public_key())).digest())


ENTRY: Final = "verificationMaterial.tlogEntries.0"
STAMPS: Final = "verificationMaterial.timestampVerificationData.rfc3161Timestamps"
P256: Final = ec.generate_private_key(ec.SECP256R1())
P384: Final = ec.generate_private_key(ec.SECP384R1())
ED25519: Final = ed25519.Ed25519PrivateKey.generate()
KEYS: Final[dict[str, LeafKey]] = {"p256": P256, "p384": P384, "ed25519": ED25519}


def pairs(first: Collection[Any], second: Collection[Any]) -> list[tuple[Any, Any]]:
    return list(itertools.product(first, second))


def other_signature(_: str) -> str:
    return b64(signature_of(bundle()))


CHANGES: Final[dict[str, tuple[str, Any]]] = {
    "a changed payload": ("dsseEnvelope.payload", b64(b"{}")),
    "another signature": ("dsseEnvelope.signatures.0.sig", other_signature),
    "an empty signature": ("dsseEnvelope.signatures.0.sig", ""),
    "two signatures": ("dsseEnvelope.signatures", lambda items: items * 2),
    "two entries": ("verificationMaterial.tlogEntries", lambda items: items * 2),
    "no entry": ("verificationMaterial.tlogEntries", []),
    "a tree of nothing": (f"{ENTRY}.inclusionProof.treeSize", "0"),
    "another tree": (f"{ENTRY}.inclusionProof.treeSize", lambda text: str(int(text) + 1)),
    "another place": (f"{ENTRY}.inclusionProof.logIndex", lambda text: str(int(text) - 1)),
    "another root": (f"{ENTRY}.inclusionProof.rootHash", lambda _: b64(b"\0" * 32)),
    "a hash less": (f"{ENTRY}.inclusionProof.hashes.0", ...),
    "a hash more": (f"{ENTRY}.inclusionProof.hashes", lambda items: items * 2),
    "an unsigned checkpoint": (
        f"{ENTRY}.inclusionProof.checkpoint.envelope",
        lambda text: text.partition("\u2014")[0],
    ),
    "a checkpoint in another name": (
        f"{ENTRY}.inclusionProof.checkpoint.envelope",
        lambda text: text.replace("\u2014 r", "\u2014 x"),
    ),
    "a checkpoint with another hint": (
        f"{ENTRY}.inclusionProof.checkpoint.envelope",
        lambda text: text[: text.rindex(" ") + 1] + "AAAA" + text[text.rindex(" ") + 5 :],
    ),
    "a checkpoint of junk": (f"{ENTRY}.inclusionProof.checkpoint.envelope", "x"),
    "a checkpoint without a number": (
        f"{ENTRY}.inclusionProof.checkpoint.envelope",
        lambda text: text.replace("\n", "\nx", 1),
    ),
    "a checkpoint whose root is no base64": (
        f"{ENTRY}.inclusionProof.checkpoint.envelope",
        lambda text: "\n".join([*text.split("\n")[:2], "!", *text.split("\n")[3:]]),
    ),
    "a line that is no signature": (f"{ENTRY}.inclusionProof.checkpoint.envelope", lambda text: text + "x\n"),
    "an unknown kind": (f"{ENTRY}.kindVersion.kind", "rekord"),
    "another kind": (f"{ENTRY}.kindVersion", {"kind": "dsse", "version": "0.0.2"}),
    "an unknown log": (f"{ENTRY}.logId.keyId", b64(b"x" * 32)),
    "another body": (f"{ENTRY}.canonicalizedBody", b64(b"{}")),
}
