"""Kept samples of every format: they have to verify for ever. A sample is added, never changed or removed."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from gate.model.claim import CLAIMS
from tests.acceptance.world import NOW, gate

KEPT = Path(__file__).resolve().parents[2] / "fixtures" / "compat"
VERSIONS = sorted(path.name for path in KEPT.iterdir())
# Claims whose formats this version does not read yet.
LATER = {"eval.result", "properties", "runtime.trace", "sbom", "scorecard"}
LATER |= {"source.summary", "verification.summary", "vex"}
AS_THEY_WERE = {
    "v1": "6c066d768a3ace70be641fe8e0a2992b1d5cc3a5dae08ff1ac9fe00ba8352ed6",
    "v2": "9fecd34bc6728c6f27ba2a88d3815d1d48a7c1ad087a2e6dd143a11c9182ae95",
}
NO_EVIDENCE = {"policy.bundle", "admission.break_glass"}
"""What signs a policy, and what makes an exception for some hours: no evidence about an artifact."""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kept_sample_verifies(version: str, tmp_path: Path) -> None:
    root = tmp_path / "kept"
    shutil.copytree(KEPT / version / "tree", root)
    shutil.copytree(KEPT / version / "evidence", root / ".gate" / "attestations")
    done = gate("verify", "--format", "json", "--now", NOW, cwd=root)
    assert done.code == 0, done.text
    found = json.loads(done.out)
    assert found["rejected"] == {}
    assert found["skipped"] == {}
    origins = {item["origin"].partition("#")[0] for item in found["attestations"].values()}
    names = {f".gate/attestations/{path.name}" for path in (KEPT / version / "evidence").iterdir()}
    # Two envelopes around one statement count as one.
    assert len(names - origins) <= 1
    covering = [item["origin"] for item in found["attestations"].values() if item["artifacts"]]
    assert len(covering) >= 5


def test_the_first_samples_are_of_every_claim_that_is_read() -> None:
    names = {path.name for path in (KEPT / "v1" / "evidence").iterdir()}
    later = LATER | NO_EVIDENCE | {"composition", "package.publication", "release", "link", "attributes", "references"}
    own = {name.removeprefix("own.").removesuffix(".sigstore.json") for name in names if name.startswith("own.")}
    assert own | {"artifact.signature", "build.provenance", "test.result"} == CLAIMS - later


def test_the_second_samples_are_of_every_collected_kind() -> None:
    names = {path.name.partition(".")[0] for path in (KEPT / "v2" / "evidence").iterdir()}
    assert names == {"prompt", "corpus", "eval", "route", "slo", "plain"}


@pytest.mark.parametrize("version", VERSIONS)
def test_kept_samples_are_as_they_were(version: str) -> None:
    """The digest of all of them: whoever changes it has broken a promise."""
    total = hashlib.sha256()
    for path in sorted((KEPT / version).rglob("*")):
        if path.is_file():
            total.update(
                f"{path.relative_to(KEPT).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
            )
    assert total.hexdigest() == AS_THEY_WERE[version]
