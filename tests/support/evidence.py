"""Signed evidence for tests: named test keys, statements, envelopes, bundles, artifacts and trust stores.

Every private key here is a test key: derived from its name where the algorithm allows, so that failures repeat.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from gate.formats.bundle import MEDIA_TYPE
from gate.formats.dsse import PAYLOAD_TYPE, pae
from gate.formats.intoto import STATEMENT_TYPE
from gate.formats.predicates.generic import predicate_type
from gate.formats.predicates.model_signature import PREDICATE_TYPE as MODEL_SIGNATURE
from gate.formats.predicates.model_signature import root_digest
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind, tree_digest
from gate.model.digest import Digest, hex_of, sha256_digest
from gate.model.evidence import Evidence, Rejected, Stage, Verified, VerifiedSet
from gate.model.settings import IdentitySettings, Revocations, SignerSettings, TrustSettings
from gate.verify.pipeline import verify_evidence
from gate.verify.trust import TrustStore, build_trust_store

NOW_S: Final = 1_795_176_000
LIMIT: Final = 1 << 20
SLSA: Final = "https://slsa.dev/provenance/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
KEY_TYPES: Final = ("ed25519", "p256", "p384", "rsa-pss", "rsa-pkcs1")
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class SigningKey:
    """A test key: never trusted outside tests."""

    kind: str
    private: Any

    @property
    def pem(self) -> bytes:
        return self._public(serialization.Encoding.PEM)

    @property
    def spki(self) -> Digest:
        return sha256_digest(self._public(serialization.Encoding.DER))

    def _public(self, encoding: serialization.Encoding) -> bytes:
        return bytes(self.private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo))

    @property
    def scheme(self) -> str | None:
        return {"rsa-pss": "rsa-pss-sha256", "rsa-pkcs1": "rsa-pkcs1v15-sha256"}.get(self.kind)

    def sign(self, data: bytes) -> bytes:
        arguments: dict[str, tuple[Any, ...]] = {
            "ed25519": (),
            "p256": (ec.ECDSA(hashes.SHA256()),),
            "p384": (ec.ECDSA(hashes.SHA384()),),
            "rsa-pss": (padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
            "rsa-pkcs1": (padding.PKCS1v15(), hashes.SHA256()),
        }
        return bytes(self.private.sign(data, *arguments[self.kind]))


@functools.cache
def make_key(name: str = "release", kind: str = "ed25519") -> SigningKey:
    """The test key of a name. The two RSA kinds of one name are one key."""
    seed = hashlib.sha256(f"test key {name}".encode()).digest()
    if kind == "ed25519":
        return SigningKey(kind, ed25519.Ed25519PrivateKey.from_private_bytes(seed))
    if kind == "p256":
        return SigningKey(kind, ec.derive_private_key(int.from_bytes(seed) % (_P256_ORDER - 1) + 1, ec.SECP256R1()))
    if kind == "p384":
        return SigningKey(kind, ec.derive_private_key(int.from_bytes(seed + seed[:8]), ec.SECP384R1()))
    return SigningKey(kind, _rsa_key(name))


@functools.cache
def _rsa_key(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


# -- statements --------------------------------------------------------------------------------------------------------


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(text: str | bytes) -> Digest:
    return sha256_digest(text.encode() if isinstance(text, str) else text)


def subject(name: str, digest: Digest, **other: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": hex_of(digest), **other}}


def statement(
    claim: str = "prompt",
    subjects: Mapping[str, Digest] | Sequence[Mapping[str, Any]] = (),
    *,
    depends_on: Sequence[Digest] = (),
    predicate: Mapping[str, Any] | None = None,
    kind: str | None = None,
    **members: Any,
) -> bytes:
    """The payload of a statement in the gate's own predicate type, or in another one with a predicate of its own."""
    listed = [subject(name, digest) for name, digest in subjects.items()] if isinstance(subjects, Mapping) else subjects
    body = dict(predicate or {})
    if claim in {"approval", "review"} and kind is None:
        body.setdefault("decision", "approved")
    if depends_on:
        body["depends_on"] = list(depends_on)
    value = {
        "_type": STATEMENT_TYPE,
        "subject": list(listed),
        "predicateType": kind or predicate_type(claim),
        "predicate": body,
        **members,
    }
    return encode(value)


def model_signature(files: Mapping[str, Digest], name: str = "model", **changes: Any) -> bytes:
    """An OpenSSF model signature over some files."""
    predicate = {
        "resources": [{"name": path, "digest": hex_of(files[path]), "algorithm": "sha256"} for path in sorted(files)],
        "serialization": {"method": "files", "hash_type": "sha256"},
        **changes,
    }
    root = root_digest([files[path] for path in sorted(files)])
    return statement(subjects={name: root}, kind=MODEL_SIGNATURE, predicate=predicate)


def provenance(subjects: Mapping[str, Digest], builder: str = "https://builder.test/1", **metadata: str) -> bytes:
    """Complete SLSA provenance v1."""
    predicate = {
        "buildDefinition": {
            "buildType": "https://builder.test/train/v1",
            "externalParameters": {},
            "resolvedDependencies": [{"uri": "git+https://code.test/x", "digest": {"sha1": "a" * 40}}],
        },
        "runDetails": {"builder": {"id": builder}, "metadata": metadata},
    }
    return statement(subjects=subjects, kind=SLSA, predicate=predicate)


