"""The evidence that comes nearest to what a violation misses."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gate.evaluate.nearest import expected, nearest
from gate.model.control import ControlInfo, Violation
from gate.model.digest import Digest

ONE, TWO, THREE = (Digest(f"sha256:{digit * 64}") for digit in "123")
INFO = ControlInfo("artifact.signed", "t", "d", "high", ("artifact.signature",), (), (), False, "fix", {})
MISSING = Violation("artifact.signed.missing", "nothing covers it", "model", None, ())
STATEMENT: dict[str, Any] = {
    "claim": "artifact.signature",
    "origin": "a.json",
    "signers": [{"name": "release"}],
    "artifacts": [],
    "subjects": {},
}


def document(**sections: Any) -> dict[str, Any]:
    files = {"w.bin": {"digest": ONE}, "c.json": {"digest": TWO}}
    return {"artifacts": {"model": {"files": files}}, "attestations": {}, "rejected": {}, "scans": {}, **sections}


def test_nothing_at_all_is_said() -> None:
    assert nearest(INFO, MISSING, document()) == (
        "the document holds no statement of artifact.signature, accepted or rejected",
    )
    assert nearest(dataclasses.replace(INFO, claims=()), MISSING, {"attestations": []}) == ()


def test_rejected_evidence_comes_with_its_code() -> None:
    item = {"claimed": "artifact.signature", "origin": "x", "code": "signature.unknown", "detail": "d", "artifacts": []}
    other = {**item, "claimed": None, "artifacts": ["model"]}
    found = document(rejected={ONE: item, TWO: other, THREE: {**item, "claimed": "sbom"}})
    violation = dataclasses.replace(MISSING, evidence=(TWO,))
    assert nearest(INFO, violation, found) == (
        "evidence in x is rejected (signature.unknown): d",
        "artifact.signature in x is rejected (signature.unknown): d",
    )


@pytest.mark.parametrize(
    ("change", "end"),
    [
        (
            {"subjects": {THREE: {"name": "w.bin"}}},
            (
                "covers no artifact whole: it is about sha256:333333333333... of the name w.bin, the file here is"
                " sha256:111111111111..."
            ),
        ),
        ({"subjects": {ONE: {"name": "w.bin"}}}, "covers no artifact whole: it is not about c.json"),
        ({"artifacts": ["other"]}, "covers other, not model: none of its subjects has a digest of what is here"),
        ({"artifacts": ["model"]}, "is verified, and covers model"),
    ],
)
def test_statements_say_why_they_do_not_count(change: dict[str, Any], end: str) -> None:
    found = document(attestations={ONE: {**STATEMENT, **change}, TWO: {**STATEMENT, "claim": "sbom"}})
    assert nearest(INFO, MISSING, found) == (f"artifact.signature by release in a.json {end}",)


def test_a_statement_without_signers_or_an_artifact_without_files_is_told_too() -> None:
    found = document(attestations={ONE: {**STATEMENT, "signers": None}})
    found["artifacts"] = {"model": {"files": {}, "digest": None, "reference": "r"}}
    assert nearest(INFO, MISSING, found)[0].startswith(
        "artifact.signature by nobody in a.json covers no artifact whole"
    )


def test_patterns_and_words_of_the_message_name_claims() -> None:
    info = dataclasses.replace(INFO, claims=("build.*",))
    violation = dataclasses.replace(MISSING, message="gate x requires eval", artifact=None)
    found = document(
        attestations={ONE: {**STATEMENT, "claim": "build.provenance"}, TWO: {**STATEMENT, "claim": "eval"}}
    )
    assert nearest(info, violation, found) == (
        "build.provenance by release in a.json is verified, and covers no artifact",
        "eval by release in a.json is verified, and covers no artifact",
    )


def test_scans_say_what_they_looked_at() -> None:
    info = dataclasses.replace(INFO, id="scan.malware", claims=())
    scan = {"tool": "t", "origin": "r", "basis": "attested", "artifact": "model", "status": "complete", "problem": None}
    counted = {**scan, "coverage": {"scanned": 1, "expected": 2}}

    def said(one: dict[str, Any]) -> tuple[str, ...]:
        return nearest(info, MISSING, document(scans={"s": one}))

    assert said(counted) == ("the scan of t (r) judged 1 of 2 files",)
    assert said({**counted, "artifact": "other"}) == ("the scan of t (r) is about other",)
    assert said({**counted, "status": "failed"}) == ("the scan of t (r) is failed: it does not say why",)
    assert said({**counted, "basis": "observed"}) == (
        "the scan of t (r) is only observed: nobody signed it; it judged 1 files",
    )
    assert said({**scan, "origin": ""}) == ("the scan of t (attested) judged None of None files",)


def test_what_was_expected_is_said_where_something_is_missing() -> None:
    assert expected(INFO, MISSING) == "a verified statement of artifact.signature that covers model"
    assert expected(INFO, dataclasses.replace(MISSING, code="artifact.signed.wrong")) is None
