"""`docs/how-to/package-evidence.md` works as written: real attestations of PyPI, npm and GitHub count, offline."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.world import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/package-evidence.md"
VECTORS = ROOT / "tests/vectors"
SDIST, TGZ = "pypi_attestations-0.0.19.tar.gz", "sigstore-js-2.1.0.tgz"
LINES = "sigstore-js-2.1.0_with_2_bundles.jsonl"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The page's two packages with their attestations, and its configuration."""
    packages, evidence = VECTORS / "packages", tmp_path / ".gate/attestations"
    root = (VECTORS / "sigstore/roots/public-good.json").read_bytes()
    (configuration,) = re.findall(r"```yaml\n(version: 1\n.*?)```", PAGE.read_text(), re.DOTALL)
    for folder in ("dist", "trust", ".gate/attestations"):
        (tmp_path / folder).mkdir(parents=True)
    for name in (SDIST, TGZ):
        (tmp_path / "dist" / name).write_bytes((packages / name).read_bytes())
    for suffix in ("provenance", "slsa.attestation"):
        (evidence / f"{SDIST}.{suffix}").write_bytes((packages / f"{SDIST}.{suffix}").read_bytes())
    (evidence / "sigstore-js-2.1.0.jsonl").write_bytes((packages / LINES).read_bytes().splitlines()[0] + b"\n\n")
    (tmp_path / "trust/trusted_root.json").write_bytes(root)
    digest = hashlib.sha256(root).hexdigest()
    (tmp_path / "gate.yaml").write_text(configuration.replace("SHA256-OF-THAT-FILE", digest))
    return tmp_path


def run(world: Path, block: str) -> subprocess.CompletedProcess[str]:
    program = world / "bin/gate"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    program.chmod(0o755)
    environment = {**ENVIRONMENT, "PATH": f"{program.parent}:{ENVIRONMENT['PATH']}"}
    return subprocess.run(
        ["sh", "-e", "-c", block], cwd=world, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.no_cover
def test_the_page_works_as_written(world: Path) -> None:
    text = PAGE.read_text()
    (block,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    (expected,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    done = run(world, block)
    assert done.returncode == 0, done.stderr + done.stdout
    assert expected in done.stdout


@pytest.mark.parametrize("name", [SDIST, TGZ])
def test_s11_attestations_of_other_bytes_cover_nothing(world: Path, name: str) -> None:
    place = world / "dist" / name
    place.write_bytes(place.read_bytes() + b"\0")
    done = run(world, "gate verify")
    covered = {SDIST: "covers attestations", TGZ: "covers sigstore"}[name]
    assert covered not in done.stdout


def test_s08_another_workflow_of_the_project_does_not_count(world: Path) -> None:
    configuration = world / "gate.yaml"
    configuration.write_text(
        configuration.read_text().replace("release.yml@refs/tags/v0.0.19", "release.yml@refs/tags/v1")
    )
    done = run(world, "gate verify")
    assert done.returncode == 11
    assert "by pypi-attestations" not in done.stdout
