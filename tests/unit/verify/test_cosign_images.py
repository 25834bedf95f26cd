"""Signatures that cosign made of public images count, offline, and whatever is changed in them does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sigstore

from gate.formats.carriers.cosign import CosignError, signed_image
from gate.formats.oci import parse_manifest
from gate.model.evidence import Evidence, Rejected, TimeSource, Verified
from gate.verify.pipeline import admit_evidence
from gate.verify.trust import TrustStore
from tests.support.keyless import keyless, keyless_trust

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "oci"
ROOT = Path(sigstore.__file__).parent / "_store/https%3A%2F%2Ftuf-repo-cdn.sigstore.dev/trusted_root.json"
BUNDLE = "dev.sigstore.cosign/bundle"
NOW_S = 1795000000
SIGNED = {
    "securebuild-bazel": (
        "cosign@cosign-test-bazel-1-384518.iam.gserviceaccount.com",
        "https://accounts.google.com",
        "5ce2d8cd8e366d76ce012edc346daeb15a5643c26b9b24a2b731e97a99c6de52",
        1682189742,
    ),
    "server_image": (
        "https://github.com/salrashid123/go-bazel-github-workflow/.github/workflows/release.yaml@refs/tags/v0.0.14",
        "https://token.actions.githubusercontent.com",
        "adce22cdd04fa2b012209f2d048c883c66b7ab89eaadf4f596899fde52d3b0bd",
        1770388876,
    ),
}


def attached(name: str) -> tuple[bytes, Mapping[str, str]]:
    """The payload of a signature, and what stands beside it."""
    (layer,) = parse_manifest((VECTORS / f"{name}.sig.json").read_bytes()).layers
    return (VECTORS / f"{name}.payload.json").read_bytes(), layer.annotations


def store(subject: str, issuer: str) -> TrustStore:
    signer = keyless("release", subject, issuer, claims=("artifact.signature",))
    return keyless_trust(signer, root=ROOT.read_bytes(), now_s=NOW_S)


def judged(payload: bytes, annotations: Mapping[str, str], trust: TrustStore) -> Verified | Rejected:
    item = Evidence("registry/app@sha256:1#layers[0]", signed_image(payload, annotations), message=payload)
    found = admit_evidence([item], trust, limit=1 << 20).settle({}, {}, lambda _digest, _algorithm: None)
    results: list[Verified | Rejected] = [*found.verified, *found.rejected]
    assert len(results) == 1
    return results[0]


@pytest.mark.parametrize("name", SIGNED)
def test_a_real_signature_is_accepted(name: str) -> None:
    subject, issuer, image, at_s = SIGNED[name]
    found = judged(*attached(name), store(subject, issuer))
    assert isinstance(found, Verified), found
    assert found.statement.claim == "artifact.signature"
    assert [item.digest for item in found.statement.subjects] == [f"sha256:{image}"]
    assert (found.signed_at_s, found.time_source) == (at_s, TimeSource.LOG)
    assert not found.log_included, "a promise of the log is its time, and no proof that it kept it"


@pytest.mark.parametrize("name", SIGNED)
def test_another_identity_or_issuer_is_refused(name: str) -> None:
    subject, issuer, _, _ = SIGNED[name]
    for trust in (store(f"{subject}x", issuer), store(subject, "https://issuer.example")):
        assert isinstance(judged(*attached(name), trust), Rejected)


def damaged(name: str) -> Iterator[tuple[bytes, Mapping[str, str]]]:
    """The same signature with one thing changed."""
    payload, annotations = attached(name)
    for position in range(0, len(payload), 15):
        yield payload[:position] + bytes([payload[position] ^ 1]) + payload[position + 1 :], annotations
    other = attached(next(item for item in SIGNED if item != name))
    yield other[0], annotations
    for key in annotations:
        yield payload, {**annotations, key: other[1][key]}
        yield payload, {item: text for item, text in annotations.items() if item != key}
    promise = json.loads(annotations[BUNDLE])
    for member, value in (("logIndex", 1), ("integratedTime", 1682189743), ("logID", "00" * 32)):
        changed = {**promise, "Payload": {**promise["Payload"], member: value}}
        yield payload, {**annotations, BUNDLE: json.dumps(changed)}
    yield payload, {**annotations, BUNDLE: json.dumps({**promise, "SignedEntryTimestamp": "MAA="})}


@pytest.mark.parametrize("name", SIGNED)
def test_s08_a_changed_signature_is_refused(name: str) -> None:
    subject, issuer, _, _ = SIGNED[name]
    trust, count = store(subject, issuer), 0
    for payload, beside in damaged(name):
        count += 1
        try:
            assert isinstance(judged(payload, beside, trust), Rejected)
        except CosignError:
            assert "dev.cosignproject.cosign/signature" not in beside
    assert count > 25
