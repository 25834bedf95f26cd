"""Reports are valid by the schemas of those who read them, for every decision of the golden files and a hostile one."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema
import pytest
import referencing
import xmlschema
from referencing.jsonschema import DRAFT7

from gate.formats.reports import read_report
from gate.model.control import Mode
from gate.model.decision import ControlDecision, Decision, Outcome
from gate.model.evidence import Concern, TimeSource
from gate.model.scan import ScanStatus
from gate.report.csv import HEADS
from gate.report.explain import Explainer
from gate.report.interface import render
from tests.support import decisions
from tests.support.ci_commands import commands
from tests.support.hostile_decisions import hostile
from tests.support.reports import ARTIFACTS, raw

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
SAMPLES = decisions.GOLDEN | {
    "hostile": lambda: hostile("\x1b[31m\u202e](x){0}&<]]>\"'=1;,|`::error::\n\ud800"),
    "empty": lambda: decisions.decision(decisions.control("a.b", Outcome.ERROR), exit_code=13, skipped={}),
}
each_sample = pytest.mark.parametrize("name", SAMPLES)


def schema(path: str) -> Any:
    return json.loads((VECTORS / path).read_text("utf-8"))


SARIF = jsonschema.Draft7Validator(schema("sarif/sarif-schema-2.1.0.json"))
JUNIT = xmlschema.XMLSchema((VECTORS / "junit/junit-10.xsd").read_text("utf-8"))
ISSUE = jsonschema.Draft7Validator(schema("gitlab/codeclimate.json"))
LINK = DRAFT7.create_resource(schema("gitlab/ci_job_external_link_data.json"))
LINKS = jsonschema.Draft7Validator(
    schema("gitlab/ci_job_annotation_data.json"),
    registry=referencing.Registry().with_resource("./ci_job_external_link_data.json", LINK),
)


def run_of(decision: Decision) -> dict[str, Any]:
    log = json.loads(render("sarif", decision))
    [run] = log["runs"]
    assert isinstance(run, dict)
    return run


@each_sample
def test_sarif_is_valid(name: str) -> None:
    log = json.loads(render("sarif", SAMPLES[name]()))
    SARIF.validate(log)
    assert log["$schema"].endswith("/sarif-schema-2.1.0.json")
    [run] = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    told = {notification["id"] for notification in run["tool"]["driver"]["notifications"]}
    for notice in run["invocations"][0]["toolExecutionNotifications"]:
        assert notice["descriptor"]["id"] in told
    for rule in run["tool"]["driver"]["rules"]:
        assert re.fullmatch(r"urn:gate:rule:[A-Za-z0-9._~/%-]+", rule["helpUri"])
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["properties"]["tags"]) <= 20
    same = set()
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        [location] = result["locations"]
        address = location["physicalLocation"]["artifactLocation"]["uri"]
        parts = urlsplit(address)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
        assert parts.path
        assert not parts.path.startswith("/")
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        same.add(result["partialFingerprints"]["gate/v1"])
        assert set(result["partialFingerprints"]) == {"gate/v1", "primaryLocationLineHash"}
    assert len(same) == len(run["results"])


@each_sample
def test_junit_is_valid(name: str) -> None:
    JUNIT.validate(render("junit", SAMPLES[name]()))


@each_sample
def test_code_quality_is_valid(name: str) -> None:
    issues = json.loads(render("gitlab-codequality", SAMPLES[name]()))
    for issue in issues:
        ISSUE.validate(issue)
        assert issue["severity"] in {"blocker", "critical", "major", "minor", "info"}
        assert not issue["location"]["path"].startswith("./")
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


@each_sample
def test_annotations_are_valid(name: str) -> None:
    text = render("gitlab-annotations", SAMPLES[name]())
    found = json.loads(text)
    assert len(text) <= 80 << 10
    assert len(found) <= 20
    for section, links in found.items():
        LINKS.validate(links)
        assert 0 < len(section) <= 255


@each_sample
def test_workflow_commands_are_valid(name: str) -> None:
    lines = render("github", SAMPLES[name]()).splitlines()
    found = commands("\n".join(lines))
    assert len(found) == len(lines)
    for command in found:
        assert command.name in {"error", "warning", "notice"}
        assert command.properties.keys() <= {"file", "line", "title"}
        assert command.data


@each_sample
def test_csv_is_a_table(name: str) -> None:
    text = render("csv", SAMPLES[name]())
    assert text.endswith('"\r\n')
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert tuple(rows[0]) == HEADS
    assert {len(row) for row in rows} == {len(HEADS)}
    # A program that splits at other characters finds each of them inside quotes.
    assert len(text.splitlines()) == len(rows)
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())


# --- SARIF in particular ----------------------------------------------------------------------------------------------


def test_a_finding_has_the_same_fingerprint_in_another_run() -> None:
    first = decisions.refusal()
    later = dataclasses.replace(
        first,
        id="another",
        decided_at="2026-12-24T12:00:00Z",
        gate_version="9.9",
        controls=dict(reversed(list(first.controls.items()))),
        rejected=tuple(
            dataclasses.replace(item, detail=item.detail.replace(decisions.digest("new"), decisions.digest("newer")))
            for item in first.rejected
        ),
    )
    prints = [
        {(result["ruleId"], result["partialFingerprints"]["gate/v1"]) for result in run_of(made)["results"]}
        for made in (first, later)
    ]
    assert prints[0] == prints[1]
    issues = [
        {issue["fingerprint"] for issue in json.loads(render("gitlab-codequality", made))} for made in (first, later)
    ]
    assert issues[0] == issues[1]


def test_what_a_waiver_accepts_is_suppressed_and_says_who_accepted_it() -> None:
    base = decisions.refusal()
    waiver = decisions.waiver("W-12", "scan.malware", reason="false alarm", ticket="SEC-7", owner="kim", approver="lee")
    run = run_of(dataclasses.replace(base, waivers=(waiver,)))
    [result] = [one for one in run["results"] if one["ruleId"] == "scan.malware"]
    [suppression] = result["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"] == (
        "waiver W-12 accepts it until 2026-12-30: false alarm (ticket SEC-7, owner kim, approved by lee)"
    )
    assert "level" not in result
    [rule] = [one for one in run["tool"]["driver"]["rules"] if one["id"] == "scan.malware"]
    assert rule["defaultConfiguration"]["level"] == "error"


def test_what_was_verified_before_is_suppressed() -> None:
    entry = dataclasses.replace(
        decisions.violation("build.provenance.missing", "none", artifact="summarizer"), reuse=decisions.digest("vsa")
    )
    made = decisions.decision(decisions.control("build.provenance", Outcome.REUSED, entry), decisions.control("a.b"))
    [result] = [one for one in run_of(made)["results"] if one["ruleId"] == "build.provenance"]
    assert result["suppressions"][0]["justification"].startswith("verified before by a trusted verifier, in sha256:")


def test_findings_lie_in_the_files_that_were_changed() -> None:
    places = {
        result["ruleId"]: result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run_of(decisions.refusal())["results"]
    }
    assert places["change.attested"] == decisions.MODEL
    assert places["artifact.signed"] == "models/summarizer"
    assert places["scan.coverage"] == "models/summarizer/4.txt"
    assert places["evidence.accepted"] == ".gate/attestations/signature.sigstore.json"


@pytest.mark.parametrize(
    ("origin", "address", "line"),
    [
        (".gate/attestations/a.jsonl#7", ".gate/attestations/a.jsonl", 7),
        (".gate/a b%.json", ".gate/a%20b%25.json", 1),
        ("registry.example/server@sha256:00#layers[0]", "gate.yaml", 1),
        ("a:b/c.json", "a%3Ab/c.json", 1),
        ("//evil.example/x.json", "evil.example/x.json", 1),
        ("caf\\xe9.json", "caf%E9.json", 1),
        ("/", "gate.yaml", 1),
    ],
)
def test_rejected_evidence_lies_where_it_came_from(origin: str, address: str, line: int) -> None:
    item = decisions.rejected(origin=origin)
    made = decisions.decision(decisions.control("a.b"), rejected=(item,), exit_code=11)
    [result] = [one for one in run_of(made)["results"] if one["ruleId"] == "rejected/signature.untrusted"]
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": address}, "region": {"startLine": line}}
    assert unquote_to_bytes(address)
    assert result["level"] == "error"


def test_a_refusal_without_a_finding_has_a_result_all_the_same() -> None:
    aside = decisions.control("a.b", Outcome.NOT_APPLICABLE, reason="nothing there")
    [result] = run_of(decisions.decision(aside, causes=()))["results"]
    assert (result["ruleId"], result["level"]) == ("verdict", "error")
    assert "nothing was judged" in result["message"]["text"]


def test_a_dry_run_says_so_and_has_the_true_exit_code() -> None:
    [invocation] = run_of(decisions.dry_refusal())["invocations"]
    assert invocation["exitCode"] == 10
    assert "DRY RUN: nothing is blocked." in invocation["exitCodeDescription"]


def test_a_run_without_a_time_has_none() -> None:
    assert "endTimeUtc" not in run_of(dataclasses.replace(decisions.refusal(), decided_at="soon"))["invocations"][0]
    assert run_of(decisions.refusal())["invocations"][0]["endTimeUtc"] == decisions.NOON


def test_the_gate_reads_its_own_log() -> None:
    scan = read_report(raw("sarif", render("sarif", decisions.refusal()).encode(), artifact="model"), ARTIFACTS)
    assert (scan.tool, scan.status) == ("gate", ScanStatus.COMPLETE)
    assert {finding.rule for finding in scan.findings} >= {"artifact.signed", "change.attested", "evidence.accepted"}


def test_a_control_that_refuses_without_a_violation_is_told() -> None:
    made = decisions.decision(
        decisions.control("team.silent", Outcome.FAIL), decisions.control("team.quiet", Outcome.FAIL, mode=Mode.WARN)
    )
    levels = {result["ruleId"]: result["level"] for result in run_of(made)["results"]}
    assert levels == {"team.silent": "error", "team.quiet": "warning"}


# --- room -------------------------------------------------------------------------------------------------------------


def _many(count: int) -> Decision:
    entries = [decisions.violation("a.b.found", f"finding {n} of them", file=f"file{n}.bin") for n in range(count)]
    others = [
        decisions.control(f"team.control{n}", Outcome.FAIL, decisions.violation(f"team.control{n}.x", "no"))
        for n in range(40)
    ]
    return decisions.decision(decisions.control("a.b", Outcome.FAIL, *entries), *others)


def test_each_control_is_annotated_before_any_is_twice() -> None:
    found = commands(render("github", _many(2000)))
    titles = [command.properties["title"] for command in found]
    assert set(titles[1:42]) == {"a.b", *(f"team.control{n}" for n in range(40))}
    assert len(found) == 52
    assert found[-1].data == "and 1990 more of this kind; the other reports hold all"


def test_annotations_without_room_are_counted() -> None:
    items = tuple(
        decisions.rejected(evidence=decisions.digest(str(n)), origin="\u00e9" * 200 + str(n)) for n in range(300)
    )
    text = render("gitlab-annotations", dataclasses.replace(decisions.refusal(), rejected=items))
    assert len(text) <= 80 << 10
    links = json.loads(text)["gate: rejected evidence"]
    [more] = re.findall(r"and ([0-9]+) more; the other reports hold all", links[-1]["external_link"]["label"])
    assert len(links) - 1 + int(more) == 300


def test_a_summary_has_room_for_what_a_comment_has_not() -> None:
    items = tuple(
        decisions.rejected(evidence=decisions.digest(str(n)), origin=f"{n:0200}.json", detail="x " * 200)
        for n in range(250)
    )
    made = dataclasses.replace(decisions.refusal(), rejected=items)
    comment, page = render("markdown", made), render("summary", made)
    assert len(comment) < 60_000 < len(page) <= 250_000
    assert "Left out, as a comment has no room: " in comment
    assert "Left out" not in page
    whole = render("summary", dataclasses.replace(made, rejected=items * 3))
    assert len(whole) <= 250_000
    assert re.search(r"Left out for lack of room: [0-9]+ rejected items", whole)


def test_a_summary_tells_who_accepted_what_and_when_evidence_was_signed() -> None:
    item = dataclasses.replace(
        decisions.statement("build.provenance", "builder", artifacts=()),
        signed_at_s=decisions.NOON_S - decisions.DAY_S,
        time_source=TimeSource.TIMESTAMP_AUTHORITY,
        log_included=True,
    )
    waiver = decisions.waiver("W-12", "scan.malware", reason="false alarm", ticket="SEC-7", owner="kim", approver="lee")
    page = render("summary", dataclasses.replace(decisions.refusal(), verified=(item,), waivers=(waiver,)))
    assert "| `W-12` | false alarm | `SEC-7` | `kim` | `lee` |" in page
    assert "stated `2026-11-18`, 2 days old<br>signed `2026-11-19` by `timestamp-authority`, 1 day old" in page
    assert "in a transparency log" in page


def test_what_is_wrong_with_an_image_lies_in_the_configuration() -> None:
    image = {"kind": "container", "digest": None, "path": None, "reference": "r.example/x", "base": None, "bytes": 0}
    entry = decisions.violation("container.signed.missing", "no signature covers it", artifact="server")
    made = decisions.decision(
        decisions.control("container.signed", Outcome.FAIL, entry),
        subject={"artifacts": {"server": image}, "change": decisions.EVERYTHING},
    )
    [result] = run_of(made)["results"]
    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "gate.yaml"
    assert location["logicalLocations"] == [{"name": "server", "kind": "resource"}]
    assert "title=container.signed::no signature covers it (server). " in render("github", made)


def test_a_report_of_tests_counts_the_reasons_that_it_leaves_out() -> None:
    entries = [decisions.violation("a.b.found", f"finding {n} of them", file=f"{n}.bin") for n in range(150)]
    text = render("junit", decisions.decision(decisions.control("a.b", Outcome.FAIL, *entries)))
    assert text.count('type="a.b.found"') == 101
    assert "and 50 more; fix: " in text
    JUNIT.validate(text)


def test_each_rejected_item_has_a_case_of_its_own_name() -> None:
    """Readers show one case of a name: what is about nothing at stake must not hide what is."""
    places = [
        ("a.json", Concern.OTHERS),
        ("a.json", Concern.AT_STAKE),
        ("a.json (2)", Concern.AT_STAKE),
        ("a.json", Concern.OTHERS),
    ]
    items = tuple(
        decisions.rejected(evidence=decisions.digest(str(number)), origin=origin, concern=concern)
        for number, (origin, concern) in enumerate(places)
    )
    text = render("junit", decisions.decision(rejected=items))
    cases = list(ET.fromstring(text).iterfind("testsuite[@name='rejected evidence']/testcase"))
    names = [case.get("name") for case in cases]
    assert names == ["a.json", "a.json (2)", "a.json (2) (2)", "a.json (3)"]
    assert [case.find("failure") is not None for case in cases] == [False, True, True, False]


def test_the_advice_of_a_control_is_made_once_however_much_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at all findings: made for each, a table of many would take hours."""
    asked: list[str] = []

    def fix(_: Explainer, control: ControlDecision) -> str:
        asked.append(control.info.id)
        return "Mend it."

    monkeypatch.setattr(Explainer, "fix", fix)
    entries = [decisions.violation("a.b.found", f"finding {n}") for n in range(5)]
    text = render("csv", decisions.decision(decisions.control("a.b", Outcome.FAIL, *entries)))
    assert (asked, text.count("Mend it.")) == (["a.b"], 5)
