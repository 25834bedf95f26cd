"""A no of somebody who is trusted counts, whatever digest it names the bytes by (SECURITY 11, 13)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.acceptance.world import MODEL, World
from tools.scenario_collected import below, collected
from tools.scenario_draft import config, profile
from tools.scenario_evidence import bundle, envelope, key, statement

SIGNERS = {
    "release": "claims: [artifact.signature]",
    "approver": "claims: [approval]",
    "second": "claims: [approval]",
}
KIND = "urn:promotion-gate:predicate:approval:v1"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_s11_a_rejection_of_one_file_counts_by_any_digest(tmp_path: Path, algorithm: str) -> None:
    world = World.make(
        tmp_path / "world", config(signers=SIGNERS, profile="own.yaml", gates=""), keys=tuple(SIGNERS), evidence=False
    )
    world.on_main({"own.yaml": profile({"artifact.signed": "enforce", "approval.human": "enforce"})})
    world.put("signature.json", bundle(world.signature(), key("release")))
    files = below(MODEL, world.model_files())
    said = collected("approval", {"files": files}, decision="approved", scope="deployment", comment=None)
    world.put("yes.json", envelope(said, key("approver")))
    assert world.judge().code == 0
    content = world.model_files()["model.safetensors"]
    subject = {"name": "x", "digest": {algorithm: hashlib.new(algorithm, content).hexdigest()}}
    world.put("no.json", envelope(statement(KIND, [subject], {"decision": "rejected"}), key("second")))
    found = world.judge()
    assert (found.code, found.failing) == (13, {"approval.human"}), found.text
