"""The predicates of the field: what each example says, and what no reader accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gate import resources
from gate.formats.predicates import claims_of
from gate.formats.predicates.common import MAX_TEXT
from gate.model.claim import CLAIMS
from tests.unit.formats.predicates.field import NAMES, code, code_of, example, facts, read
from tests.unit.formats.predicates.field_facts import COMMIT, EXPECTED, TOOL, S, finding
from tests.unit.formats.predicates.reading import changed


def test_every_example_has_its_facts() -> None:
    assert sorted(EXPECTED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_example_of_the_specification_is_read(name: str) -> None:
    claim, wanted, stated_s = EXPECTED[name]
    found = read(example(name))
    assert (found.claim, found.stated_at_s) == (claim, stated_s)
    assert found.facts == wanted
    assert found.statement_type == example(name)["_type"]
    assert (found.depends_on, found.exhaustive, found.located) == ((), False, False)
    assert claim in CLAIMS
    assert claim in claims_of(found.predicate_type)


@pytest.mark.parametrize("name", NAMES)
def test_members_that_nobody_knows_are_ignored(name: str) -> None:
    more = changed(example(name), "predicate.x-another", {"level": [1, None]})
    assert read(more).facts == EXPECTED[name][1]


WRONG: dict[str, list[Any]] = {"string": [1, None, [], {}, True], "object": ["x", [], 1], "array": ["x", {}, 1]}


def required(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each member that a schema demands, with values that it does not have."""
    for name in node.get("required", []):
        inner = node["properties"][name]
        yield f"{path}.{name}", ...
        for value in WRONG.get(inner.get("type"), []):
            yield f"{path}.{name}", value
        yield from required(inner, f"{path}.{name}")
        if inner.get("type") == "array" and isinstance(inner["items"], dict):
            yield from required(inner["items"], f"{path}.{name}.0")


SCHEMAS = {
    "source-summary": "verification-summary-v1",
    "verification-summary": "verification-summary-v1",
    "vulnerabilities-v0.1": "vulnerabilities",
    "vulnerabilities-v0.2": "vulnerabilities",
    "cosign-vuln": "cosign-vuln-v1",
    "release": "release-v0.1",
    "attributes-v0.2": "attribute-report",
    "attributes-v0.3": "attribute-report",
    "link": "link-v0.3",
    "reference": "reference-v0.1",
    "runtime-trace": "runtime-trace-v0.1",
    "scorecard": "scorecard-v0.1",
    "eval-result": "eval-result-v0.1",
}


def demands() -> Iterator[Any]:
    for name in sorted(set(NAMES) - {"cosign-signature"}):
        file = f"predicates/{SCHEMAS.get(name, name)}.json"
        node = json.loads(resources.schema(file))
        for path, value in required(node, "predicate"):
            yield pytest.param(name, path, value, id=f"{name}-{path}-{value}")


@pytest.mark.parametrize(("name", "path", "value"), list(demands()))
def test_a_member_that_is_missing_or_of_another_type_is_refused(name: str, path: str, value: Any) -> None:
    assert code(name, path, value) == "predicate"


