"""The typed predicates of datasets, cards, plugins, decisions, waivers, scans and trainings: entire, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from gate.formats.predicates import generic
from gate.model.artifact import ArtifactFile, tree_digest
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Statement, Subject
from tests.unit.formats.predicates.reading import changed, code_of, read

DATA, MORE, CARD, TOOL, REPORT, PRIOR = (sha256_digest(word.encode()) for word in ("d", "m", "c", "t", "r", "prior"))
TREE: Final = tree_digest({"a.bin": ArtifactFile(DATA, 0), "b.bin": ArtifactFile(MORE, 0)})
FRAME: Final = {"depends_on": [], "folders": {}, "privacy": {"mode": "hash_only"}}
MODEL: Final = {"models/s/a.bin": DATA, "models/s/b.bin": MORE}

FINDING: Final = {
    "rule": "S1",
    "message": "bad",
    "aliases": ["CVE-1"],
    "severity": "high",
    "score_bp": 9800,
    "file": "a.bin",
    "purl": None,
    "fixed_in": None,
    "status": "open",
    "justification": None,
}
GOOD: Final[Mapping[str, tuple[Mapping[str, Digest], dict[str, Any]]]] = {
    "dataset": (
        {"data/x": DATA},
        {
            **FRAME,
            "roles": {"files": ["data/x"]},
            "folders": {"data": "files"},
            "owner": "team",
            "classification": "internal",
            "license": "MIT",
            "personal_data": False,
            "sources": {"crawl": DATA, "people": None},
        },
    ),
    "model.card": (
        {**MODEL, "CARD.md": CARD},
        {
            **FRAME,
            "roles": {"card": ["CARD.md"], "model": sorted(MODEL)},
            "license": "MIT",
            "base": {"base": MORE},
            "intended_use": "summaries",
            "limitations": [],
        },
    ),
    "plugin": (
        {"tools/t.json": TOOL, "server.json": MORE},
        {
            **FRAME,
            "roles": {"descriptors": ["tools/t.json"], "server": ["server.json"]},
            "tools": {"t": {"descriptor": TOOL, "permissions": ["network"]}},
            "transport": None,
        },
    ),
    "approval": (
        {"app/x": DATA, PRIOR: PRIOR},
        {
            **FRAME,
            "depends_on": [PRIOR],
            "roles": {"files": ["app/x"], "statements": [PRIOR]},
            "decision": "approved",
            "scope": None,
            "comment": None,
        },
    ),
    "waiver": (
        {DATA: DATA},
        {
            **FRAME,
            "roles": {"waived": [DATA]},
            "id": "W-1",
            "control": "scan.malware",
            "artifact": DATA,
            "finding": None,
            "reason": "r",
            "ticket": "t",
            "owner": "ann",
            "approver": "ben",
            "created": "2026-11-01",
            "expires": "2026-12-01",
        },
    ),
    "admission.break_glass": (
        {DATA: DATA, MORE: MORE},
        {
            **FRAME,
            "roles": {"images": sorted([DATA, MORE])},
            "namespace": "payments",
            "reason": "r",
            "ticket": "t",
            "approver": None,
            "created": "2026-11-01T10:00:00Z",
            "expires": "2026-11-01T12:00:00Z",
        },
    ),
    "scan.report": (
        {**MODEL, "r.json": REPORT},
        {
            **FRAME,
            "roles": {"report": ["r.json"], "artifact": sorted(MODEL)},
            "tool": "picklescan",
            "version": "",
            "arguments": [],
            "report": REPORT,
            "artifact": "models/s",
            "artifact_digest": TREE,
            "database_at": None,
            "status": "incomplete",
            "problem": None,
            "coverage": {"scanned": ["a.bin"], "missing": {"b.bin": "no scanner"}, "errors": {}},
            "findings": [FINDING],
        },
    ),
    "training.provenance": (
        MODEL,
        {
            **FRAME,
            "depends_on": [PRIOR],
            "roles": {"model": sorted(MODEL)},
            "method": "fine-tuning",
            "code": {"repository": None, "commit": None, "dirty": None},
            "datasets": {"tickets": DATA},
            "base": {"base": MORE},
            "environment": {"torch": "2.9"},
            "pipeline": "ci",
            "signer": None,
            "time": {"started_at": None, "finished_at": None},
            "evaluation": [PRIOR],
            "metrics_root": None,
            "seed": None,
        },
    ),
}
GOOD = {**GOOD, "review": GOOD["approval"]}  # type: ignore[misc]


def subjects_of(files: Mapping[str, Digest]) -> tuple[Subject, ...]:
    return tuple(Subject(name, digest) for name, digest in files.items())


def read_good(claim: str) -> Statement:
    files, predicate = GOOD[claim]
    return read(generic.predicate_type(claim), predicate, subjects_of(files))


def refusal(claim: str, path: str, new: Any, files: Mapping[str, Digest] | None = None) -> str:
    """Why a good predicate with one change is refused."""
    good, predicate = GOOD[claim]
    found = changed(predicate, path, new) if path else predicate
    return code_of(generic.predicate_type(claim), found, subjects_of(good if files is None else files))


@pytest.mark.parametrize("claim", GOOD)
def test_a_good_one_is_collected_and_located(claim: str) -> None:
    found = read_good(claim)
    assert (found.claim, found.located, found.facts["collected"]) == (claim, True, True)
    assert found.depends_on == tuple(GOOD[claim][1]["depends_on"])


@pytest.mark.parametrize(("claim", "member"), [(claim, name) for claim, (_, good) in GOOD.items() for name in good])
def test_a_member_left_out_is_not_another_kind_of_statement(claim: str, member: str) -> None:
    assert refusal(claim, member, ...) == "predicate"


@pytest.mark.parametrize("claim", GOOD)
def test_an_unknown_member_is_refused(claim: str) -> None:
    assert refusal(claim, "extra", 1) == "predicate"


@pytest.mark.parametrize("claim", GOOD)
def test_a_plain_statement_is_still_read_and_proves_less(claim: str) -> None:
    found = read(generic.predicate_type(claim), {"decision": "approved", "anything": 1})
    assert (found.facts["collected"], found.located) == (False, False)


@pytest.mark.parametrize("claim", GOOD)
def test_a_subject_without_a_role_is_refused(claim: str) -> None:
    assert refusal(claim, "", None, {**GOOD[claim][0], "more": DATA}) == "roles"


def test_facts_of_a_dataset() -> None:
    facts = read_good("dataset").facts
    assert facts["sources"] == {"crawl": DATA, "people": None}
    assert [facts[name] for name in ("owner", "classification", "license", "personal_data")] == [
        "team",
        "internal",
        "MIT",
        False,
    ]
    for value in ("", "  ", None, 1):
        assert refusal("dataset", "owner", value) == "predicate"
    assert refusal("dataset", "personal_data", None) == "predicate"


def test_a_card_has_a_card_and_a_model() -> None:
    assert read_good("model.card").facts["base"] == {"base": MORE}
    for role in ("card", "model"):
        other = {"card": "model", "model": "card"}[role]
        roles = {role: [], other: sorted(GOOD["model.card"][0])}
        assert refusal("model.card", "roles", roles) == "roles"


def test_each_tool_has_a_descriptor_and_each_descriptor_a_tool() -> None:
    assert read_good("plugin").facts["tools"] == {"t": {"descriptor": TOOL, "permissions": ["network"]}}
    assert refusal("plugin", "tools", {"t": {"descriptor": MORE, "permissions": []}}) == "tools"
    assert refusal("plugin", "roles", {"descriptors": ["tools/t.json", "server.json"], "server": []}) == "tools"
    assert refusal("plugin", "tools", {}) == "predicate"
    assert refusal("plugin", "tools", {"t": {"descriptor": TOOL}}) == "predicate"


@pytest.mark.parametrize("claim", ["approval", "review"])
def test_a_statement_that_is_decided_upon_is_depended_on(claim: str) -> None:
    assert read_good(claim).facts["scope"] is None
    assert refusal(claim, "depends_on", []) == "statements"
    assert refusal(claim, "roles", {"files": [PRIOR], "statements": ["app/x"]}) == "statements"
    assert refusal(claim, "decision", "maybe") == "predicate"


def test_a_waiver_is_about_its_one_digest() -> None:
    assert read_good("waiver").facts["expires"] == "2026-12-01"
    assert refusal("waiver", "artifact", MORE) == "subject"
    assert refusal("waiver", "", None, {DATA: MORE}) == "subject"
    assert refusal("waiver", "approver", " Ann") == "waiver"


def test_an_exception_is_for_images_by_digest_in_one_namespace_for_a_time() -> None:
    claim, facts = "admission.break_glass", read_good("admission.break_glass").facts
    assert (facts["namespace"], facts["approver"]) == ("payments", None)
    assert facts["expires_s"] == facts["created_s"] + 7200  # type: ignore[operator]
    assert refusal(claim, "", None, {DATA: DATA, MORE: CARD}) == "subject"
    assert refusal(claim, "", None, {DATA: DATA, "app": MORE}) == "roles"
    for value in ("*", "", "Payments", "a b", "a" * 64, None, ["payments"]):
        assert refusal(claim, "namespace", value) == "predicate"
    for value in ("2026-11-01", "soon", "2026-11-01T10:00:00"):
        assert refusal(claim, "created", value) == "break_glass"
        assert refusal(claim, "expires", value) == "break_glass"
    assert refusal(claim, "expires", "2026-11-01T10:00:00Z") == "break_glass"
    for member in ("reason", "ticket", "approver", "created", "expires"):
        assert refusal(claim, member, " ") == "predicate"
    assert refusal(claim, "folders", {"data": "images"}) == "predicate"


@pytest.mark.parametrize(
    ("path", "new", "code"),
    [
        ("report", DATA, "report"),
        ("roles", {"report": [], "artifact": [*sorted(MODEL), "r.json"]}, "report"),
        ("artifact", "models/t", "artifact"),
        ("artifact_digest", DATA, "artifact"),
        ("coverage.scanned", ["a.bin", "c.bin"], "coverage"),
        ("coverage.scanned", [], "coverage"),
        ("coverage.scanned", ["a.bin", "b.bin"], "coverage"),
        ("coverage.missing", {"b.bin": "", "c.bin": ""}, "coverage"),
        ("coverage.missing", {}, "coverage"),
        ("coverage.errors", {"a.bin": "broken"}, "coverage"),
        ("status", "unknown", "predicate"),
        ("findings", None, "predicate"),
        ("findings.0.severity", "extreme", "predicate"),
        ("findings.0.status", ..., "predicate"),
        ("database_at", "yesterday", "time"),
    ],
)
def test_a_scan_says_of_each_file_what_came_of_it(path: str, new: Any, code: str) -> None:
    assert refusal("scan.report", path, new) == code


def test_a_scan_with_errors_is_not_complete() -> None:
    files, good = GOOD["scan.report"]
    coverage = {"scanned": ["a.bin"], "missing": {}, "errors": {"b.bin": "broken", "b.bin:inner": "broken"}}
    predicate = {**good, "coverage": coverage}
    kind = generic.predicate_type("scan.report")
    assert read(kind, predicate, subjects_of(files)).facts["coverage"] == {
        "expected": 2,
        "scanned": 1,
        "missing": {},
        "errors": coverage["errors"],
    }
    assert code_of(kind, {**predicate, "status": "complete"}, subjects_of(files)) == "coverage"


def test_a_scan_of_a_single_file() -> None:
    good = GOOD["scan.report"][1]
    change = {
        "roles": {"report": ["r.json"], "artifact": ["m.bin"]},
        "artifact": "m.bin",
        "artifact_digest": DATA,
        "coverage": {"scanned": ["m.bin"], "missing": {}, "errors": {}},
    }
    subjects = subjects_of({"m.bin": DATA, "r.json": REPORT})
    found = read(generic.predicate_type("scan.report"), {**good, **change}, subjects)
    assert found.facts["files"] == {"m.bin": DATA}


@pytest.mark.parametrize(
    ("path", "new", "code"),
    [
        ("method", "distilling", "predicate"),
        ("method", "training", "training"),
        ("base", {}, "training"),
        ("evaluation", [DATA], "evaluation"),
        ("time", {"started_at": "2026-11-02T00:00:00Z", "finished_at": "2026-11-01T00:00:00Z"}, "training"),
        ("time.started_at", "yesterday", "time"),
        ("code.commit", "main", "predicate"),
        ("code.dirty", ..., "predicate"),
        ("datasets", {"tickets": "unknown"}, "predicate"),
        ("seed", 0.5, "predicate"),
        ("metrics_root", "0" * 64, "predicate"),
    ],
)
def test_a_training_does_not_contradict_itself(path: str, new: Any, code: str) -> None:
    assert refusal("training.provenance", path, new) == code


def test_facts_of_a_training() -> None:
    facts = read_good("training.provenance").facts
    assert (facts["base"], facts["datasets"], facts["evaluation"]) == ({"base": MORE}, {"tickets": DATA}, [PRIOR])
    assert (facts["builder_id"], facts["started_at_s"], facts["finished_at_s"]) == (None, None, None)
    files, good = GOOD["training.provenance"]
    time = {"started_at": "2026-11-01T00:00:00Z", "finished_at": "2026-11-01T00:00:00Z"}
    scratch = {**good, "method": "training", "base": {}, "time": time}
    assert read(generic.predicate_type("training.provenance"), scratch, subjects_of(files)).facts["base"] == {}
