"""`docs/how-to/judge-deployments.md` works as written, and each way to loosen its example is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.acceptance.world import gate
from tools.scenario_evidence import bundle, key, statement
from tools.scenarios_bills import CYCLONEDX, bill

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/judge-deployments.md").read_text("utf-8")
CONFIG, PROFILE, MANIFEST, MINIMUMS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


TRUST = "evidence: [{directory: evidence}]\ntrust: {signers: {release: {key: release.pub, claims: [sbom]}}}\n"


def refusing(folder: Path, manifest: str, more: str = "", code: int = 13) -> set[str]:
    """The controls that refuse a manifest."""
    (folder / "deploy").mkdir()
    (folder / "gate.yaml").write_text(CONFIG + more)
    (folder / "profile.yaml").write_text(PROFILE)
    (folder / "deploy/server.yaml").write_text(manifest)
    done = gate("check", "--now", "2026-11-20T12:00:00Z", "--output", "decision.json", cwd=folder)
    decision = json.loads((folder / "decision.json").read_text())
    failing = {name for name, entry in decision["controls"].items() if entry["status"] != "pass"}
    assert done.code == (code if failing else 0), done.text
    return failing


def test_the_example_passes(tmp_path: Path) -> None:
    assert refusing(tmp_path, MANIFEST) == set()


@pytest.mark.parametrize(
    ("old", "new", "control"),
    [
        ("@sha256:" + "a" * 64, ":latest", "deploy.image_pinned"),
        ("a" * 64, "b" * 64, "deploy.image_pinned"),
        ("runAsNonRoot: true", "runAsNonRoot: false", "deploy.restricted"),
        ("runAsNonRoot: true", "runAsNonroot: true", "deploy.restricted"),
        ("containers:", "hostPID: true\n      containers:", "deploy.restricted"),
        ("readOnlyRootFilesystem: true", "privileged: true", "deploy.restricted"),
        ("policyTypes: [Egress]", "policyTypes: [Egress], egress: [{}]", "deploy.egress"),
        ("name: closed, namespace: llm", "name: closed, namespace: other", "deploy.egress"),
        ("safetensors", "pt", "deploy.safe_loading"),
        ("args: [--load-format, safetensors]", "args: []", "deploy.safe_loading"),
        ("safetensors]", "safetensors, --trust-remote-code]", "deploy.safe_loading"),
    ],
)
def test_each_way_to_loosen_it_is_refused(old: str, new: str, control: str, tmp_path: Path) -> None:
    assert old in MANIFEST
    assert refusing(tmp_path, MANIFEST.replace(old, new)) == {control}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: Deployment", "kind: ModelServer"),
        ("name: server", "name: {{ .Values.name }}"),
        ("runAsNonRoot: true", "runAsNonRoot: yes"),
        ("runAsNonRoot: true", "runAsNonRoot: true\n        runAsNonRoot: true"),
        (MANIFEST, "# nothing\n"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_all(old: str, new: str, tmp_path: Path) -> None:
    failing = refusing(tmp_path, MANIFEST.replace(old, new))
    assert failing == {"deploy.egress", "deploy.image_pinned", "deploy.restricted", "deploy.safe_loading"}


@pytest.mark.parametrize(
    ("torch", "accepted"), [("2.10.0", True), ("2.11", True), ("2.9.1", False), ("2.10.0rc1", False), (None, False)]
)
def test_minimums_are_met_as_a_signed_bill_says(torch: str | None, accepted: bool, tmp_path: Path) -> None:
    """`None`: there is no bill of materials."""
    (tmp_path / "evidence").mkdir()
    (tmp_path / "release.pub").write_bytes(key("release").pem)
    if torch is not None:
        digest = {"alg": "SHA-256", "content": "a" * 64}
        image = {"type": "container", "bom-ref": "server", "name": "server", "hashes": [digest]}
        names = {"bom-ref": "torch", "name": "torch", "version": torch, "purl": f"pkg:pypi/torch@{torch}"}
        subject = {"name": "server", "digest": {"sha256": "a" * 64}}
        said = statement(CYCLONEDX, [subject], bill(image, [{"type": "library", **names}], "complete"))
        (tmp_path / "evidence/server.cdx.json").write_bytes(bundle(said, key("release")))
    assert refusing(tmp_path, MANIFEST, TRUST + MINIMUMS) == (set() if accepted else {"deploy.safe_loading"})


@pytest.mark.parametrize("minimum", ['"2.10rc1"', "2", '""', "null", "[2, 10]"])
def test_a_malformed_minimum_is_an_error(minimum: str, tmp_path: Path) -> None:
    assert '"2.10"' in MINIMUMS
    assert refusing(tmp_path, MANIFEST, MINIMUMS.replace('"2.10"', minimum), code=4) == {"deploy.safe_loading"}


def test_a_version_without_quotes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(PROFILE)
    (tmp_path / "gate.yaml").write_text(CONFIG + MINIMUMS.replace('"2.10"', "2.10"))
    done = gate("check", "--now", "2026-11-20T12:00:00Z", cwd=tmp_path)
    assert done.code == 2
    assert "2.10" in done.err
