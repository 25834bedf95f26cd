"""What holds for the reports of every tool."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.formats.reports import TOOLS, read_report
from gate.model.digest import sha256_digest
from gate.model.scan import Basis, RawReport, Scan, ScanStatus
from tests.support.reports import ABOUT, ARTIFACTS, SAMPLED, VECTORS, modelscan, raw

GOOD = {path.parent.name: path.read_bytes() for path in VECTORS.glob("*/good.*")}
DOCUMENTS = sorted(set(TOOLS) - {"picklescan", "trufflehog"})
"""The tools whose reports are one JSON document."""


def read(tool: str, data: bytes) -> Scan:
    return read_report(raw(tool, data, artifact=ABOUT.get(tool)), SAMPLED)


def test_the_samples_cover_every_tool() -> None:
    assert set(GOOD) >= set(TOOLS)


def test_a_missing_report_failed_and_has_no_digest() -> None:
    scan = read_report(RawReport("modelscan", "x.json", "model", None, missing=True), ARTIFACTS)
    assert (scan.status, scan.report, scan.problem) == (ScanStatus.FAILED, None, "the report is missing")
    assert (scan.artifact, scan.origin, scan.basis) == ("model", "x.json", Basis.OBSERVED)


def test_an_unreadable_report_failed_and_says_why() -> None:
    scan = read_report(RawReport("sarif", "x", None, None, problem="permission denied"), ARTIFACTS)
    assert (scan.status, scan.problem) == (ScanStatus.FAILED, "permission denied")
    assert read_report(RawReport("sarif", "x", None, None), ARTIFACTS).problem == "the report could not be read"


def test_an_unknown_tool_failed() -> None:
    scan = read_report(raw("nosuch", b"{}"), ARTIFACTS)
    assert scan.status is ScanStatus.FAILED
    assert "modelscan, osv-scanner" in (scan.problem or "")
    assert scan.report == sha256_digest(b"{}")


def test_a_report_about_an_artifact_nobody_configured_failed() -> None:
    assert read_report(raw("modelscan", modelscan(), artifact="other"), ARTIFACTS).status is ScanStatus.FAILED


@pytest.mark.parametrize("tool", sorted(TOOLS))
@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"{}", b"1", b'"x"', b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b'{"a": 1, "a": 2}', b'{"a": NaN}', b"<xml/>", b'{"version": "2.1.0", "summary": null}',
    ],
)  # fmt: skip
def test_what_is_no_report_failed(tool: str, data: bytes) -> None:
    if (tool, data) == ("gitleaks", b"[]"):
        return
    scan = read_report(raw(tool, data), ARTIFACTS)
    assert scan.status is ScanStatus.FAILED
    assert scan.problem
    assert scan.report == sha256_digest(data)
    assert not scan.coverage.scanned


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_a_cut_report_is_never_complete(tool: str) -> None:
    data = GOOD[tool].rstrip() if tool in DOCUMENTS else GOOD[tool]
    for end in range(len(data)):
        assert read(tool, data[:end]).status is ScanStatus.FAILED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("tool", DOCUMENTS)
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_part_replaced_never_raises(tool: str, data: st.DataObject) -> None:
    """One value somewhere in a good report becomes any other value."""
    document = json.loads(GOOD[tool])
    at = document
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not (isinstance(at[key], dict | list) and at[key]) or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(JSON)
    scan = read(tool, json.dumps(document).encode())
    assert scan.status is ScanStatus.COMPLETE or scan.problem


@pytest.mark.parametrize("tool", DOCUMENTS)
def test_emptying_or_dropping_any_part_never_adds_coverage(tool: str) -> None:
    before = read(tool, GOOD[tool])

    def variants(value: object) -> list[object]:
        if isinstance(value, dict):
            dropped: list[object] = [{k: v for k, v in value.items() if k != key} for key in value]
            changed: list[object] = [
                {**value, key: new} for key, old in value.items() for new in (None, *variants(old))
            ]
            return dropped + changed
        if isinstance(value, list):
            return [[], *([*value[:i], new, *value[i + 1 :]] for i, old in enumerate(value) for new in variants(old))]
        return [None, [], {}, 7, ""]

    for variant in variants(json.loads(GOOD[tool])):
        scan = read(tool, json.dumps(variant).encode())
        assert scan.coverage.scanned.items() <= before.coverage.scanned.items()


@pytest.mark.parametrize("tool", sorted(set(TOOLS) - set(DOCUMENTS)))
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_lines_that_are_dropped_moved_or_changed_never_raise_nor_add_coverage(tool: str, data: st.DataObject) -> None:
    before = read(tool, GOOD[tool])
    lines = GOOD[tool].splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    new = data.draw(
        st.sampled_from([[], [lines[at], lines[at]], [lines[at][: len(lines[at]) // 2]]]) | st.just(lines[:at])
    )
    scan = read(tool, b"".join([*lines[:at], *new, *lines[at + 1 :]]))
    assert scan.coverage.scanned.items() <= before.coverage.scanned.items()
    assert scan.status is ScanStatus.COMPLETE or scan.problem


def test_a_report_of_lines_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.formats.reports.Limits", lambda: SimpleNamespace(report_bytes=10))
    assert "more than the 10 allowed" in (read("picklescan", GOOD["picklescan"]).problem or "")
