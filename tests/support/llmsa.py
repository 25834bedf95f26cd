"""Bundles as llmsa makes them, of whatever content, by a key of this test run."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.formats.llmsa import PAYLOAD_TYPE, go_canonical

TRUSTED = Ed25519PrivateKey.generate()
STRANGER = Ed25519PrivateKey.generate()
CONTENT = b"You are a careful assistant.\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def public_pem(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def resource(uri: str = "app/system_prompt.txt", content: bytes = CONTENT, **changes: Any) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    found = {"name": uri.rpartition("/")[2], "uri": uri, "digest": {"sha256": digest}, "size_bytes": len(content)}
    return {**found, **changes}


def statement(**changes: Any) -> dict[str, Any]:
    """A statement about a prompt; a member that is `...` is left out."""
    digest = f"sha256:{DIGEST}"
    found = {
        "schema_version": "1.0.0",
        "statement_id": "c6705a58-988c-4753-bbba-7c459cf656a4",
        "attestation_type": "prompt_attestation",
        "predicate_type": "https://llmsa.dev/attestation/prompt/v1",
        "generated_at": "2026-11-20T10:00:00Z",
        "generator": {"name": "llmsa", "version": "1.0.2", "git_sha": "local"},
        "subject": [resource()],
        "predicate": {
            "prompt_bundle_digest": digest,
            "system_prompt_digest": digest,
            "template_digests": [],
            "tool_schema_digests": [],
            "safety_policy_digest": digest,
        },
        "privacy": {"mode": "hash_only"},
        "annotations": {"generated_by": "llmsa attest create"},
        **changes,
    }
    return {key: value for key, value in found.items() if value is not ...}


def evaluation(*, regression: bool) -> dict[str, Any]:
    digest = f"sha256:{DIGEST}"
    names = ("testset", "scoring_config", "baseline_result", "candidate_result")
    return statement(
        attestation_type="eval_attestation",
        predicate_type="https://llmsa.dev/attestation/eval/v1",
        predicate={
            "eval_suite_id": "core",
            **{f"{name}_digest": digest for name in names},
            "metrics": {"faithfulness": 0.01},
            "thresholds": {"faithfulness_min": 0.9},
            "regression_detected": regression,
        },
        annotations={"depends_on": "corpus_attestation,prompt_attestation"},
    )


def signature(payload: bytes, key: Ed25519PrivateKey = TRUSTED, **changes: Any) -> dict[str, Any]:
    raw = key.public_key().public_bytes_raw()
    found = {
        "keyid": hashlib.sha256(raw).hexdigest()[:16],
        "sig": base64.b64encode(key.sign(payload)).decode(),
        "provider": "pem",
        "public_key_pem": public_pem(key),
    }
    return {**found, **changes}


def wrapped(payload: bytes, *signatures: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The bundle; `changes` are of its envelope."""
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": list(signatures),
    }
    return {
        "envelope": {**envelope, **changes},
        "metadata": {
            "bundle_version": "1",
            "created_at": "2026-11-20T10:00:00Z",
            "statement_hash": f"sha256:{hashlib.sha256(payload).hexdigest()}",
        },
    }


def signed(document: Any, key: Ed25519PrivateKey = TRUSTED, **changes: Any) -> bytes:
    """A good bundle around a statement; `changes` are of its signature."""
    payload = document if isinstance(document, bytes) else go_canonical(document)
    return json.dumps(wrapped(payload, signature(payload, key, **changes))).encode()
