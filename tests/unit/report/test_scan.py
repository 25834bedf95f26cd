"""What `gate scan` says in each form: nothing that was not judged looks like something that was."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gate.formats import schema
from gate.model.digest import sha256_digest
from gate.model.scan import Category, Finding, ScanStatus, Severity, Template
from gate.model.scanned import Scanned, ScannedFile, State, Target
from gate.report import scan_rules
from gate.report.scan import render_scan, scan_json, scan_summary
from gate.report.scan_rules import rule_help, what_to_do
from gate.report.scan_sarif import sarif, uri

INSPECT = Path(__file__).resolve().parents[3] / "gate" / "inspect"
VECTORS = Path(__file__).resolve().parents[2] / "vectors"
ONE = sha256_digest(b"1")
BAD = Finding("pickle.global", Severity.CRITICAL, "names os.system", category=Category.UNSAFE)
NOTE = Finding("template.present", Severity.NONE, "holds a chat template", category=Category.UNSAFE)
SECRET = Finding("acme.key", Severity.LOW, "holds a key", category=Category.SECRET)
JUDGED = ScannedFile(State.JUDGED, ONE, 7, "json")
FOUND = ScannedFile(State.JUDGED, ONE, 9, "pickle", findings=(BAD, NOTE, SECRET))
BLOB = ScannedFile(State.UNINSPECTED, ONE, 5, reason="format unknown")
LINK = ScannedFile(State.LINK, reason="a link")


def scanned(*targets: Target, **more: Any) -> Scanned:
    return Scanned("0.7.0", targets, **more)


def folder(path: str = "m", **files: ScannedFile) -> Target:
    return Target(path, True, None, files)


WHOLE = scanned(folder(a=JUDGED, b=FOUND, c=BLOB, d=LINK))


@pytest.mark.parametrize(("found", "status", "code", "problem"), [
    (scanned(), "failed", 13, "there is no file: nothing was judged"),
    (scanned(folder()), "failed", 13, "there is no file: nothing was judged"),
    (scanned(folder(a=BLOB)), "failed", 13, "no file could be judged"),
    (scanned(folder(a=JUDGED)), "complete", 0, None),
    (scanned(folder(a=JUDGED), folder("n")), "complete", 0, None),
    (scanned(folder(a=JUDGED), folder("n", a=LINK)), "incomplete", 13, "1 of 2 files were not judged"),
    (scanned(folder(a=JUDGED, b=FOUND)), "complete", 13, None),
    (scanned(folder(a=FOUND), fail_on=Severity.CRITICAL), "complete", 13, None),
])  # fmt: skip
def test_the_exit_code_is_0_only_for_a_whole_scan_without_findings(
    found: Scanned, status: str, code: int, problem: str | None
) -> None:
    assert (found.status, found.exit_code, found.problem) == (ScanStatus(status), code, problem)
    assert schema.problem("scan.json", scan_json(found)) is None
    log: Any = sarif(found)
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is (status == "complete")


@pytest.mark.parametrize("least", [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL])
@pytest.mark.parametrize("severity", list(Severity))
def test_findings_count_from_a_severity_on(least: Severity, severity: Severity) -> None:
    file = ScannedFile(State.JUDGED, ONE, findings=(Finding("x.y", severity, ""),))
    order = list(Severity)
    assert (scanned(folder(a=file), fail_on=least).exit_code == 13) == (order.index(severity) >= order.index(least))


@pytest.mark.parametrize(("path", "is_folder", "file", "expected"), [
    ("m", True, "a/b", "m/a/b"), ("m/", True, "a", "m/a"), (".", True, "a", "a"), ("/m", True, "a", "/m/a"),
    ("/", True, "a", "/a"), ("m/a", False, "a", "m/a"), ("..", True, "a", "../a"),
])  # fmt: skip
def test_paths_are_shown_as_they_were_named(path: str, is_folder: bool, file: str, expected: str) -> None:
    assert Target(path, is_folder, None, {}).shown(file) == expected


def test_json_leaves_nothing_out() -> None:
    file = ScannedFile(State.JUDGED, ONE, 1, "gguf", templates={"t": Template(ONE, ("loops",))}, base="b")
    value: Any = scan_json(scanned(folder(a=file, c=BLOB), exclude=("x",), allowed=("a.B",)))
    assert (value["exclude"], value["allow_globals"]) == (["x"], ["a.B"])
    files = value["targets"][0]["files"]
    assert files["a"]["templates"] == {"t": {"digest": ONE, "problems": ["loops"]}}
    assert (files["a"]["base"], files["a"]["fix"], files["a"]["reason"]) == ("b", None, None)
    assert files["c"]["fix"] == what_to_do(State.UNINSPECTED)
    assert value["counts"] == {
        "files": 2, "bytes": 6, "findings": 0, "judged": 1, "uninspected": 1, "unread": 0, "link": 0, "special": 0,
        "excluded": 0,
    }  # fmt: skip
    assert schema.problem("scan.json", value) is None
    files["a"]["reason"] = "but"
    assert schema.problem("scan.json", value) is not None


def test_text_names_what_was_found_first_and_worst_first() -> None:
    text = render_scan("text", WHOLE)
    order = [
        text.index(word) for word in ("critical  m/b", "low       m/b", "none      m/b", "m/c: format", "m/d: a link")
    ]
    assert order == sorted(order)
    assert "fix: See the documentation of that inspector." in text
    assert (
        text.splitlines()[-1]
        == scan_summary(WHOLE)
        == "NOT EVERY FILE WAS JUDGED: 2 of 4, 2 findings (3 listed).   exit 13"
    )


def test_the_form_is_chosen() -> None:
    assert '"urn:gate:scan:v1"' in render_scan("json", WHOLE)
    assert '"version": "2.1.0"' in render_scan("sarif", WHOLE)


def test_long_lists_say_that_there_is_more() -> None:
    text = render_scan("text", scanned(Target("m", True, None, {f"f{number}": BLOB for number in range(60)})))
    assert "... and 10 more that are uninspected; --format json lists all" in text


def test_text_names_a_few_targets() -> None:
    text = render_scan("text", scanned(*(folder(f"m{number}") for number in range(6))))
    assert text.startswith("SCAN  m0, m1, m2, m3, ...\n")


# --- SARIF ------------------------------------------------------------------------------------------------------------

_MESSAGE = {"text", "markdown"}
MEMBERS = {
    "sarifLog": {"$schema", "version", "runs"},
    "runs": {"tool", "invocations", "artifacts", "results", "columnKind"},
    "tool": {"driver"},
    "driver": {"name", "semanticVersion", "rules", "notifications"},
    "rules": {"id", "shortDescription", "fullDescription", "help", "properties"},
    "notifications": {"id", "shortDescription"},
    "shortDescription": _MESSAGE,
    "fullDescription": _MESSAGE,
    "help": _MESSAGE,
    "message": _MESSAGE,
    "invocations": {"executionSuccessful", "exitCode", "exitCodeDescription", "toolExecutionNotifications"},
    "toolExecutionNotifications": {"descriptor", "level", "message", "locations"},
    "descriptor": {"id"},
    "artifacts": {"location", "length", "hashes", "properties"},
    "location": {"uri", "index"},
    "artifactLocation": {"uri", "index"},
    "locations": {"physicalLocation"},
    "physicalLocation": {"artifactLocation"},
    "results": {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties"},
}
"""The members of SARIF 2.1.0 that are used, by the member that holds their object; bags are open."""
REQUIRED = {
    "sarifLog": {"version", "runs"},
    "runs": {"tool"},
    "tool": {"driver"},
    "driver": {"name"},
    "rules": {"id"},
    "notifications": {"id"},
    "invocations": {"executionSuccessful"},
    "toolExecutionNotifications": {"message"},
    "results": {"message"},
}
BAGS = {"properties", "hashes", "partialFingerprints"}


def check(value: Any, name: str = "sarifLog") -> None:
    if isinstance(value, list):
        for item in value:
            check(item, name)
    elif isinstance(value, dict) and name not in BAGS:
        assert set(value) <= MEMBERS[name], name
        assert set(value) >= REQUIRED.get(name, set()), name
        for key, item in value.items():
            check(item, key)


def test_sarif_has_the_members_of_the_standard() -> None:
    log: Any = sarif(WHOLE)
    check(log)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        [location] = result["locations"]
        place = location["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"] == "m/b"
    assert [rule["properties"]["tags"] for rule in rules] == [
        ["security", "secret"],
        ["security", "unsafe"],
        ["security", "unsafe"],
    ]
    assert all(rule["help"]["text"] for rule in rules)


def test_sarif_fits_the_schema_of_the_standard() -> None:
    schema_of_sarif = json.loads((VECTORS / "sarif/sarif-schema-2.1.0.json").read_text("utf-8"))
    for found in (WHOLE, scanned(), scanned(folder(a=JUDGED))):
        jsonschema.Draft7Validator(schema_of_sarif).validate(sarif(found))


def test_s34_what_a_file_says_is_no_link_and_no_placeholder_in_sarif() -> None:
    text = "[ALLOW](https://evil.example) {0}\x1b[2J"
    file = ScannedFile(State.JUDGED, ONE, findings=(Finding("x.y", Severity.HIGH, text),))
    log: Any = sarif(scanned(Target("m", True, None, {text: file, "b": ScannedFile(State.LINK, reason=text)})))
    [run] = log["runs"]
    messages = [run["results"][0]["message"]["text"]]
    messages += [notice["message"]["text"] for notice in run["invocations"][0]["toolExecutionNotifications"]]
    for message in messages:
        assert "[ALLOW]\\x28https" in message
        assert "{{0}}\\x1b" in message


def test_sarif_lists_digests_of_judged_files_alone() -> None:
    log: Any = sarif(WHOLE)
    [run] = log["runs"]
    assert {item["location"]["uri"]: "hashes" in item for item in run["artifacts"]} == {
        "m/a": True, "m/b": True, "m/c": False, "m/d": False,
    }  # fmt: skip
    notices = run["invocations"][0]["toolExecutionNotifications"]
    assert [notice["level"] for notice in notices] == ["error", "error"]
    assert "m/c was not judged: format unknown" in notices[0]["message"]["text"]


def test_fingerprints_are_of_rule_place_and_message() -> None:
    def prints(*items: Finding, name: str = "a") -> list[str]:
        log: Any = sarif(scanned(Target("m", True, None, {name: ScannedFile(State.JUDGED, ONE, findings=items)})))
        return [result["partialFingerprints"]["gate/v1"] for result in log["runs"][0]["results"]]

    assert prints(BAD) == prints(BAD) == prints(BAD, NOTE)[:1]
    assert len({*prints(BAD, NOTE, SECRET), *prints(BAD, name="b")}) == 4


@pytest.mark.parametrize(("path", "expected"), [
    ("m/a b#?%.bin", "m/a%20b%23%3F%25.bin"), ("/m/a", "file:///m/a"), ("a:b", "a%3Ab"), ("a\\xff", "a%FF"),
    ("a\\\\b", "a%5Cb"), ("\u00e9", "%C3%A9"),
])  # fmt: skip
def test_uris(path: str, expected: str) -> None:
    assert uri(path) == expected


# --- help -------------------------------------------------------------------------------------------------------------


def test_every_rule_of_the_gate_says_how_to_fix_it() -> None:
    """The first parts of all names of rules in the inspectors, as they stand in their sources."""
    named = set()
    for path in INSPECT.glob("*.py"):
        named |= set(re.findall(r"(?:\.add|Finding)\(\s*f?\"([a-z0-9_]+)\.", path.read_text("utf-8")))
    assert named >= {"gguf", "archive", "file"}
    assert {name for name in named if rule_help(f"{name}.x") is scan_rules._OTHER} == set()


@pytest.mark.parametrize("state", set(State) - {State.JUDGED})
def test_every_state_says_what_to_do(state: State) -> None:
    assert what_to_do(state).endswith(".")