@pytest.mark.parametrize(
    ("name", "path", "value", "word"),
    [
        ("verification-summary", "predicate.verificationResult", "passed", "predicate"),
        ("verification-summary", "predicate.timeVerified", "yesterday", "time"),
        ("verification-summary", "predicate.timeVerified", 5, "predicate"),
        ("verification-summary", "predicate.dependencyLevels", {"SLSA_BUILD_LEVEL_1": -1}, "predicate"),
        ("verification-summary", "predicate.dependencyLevels", {"SLSA_BUILD_LEVEL_1": 1.5}, "predicate"),
        ("verification-summary", "predicate.dependencyLevels", {"SLSA_BUILD_LEVEL_1": 1 << 62}, "predicate"),
        ("verification-summary", "predicate.inputAttestations", {}, "predicate"),
        ("verification-summary", "predicate.verifiedLevels", [1], "predicate"),
        ("verification-summary", "predicate.policy.digest", {"sha256": 1}, "predicate"),
        ("verification-summary", "subject", [], "no_subject"),
        ("source-summary", "predicate.verifiedLevels", [], "predicate"),
        ("source-summary", "predicate.verifiedLevels", ["SLSA_BUILD_LEVEL_3"], "predicate"),
        ("verification-result-v0.2", "predicate.verifier.policies", None, "predicate"),
        ("verification-result-v0.2", "predicate.properties.0", "", "predicate"),
        ("verification-result-v0.1", "predicate.timeCreated", "2026-11-20", "time"),
        ("vulnerabilities-v0.2", "predicate.metadata.scanStartedOn", "", "time"),
        ("vulnerabilities-v0.2", "predicate.metadata.scanFinishedOn", "now", "time"),
        ("vulnerabilities-v0.2", "predicate.scanner.db.lastUpdate", "never", "time"),
        ("vulnerabilities-v0.2", "predicate.scanner.result.0.severity", "high", "predicate"),
        ("vulnerabilities-v0.2", "predicate.scanner.result.0.severity.0.score", None, "predicate"),
        ("vulnerabilities-v0.2", "predicate.scanner.result.0.vulnerability", {"id": "CVE-1"}, "predicate"),
        ("vulnerabilities-v0.1", "predicate.scanner.result.0.vulnerability.id", "", "predicate"),
        ("vulnerabilities-v0.1", "predicate.invocation.parameters", [1], "predicate"),
        ("cosign-vuln", "predicate.scanners", [], "predicate"),
        ("cosign-vuln", "predicate.scanners", [{"uri": "x", "result": {}}], "predicate"),
        ("release", "predicate.purl", "pkg:npm/http", "predicate"),
        ("release", "predicate.purl", "pkg:npm/@angular/http", "predicate"),
        ("release", "predicate.purl", "npm/http@1", "predicate"),
        ("release", "predicate.packageId", 7, "predicate"),
        ("attributes-v0.3", "predicate.attributes", [], "predicate"),
        ("attributes-v0.3", "predicate.producer", "x", "predicate"),
        ("attributes-v0.2", "predicate.attributes.0.conditions", [], "predicate"),
        ("link", "predicate.command", "make", "predicate"),
        ("link", "predicate.materials", {}, "predicate"),
        ("reference", "predicate.references", [], "predicate"),
        ("reference", "predicate.references.0", {"name": "sbom"}, "predicate"),
        ("runtime-trace", "predicate.monitorLog", {}, "predicate"),
        ("runtime-trace", "predicate.monitorLog", {"process": None}, "predicate"),
        ("runtime-trace", "predicate.monitorLog.network", ["x"], "predicate"),
        ("runtime-trace", "predicate.metadata.buildStartedOn", "x", "time"),
        ("scorecard", "predicate.score", 10.1, "predicate"),
        ("scorecard", "predicate.score", -1.1, "predicate"),
        ("scorecard", "predicate.score", "7", "predicate"),
        ("scorecard", "predicate.score", True, "predicate"),
        ("scorecard", "predicate.date", "2025-13-01", "time"),
        ("scorecard", "predicate.date", "", "time"),
        ("scorecard", "predicate.checks.1.name", "Binary-Artifacts", "predicate"),
        ("scorecard", "predicate.repo", {"name": "github.com/ossf/scorecard", "commit": "main"}, "predicate"),
        ("scorecard", "predicate.repo", {"commit": "0" * 40}, "subject"),
        ("eval-result", "predicate.claims", [], "predicate"),
        ("eval-result", "predicate.claims.0.threshold", "0,98", "number"),
        ("eval-result", "predicate.claims.0.threshold", "NaN", "number"),
        ("eval-result", "predicate.claims.0.threshold", 0.98, "predicate"),
        ("eval-result", "predicate.claims.0.passed", "true", "predicate"),
        ("eval-result", "predicate.claims.0.comparator", "==", "predicate"),
        ("eval-result", "predicate.sampleSize", 0.5, "predicate"),
        ("eval-result", "predicate.sampleSize", -1, "predicate"),
        ("eval-result", "predicate.assuranceLevel", "trusted", "predicate"),
        ("eval-result", "predicate.evaluatedAt", "2026", "time"),
    ],
    ids=str,
)
def test_a_value_that_makes_no_sense_is_refused(name: str, path: str, value: Any, word: str) -> None:
    assert code(name, path, value) == word


# -- boundaries --------------------------------------------------------------------------------------------------------