# -- envelopes ---------------------------------------------------------------------------------------------------------


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def envelope_value(payload: bytes, *keys: SigningKey, keyid: str | None = None) -> dict[str, Any]:
    signatures: list[dict[str, Any]] = [{"sig": b64(key.sign(pae(PAYLOAD_TYPE, payload)))} for key in keys]
    if keyid is not None:
        signatures = [{**item, "keyid": keyid} for item in signatures]
    return {"payload": b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": signatures}


def bundle_value(payload: bytes, *keys: SigningKey, hint: str = "release") -> dict[str, Any]:
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": envelope_value(payload, *keys),
    }


def envelope(payload: bytes, *keys: SigningKey, keyid: str | None = None) -> bytes:
    return encode(envelope_value(payload, *(keys or (make_key(),)), keyid=keyid))


def bundle(payload: bytes, *keys: SigningKey, hint: str = "release") -> bytes:
    return encode(bundle_value(payload, *(keys or (make_key(),)), hint=hint))


# -- what asks for admission -------------------------------------------------------------------------------------------


def folder(
    name: str, files: Mapping[str, bytes | str], kind: ArtifactKind = ArtifactKind.WEIGHTS, path: str | None = None
) -> Artifact:
    """A folder with some files."""
    entries = {
        path: ArtifactFile(digest_of(content), len(content), "safetensors" if path.endswith("tensors") else "json")
        for path, content in files.items()
    }
    return Artifact(name, kind, path or f"models/{name}", None, False, None, tree_digest(entries), entries, True)


def single_file(name: str, path: str, content: bytes | str, kind: ArtifactKind = ArtifactKind.WEIGHTS) -> Artifact:
    digest = digest_of(content)
    entry = ArtifactFile(digest, len(content), "safetensors")
    return Artifact(name, kind, path, None, False, None, digest, {path.rpartition("/")[2]: entry})


def image(name: str, repository: str, digest: Digest | None) -> Artifact:
    reference = f"{repository}@{digest}" if digest else f"{repository}:latest"
    return Artifact(name, ArtifactKind.CONTAINER, None, reference, digest is None, None, digest, {})


def digests(artifact: Artifact) -> dict[str, Digest]:
    return {path: file.digest for path, file in artifact.files.items() if file.digest is not None}


# -- trust -------------------------------------------------------------------------------------------------------------


def signer(
    name: str = "release", key: SigningKey | None = None, claims: Sequence[str] = (), **more: Any
) -> SignerSettings:
    key = key or make_key(name)
    fields: dict[str, Any] = {"valid_from_s": None, "valid_until_s": None, "scheme": key.scheme} | more
    allowed = tuple(claims) or ("prompt", "eval", "artifact.signature", "build.provenance", "approval", "test.result")
    return SignerSettings(name, allowed, f"keys/{name}.pub", key.pem, None, **fields)


def keyless(name: str, claims: Sequence[str] = ("prompt",)) -> SignerSettings:
    identity = IdentitySettings("https://issuer.test", "https://workflow.test", None)
    return SignerSettings(name, tuple(claims), None, None, identity, None, None, None)


def trust_settings(
    *signers: SignerSettings,
    thresholds: Mapping[str, int] | None = None,
    revoked_keys: Sequence[str] = (),
    revoked_evidence: Sequence[str] = (),
) -> TrustSettings:
    revoked = Revocations(frozenset(revoked_keys), frozenset(), frozenset(revoked_evidence))
    named = {item.name: item for item in (signers or (signer(),))}
    return TrustSettings(named, dict(thresholds or {}), revoked, None, None, digest_of("trust"))


def trust(*signers: SignerSettings, now_s: int = NOW_S, **more: Any) -> TrustStore:
    return build_trust_store(trust_settings(*signers, **more), now_s)


# -- the pipeline ------------------------------------------------------------------------------------------------------


def no_other_digest(_digest: Digest, _algorithm: str) -> str | None:
    return None


def other_digests(*contents: bytes | str) -> Any:
    """sha384 and sha512 of some contents, as the gate computes them from files."""
    known = {digest_of(item): item.encode() if isinstance(item, str) else item for item in contents}
    return lambda digest, algorithm: hashlib.new(algorithm, known[digest]).hexdigest() if digest in known else None


def verify(
    *items: bytes | Evidence,
    store: TrustStore | None = None,
    artifacts: Sequence[Artifact] = (),
    changed: Mapping[str, Digest | None] | None = None,
    other_digest: Any = no_other_digest,
    limit: int = LIMIT,
) -> VerifiedSet:
    """Runs the pipeline over some bytes."""
    evidence = [
        item if isinstance(item, Evidence) else Evidence(f"{number}.json", item) for number, item in enumerate(items)
    ]
    return verify_evidence(
        evidence,
        store or trust(),
        {item.name: item for item in artifacts},
        dict(changed or {}),
        limit=limit,
        other_digest=other_digest,
    )


def only_rejected(found: VerifiedSet) -> Rejected:
    assert found.verified == ()
    assert len(found.rejected) == 1
    return found.rejected[0]


def only_verified(found: VerifiedSet) -> Verified:
    assert found.rejected == ()
    assert len(found.verified) == 1
    return found.verified[0]


def refusal(found: VerifiedSet) -> tuple[Stage, str]:
    item = only_rejected(found)
    return item.stage, item.code
