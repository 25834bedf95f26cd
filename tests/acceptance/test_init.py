"""`gate init`, and the way of somebody new from there to ALLOW."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest

from gate.app import propose
from gate.errors import ConfigError
from tests.acceptance.world import World, gate, inside, safetensors
from tools.scenario_evidence import SOURCE, encode


def fresh(root: Path, files: dict[str, bytes]) -> World:
    root.mkdir()
    world = World(root)
    world.git("init", "-q", "-b", "main")
    world.write_all(files)
    return world


MODELS = {"models/tiny/model.safetensors": safetensors("x"), "models/tiny/config.json": b"{}\n"}


def test_somebody_new_signs_and_passes(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", MODELS)
    done = world.run("init", "--yes")
    assert done.code == 0
    for word in ("written: gate.yaml", "gate check", "gate sign", "gate doctor"):
        assert word in done.out
    private = world.root / ".gate/keys/development.key"
    assert b"PRIVATE KEY" in private.read_bytes()
    assert private.stat().st_mode & 0o077 == 0
    assert b"PRIVATE KEY" not in (world.root / "keys/development.pub").read_bytes()
    world.commit()
    assert ".gate" not in world.git("ls-files")
    assert world.run("check").code == 10
    assert world.run("sign", "models/tiny", "--key", str(private)).code == 0
    done = world.run("check")
    assert done.code == 10
    assert "build.provenance" in done.out
    assert "artifact.signed  " not in done.out.partition("not applicable")[0]
    predicate = {
        "buildDefinition": {
            "buildType": "https://t.example/1",
            "externalParameters": {},
            "resolvedDependencies": [SOURCE],
        },
        "runDetails": {"builder": {"id": "https://b.example/1"}},
    }
    world.write(".gate/slsa.json", encode(predicate))
    arguments = ["--claim", "build.provenance", "--predicate", ".gate/slsa.json", "--subject", "models/tiny"]
    assert world.run("attest", "create", *arguments, "--key", str(private)).code == 0
    done = world.run("check")
    assert done.code == 0, done.text
    assert done.out.startswith("ALLOW")
    assert world.run("doctor").code == 0
    assert world.run("verify").code == 0


def test_nothing_is_written_without_a_yes(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", MODELS)
    done = world.run("init")
    assert done.code == 130
    assert "Nothing was written. With --yes nobody is asked." in done.err
    assert "version: 1" in done.out
    assert not (world.root / "gate.yaml").exists()
    assert not (world.root / ".gate").exists()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", {**MODELS, "gate.yaml": b"mine"})
    assert world.run("init", "--yes").code == 2
    assert (world.root / "gate.yaml").read_bytes() == b"mine"
    (world.root / "gate.yaml").unlink()
    (world.root / "gate.yaml").symlink_to("nowhere")
    assert world.run("init", "--yes").code == 2
    (world.root / "gate.yaml").unlink()
    world.write_all({"keys/development.pub": b"mine", ".gate/.gitignore": b"mine\n"})
    assert world.run("init", "--yes").code == 0
    assert (world.root / "keys/development.pub").read_bytes() == b"mine"
    assert (world.root / ".gate/.gitignore").read_bytes() == b"mine\n"
    assert not (world.root / ".gate/keys").exists()


def test_a_private_key_that_is_there_stays(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", {**MODELS, ".gate/keys/development.key": b"mine"})
    assert world.run("init", "--yes").code == 5
    assert (world.root / ".gate/keys/development.key").read_bytes() == b"mine"
    assert not (world.root / "gate.yaml").exists()


def test_nothing_to_judge(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", {"README.md": b"x"})
    done = world.run("init", "--yes")
    assert done.code == 2
    assert "no model, adapter, dataset or prompt" in done.err


def test_everything_that_it_knows(tmp_path: Path) -> None:
    files = {
        **MODELS,
        "models/style/adapter_config.json": b"{}",
        "models/style/adapter_model.safetensors": safetensors("a"),
        "models/style/checkpoints/1.pt": b"",
        "other/tiny/weights.gguf": b"",
        "data/tickets/rows.jsonl": b"{}\n",
        "notes/rows.csv": b"",
        "top.onnx": b"",
        "requirements.lock": b"",
        "app/prompts/system.txt": b"",
        "app/uv.lock": b"",
        "Dockerfile": b"",
        "deploy/Dockerfile.gpu": b"",
        "models/[odd]/x.bin": b"",
        "models/ü ü/x.bin": b"",
        ".hidden/x.bin": b"",
        "node_modules/a/x.bin": b"",
        "venv/pyvenv.cfg": b"",
        "venv/lib/x.bin": b"",
    }
    world = fresh(tmp_path / "new", files)
    done = world.run("init", "--yes")
    assert done.code == 0, done.text
    text = (world.root / "gate.yaml").read_text()
    for line in (
        'tiny: {kind: weights, path: "models/tiny"}',
        'tiny-2: {kind: weights, path: "other/tiny"}',
        'style: {kind: adapter, path: "models/style"}',
        'tickets: {kind: dataset, path: "data/tickets"}',
        'top.onnx: {kind: weights, path: "top.onnx"}',
        '# requirements.lock: {kind: package, path: "requirements.lock"}',
        '# prompts: {kind: prompt, path: "app/prompts"}',
        '# odd: {kind: weights, path: "models/[odd]"}',
        "# Dockerfile builds an image",
        "# deploy/Dockerfile.gpu builds an image",
    ):
        assert f"  {line}" in text, line
    for word in ("checkpoints", "hidden", "node_modules", "venv", "notes"):
        assert word not in text
    assert world.run("check").code == 10
    assert world.run("doctor").code == 0


APPLICATION = {
    "app/system_prompt.txt": b"x",
    "app/templates/answer.prompt.txt": b"x",
    "data/vector-index.json": b"{}",
    "data/documents/rows.jsonl": b"{}\n",
    "eval/candidate.json": b"{}",
    "routes/route.yaml": b"",
    "slo/query.promql": b"",
    "src/routes/index.ts": b"",
}
GATES = {
    "app/**": ["prompt", "eval"],
    "data/**": ["corpus", "eval"],
    "eval/**": ["eval"],
    "routes/**": ["route", "slo"],
    "slo/**": ["slo"],
}


def test_an_application_gets_the_profile_for_it(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", APPLICATION)
    done = world.run("init", "--yes")
    assert done.code == 0, done.text
    assert "gate attest create --type TYPE --config attest/TYPE.yaml" in done.out
    world.commit()
    document = json.loads(world.run("input").out)
    assert {item["path"]: item["kind"] for item in document["artifacts"].values()} == {
        "app": "prompt",
        "data": "corpus",
        "eval": "evaluation",
        "routes": "route",
        "slo": "slo",
    }
    gates = document["gates"].values()
    assert {gate["trigger_paths"][0]: gate["required_attestations"] for gate in gates} == GATES
    assert "profile: llm-application" in (world.root / "gate.yaml").read_text()
    done = world.run("check")
    assert done.code == 10
    for control in ("prompt.attested", "corpus.attested", "eval.passed", "route.attested", "slo.attested"):
        assert control in done.out.partition("not applicable")[0]


def test_a_level_asks_an_application_for_no_more_than_it_says(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", APPLICATION)
    done = world.run("init", "--yes", "--level", "2")
    assert done.code == 0, done.text
    assert "gate sign app --key" in done.out
    text = (world.root / "gate.yaml").read_text()
    assert "profile: ladder-2-signatures" in text
    assert "A changed prompt needs artifact.signature." in text


def test_an_application_has_no_level_without_signatures(tmp_path: Path) -> None:
    """At level 1 no control looks at prompts, documents, evaluations or routes: every change of them would pass."""
    world = fresh(tmp_path / "new", APPLICATION)
    done = world.run("init", "--yes", "--level", "1")
    assert done.code == 2
    assert "nothing would judge its prompts" in done.err
    assert "--level 2" in done.err
    assert not (world.root / "gate.yaml").exists()
    world.write_all(MODELS)
    assert world.run("init", "--yes", "--level", "1").code == 0


def test_parts_of_an_application_beside_a_model_are_for_a_person_to_switch_on(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", {**MODELS, **APPLICATION})
    assert world.run("init", "--yes").code == 0
    text = (world.root / "gate.yaml").read_text()
    assert "profile: baseline" in text
    assert '  # app: {kind: prompt, path: "app"}' in text
    assert "templates" not in text


def test_folders_with_common_names_are_nothing_by_themselves(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", {"routes/index.ts": b"", "eval/run.py": b"", "slo/a": b""})
    assert world.run("init", "--yes").code == 2


def test_names_that_cannot_be_said(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", MODELS)
    for name in (b"\xff.bin", b"\x1b[31m.bin", b'"}.bin', b"a\nb.bin"):
        (world.root / os.fsdecode(name)).write_bytes(b"")
        folder = world.root / "models" / os.fsdecode(b"folder " + name)
        folder.mkdir()
        (folder / "x.bin").write_bytes(b"")
    for text in ("Dockerfile\nx: 1", "Dockerfile\x1b[31m", "requirements\x1b[31m.txt", "requirements\udcff.lock"):
        (world.root / text).write_bytes(b"")
    done = world.run("init", "--yes")
    assert done.code == 0, done.text
    assert "\x1b" not in done.out
    assert "x: 1" not in done.out
    assert "udcff" not in ascii(done.out)
    assert world.run("check").code in {10, 13}


def test_another_folder(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", MODELS)
    assert inside("init", "--yes", "--root", str(world.root)).code == 0
    assert inside("init", "--yes", "--root", str(tmp_path / "none")).code == 2
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "model.onnx").write_bytes(b"x")
    assert gate("init", "--yes", cwd=plain).code == 0
    assert (plain / "gate.yaml").exists()


def test_too_many_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propose, "MAX_FOLDERS", 1)
    fresh(tmp_path / "new", MODELS)
    with pytest.raises(ConfigError, match="closer to the models"):
        propose.propose(tmp_path / "new", "2027-01-01", "k")


def test_a_person_says_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(tmp_path / "new", MODELS)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: True)
    assert inside("init", "--root", str(world.root)).code == 0
    assert (world.root / "gate.yaml").exists()


def test_the_proposal_is_read_as_it_is_meant(tmp_path: Path) -> None:
    world = fresh(tmp_path / "new", MODELS)
    world.run("init", "--yes")
    world.commit()
    document = json.loads(world.run("input").out)
    assert document["artifacts"]["tiny"]["path"] == "models/tiny"
    assert document["gates"]["G001"]["required_attestations"] == ["artifact.signature", "build.provenance"]
