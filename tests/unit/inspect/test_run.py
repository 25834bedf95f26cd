from __future__ import annotations

import json

import pytest

from gate.inspect.run import inspect_artifact
from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind
from gate.model.digest import sha256_digest
from gate.model.scan import Basis, FileInspection, Finding, ScanStatus, Severity
from tests.support.looking import is_clean, look, rules

ONE, TWO = sha256_digest(b"1"), sha256_digest(b"2")
CLEAN = FileInspection("text", inspected=True)


def artifact(**files: ArtifactFile) -> Artifact:
    return Artifact(
        "model", ArtifactKind.WEIGHTS, "models/m", None, mutable_reference=False, base=None, digest=None, files=files
    )


def test_all_files_inspected() -> None:
    scan = inspect_artifact(artifact(a=ArtifactFile(ONE, 1), b=ArtifactFile(TWO, 1)), {"a": CLEAN, "b": CLEAN}, "1.2")
    assert (scan.tool, scan.version, scan.basis, scan.artifact) == ("gate", "1.2", Basis.INSPECTED, "model")
    assert (scan.status, scan.problem, scan.report) == (ScanStatus.COMPLETE, None, None)
    assert scan.coverage.expected == 2
    assert scan.coverage.scanned == {"a": ONE, "b": TWO}
    assert not scan.coverage.missing


def test_what_was_not_inspected_is_missing_with_the_reason() -> None:
    files = artifact(
        a=ArtifactFile(ONE, 1), b=ArtifactFile(TWO, 1), c=ArtifactFile(None, 0, "symlink"), d=ArtifactFile(ONE, 1),
        e=ArtifactFile(TWO, 1),
    )  # fmt: skip
    inspections = {
        "a": CLEAN,
        "b": FileInspection("gguf", inspected=False, reason="because"),
        "c": CLEAN,
        "e": FileInspection("x", inspected=False),
    }
    scan = inspect_artifact(files, inspections, "1")
    assert scan.status is ScanStatus.INCOMPLETE
    assert scan.coverage.scanned == {"a": ONE}
    assert scan.coverage.missing == {
        "b": "because",
        "c": "not a regular file (symlink)",
        "d": "it was not looked at",
        "e": "no reason was given",
    }
    assert scan.problem == "4 of 5 files were not inspected"


def test_findings_name_their_artifact_and_file() -> None:
    finding = Finding("pickle.global", Severity.HIGH, "x")
    found = FileInspection("pickle", inspected=True, findings=(finding, finding))
    scan = inspect_artifact(artifact(a=ArtifactFile(ONE, 1)), {"a": found}, "1")
    assert [(f.artifact, f.file, f.rule) for f in scan.findings] == [("model", "a", "pickle.global")] * 2


def test_no_files_is_not_clean() -> None:
    assert inspect_artifact(artifact(), {}, "1").status is ScanStatus.FAILED


@pytest.mark.parametrize(
    ("settings", "base", "other"),
    [
        ({"base_model_name_or_path": "meta/Llama-8B"}, ["base", "models/llama-8b"], False),
        ({"base_model_name_or_path": "/models/llama-8b/"}, ["llama-8b"], False),
        ({"base_model_name_or_path": "llama"}, ["base", "registry.example/llm/llama:1@sha256:1"], False),
        ({"base_model_name_or_path": "evil/Other"}, ["base", "models/llama-8b"], True),
        ({"base_model_name_or_path": "evil/Other"}, [], False),
        ({"base_model_name_or_path": None}, ["base"], False),
        ({"base_model_name_or_path": ""}, ["base"], False),
        ({}, ["base"], False),
    ],
)
def test_an_adapter_is_for_the_admitted_base(settings: dict[str, str | None], base: list[str], other: bool) -> None:
    seen = look("a/adapter_config.json", json.dumps(settings).encode())
    assert is_clean(seen)
    scan = inspect_artifact(artifact(a=ArtifactFile(ONE, 1)), {"a": seen}, "1", base)
    assert [(f.rule, f.artifact, f.file) for f in scan.findings] == [("adapter.base", "model", "a")] * other


def test_an_adapter_names_one_base() -> None:
    for text in (
        b'{"base_model_name_or_path": ["a"]}',
        b'{"base_model_name_or_path": "a", "base_model_name_or_path": "b"}',
    ):
        assert "adapter.base" in rules(look("adapter_config.json", text))
    assert look("other.json", b'{"base_model_name_or_path": "a"}').base is None
