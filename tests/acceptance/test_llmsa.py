"""Moving over from llmsa: its golden bundles verify where they are asked for, and its configuration becomes ours."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pyrage
import pytest

from gate.attest.privacy import VARIES
from gate.formats.llmsa import NOTE
from tests.acceptance.world import World, gate

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "fixtures" / "llmsa"
HOW_TO = ROOT / "docs" / "how-to" / "move-from-llmsa.md"
CONFIG = """\
version: 1
target: deployment
artifacts: {slo: {kind: slo, path: slo}}
evidence:
  - {directory: .llmsa/attestations, format: llmsa}
trust:
  signers:
    llmsa: {key: keys/llmsa.pub, claims: [prompt, corpus, eval, route, slo]}
"""
APPLICATION = {
    "app/system.txt": b"You are a careful assistant.\n",
    "app/templates/base.txt": b"{{ question }}\n",
    "app/tools/search.json": b"{}\n",
    "app/safety.yaml": b"refuse: []\n",
    "configs/prompt.yaml": b"system_prompt: ../app/system.txt\ntemplates_dir: ../app/templates\n"
    b"tool_schemas_dir: ../app/tools\nsafety_policy: ../app/safety.yaml\n",
    "llmsa.yaml": b"collectors: {prompt_attestation: configs/prompt.yaml}\n"
    b"path_rules: {prompt_attestation: ['app/**']}\n",
    "policy/examples/mvp-gates.yaml": b"version: '1'\nidentity_regex: '^x'\ngates:\n  - id: G001\n"
    b"    trigger_paths: ['app/**']\n    required_attestations: [prompt_attestation]\n    message: Look\n",
}

MORE = {
    "data/doc-1.txt": b"one\n",
    "data/manifest.json": b'{"documents": [{"path": "doc-1.txt"}]}',
    "data/other.json": b"{}\n",
    "configs/corpus.yaml": b"corpus_snapshot_id: s\nconnector_configs: [../data/other.json]\n"
    b"document_manifest: ../data/manifest.json\nchunking_config: ../data/other.json\nembedding_model: e5\n"
    b"embedding_input: ../data/other.json\nvector_index: ../data/other.json\n"
    b"index_builder_image_digest: sha256:" + b"a" * 64 + b"\n",
    "eval/results.json": b'{"faithfulness": 0.92}',
    "configs/eval.yaml": b"eval_suite_id: core\ntestset: ../data/other.json\nscoring_config: ../data/other.json\n"
    b"candidate_results: ../eval/results.json\nmetrics: {faithfulness: 0.92}\nthresholds: {faithfulness_min: 0.9}\n",
}


def golden(root: Path, config: str = CONFIG) -> World:
    root.mkdir()
    world = World(root)
    world.git("init", "-q", "-b", "main")
    world.write_all({"gate.yaml": config.encode(), "slo/other.json": b"{}\n", "keys/llmsa.pub": b""})
    shutil.copy(KEPT / "keys" / "bundles.pub", root / "keys" / "llmsa.pub")
    shutil.copytree(KEPT / "bundles", root / ".llmsa" / "attestations")
    world.write(".llmsa/attestations/statement_prompt_attestation_1.json", b"{}")
    world.commit()
    return world


def test_the_golden_bundles_verify_where_they_are_asked_for(tmp_path: Path) -> None:
    world = golden(tmp_path / "r")
    done = world.run("verify")
    assert done.code == 0, done.text
    assert done.out.count(NOTE) == 5
    found = json.loads(world.run("input").out)
    assert found["rejected"] == {}
    assert {item["claim"] for item in found["attestations"].values()} == {"prompt", "corpus", "eval", "route", "slo"}
    for item in found["attestations"].values():
        assert item["predicate_type"] == f"https://llmsa.dev/attestation/{item['claim']}/v1"
        assert item["origin"].endswith(f"({NOTE})")
        assert (item["facts"]["format"], item["facts"]["collected"]) == ("llmsa", False)
        assert (item["depends_on"], item["ancestors"]) == ([], [])


def test_they_are_nothing_where_they_are_not_asked_for(tmp_path: Path) -> None:
    world = golden(tmp_path / "r", CONFIG.replace(", format: llmsa", ""))
    assert world.run("verify").code == 14
    assert json.loads(world.run("input").out)["attestations"] == {}


def test_their_key_is_the_configurations_and_never_their_own(tmp_path: Path) -> None:
    world = golden(tmp_path / "r")
    shutil.copy(KEPT / "keys" / "probe.pub", world.root / "keys" / "llmsa.pub")
    assert world.run("verify").code == 11
    rejected = json.loads(world.run("input").out)["rejected"]
    assert [item["code"] for item in rejected.values()] == ["signature.untrusted"] * 5


def test_a_repository_moves_over(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    world = World(root)
    world.git("init", "-q", "-b", "main")
    world.write_all(APPLICATION)
    world.commit()
    done = world.run("init", "--from", "llmsa.yaml", "--yes")
    assert done.code == 0, done.text
    for text in ("==> attest/prompt.yaml", "==> gate.yaml", 'note: "^x": a pattern trusts', "written: gate.yaml"):
        assert text in done.out
    assert world.run("attest", "create", "--type", "prompt", "--config", "attest/prompt.yaml").code == 0
    key = ".gate/keys/development.key"
    done = world.run("sign", "--in", ".gate/statements", "--key", key)
    assert done.code == 0, done.text
    done = world.run("verify")
    assert (done.code, "prompt by development, covers prompt" in done.out) == (0, True)


@pytest.mark.no_cover
def test_the_guide_works_as_written(tmp_path: Path) -> None:
    """Its commands in their order, and its configuration for old bundles."""
    text = HOW_TO.read_text()
    root = tmp_path / "r"
    root.mkdir()
    world = World(root)
    world.git("init", "-q", "-b", "main")
    types = ("prompt", "corpus", "eval")
    collectors = ", ".join(f"{word}_attestation: configs/{word}.yaml" for word in types)
    project = f"collectors: {{{collectors}}}\npath_rules: {{prompt_attestation: ['app/**']}}\n"
    world.write_all({**APPLICATION, **MORE, "llmsa.yaml": project.encode()})
    shutil.copytree(KEPT / "bundles", root / ".llmsa" / "attestations")
    world.commit()
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 6
    for line in lines:
        program, *arguments = shlex.split(line)
        done = world.run(*arguments)
        assert (program, done.code) == ("gate", 0), done.text
    shutil.copy(KEPT / "keys" / "bundles.pub", root / "keys" / "llmsa.pub")
    (old,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    world.write(
        "gate.yaml", f"version: 1\ntarget: deployment\nartifacts: {{app: {{kind: prompt, path: app}}}}\n{old}".encode()
    )
    done = world.run("verify")
    assert done.out.count("format: llmsa, payload type unauthenticated") == 5


def test_the_page_about_privacy_is_true(tmp_path: Path) -> None:
    """Its configuration is accepted, and its command opens what was encrypted."""
    text = (ROOT / "docs" / "explanation" / "privacy.md").read_text()
    (settings,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (line,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    identity = pyrage.x25519.Identity.generate()
    settings = re.sub(r"age1[0-9a-z]+", str(identity.to_public()), settings).replace("system_prompt", "system")
    config = APPLICATION["configs/prompt.yaml"] + settings.encode()
    root = tmp_path / "r"
    root.mkdir()
    world = World(root)
    world.write_all({**APPLICATION, "attest/prompt.yaml": config, "key.txt": str(identity).encode()})
    done = world.run(
        "attest", "create", "--type", "prompt", "--config", "attest/prompt.yaml", "--determinism-check", "2"
    )
    assert done.code == 0, done.text
    for word in VARIES:
        assert f"`{word}`" in text
        assert word in done.out
    done = world.run(*shlex.split(line)[1:])
    assert done.code == 0, done.text
    assert (root / "revealed.txt").read_bytes() == APPLICATION["app/system.txt"]


def test_nothing_is_overwritten_or_half_written(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    world = World(root)
    world.write_all({**APPLICATION, "attest/prompt.yaml": b"mine\n"})
    done = world.run("init", "--from", "llmsa.yaml", "--from", "policy/examples/mvp-gates.yaml", "--yes")
    assert (done.code, "there is a attest/prompt.yaml already" in done.err) == (2, True)
    assert not (root / "gate.yaml").exists()
    assert not (root / ".gate").exists()
    assert (root / "attest/prompt.yaml").read_bytes() == b"mine\n"
    (root / "attest/prompt.yaml").unlink()
    world.write_all({"keys/development.pub": b"kept\n", ".gate/.gitignore": b"*\n"})
    asked = world.run("init", "--from", "llmsa.yaml")
    assert asked.code != 0
    assert not (root / "gate.yaml").exists()
    done = world.run("init", "--from", "llmsa.yaml", "--yes")
    assert done.code == 0, done.text
    assert (root / "keys/development.pub").read_bytes() == b"kept\n"
    assert not (root / ".gate/keys").exists()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    done = gate("init", "--from", "llmsa.yaml", "--yes", cwd=tmp_path)
    assert (done.code, "cannot read" in done.err) == (5, True)
