"""Attacks on bundles of llmsa (rows A1 to A5, A11 to A13 and A16 of its study): what it let pass is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.collect.legacy import read_bundles
from gate.formats.canonical_json import dumps
from gate.formats.dsse import PAYLOAD_TYPE, pae
from gate.formats.llmsa import go_canonical
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind, tree_digest
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence, VerifiedSet
from gate.model.settings import Limits, Revocations, SignerSettings, TrustSettings
from gate.verify.pipeline import verify_evidence
from gate.verify.trust import TrustStore, build_trust_store
from tests.support.llmsa import (
    CONTENT,
    DIGEST,
    STRANGER,
    TRUSTED,
    evaluation,
    public_pem,
    resource,
    signature,
    signed,
    statement,
    wrapped,
)

NOW_S = 1795200000
IDENTITY = {
    "provider": "sigstore",
    "oidc_issuer": "https://token.actions.githubusercontent.com",
    "oidc_identity": "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1",
}
GOOD = go_canonical(statement())


def trust(pem: str = "") -> TrustStore:
    text = (pem or public_pem(TRUSTED)).encode()
    signer = SignerSettings("old", ("prompt", "eval"), "old.pub", text, None, None, None, None)
    nothing = Revocations(frozenset(), frozenset(), frozenset())
    return build_trust_store(TrustSettings({"old": signer}, {}, nothing, None, None, Digest("")), NOW_S)


def artifacts(content: bytes = CONTENT) -> Mapping[str, Artifact]:
    files = {"system_prompt.txt": ArtifactFile(sha256_digest(content), len(content), "unknown")}
    found = Artifact("prompt", ArtifactKind.PROMPT, "app", None, False, None, tree_digest(files), files, True)
    return {"prompt": found}


def judged(*bundles: bytes, content: bytes = CONTENT, legacy: bool = True, pem: str = "") -> VerifiedSet:
    items = [Evidence(f"{number}.bundle.json", data, legacy) for number, data in enumerate(bundles)]
    return verify_evidence(
        items, trust(pem), artifacts(content), {}, limit=Limits().evidence_bytes, other_digest=lambda *_: None
    )


def outcome(*bundles: bytes, content: bytes = CONTENT, legacy: bool = True, pem: str = "") -> tuple[str, int]:
    """The code of the only item and its exit code; `verified` and 0 when it counts."""
    found = judged(*bundles, content=content, legacy=legacy, pem=pem)
    if found.verified:
        assert not found.rejected
        return "verified", 0
    (item,) = found.rejected
    return item.code, item.stage.exit_code


def envelope(payload: bytes, **changes: Any) -> bytes:
    """A DSSE envelope around a payload, signed as llmsa signs."""
    signature_text = base64.b64encode(TRUSTED.sign(payload)).decode()
    found = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": signature_text}],
    }
    return json.dumps({**found, **changes}).encode()


def test_a_bundle_of_a_trusted_key_counts_for_what_it_names() -> None:
    (item,) = judged(signed(statement())).verified
    assert (item.statement.claim, item.artifacts, item.signers[0].name) == ("prompt", ("prompt",), "old")
    assert item.statement.facts["format"] == "llmsa"
    assert item.statement.facts["collected"] is False
    assert item.statement.depends_on == ()


def test_an_evaluation_without_digests_of_predecessors_is_no_collected_one() -> None:
    (item,) = judged(signed(evaluation(regression=True))).verified
    assert (item.statement.facts["result"], item.statement.facts["collected"], item.ancestors) == ("failed", False, ())


@pytest.mark.parametrize(
    ("name", "bundle"),
    [
        ("A1", signed(statement(), STRANGER)),
        ("A1-with-the-trusted-key-beside-it", signed(statement(), STRANGER, public_key_pem=public_pem(TRUSTED))),
        ("A2", signed(statement(), STRANGER, **IDENTITY)),
        ("A2-with-a-certificate", signed(statement(), STRANGER, **IDENTITY, certificate_pem="x")),
        ("A3", signed(statement(), STRANGER, provider="banana")),
        ("T11", signed(statement(), sig="AAAA" * 22)),
        ("T14", json.dumps(wrapped(GOOD)).encode()),
    ],
)
def test_a_key_that_comes_with_the_bundle_is_nobodys(name: str, bundle: bytes) -> None:
    code, exit_code = outcome(bundle)
    assert (code, exit_code) == ("signature.none" if name == "T14" else "signature.untrusted", 11)


def test_a4_another_payload_type_is_refused() -> None:
    for kind in ("text/plain", PAYLOAD_TYPE, ""):
        data = json.dumps(wrapped(GOOD, signature(GOOD), payloadType=kind)).encode()
        assert outcome(data) == ("envelope.payload_type", 14)


def test_a5_a_junk_signature_beside_a_good_one_adds_nothing() -> None:
    junk = signature(b"something else", STRANGER)
    for signatures in ((junk, signature(GOOD)), (signature(GOOD), junk)):
        found = judged(json.dumps(wrapped(GOOD, *signatures)).encode())
        assert [signer.name for signer in found.verified[0].signers] == ["old"]


def test_t13_a_wrong_hash_in_the_metadata_is_refused() -> None:
    bundle = wrapped(GOOD, signature(GOOD))
    bundle["metadata"]["statement_hash"] = "sha256:" + "0" * 64
    assert outcome(json.dumps(bundle).encode()) == ("signature.statement_hash", 11)


@pytest.mark.parametrize(
    "data",
    [
        signed(GOOD.replace(b'"annotations"', b'"schema_version":"1.0.0","annotations"', 1)),
        signed(json.dumps(statement()).encode()),
        signed(GOOD).replace(b'"payload"', b'"PAYLOAD"'),
        signed(GOOD).replace(b'"envelope"', b'"ENVELOPE"'),
        signed(GOOD).replace(b'"metadata"', b'"metadata": {}, "metadata"'),
    ],
    ids=["duplicate-key", "not-canonical", "case-of-payload", "case-of-envelope", "duplicate-metadata"],
)
def test_a16_what_two_parsers_read_differently_is_refused(data: bytes) -> None:
    assert outcome(data)[1] == 14


@pytest.mark.parametrize(
    ("document", "code", "exit_code"),
    [
        (statement(generated_at="2999-01-01T00:00:00Z"), "statement.future", 14),
        (statement(subject=[resource("../../etc/passwd")]), "subject.path", 12),
        (statement(subject=[resource("/dev/zero")]), "subject.path", 12),
        (statement(subject=[]), "statement.predicate", 14),
    ],
    ids=["A11", "A12", "A13", "A10"],
)
def test_times_paths_and_subjects_are_judged_as_those_of_other_statements(
    document: Any, code: str, exit_code: int
) -> None:
    assert outcome(signed(document)) == (code, exit_code)


def test_an_edited_file_is_seen() -> None:
    assert outcome(signed(statement()), content=b"You obey.\n") == ("subject.mismatch", 12)


def test_nothing_falls_back_to_the_weaker_form() -> None:
    """An envelope that was signed without PAE, and a bundle of llmsa where gate.yaml does not ask for it."""
    in_toto = dumps({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x", "predicate": {}})
    for payload in (in_toto, GOOD):
        assert outcome(envelope(payload), legacy=False) == ("signature.untrusted", 11)
        assert outcome(envelope(payload)) == ("envelope.shape", 14)
    assert outcome(signed(statement()), legacy=False)[1] == 14


def test_a_statement_of_llmsa_in_a_proper_envelope_is_unknown() -> None:
    payload = dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "app/system_prompt.txt", "digest": {"sha256": DIGEST}}],
            "predicateType": "https://llmsa.dev/attestation/prompt/v1",
            "predicate": statement()["predicate"],
        }
    )
    good = base64.b64encode(TRUSTED.sign(pae(PAYLOAD_TYPE, payload))).decode()
    data = envelope(payload, signatures=[{"sig": good}])
    assert outcome(data, legacy=False) == ("statement.predicate_unknown", 14)


def test_a_signature_over_a_pae_is_none_over_a_payload() -> None:
    """What a key signed as DSSE can't be unwrapped into a bundle of llmsa, nor the other way."""
    encoded = pae(PAYLOAD_TYPE, GOOD)
    assert outcome(json.dumps(wrapped(GOOD, signature(encoded))).encode()) == ("signature.untrusted", 11)
    assert outcome(signed(encoded)) == ("statement.json", 14)


def test_only_ed25519_keys_sign_in_this_form() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    sig = base64.b64encode(key.sign(GOOD, ec.ECDSA(hashes.SHA256()))).decode()
    assert outcome(signed(GOOD, sig=sig), pem=pem) == ("signature.untrusted", 11)


def test_only_bundles_are_read_and_they_are_marked(tmp_path: Any) -> None:
    for name in ("a.bundle.json", "statement_prompt.json", "b.txt"):
        (tmp_path / name).write_bytes(b"{}")
    (tmp_path / "lines.jsonl").write_bytes(b"{}\n")
    found, skipped = read_bundles(tmp_path.parent, tmp_path.name, Limits())
    place = tmp_path.name
    assert [(item.origin, item.is_legacy) for item in found] == [
        (f"{place}/a.bundle.json (format: llmsa, payload type unauthenticated)", True)
    ]
    assert skipped == {
        f"{place}/b.txt": "not named like evidence (.json, .jsonl, .sigstore, .dsse, .att, .attestation, .provenance)",
        f"{place}/lines.jsonl#1": "not named like a bundle of llmsa (*.bundle.json)",
        f"{place}/statement_prompt.json": "not named like a bundle of llmsa (*.bundle.json)",
    }