def test_a_summary_says_what_it_leaves_out() -> None:
    bare = {"verifier": {"id": "v"}, "resourceUri": "r", "policy": {}, "verificationResult": "FAILED"}
    found = read(changed(example("verification-summary"), "predicate", {**bare, "verifiedLevels": []}))
    assert (found.facts["result"], found.facts["levels"], found.stated_at_s) == ("failed", [], None)
    assert found.facts["policy"] == {"uri": None, "digest": None}
    assert (found.facts["inputs"], found.facts["dependency_levels"]) == ([], None)
    assert facts("verification-summary", "dependencyLevels", {})["dependency_levels"] == {}
    assert facts("verification-summary", "dependencyLevels", {"L": 3.0})["dependency_levels"] == {"L": 3}


def test_an_input_without_a_digest_is_counted() -> None:
    inputs = [{"uri": "a"}, {"digest": {"sha1": "0" * 40}}, {"digest": {"sha256": "A" * 64}}]
    found = facts("verification-summary", "inputAttestations", [*inputs, {"digest": {"sha256": "a" * 64}}])
    assert (found["inputs"], found["unnamed_inputs"]) == ([S + "a" * 64], 3)


def test_a_failed_summary_of_a_source_needs_no_level() -> None:
    failed = changed(example("source-summary"), "predicate.verificationResult", "FAILED")
    found = read(changed(failed, "predicate.verifiedLevels", []))
    assert (found.claim, found.facts["result"], found.facts["levels"]) == ("source.summary", "failed", [])


@pytest.mark.parametrize("name", ["sourceRefs", "source_refs", "source_branches"])
def test_the_refs_of_a_commit_have_had_several_names(name: str) -> None:
    refs = ["refs/heads/main", 5, "refs/heads/main", "x" * 9999]
    found = read(changed(example("source-summary"), "subject.0.annotations", {name: refs}))
    assert found.facts["refs"] == ["refs/heads/main", "x" * MAX_TEXT]
    assert read(changed(example("source-summary"), "subject.0.annotations", ...)).facts["refs"] == []
    assert read(changed(example("source-summary"), "subject.0.annotations", {name: "main"})).facts["refs"] == []


@pytest.mark.parametrize(
    ("severity", "word", "score_bp"),
    [
        (None, "unknown", 0),
        ([], "unknown", 0),
        ({"method": "nvd", "score": "HIGH"}, "high", 0),
        ([{"score": " Negligible "}], "low", 0),
        ([{"score": "low"}, {"score": "critical"}, {"score": "medium"}], "critical", 0),
        ([{"method": "nvd", "score": "9.8"}], "unknown", 0),
        ([{"method": "CVSS_v3", "score": 9.8}], "critical", 9800),
        ([{"method": "cvss", "score": "10"}], "critical", 10000),
        ([{"method": "cvss", "score": "10.1"}], "unknown", 0),
        ([{"method": "nvd", "score": "9.8"}, {"method": "ghsa", "score": "low"}], "unknown", 0),
        ([{"method": "cvss", "score": "CVSS:3.1/AV:N"}, {"method": "cvss", "score": "3"}], "unknown", 3000),
        ([{"method": "nvd", "score": "odd"}, {"method": "ghsa", "score": "critical"}], "critical", 0),
        ([{"method": "cvss", "score": "-1"}], "unknown", 0),
        ([{"method": "cvss", "score": "CVSS:3.1/AV:N/AC:L"}], "unknown", 0),
        ([{"method": "cvss", "score": "6.9999"}], "high", 7000),
        ([{"method": "cvss", "score": "4"}], "medium", 4000),
        ([{"method": "cvss", "score": "0.0001"}], "low", 1),
        ([{"method": "cvss", "score": "0"}], "none", 0),
        ([{"method": "cvss", "score": "3"}, {"method": "nvd", "score": "high"}], "high", 3000),
    ],
    ids=str,
)
def test_the_gravest_severity_counts(severity: Any, word: str, score_bp: int) -> None:
    found = facts("vulnerabilities-v0.2", "scanner.result", [{"id": "CVE-1", "severity": severity}])
    assert found["findings"] == [finding("CVE-1", word, score_bp)]


