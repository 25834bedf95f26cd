"""`docs/how-to/vulnerabilities.md` works as written, and what it says of other words and signers holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gate.app.check import check
from gate.app.workspace import Request
from gate.model.decision import Decision, Verdict
from tests.acceptance.world import gate
from tests.support.pages import HOW_TO, run_page
from tools.scenario_evidence import safetensors

PAGE = (HOW_TO / "vulnerabilities.md").read_text()
CONFIG, PROFILE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
(VEX,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
NOW = 1_795_176_000
FOUND = {"id": "PYSEC-2024-1", "aliases": ["CVE-2024-37891"], "fix_versions": ["2.2.2"], "description": "d"}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The page's folder, before anybody has signed anything."""
    root = tmp_path / "root"
    for folder in ("keys", "reports"):
        (root / folder).mkdir(parents=True)
    (root / "gate.yaml").write_text(CONFIG)
    (root / "profile.yaml").write_text(PROFILE)
    (root / "requirements.lock").write_text("urllib3==2.2.1\n")
    (root / "vex.json").write_text(VEX)
    write_report(root, FOUND)
    return root


def write_report(root: Path, *vulns: object, **skipped: object) -> None:
    dependencies: list[object] = [{"name": "urllib3", "version": "2.2.1", "vulns": list(vulns)}]
    dependencies += [skipped] if skipped else []
    (root / "reports/audit.json").write_text(json.dumps({"dependencies": dependencies, "fixes": []}))


def decide(root: Path, now_s: int = NOW) -> Decision:
    return check(Request(root, root, "gate.yaml", None, config_from_worktree=False, now_s=now_s)).decision


def messages(decision: Decision) -> list[str]:
    return [item.violation.message for control in decision.controls.values() for item in control.violations]


@pytest.fixture
def signed(world: Path, tmp_path: Path) -> Path:
    """The page's folder, when all of the page was done."""
    shown = run_page("vulnerabilities.md", world, tmp_path / "programs")
    assert "deps-pip-audit.scan.json" in shown
    return world


def test_the_page(signed: Path) -> None:
    assert decide(signed).verdict is Verdict.ALLOW
    (signed / ".gate/attestations/requirements.lock.vex.sigstore.json").unlink()
    refused = decide(signed)
    assert refused.verdict is Verdict.DENY
    assert messages(refused) == ["pip-audit found PYSEC-2024-1 in pkg:pypi/urllib3@2.2.1: critical"]


def test_the_word_ends(signed: Path) -> None:
    assert decide(signed, NOW + 89 * 86400).verdict is Verdict.ALLOW
    assert decide(signed, NOW + 91 * 86400).verdict is Verdict.DENY
    assert decide(signed, 1_795_000_000).verdict is Verdict.DENY, "it is of the future"


def test_other_bytes_are_neither_scanned_nor_excused(signed: Path) -> None:
    (signed / "requirements.lock").write_text("urllib3==2.2.2\n")
    assert decide(signed).exit_code == 12


def say(root: Path, key: str, **changes: Any) -> None:
    """Another word in place of the page's."""
    value = json.loads(VEX)
    value["statements"][0] |= changes
    (root / "vex.json").write_text(json.dumps(value))
    done = gate(
        *("attest", "create", "--claim", "vex", "--predicate", "vex.json"),
        *("--subject", "requirements.lock", "--key", f"keys/{key}.key"),
        cwd=root,
    )
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "changes",
    [
        {"products": [{"@id": "*"}]},
        {"products": [{"@id": "pkg:pypi/urllib3"}]},
        {"products": [{"@id": "pkg:pypi/urllib3@2.2.0"}]},
        {"products": []},
        {"status": "affected"},
        {"status": "under_investigation"},
        {"justification": None},
        {"vulnerability": {"name": "CVE-2024-37890"}},
    ],
)
def test_what_takes_nothing_away(signed: Path, changes: Any) -> None:
    say(signed, "security", **changes)
    assert decide(signed).verdict is Verdict.DENY


def test_s33_the_word_of_another_signer(signed: Path) -> None:
    say(signed, "ci")
    decision = decide(signed)
    assert (decision.verdict, decision.exit_code) == (Verdict.DENY, 11)


