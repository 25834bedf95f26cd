"""`docs/how-to/judge-deployments.md` works as written, and each way to loosen its example is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.acceptance.world import gate

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/judge-deployments.md").read_text("utf-8")
CONFIG, PROFILE, MANIFEST = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def refusing(folder: Path, manifest: str) -> set[str]:
    """The controls that refuse a manifest."""
    (folder / "deploy").mkdir()
    (folder / "gate.yaml").write_text(CONFIG)
    (folder / "profile.yaml").write_text(PROFILE)
    (folder / "deploy/server.yaml").write_text(manifest)
    done = gate("check", "--now", "2026-11-20T12:00:00Z", "--output", "decision.json", cwd=folder)
    decision = json.loads((folder / "decision.json").read_text())
    failing = {name for name, entry in decision["controls"].items() if entry["status"] != "pass"}
    assert done.code == (13 if failing else 0), done.text
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