def test_a_scanner_may_leave_out_its_database() -> None:
    for value in (None, {}, {"lastUpdate": None}):
        assert facts("vulnerabilities-v0.2", "scanner.db", value)["database_at_s"] == 0
    assert facts("vulnerabilities-v0.2", "scanner.result", [])["status"] == "complete"


@pytest.mark.parametrize(
    ("words", "result"),
    [
        ([], "passed"),
        (["low"], "warned"),
        (["none", "medium"], "warned"),
        (["low", "high"], "failed"),
        (["critical"], "failed"),
        (["odd"], "failed"),
    ],
)
def test_grave_and_unknown_vulnerabilities_are_a_failure(words: list[str], result: str) -> None:
    found = [{"id": f"V-{word}", "severity": [{"method": "vendor", "score": word}]} for word in words]
    assert facts("vulnerabilities-v0.2", "scanner.result", found)["result"] == result


def test_an_evaluation_passed_when_each_claim_did() -> None:
    (claim, *_) = example("eval-result")["predicate"]["claims"]
    both = [claim, {**claim, "passed": False}]
    assert facts("eval-result", "claims", both)["result"] == "failed"
    assert facts("eval-result", "claims", [claim])["result"] == "passed"


def test_the_older_form_of_cosign_has_several_scanners() -> None:
    scanner = example("cosign-vuln")["predicate"]["scanner"]
    old = changed(example("cosign-vuln"), "predicate.scanner", ...)
    found = read(changed(old, "predicate.scanners", [scanner, {"uri": "grype", "result": {}}]))
    assert (found.facts["tool"], found.facts["status"], found.facts["findings"]) == (f"{TOOL}, grype", "incomplete", [])
    assert code_of(old) == "predicate"


@pytest.mark.parametrize(
    ("score", "score_bp"),
    [(10, 10000), (0, 0), (-1, None), (-0.5, None), (7.3, 7300), (6.99999, 6999), (10.0, 10000), (1e-9, 0)],
)
def test_a_score_is_rounded_down_and_an_inconclusive_one_is_none(score: float, score_bp: int | None) -> None:
    assert facts("scorecard", "score", score)["score_bp"] == score_bp


def test_a_scorecard_may_be_attested_for_an_artifact() -> None:
    statement = changed(example("scorecard"), "subject", example("release")["subject"])
    assert read(statement).facts["commit"] is None
    found = read(changed(statement, "predicate.repo", {"name": "github.com/acme/app", "commit": "0" * 40}))
    assert (found.facts["repository"], found.facts["commit"]) == ("github.com/acme/app", "0" * 40)
    assert found.resources == found.subjects
    named = changed(example("scorecard"), "predicate.repo", {"name": "github.com/acme/app", "commit": COMMIT})
    assert read(named).facts["repository"] == "github.com/acme/app"
    assert facts("scorecard", "date", "2025-03-01T01:00:00Z")["made_at_s"] == 1740790800


def test_a_trace_needs_one_kind_of_event_and_no_times() -> None:
    bare = changed(example("runtime-trace"), "predicate.metadata", None)
    found = read(changed(bare, "predicate.monitorLog", {"fileAccess": []}))
    assert found.facts["counts"] == {"process": None, "network": None, "file_access": 0}
    assert (found.facts["started_at_s"], found.stated_at_s) == (None, None)
    assert read(changed(example("runtime-trace"), "predicate.metadata.buildFinishedOn", ...)).stated_at_s == 1665701750


def test_what_is_optional_may_be_null() -> None:
    assert facts("release", "packageId", None)["package_id"] is None
    assert facts("link", "command", None)["command"] == []
    assert facts("link", "materials", None)["materials"] == {}
    assert facts("attributes-v0.2", "producer", {"name": "gcc"})["producer"] == "gcc"
    assert facts("eval-result", "sampleSize", None)["sample_size"] is None
    assert facts("eval-result", "sampleSize", 5.0)["sample_size"] == 5
    assert facts("reference", "references.0.uri", "urn:x")["references"][0]["uri"] == "urn:x"


def test_texts_are_cut() -> None:
    long = "x" * 10_000
    assert facts("verification-summary", "resourceUri", long)["resource_uri"] == long[:MAX_TEXT]
    assert facts("verification-result-v0.1", "properties", [long])["properties"] == [long[:MAX_TEXT]]
