"""`docs/how-to/bills-of-materials.md` works as written, and a document that is signed inside counts by itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.acceptance.world import ENVIRONMENT, inside

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/bills-of-materials.md"
SAMPLES = Path(__file__).resolve().parents[1] / "vectors/bom"
WEIGHTS = b"weights"
SPOKEN_OF = ("model.card", "model.license", "sbom.complete", "sbom.signed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, a configuration that trusts one key for bills of materials, and documents about the model."""
    model = tmp_path / "models/summarizer/model.safetensors"
    model.parent.mkdir(parents=True)
    model.write_bytes(WEIGHTS)
    (sample,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "model.cdx.json").write_text(sample)
    (tmp_path / "model.spdx.json").write_bytes((SAMPLES / "spdx/ai-example05.spdx3.json").read_bytes())
    return tmp_path


def configure(folder: Path, key: str) -> None:
    (trusted,) = re.findall(r"```yaml\n(trust:.*?)```", PAGE.read_text(), re.DOTALL)
    text = "version: 1\ntarget: deployment\nenvironment: production\nprofile: baseline\n"
    text += "evidence:\n  - directory: .gate/attestations\nartifacts:\n"
    text += f"  summarizer: {{path: models/summarizer, kind: weights}}\n{trusted}"
    (folder / "gate.yaml").write_text(text.replace("keys/release.pub", key))


@pytest.mark.no_cover
def test_the_page_works_as_written(folder: Path) -> None:
    program = folder / "bin" / "gate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    program.chmod(0o755)
    configure(folder, "keys/release.pub")
    environment = {**ENVIRONMENT, "PATH": f"{program.parent}:{ENVIRONMENT['PATH']}"}
    blocks = [
        "gate keygen --out keys/release --no-passphrase",
        *re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL),
    ]
    assert len(blocks) == 4
    outputs = []
    for block in blocks:
        done = subprocess.run(["sh", "-e", "-c", block], cwd=folder, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.append(done.stdout)
    assert outputs[-1].count(b"sbom") >= 2
    controls = {name: {"mode": "enforce"} for name in SPOKEN_OF}
    allowed = {"model.license": {"allowed": ["Apache-2.0"]}}
    (folder / "own.yaml").write_text(f"controls: {json.dumps(controls)}\nparameters: {json.dumps(allowed)}\n")
    settings = (folder / "gate.yaml").read_text().replace("profile: baseline", "profile: own.yaml")
    (folder / "gate.yaml").write_text(settings)
    judged = inside("check", "--root", str(folder), "--format", "json")
    assert judged.code == 0, judged.text
    assert {name: item["status"] for name, item in json.loads(judged.out)["controls"].items()} == dict.fromkeys(
        SPOKEN_OF, "pass"
    )


def enveloped(key: ed25519.Ed25519PrivateKey, content: bytes) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"type": "machine-learning-model", "name": "model.safetensors", "hashes": hashes}},
        "signature": {"algorithm": "Ed25519"},
    }
    value = base64.urlsafe_b64encode(key.sign(rfc8785.dumps(document))).rstrip(b"=").decode()
    document["signature"]["value"] = value
    return document


def test_a_document_that_is_signed_inside_counts_and_one_that_is_not_says_what_to_do(folder: Path) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    (folder / "bom.pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    configure(folder, "bom.pub")
    evidence = folder / ".gate/attestations/model.cdx.json"
    evidence.parent.mkdir(parents=True)
    document = enveloped(key, WEIGHTS)
    evidence.write_text(json.dumps(document, indent=2))
    arguments = ("verify", "--root", str(folder))
    assert inside(*arguments).code == 0
    evidence.write_text(json.dumps(enveloped(key, b"other")))
    assert inside(*arguments).code == 12
    evidence.write_text(json.dumps(document | {"version": 7}))
    assert inside(*arguments).code == 11
    del document["signature"]
    evidence.write_text(json.dumps(document))
    done = inside(*arguments)
    assert done.code == 14
    assert "gate attest create --claim sbom" in done.text.replace("\n", " ")