def test_s33_an_unsigned_document_says_nothing(signed: Path) -> None:
    (signed / ".gate/attestations/requirements.lock.vex.sigstore.json").unlink()
    for name in ("vex.json", "vex.openvex.json"):
        (signed / ".gate/attestations" / name).write_text(VEX)
    assert decide(signed).verdict is Verdict.DENY


BASIS = {"scan.vulnerabilities", "scan.secrets", "scan.malware", "scan.coverage"}


def test_s33_an_unsigned_report_counts_only_where_the_profile_says_so(signed: Path) -> None:
    (signed / ".gate/attestations/deps-pip-audit.scan.sigstore.json").unlink()
    reports = "reports:\n  - {tool: pip-audit, path: reports/audit.json, artifact: deps}\n"
    (signed / "gate.yaml").write_text(CONFIG.replace("reports: []\n", reports))
    refused = decide(signed)
    assert "no complete search for vulnerabilities looked at it" in messages(refused)
    (signed / "profile.yaml").write_text(PROFILE.replace("observed: false", "observed: true"))
    assert decide(signed).verdict is Verdict.ALLOW


ALL_FOUR = """name: four
description: Whatever was scanned, by signed reports or by the gate itself.
controls: {scan.coverage: {mode: enforce}, scan.malware: {mode: enforce},
           scan.secrets: {mode: enforce}, scan.vulnerabilities: {mode: enforce}}
parameters:
  scan.coverage: {observed: false}
  scan.malware: {observed: false}
  scan.secrets: {observed: false, kinds: [package]}
  scan.vulnerabilities: {observed: false, kinds: [package], accept_undated: true}
"""


def outcomes(decision: Decision) -> dict[str, str]:
    return {name.removeprefix("scan."): control.outcome.value for name, control in decision.controls.items()}


def test_s33_the_profile_says_which_basis_is_enough(world: Path) -> None:
    """Files of models the gate judges itself; of a package, signed reports say what was searched."""
    (world / "models").mkdir()
    (world / "models/m.safetensors").write_bytes(safetensors("m"))
    (world / "reports/leaks.json").write_text("[]")
    write_report(world)
    artifacts = "artifacts:\n  m: {kind: weights, path: models/m.safetensors}\n"
    listed = "reports:\n" + "".join(
        f"  - {{tool: {tool}, path: reports/{name}.json, artifact: deps}}\n"
        for tool, name in (("gitleaks", "leaks"), ("pip-audit", "audit"))
    )
    text = CONFIG.replace("artifacts:\n", artifacts).replace("reports: []\n", listed)
    (world / "profile.yaml").write_text(ALL_FOUR)
    for name in ("ci", "security"):
        assert gate("keygen", "--out", f"keys/{name}", cwd=world).code == 0
    (world / "gate.yaml").write_text(text)
    unsigned = {"coverage": "pass", "malware": "pass", "secrets": "fail", "vulnerabilities": "fail"}
    assert outcomes(decide(world)) == unsigned
    for report in ("leaks", "audit"):
        create = ("attest", "create", "--type", "scan", "--report", f"reports/{report}.json", "--artifact", "deps")
        done = gate(*create, cwd=world)
        assert done.code == 0, done.err
    done = gate("sign", "--in", ".gate/statements", "--key", "keys/ci.key", cwd=world)
    assert done.code == 0, done.err
    assert set(outcomes(decide(world)).values()) == {"pass"}
    (world / "profile.yaml").write_text(ALL_FOUR.replace("observed: false", "observed: true"))
    for path in (world / ".gate/attestations").iterdir():
        path.unlink()
    assert set(outcomes(decide(world)).values()) == {"pass"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--type", "scan", "--report", "r.json"],
        ["--type", "scan", "--artifact", "deps"],
        ["--type", "scan"],
        ["--type", "scan", "--tool", "grype"],
        ["--type", "prompt", "--report", "r.json", "--artifact", "deps"],
        ["--type", "scan", "--config", "c.yaml", "--report", "r.json", "--artifact", "deps"],
        ["--type", "scan", "--report", "r.json", "--artifact", "deps", "--determinism-check", "2"],
        ["--claim", "vex", "--report", "r.json", "--artifact", "deps"],
    ],
)
def test_how_a_report_is_named(world: Path, arguments: list[str]) -> None:
    done = gate("attest", "create", *arguments, cwd=world)
    assert (done.code, done.out) == (2, "")
    assert "--report" in done.err or "--artifact" in done.err or "--tool" in done.err
