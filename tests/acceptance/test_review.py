"""Attacks that once worked, each kept as the test that would find it again."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from gate.cli import output
from tests.acceptance.world import ENVIRONMENT, World, inside
from tools.scenario_draft import NOW, config
from tools.scenario_evidence import envelope, key, provenance

ROOT = Path(__file__).resolve().parents[2]


def test_s24_a_branch_from_before_a_revocation_is_not_judged_by_the_old_policy(world: World) -> None:
    assert world.judge().code == 0
    world.git("checkout", "-q", "main")
    world.write("gate.yaml", config(more="on_empty_diff: refuse\n"))
    world.commit("a stricter policy")
    world.git("checkout", "-q", "change")
    done = world.judge()
    assert done.code == 3
    assert "gate.yaml changed on the base after this branch left it" in done.err
    world.git("merge", "-q", "-m", "merge", "main")
    assert world.judge().code == 0


def test_s24_other_changes_on_the_base_do_not_matter(world: World) -> None:
    world.git("checkout", "-q", "main")
    world.write("README.md", b"new\n")
    world.commit("unrelated")
    world.git("checkout", "-q", "change")
    assert world.judge().code == 0


def test_s24_configuration_from_the_work_tree_says_so_instead(world: World) -> None:
    world.git("checkout", "-q", "main")
    world.write("gate.yaml", config(more="on_empty_diff: refuse\n"))
    world.commit("a stricter policy")
    world.git("checkout", "-q", "change")
    done = world.judge("--config-from", "worktree")
    assert done.code == 0
    assert done.decision["context"]["configuration_from"] == "worktree"


def test_s37_a_hard_link_of_the_output_file_is_left_alone(world: World, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    (tmp_path / "decision.json").hardlink_to(precious)
    assert world.check("--output", str(tmp_path / "decision.json")).code == 0
    assert precious.read_text() == "keep"


def test_s37_the_output_is_not_written_through_a_link_of_the_repository(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (world.root / "out").symlink_to(elsewhere)
    done = world.check("--output", "out/decision.json")
    assert done.code == 5
    assert list(elsewhere.iterdir()) == []


def test_closed_standard_error_does_not_change_the_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with output.progress("work"):
        pass
    shell = f'exec "{sys.executable}" -P -m gate check --base main --now {NOW} 2>&-'
    done = subprocess.run(["sh", "-c", shell], cwd=world.root, env=ENVIRONMENT, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0


def test_s38_modules_of_the_judged_repository_are_not_imported(world: World) -> None:
    (world.root / "click.py").write_text("raise SystemExit('imported from the repository')\n")
    (world.root / "yaml.py").write_text("raise SystemExit('imported from the repository')\n")
    done = subprocess.run(
        [sys.executable, "-m", "gate", "--version"], cwd=world.root, env=ENVIRONMENT, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"imported from the repository" not in done.stdout + done.stderr


def test_s15_a_time_beyond_the_calendar_is_a_usage_error(world: World) -> None:
    done = world.run("check", "--now", "9999-12-31T23:59:59-23:59")
    assert done.code == 2
    assert "RFC 3339" in done.err


@pytest.mark.parametrize("good", [True, False])
def test_s11_another_secure_digest_of_a_file_has_to_agree(world: World, good: bool) -> None:
    files = world.model_files()
    both = [
        {
            "name": name,
            "digest": {
                "sha256": hashlib.sha256(data).hexdigest(),
                "sha512": hashlib.sha512(data if good else b"other").hexdigest(),
            },
        }
        for name, data in files.items()
    ]
    world.put("provenance.dsse.json", envelope(provenance(both), key("builder")))
    assert world.judge().code == (0 if good else 12)


def test_gates_that_match_nothing_are_no_pass_without_a_base(world: World) -> None:
    world.write("gate.yaml", config(artifacts=()).replace(b"models/**", b"modles/**"))
    done = inside("check", "--format", "json", "--now", NOW, "--root", str(world.root))
    assert done.code == 13
    assert "change.attested" in done.failing


def test_a_single_file_that_gate_sign_signed_is_allowed(world: World, tmp_path: Path) -> None:
    path = "models/summarizer/model.safetensors"
    world.write("gate.yaml", config().replace(b"path: models/summarizer}", f"path: {path}}}".encode()))
    secret = tmp_path / "release.key"
    secret.write_bytes((ROOT / "fixtures" / "keys" / "release.key").read_bytes())
    secret.chmod(0o600)
    (world.root / ".gate/attestations/signature.sigstore.json").unlink()
    assert world.run("sign", path, "--key", str(secret)).code == 0
    (world.root / "models/summarizer/config.json").unlink()
    done = inside("check", "--format", "json", "--now", NOW, "--root", str(world.root))
    assert (done.code, done.failing) == (0, set())
