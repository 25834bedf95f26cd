"""Bundles and statements of llmsa: its golden files, and what is none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.bundle import BundleError
from gate.formats.intoto import StatementError
from gate.formats.llmsa import PAYLOAD_TYPE, go_canonical, parse_legacy, read_legacy
from gate.model.digest import Digest
from gate.model.evidence import Statement, Subject
from tests.support.llmsa import DIGEST, evaluation, resource, signature, signed, statement, wrapped

KEPT = Path(__file__).resolve().parents[3] / "fixtures" / "llmsa"
LIMIT = 1 << 20
GOOD = go_canonical(statement())


def read(document: Any) -> Statement:
    return read_legacy(document if isinstance(document, bytes) else go_canonical(document), limit=LIMIT)


def bundle_problem(data: bytes) -> tuple[str, str]:
    with pytest.raises(BundleError) as caught:
        parse_legacy(data, limit=LIMIT)
    return caught.value.code, str(caught.value)


def statement_problem(document: Any) -> tuple[str, str]:
    with pytest.raises(StatementError) as caught:
        read(document)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize("path", sorted((KEPT / "bundles").iterdir()), ids=lambda path: path.name.split("_")[1])
def test_golden_bundles_are_read(path: Path) -> None:
    bundle = parse_legacy(path.read_bytes(), limit=LIMIT)
    assert bundle.is_hash_right
    found = read(bundle.payload)
    claim = path.name.split("_")[1]
    assert (found.claim, found.predicate_type) == (claim, f"https://llmsa.dev/attestation/{claim}/v1")
    assert found.facts == {
        "result": "passed" if claim == "eval" else None,
        "decision": None,
        "collected": False,
        "privacy": {"mode": "hash_only", "payloads": []},
        "format": "llmsa",
    }
    assert all(item.name.startswith("examples/tiny-rag/") for item in found.subjects)
    assert (found.located, found.depends_on, found.stated_at_s) == (True, (), 1795202552)


def test_the_canonical_form_is_that_of_the_golden_probe() -> None:
    payload = parse_legacy((KEPT / "canonical_probe.bundle.json").read_bytes(), limit=LIMIT).payload
    assert go_canonical({**json.loads(payload), "e": -0.0}) == payload
    assert go_canonical([0.0, 750.0, True, None, []]) == b"[0,750,true,null,[]]"


def test_a_statement_names_its_files_by_path() -> None:
    found = read(statement(subject=[resource(), resource("app/b.txt", b""), resource()]))
    assert found.subjects == found.resources
    assert found.subjects[0] == Subject("app/system_prompt.txt", Digest(f"sha256:{DIGEST}"))
    assert len(found.subjects) == 2


def test_an_evaluation_says_its_result_and_a_mode_of_privacy_is_kept() -> None:
    assert read(evaluation(regression=True)).facts["result"] == "failed"
    assert read(evaluation(regression=False)).facts["result"] == "passed"
    found = read(statement(privacy={"mode": "plaintext_explicit"})).facts["privacy"]
    assert found == {"mode": "plaintext_explicit", "payloads": []}


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"{", "json", "not JSON"),
        (b"[]", "shape", "the bundle is not that of llmsa: it has the members envelope, metadata"),
        (json.dumps({"payload": "", "payloadType": "", "signatures": []}).encode(), "shape", "the bundle is not that"),
        (signed(GOOD).replace(b'"envelope"', b'"Envelope"'), "shape", "the bundle is not that of llmsa"),
        (signed(GOOD).replace(b'"payload"', b'"PayLoad"'), "shape", "the envelope is not that of llmsa"),
        (signed(GOOD).replace(b'"created_at"', b'"Created_at"'), "shape", "the metadata is not that of llmsa"),
        (signed(GOOD).replace(b'"keyid"', b'"KeyId"'), "shape", "signature 0 is not that of llmsa"),
        (signed(GOOD).replace(b'"sig"', b'"sgi"'), "shape", "signature 0 is not that of llmsa"),
        (signed(GOOD).replace(b'"provider"', b'"sig": "", "provider"'), "json", "duplicate key 'sig'"),
        (signed(GOOD).replace(PAYLOAD_TYPE.encode(), b"text/plain"), "payload_type", "payloadType is 'text/plain'"),
        (signed(GOOD).replace(b'"bundle_version": "1"', b'"bundle_version": "2"'), "version", "the metadata has no"),
        (signed(GOOD).replace(b'"sha256:', b'7, "x": "'), "shape", "the metadata is not that of llmsa"),
        (signed(GOOD, sig="AAAA="), "base64", "signature 0 is not canonical base64"),
        (signed(b"").replace(b'"payload": ""', b'"payload": "AAAA="'), "base64", "payload is not canonical base64"),
        (json.dumps(wrapped(GOOD, signatures={})).encode(), "shape", "signatures is not a list of at most 16"),
        (json.dumps(wrapped(GOOD, *[signature(GOOD)] * 17)).encode(), "shape", "signatures is not a list of at most"),
        (json.dumps(wrapped(GOOD, signatures=["x"])).encode(), "shape", "signature 0 is not that of llmsa"),
    ],
)
def test_what_is_no_bundle_is_refused(data: bytes, code: str, text: str) -> None:
    found = bundle_problem(data)
    assert (found[0], found[1][: len(text)]) == (code, text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"schema_version": "99.0"}, "no statement of llmsa: schema_version: "),
        ({"predicate_type": "https://llmsa.dev/attestation/slo/v1"}, "no statement of llmsa: predicate_type: "),
        ({"attestation_type": "other_attestation"}, "no statement of llmsa: attestation_type: "),
        ({"subject": []}, "no statement of llmsa: subject: "),
        ({"subject": [resource(size_bytes=-5)]}, "no statement of llmsa: subject/0/size_bytes: "),
        ({"subject": [resource(digest={"sha256": "abc"})]}, "no statement of llmsa: subject/0/digest/sha256: "),
        ({"predicate": {}}, "no statement of llmsa: predicate: "),
        ({"generated_at": ...}, "no statement of llmsa: the document: "),
        ({"more": 1}, "no statement of llmsa: the document: "),
        ({"privacy": {"mode": "encrypted_payload"}}, "no statement of llmsa: privacy: "),
        ({"annotations": {"depends_on": 1}}, "no statement of llmsa: annotations/depends_on: "),
        ({"generated_at": "invalid-time"}, "generated_at is not an RFC 3339 time"),
        ({"subject": [resource(), resource(content=b"x")]}, "'app/system_prompt.txt' has two digests"),
    ],
)
def test_what_is_no_statement_is_refused(changes: dict[str, Any], text: str) -> None:
    assert statement_problem(statement(**changes))[1].startswith(text)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"DSSEv1 2 {} 2 {}", "json"),
        (GOOD.replace(b'"annotations"', b'"schema_version":"1.0.0","annotations"', 1), "json"),
        (json.dumps(statement()).encode(), "canonical"),
        (GOOD + b"\n", "canonical"),
        (GOOD.replace(b"c6705a58", b"\\u00636705a58"), "canonical"),
        (b'{"_type":"https://in-toto.io/Statement/v1"}', "predicate"),
    ],
)
def test_what_is_signed_otherwise_than_llmsa_does_is_refused(payload: bytes, code: str) -> None:
    assert statement_problem(payload)[0] == code
