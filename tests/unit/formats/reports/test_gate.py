"""Reports of `gate scan`: what it did not judge covers nothing, in whatever form and however it is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gate.formats import schema
from gate.formats.reports import read_report
from gate.model.digest import sha256_digest
from gate.model.scan import Category, Finding, Scan, ScanStatus, Severity
from tests.support.reports import ARTIFACTS, CONFIG, SAMPLED, VECTORS, WEIGHTS, raw

SAMPLES = sorted(path.stem for path in (VECTORS / "gate").iterdir() if path.stem != "cut")
OTHER = sha256_digest(b"other")


def sample(name: str) -> Any:
    return json.loads((VECTORS / "gate" / f"{name}.json").read_bytes())


def read(document: object, about: str | None = "model") -> Scan:
    return read_report(raw("gate", json.dumps(document).encode(), artifact=about), ARTIFACTS)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_as_the_schema_says(name: str) -> None:
    assert schema.problem("scan.json", sample(name)) is None


def test_findings_keep_what_is_known_of_them() -> None:
    scan = read(sample("good"), None)
    assert (scan.tool, scan.version, scan.artifact) == ("gate", "0.7.0", "model")
    call = Finding("pickle.call", Severity.CRITICAL, "calls os.system", "model", "model.bin", category=Category.UNSAFE)
    assert scan.findings == (call,)


def test_s32_what_was_not_judged_covers_nothing() -> None:
    scan = read(sample("partial"))
    assert scan.coverage.scanned == {"sub/config.json": CONFIG}
    assert scan.coverage.errors == {"model.bin": "format unknown"}


@pytest.mark.parametrize("state", ["uninspected", "unread", "link", "special", "excluded", "clean", "JUDGED"])
def test_s32_no_other_state_counts_as_judged(state: str) -> None:
    document = sample("good")
    [target] = document["targets"]
    target["files"]["model.bin"]["state"] = state
    scan = read(document)
    assert "model.bin" not in scan.coverage.scanned
    assert scan.status is ScanStatus.FAILED


@pytest.mark.parametrize(("path", "kind", "names"), [
    ("models/m", "folder", ("model.bin", "sub/config.json")),
    ("./models/m/", "folder", ("model.bin", "sub/config.json")),
    (".", "folder", ("models/m/model.bin", "models/m/sub/config.json")),
    (".", "folder", ("model.bin", "sub/config.json")),
    ("m", "folder", ("model.bin", "sub/config.json")),
    ("/somewhere/models/m", "folder", ("model.bin", "sub/config.json")),
])  # fmt: skip
def test_paths_are_those_of_the_target(path: str, kind: str, names: tuple[str, str]) -> None:
    document = sample("good")
    [target] = document["targets"]
    target |= {"path": path, "kind": kind, "files": dict(zip(names, target["files"].values(), strict=True))}
    scan = read(document)
    assert (scan.status, scan.coverage.scanned) == (
        ScanStatus.COMPLETE, {"model.bin": WEIGHTS, "sub/config.json": CONFIG}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "about"), [("models/p.pkl", None), ("/x/models/p.pkl", None), ("models/p.pkl", "pickle")]
)
def test_a_single_file(path: str, about: str | None) -> None:
    document = sample("good")
    [target] = document["targets"]
    target |= {"path": path, "kind": "file", "files": {"p.pkl": target["files"]["model.bin"]}}
    document["counts"]["judged"] = 1
    scan = read_report(raw("gate", json.dumps(document).encode(), artifact=about), SAMPLED)
    assert (scan.status, scan.artifact, scan.coverage.scanned) == (ScanStatus.COMPLETE, "pickle", {"p.pkl": WEIGHTS})


def test_another_file_of_an_archives_name_is_not_the_archive() -> None:
    """`owners` would take `model.bin:x` for a member of model.bin."""
    document = sample("good")
    [target] = document["targets"]
    target["files"]["model.bin:x"] = {**target["files"].pop("model.bin")}
    scan = read(document)
    assert "model.bin" not in scan.coverage.scanned


def test_other_bytes_are_an_error() -> None:
    document = sample("good")
    [target] = document["targets"]
    target["files"]["model.bin"]["digest"] = OTHER
    scan = read(document)
    assert (scan.status, dict(scan.coverage.scanned)) == (ScanStatus.INCOMPLETE, {"sub/config.json": CONFIG})
    assert scan.coverage.errors == {"model.bin": "the report is about other bytes of this file"}


def changed(**more: object) -> Mapping[str, object]:
    return {**sample("good"), **more}


def with_file(**more: object) -> object:
    document = sample("good")
    [target] = document["targets"]
    target["files"]["model.bin"] |= more
    return document


@pytest.mark.parametrize("document", [
    changed(schema="urn:gate:scan:v2"), changed(schema=None), changed(targets=None), changed(targets=[5]),
    changed(status="failed"), changed(status="incomplete", targets=[]), changed(status=None), changed(status="done"),
    changed(counts={}), changed(counts={**sample("good")["counts"], "judged": 3}),
    changed(counts={**sample("good")["counts"], "unread": 1}),
    with_file(digest=None), with_file(digest="sha256:5"), with_file(reason="but"), with_file(findings=None),
    with_file(state=None), {**sample("partial"), "status": "complete"}, {}, [],
])  # fmt: skip
def test_a_report_that_contradicts_itself_failed(document: object) -> None:
    assert read(document).status is ScanStatus.FAILED


def test_an_incomplete_report_stays_incomplete() -> None:
    scan = read(changed(status="incomplete", problem=None))
    assert (scan.status, scan.problem) == (ScanStatus.INCOMPLETE, "it is not complete")


def test_unjudged_files_without_a_reason_or_an_artifact() -> None:
    document = sample("partial")
    [target] = document["targets"]
    target["files"]["model.bin"]["reason"] = None
    target["files"]["elsewhere"] = {**target["files"]["model.bin"], "findings": sample("good")["targets"][0]["files"][
        "model.bin"]["findings"]}  # fmt: skip
    document["counts"]["uninspected"] = 2
    scan = read(document)
    assert scan.coverage.errors == {"model.bin": "it was not judged", "elsewhere": "it was not judged"}
    assert [finding.file for finding in scan.findings] == [None]


@pytest.mark.parametrize(
    ("word", "category"), [("secret", Category.SECRET), ("new", Category.OTHER), (None, Category.OTHER)]
)
def test_a_category_that_nobody_knows_is_any(word: object, category: Category) -> None:
    document = sample("good")
    document["targets"][0]["files"]["model.bin"]["findings"][0]["category"] = word
    assert [finding.category for finding in read(document).findings] == [category]
