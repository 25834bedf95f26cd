"""Reports of scanners and the artifacts that they are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gate.model.artifact import Artifact, ArtifactFile, ArtifactKind
from gate.model.digest import hex_of, sha256_digest
from gate.model.scan import RawReport

WEIGHTS, CONFIG, SYSTEM = (sha256_digest(name) for name in (b"weights", b"config", b"system"))


def artifact(name: str, path: str | None, *, folder: bool = True, **files: ArtifactFile) -> Artifact:
    return Artifact(
        name, ArtifactKind.WEIGHTS, path, None, mutable_reference=False, base=None, digest=None,
        files={key.replace("__", "/").replace("_DOT_", "."): file for key, file in files.items()}, is_folder=folder,
    )  # fmt: skip


MODEL = artifact(
    "model", "models/m", model_DOT_bin=ArtifactFile(WEIGHTS, 7), sub__config_DOT_json=ArtifactFile(CONFIG, 6)
)
PROMPT = artifact("prompt", "app/system.txt", folder=False, system_DOT_txt=ArtifactFile(SYSTEM, 6))
IMAGE = artifact("image", None)
ARTIFACTS = {"model": MODEL, "prompt": PROMPT, "image": IMAGE}

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "reports"
REQUIREMENTS, SOURCE, IMAGE_DIGEST = (sha256_digest(name) for name in (b"requirements", b"source", b"image"))
SAMPLED = {
    "model": MODEL,
    "pickle": artifact("pickle", "models/p.pkl", folder=False, p_DOT_pkl=ArtifactFile(WEIGHTS, 7)),
    "app": artifact(
        "app", "service", requirements_DOT_txt=ArtifactFile(REQUIREMENTS, 1), main_DOT_py=ArtifactFile(SOURCE, 1)
    ),
    "server": Artifact(
        "server", ArtifactKind.CONTAINER, None, None, mutable_reference=False, base=None, digest=IMAGE_DIGEST, files={}
    ),
}
"""What the samples in tests/vectors/reports are about."""
ABOUT = {"gitleaks": "app", "pip-audit": "app", "trufflehog": "app", "fickling": "pickle"}
"""The artifact that a report is said to be about, of tools whose reports do not say it."""


def raw(tool: str, data: bytes, *, artifact: str | None = None) -> RawReport:
    return RawReport(tool, "reports/x.json", artifact, data)


def issue(source: str = "model.bin:archive/data.pkl", severity: Any = "CRITICAL", **more: Any) -> dict[str, Any]:
    return {
        "description": "Use of unsafe operator 'system' from module 'posix'", "operator": "system", "module": "posix",
        "source": source, "scanner": "modelscan.scanners.PickleUnsafeOpScan", "severity": severity, **more,
    }  # fmt: skip


def modelscan(
    files: Any = ("model.bin:archive/data.pkl", "sub/config.json"),
    issues: Any = (),
    errors: Any = (),
    target: str = "models/m",
    *,
    skipped: Any = None,
    **summary: Any,
) -> bytes:
    """A report as modelscan 0.8.8 writes it."""
    levels = [item.get("severity") for item in issues]
    body = {
        "total_issues_by_severity": {level: levels.count(level) for level in ("LOW", "MEDIUM", "HIGH", "CRITICAL")},
        "total_issues": len(issues),
        "input_path": target,
        "absolute_path": "/x",
        "modelscan_version": "0.8.8",
        "timestamp": "2026-11-20T11:30:00",
        "scanned": {"total_scanned": len(files), "scanned_files": list(files)},
    }
    if skipped is not None:
        body["skipped"] = {"total_skipped": len(skipped), "skipped_files": skipped}
    return json.dumps({"summary": {**body, **summary}, "issues": list(issues), "errors": list(errors)}).encode()


def location(uri: str | None = None, **more: Any) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {**({} if uri is None else {"uri": uri}), **more}}}


def result(uri: str | None = "models/m/model.bin", **more: Any) -> dict[str, Any]:
    where = [] if uri is None else [location(uri)]
    return {"ruleId": "S201", "message": {"text": "bad"}, "locations": where, **more}


def listed(uri: str = "models/m/model.bin", digest: Any = None) -> dict[str, Any]:
    return {"location": {"uri": uri}, "hashes": {"sha-256": hex_of(WEIGHTS) if digest is None else digest}}


def run(**more: Any) -> dict[str, Any]:
    driver = {
        "name": "modelaudit",
        "version": "0.2.54",
        "rules": [{"id": "S201", "defaultConfiguration": {"level": "error"}}],
    }
    base = {
        "tool": {"driver": driver}, "results": [],
        "invocations": [{"executionSuccessful": True, "arguments": ["scan", "."]}],
        "artifacts": [listed()],
    }  # fmt: skip
    return {key: value for key, value in {**base, **more}.items() if value is not ...}


def sarif(*runs: Any, **more: Any) -> bytes:
    return json.dumps({"version": "2.1.0", "runs": list(runs) or [run()], **more}).encode()
