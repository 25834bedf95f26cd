"""Test keys, statements and envelopes for the fixtures, made from the public formats and without the gate's code.

Equal input gives equal bytes: ECDSA is deterministic (RFC 6979), RSA-PSS has no salt, and keys are derived from their
names. An RSA key cannot be derived, so the one there is is kept.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

KEYS: Final = Path(__file__).resolve().parent.parent / "fixtures" / "keys"
KINDS: Final = {
    "release": "ed25519",
    "builder": "p256",
    "approver": "ed25519",
    "second": "p384",
    "auditor": "rsa",
    "stranger": "ed25519",
}
"""The test keys by name."""

IN_TOTO: Final = "application/vnd.in-toto+json"
BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
MODEL_SIGNATURE: Final = "https://model_signing/signature/v1.0"
SLSA_V1: Final = "https://slsa.dev/provenance/v1"
SLSA_V02: Final = "https://slsa.dev/provenance/v0.2"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
SOURCE: Final = {"uri": "git+https://code.example/acme/app", "digest": {"gitCommit": "a" * 40}}
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Key:
    """A test key. `pkcs1` makes an RSA key sign in that scheme instead of PSS."""

    name: str
    private: Private
    pkcs1: bool = False

    @property
    def pem(self) -> bytes:
        """The public key."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def private_pem(self) -> bytes:
        """The private key, in PKCS#8."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def spki(self) -> str:
        """The digest of the public key."""
        der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"sha256:{sha256(der)}"

    def sign(self, data: bytes) -> bytes:
        """A signature in the one scheme of the key."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        if isinstance(self.private, rsa.RSAPrivateKey):
            hashed = hashes.SHA256()
            pss = padding.PSS(padding.MGF1(hashed), 0)
            return self.private.sign(data, padding.PKCS1v15() if self.pkcs1 else pss, hashed)
        digest = hashes.SHA384() if self.private.curve.name == "secp384r1" else hashes.SHA256()
        return self.private.sign(data, ec.ECDSA(digest, deterministic_signing=True))


@functools.cache
def key(name: str) -> Key:
    """The test key of a name: derived from it, and for RSA the kept one."""
    seed = hashlib.sha256(f"gate test key {name}, never to be trusted".encode()).digest()
    kind = KINDS.get(name, "ed25519")
    if kind == "ed25519":
        return Key(name, ed25519.Ed25519PrivateKey.from_private_bytes(seed))
    if kind == "p256":
        return Key(name, ec.derive_private_key(int.from_bytes(seed) % (_P256_ORDER - 1) + 1, ec.SECP256R1()))
    if kind == "p384":
        return Key(name, ec.derive_private_key(int.from_bytes(seed + seed[:8]), ec.SECP384R1()))
    private = load_pem_private_key((KEYS / f"{name}.key").read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return Key(name, private)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# -- statements --------------------------------------------------------------------------------------------------------


def subjects(files: Files) -> list[dict[str, object]]:
    return [{"name": name, "digest": {"sha256": sha256(data)}} for name, data in sorted(files.items())]


def statement(kind: str, about: Sequence[Mapping[str, object]], predicate: Mapping[str, object]) -> bytes:
    return encode({"_type": STATEMENT, "subject": list(about), "predicateType": kind, "predicate": predicate})


def model_signature(name: str, files: Files) -> bytes:
    """OpenSSF model signing v1.0: all files of a model, by path below it."""
    digests = [sha256(data) for _, data in sorted(files.items())]
    root = sha256(b"".join(bytes.fromhex(digest) for digest in digests))
    resources = [
        {"name": path, "digest": digest, "algorithm": "sha256"}
        for path, digest in zip(sorted(files), digests, strict=True)
    ]
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}
    predicate = {"resources": resources, "serialization": serialization}
    return statement(MODEL_SIGNATURE, [{"name": name, "digest": {"sha256": root}}], predicate)


def provenance(
    about: Sequence[Mapping[str, object]],
    *,
    dependencies: Sequence[Mapping[str, object]] = (SOURCE,),
    builder: str = "https://builder.example/training",
    finished: str = "2026-11-20T11:00:00Z",
) -> bytes:
    """SLSA provenance v1."""
    predicate = {
        "buildDefinition": {
            "buildType": "https://builder.example/training/v1",
            "externalParameters": {"recipe": "r1"},
            "resolvedDependencies": list(dependencies),
        },
        "runDetails": {
            "builder": {"id": builder},
            "metadata": {"invocationId": "1", "startedOn": "2026-11-20T10:00:00Z", "finishedOn": finished},
        },
    }
    return statement(SLSA_V1, about, predicate)


def provenance_v02(about: Sequence[Mapping[str, object]]) -> bytes:
    """SLSA provenance v0.2."""
    predicate = {
        "builder": {"id": "https://builder.example/training"},
        "buildType": "https://builder.example/training/v1",
        "invocation": {"configSource": SOURCE, "parameters": {}},
        "metadata": {"buildInvocationId": "1", "buildFinishedOn": "2026-11-20T11:00:00Z"},
        "materials": [{"uri": SOURCE["uri"], "digest": {"sha1": "a" * 40}}],
    }
    return statement(SLSA_V02, about, predicate)


