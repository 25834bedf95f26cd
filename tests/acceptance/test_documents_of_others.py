"""`docs/how-to/verdict-as-attestation.md` and `docs/how-to/oscal.md` work as written."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from gate.formats.schema import problem
from tests.acceptance.test_verdict_as_attestation import BUILDERS, GATE, PROFILE
from tests.acceptance.world import ENVIRONMENT, NOW, World
from tests.support.readings import reader
from tools.scenario_draft import SIGNERS, config
from tools.scenario_evidence import bundle, envelope, key

HOW_TO: Final = Path(__file__).resolve().parents[2] / "docs/how-to"


def blocks(name: str, kind: str) -> list[str]:
    found = re.findall(rf"```{kind}\n(.*?)```", (HOW_TO / name).read_text(), re.DOTALL)
    assert found
    return found


def program(folder: Path) -> Path:
    """A `gate` for which it is the time of the fixtures."""
    folder.mkdir()
    place = folder / "gate"
    run = f"exec {sys.executable} -P -m gate"
    place.write_text(f'#!/bin/sh\ncase $1 in check) shift; {run} check --now {NOW} "$@";; *) {run} "$@";; esac\n')
    place.chmod(0o755)
    return folder


def run_blocks(name: str, folder: Path, programs: Path) -> str:
    environment = {**ENVIRONMENT, "PATH": f"{programs}:{ENVIRONMENT['PATH']}"}
    shown = ""
    for block in blocks(name, "sh"):
        done = subprocess.run(["sh", "-e", "-c", block], cwd=folder, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        shown += done.stdout.decode()
    return shown


def world_of(root: Path, *, provenance: bool) -> World:
    """A repository whose configuration is as the page says."""
    said = yaml.safe_load(blocks("verdict-as-attestation.md", "yaml")[0])
    assert said["trust"]["signers"] == {"staging": {"key": "keys/staging.pub", "claims": ["verification.summary"]}}
    more = yaml.safe_dump({"reuse": said["reuse"]})
    signers = {**SIGNERS, "staging": "claims: [verification.summary]"}
    text = config(signers=signers, gates=GATE, profile="own.json", trust=BUILDERS, more=more)
    base = {"own.json": json.dumps(PROFILE).encode(), "keys/staging.pub": key("staging").pem}
    world = World.make(root, text, keys=tuple(SIGNERS), base=base, evidence=False)
    world.put("signature.sigstore.json", bundle(world.signature(), key("release")))
    if provenance:
        world.put("provenance.dsse.json", envelope(world.provenance(), key("builder")))
    return world


def payload(line: str) -> Any:
    return json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]))


@pytest.mark.no_cover
def test_the_page_of_verdicts_works_as_written(tmp_path: Path) -> None:
    staging = world_of(tmp_path / "staging", provenance=True)
    production = world_of(tmp_path / "production", provenance=False)
    assert production.judge().code == 10
    private = staging.root / "staging.key"
    private.write_bytes(key("staging").private_pem)
    private.chmod(0o600)
    shown = run_blocks("verdict-as-attestation.md", staging.root, program(tmp_path / "bin"))
    assert re.findall(r"^(ALLOW|DENY)", shown, re.MULTILINE) == ["ALLOW", "ALLOW"]
    assert "stands for the evidence that build.level and build.provenance would need" in " ".join(shown.split())
    (line,) = (staging.root / "verdict.jsonl").read_text().splitlines()
    predicate = payload(line)["predicate"]
    (said,) = [json.loads(block) for block in blocks("verdict-as-attestation.md", "json")]
    assert {name: predicate[name] for name in said} == said
    (result,) = (staging.root / "result.jsonl").read_text().splitlines()
    assert payload(result)["predicate"]["properties"] == said["verifiedLevels"]


@pytest.mark.no_cover
def test_the_page_of_oscal_works_as_written(world: World, tmp_path: Path) -> None:
    from trestle.oscal.assessment_results import AssessmentResults
    from trestle.oscal.component import ComponentDefinition

    run_blocks("oscal.md", world.root, program(tmp_path / "bin"))
    made = {name: (world.root / f"{name}.json").read_text() for name in ("results", "component", "attestations")}
    AssessmentResults.model_validate(json.loads(made["results"])["assessment-results"])
    ComponentDefinition.model_validate(json.loads(made["component"])["component-definition"])
    assert problem("vendor/bom-1.6.schema.json", json.loads(made["attestations"])) is None
    forms = {"results": "oscal-results", "component": "oscal-component", "attestations": "cyclonedx"}
    assert {reader(form)(made[name]) for name, form in forms.items()} == {
        reader("json")((world.root / "decision.json").read_text())
    }