def result_of_tests(about: Sequence[Mapping[str, object]], result: str = "PASSED") -> bytes:
    """in-toto test-result v0.1."""
    configuration = [{"uri": "git+https://code.example/tests", "digest": {"gitCommit": "b" * 40}}]
    predicate = {
        "result": result,
        "configuration": configuration,
        "passedTests": ["loads"] if result == "PASSED" else [],
        "warnedTests": [],
        "failedTests": [] if result == "PASSED" else ["loads"],
    }
    return statement(TEST_RESULT, about, predicate)


def own(
    claim: str,
    about: Sequence[Mapping[str, object]],
    created: str | None = "2026-11-20T10:00:00Z",
    *,
    depends_on: Sequence[bytes] = (),
    **more: object,
) -> bytes:
    """A statement in the gate's own predicate type of a claim. `depends_on` are payloads."""
    predicate: dict[str, object] = {"created_at": created} if created is not None else {}
    if depends_on:
        predicate["depends_on"] = [f"sha256:{sha256(payload)}" for payload in depends_on]
    if claim in {"approval", "review"}:
        predicate["decision"] = "approved"
    return statement(own_type(claim), about, {**predicate, **more})


def own_type(claim: str) -> str:
    """The gate's own predicate type of a claim."""
    word = {"scan.report": "scan"}.get(claim, claim.replace(".", "-"))
    return f"urn:promotion-gate:predicate:{word}:v1"


# -- envelopes ---------------------------------------------------------------------------------------------------------


def pae(payload: bytes, kind: str = IN_TOTO) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def envelope_value(payload: bytes, *keys: Key) -> dict[str, object]:
    signatures = [{"keyid": "", "sig": base64.b64encode(one.sign(pae(payload))).decode()} for one in keys]
    return {"payloadType": IN_TOTO, "payload": base64.b64encode(payload).decode(), "signatures": signatures}


def envelope(payload: bytes, *keys: Key) -> bytes:
    """A bare DSSE envelope."""
    return encode(envelope_value(payload, *keys))


def bundle(payload: bytes, *keys: Key) -> bytes:
    """A Sigstore bundle v0.3 of a managed key."""
    return encode(
        {
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": keys[0].spki.removeprefix("sha256:")}},
            "dsseEnvelope": envelope_value(payload, *keys),
        }
    )


# -- files and reports -------------------------------------------------------------------------------------------------


def safetensors(note: str) -> bytes:
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    header = json.dumps({"__metadata__": {"note": note}, "w": tensor}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + bytes(8)


def runs_code() -> bytes:
    """A pickle that would call `os.system`; it is data here, and nothing ever loads it."""
    return b"cos\nsystem\n(S'echo this would have run'\ntR."


def modelscan(
    files: Sequence[str],
    issues: Sequence[Mapping[str, object]] = (),
    errors: Sequence[Mapping[str, object]] = (),
    target: str = "models/summarizer",
) -> bytes:
    """A report as modelscan 0.8 writes it."""
    levels = [issue["severity"] for issue in issues]
    summary = {
        "total_issues_by_severity": {level: levels.count(level) for level in ("LOW", "MEDIUM", "HIGH", "CRITICAL")},
        "total_issues": len(issues),
        "input_path": target,
        "absolute_path": "/x",
        "modelscan_version": "0.8.8",
        "timestamp": "2026-11-20T11:30:00",
        "scanned": {"total_scanned": len(files), "scanned_files": list(files)},
    }
    return encode({"summary": summary, "issues": list(issues), "errors": list(errors)})


def issue(source: str, severity: str = "CRITICAL") -> dict[str, object]:
    """A finding of modelscan."""
    return {
        "description": "Use of unsafe operator 'system' from module 'posix'",
        "operator": "system",
        "module": "posix",
        "source": source,
        "scanner": "modelscan.scanners.PickleUnsafeOpScan",
        "severity": severity,
    }


def sarif(files: Files, results: Sequence[Mapping[str, object]] = (), *, successful: bool = True) -> bytes:
    """SARIF 2.1.0 of a made-up tool that lists what it scanned with digests."""
    rules = [{"id": "S201", "properties": {"security-severity": "9.8"}}]
    run = {
        "tool": {"driver": {"name": "modelaudit", "version": "0.2.54", "rules": rules}},
        "invocations": [{"executionSuccessful": successful}],
        "artifacts": [
            {"location": {"uri": path}, "hashes": {"sha-256": sha256(data)}} for path, data in sorted(files.items())
        ],
        "results": list(results),
    }
    return encode({"version": "2.1.0", "runs": [run]})


def sarif_result(uri: str, level: str = "error") -> dict[str, object]:
    """A result of that tool."""
    place = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    return {"ruleId": "S201", "level": level, "message": {"text": "unsafe operator"}, "locations": [place]}
