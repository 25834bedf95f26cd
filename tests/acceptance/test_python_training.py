"""`gate.training_run`: what a training starts from and makes is stated as it was, or nothing is stated."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import gate
from gate.app.training import Stated
from gate.attest import environment
from gate.attest.keygen import generate_key
from gate.attest.statement import check_statement
from gate.collect.code import public_address
from gate.formats.merkle import root as merkle_root
from gate.model.evidence import Statement
from tests.acceptance.world import NOW, World, inside, safetensors
from tools.scenario_draft import config, profile
from tools.scenario_evidence import encode

EPOCH = "1795176000"
MODEL = "models/new"
WEIGHTS = f"{MODEL}/model.safetensors"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A repository with code, data and a base model, and nothing else."""
    world = World(tmp_path / "job")
    world.root.mkdir()
    world.git("init", "-q", "-b", "main")
    world.write_all(
        {
            ".gitignore": b".gate/\nkeys/*.key\n",
            "train.py": b"print()\n",
            "data/tickets/rows.jsonl": b"{}\n",
            "models/base/model.safetensors": safetensors("base"),
        }
    )
    world.commit("code")
    monkeypatch.chdir(world.root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    return world


def run(world: World, **more: Any) -> Stated:
    with gate.training_run(**{"model": MODEL, "pipeline": "train.py", **more}) as job:
        world.write(WEIGHTS, safetensors("trained"))
        job.metric("loss", 0.25, 1)
    return job.stated


def read(path: Path) -> Statement:
    return check_statement(path.read_bytes())


# -- what is stated ----------------------------------------------------------------------------------------------------


def test_the_nine_fields_are_collected_while_the_job_runs(here: World) -> None:
    data, base = {"tickets": "data/tickets"}, {"foundation": Path("models/base")}
    with gate.training_run(
        model=MODEL, pipeline="train.py --epochs 3", datasets=data, base=base, seed=7, environment={"image": "a@b"}
    ) as job:
        here.write(WEIGHTS, safetensors("trained"))
        here.write("checkpoints/1/part.bin", b"x")
        job.event("started")
        job.metric("loss", 0.5, 1)
        job.metric("samples", 12)
        digest = job.checkpoint("checkpoints/1", step=1)
        with pytest.raises(gate.AttestError, match="has not ended yet"):
            _ = job.stated
        assert len(job.records) == 4
    statement = read(job.stated.statement)
    facts: Mapping[str, Any] = statement.facts
    assert job.stated.statement == here.root / ".gate/statements/models-new.training.provenance.json"
    assert (statement.claim, facts["collected"], statement.located) == ("training.provenance", True, True)
    assert [subject.name for subject in statement.subjects] == [WEIGHTS]
    assert statement.folders == (MODEL,)
    assert facts["method"] == "fine-tuning"
    assert facts["code"] == {"repository": None, "commit": here.git("rev-parse", "HEAD"), "dirty": False}
    assert set(facts["datasets"]) == {"tickets"}
    assert set(facts["base"]) == {"foundation"}
    assert (facts["pipeline"], facts["seed"], facts["evaluation"]) == ("train.py --epochs 3", 7, [])
    assert facts["environment"]["python"] == sys.version.split()[0]
    assert facts["environment"]["image"] == "a@b"
    assert (facts["started_at_s"], facts["finished_at_s"], statement.stated_at_s) == (int(EPOCH),) * 3
    assert job.stated.records is not None
    leaves = job.stated.records.read_bytes().splitlines()
    assert [json.loads(leaf)["kind"] for leaf in leaves] == ["event", "metric", "metric", "checkpoint"]
    assert json.loads(leaves[3]) == {"kind": "checkpoint", "name": "checkpoints/1", "digest": digest, "step": 1}
    assert facts["metrics_root"] == merkle_root(leaves)
    assert str(here.root) not in job.stated.statement.read_text()


def test_digests_are_those_that_the_gate_computes_for_artifacts(here: World) -> None:
    facts = read(
        run(here, datasets={"tickets": "data/tickets"}, base={"b": "models/base/model.safetensors"}).statement
    ).facts
    text = "version: 1\ntarget: training\nartifacts:\n  tickets: {kind: dataset, path: data/tickets}\n"
    text += "  b: {kind: weights, path: models/base/model.safetensors}\n"
    here.write("gate.yaml", text.encode())
    artifacts = json.loads(inside("input", "--root", str(here.root)).out)["artifacts"]
    assert facts["datasets"] == {"tickets": artifacts["tickets"]["digest"]}
    assert facts["base"] == {"b": artifacts["b"]["digest"]}


def test_from_scratch_without_anything_recorded(here: World) -> None:
    with gate.training_run(model=WEIGHTS, pipeline="p", datasets={"far": "sha256:" + "a" * 64}) as job:
        here.write(WEIGHTS, safetensors("trained"))
    statement = read(job.stated.statement)
    assert statement.facts["method"] == "training"
    assert statement.facts["datasets"] == {"far": "sha256:" + "a" * 64}
    assert statement.facts["metrics_root"] is None
    assert (job.stated.records, job.stated.bundle, statement.folders) == (None, None, ())
    assert [subject.name for subject in statement.subjects] == [WEIGHTS]


def test_equal_runs_give_equal_bytes(here: World) -> None:
    first = run(here, datasets={"tickets": "data/tickets"}, seed=1)
    texts = first.statement.read_bytes()
    assert run(here, datasets={"tickets": "data/tickets"}, seed=1).statement.read_bytes() == texts
    assert run(here, datasets={"tickets": "data/tickets"}, seed=2).statement.read_bytes() != texts


def test_without_a_fixed_time_the_clock_is_read(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    times = iter([100.9, 50.0])
    monkeypatch.setattr("gate.training.time.time", lambda: next(times))
    facts = read(run(here).statement).facts
    assert (facts["started_at_s"], facts["finished_at_s"]) == (100, 100)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "now")
    with pytest.raises(gate.ConfigError, match="SOURCE_DATE_EPOCH"):
        run(here)


def test_a_signed_statement_verifies_and_counts(here: World) -> None:
    assert inside("keygen", "--out", "keys/job").code == 0
    stated = run(here, key="keys/job.key", datasets={"tickets": "data/tickets"})
    assert stated.bundle == here.root / ".gate/attestations/models-new.training.provenance.sigstore.json"
    text = (
        f"version: 1\ntarget: deployment\nartifacts:\n  new: {{kind: weights, path: {MODEL}}}\n"
        "evidence:\n  - directory: .gate/attestations\ntrust:\n  signers:\n"
        "    job: {key: keys/job.pub, claims: [training.provenance]}\n"
    )
    here.write("gate.yaml", text.encode())
    assert inside("verify", "--root", str(here.root), "--now", NOW).code == 0
    (found,) = json.loads(inside("input", "--root", str(here.root), "--now", NOW).out)["attestations"].values()
    assert (found["claim"], found["artifacts"]) == ("training.provenance", ["new"])


BASE = "base: {kind: weights, path: models/base}"
TICKETS = "tickets: {kind: dataset, path: data/tickets}"


def judged(world: World, control: str, *artifacts: str) -> World:
    """A configuration in which one control judges, and a key that it trusts."""
    assert inside("keygen", "--out", "keys/job").code == 0
    signers = {"job": "claims: [training.provenance, artifact.signature]"}
    world.write("gate.yaml", config(artifacts, gates="", signers=signers, profile="own.yaml"))
    world.write("own.yaml", profile({control: "enforce"}))
    world.commit()
    return world


def test_a_tuned_model_is_admitted_with_the_base_that_the_job_had(here: World) -> None:
    """The digests that the job states are those by which the control knows artifacts."""
    here.write("models/other/model.safetensors", safetensors("other"))
    judged(here, "training.base_lineage", BASE, f"new: {{kind: weights, path: {MODEL}, base: base}}")
    assert inside("sign", "models/base", "--key", "keys/job.key").code == 0
    for base, code in (("models/other", 13), ("models/base", 0)):
        run(here, key="keys/job.key", base={"base": base})
        assert inside("check", "--root", str(here.root), "--now", NOW).code == code


def test_a_model_is_admitted_with_the_data_that_the_job_had(here: World) -> None:
    judged(here, "training.data_lineage", TICKETS, f"new: {{kind: weights, path: {MODEL}}}")
    run(here, key="keys/job.key", datasets={"tickets": "data/tickets"})
    assert inside("check", "--root", str(here.root), "--now", NOW).code == 0
    here.write("data/tickets/rows.jsonl", b"later\n")
    assert inside("check", "--root", str(here.root), "--now", NOW).code == 13


def test_a_statement_that_cannot_be_signed_is_kept(here: World) -> None:
    with pytest.raises(gate.AttestError, match=r"could not be signed: .*NO_SUCH_KEY") as caught:
        run(here, key="env:NO_SUCH_KEY")
    assert read(here.root / ".gate/statements/models-new.training.provenance.json").claim == "training.provenance"
    assert not (here.root / ".gate/attestations").exists()
    assert "gate sign" in caught.value.hint


def test_places_that_a_person_names(here: World, tmp_path: Path) -> None:
    assert run(here, out=tmp_path / "p.json").statement == tmp_path / "p.json"
    assert inside("keygen", "--out", "keys/job").code == 0
    stated = run(here, out="b.sigstore.json", key="keys/job.key")
    assert stated.bundle == here.root / "b.sigstore.json"
    assert stated.bundle.exists()
    assert stated.statement.parent == here.root / ".gate/statements"


def test_checkpoints_may_lie_elsewhere(here: World, tmp_path: Path) -> None:
    (tmp_path / "scratch").write_bytes(b"x")
    (tmp_path / "link").symlink_to("scratch")
    (tmp_path / "empty").mkdir()
    with gate.training_run(model=MODEL, pipeline="p") as job:
        here.write(WEIGHTS, safetensors("trained"))
        job.checkpoint(tmp_path / "scratch")
        with pytest.raises(gate.AttestError, match="link"):
            job.checkpoint(tmp_path / "link")
        with pytest.raises(gate.AttestError, match="no files"):
            job.checkpoint(tmp_path / "empty")
    assert [record["name"] for record in job.records] == ["scratch"]


def test_predecessors_are_named(here: World) -> None:
    made = {}
    for claim, subject in (("dataset", "data/tickets"), ("eval", "train.py"), ("slo", "train.py")):
        here.write(".gate/p.json", encode({}))
        out = f".gate/{claim}.json"
        arguments = ["--claim", claim, "--predicate", ".gate/p.json", "--subject", subject, "--out", out]
        done = inside("attest", "create", *arguments)
        made[claim] = here.root / out
        assert done.code == 0, done.text
    facts = read(run(here, depends_on=[made["dataset"]], evaluation=[made["eval"]]).statement)
    assert len(facts.depends_on) == 2
    assert facts.facts["evaluation"] != []
    with pytest.raises(gate.AttestError, match="a statement of dataset"):
        run(here, evaluation=[made["dataset"]])
    with pytest.raises(gate.AttestError, match="a statement of slo"):
        run(here, depends_on=[made["slo"]])


# -- what is not stated ------------------------------------------------------------------------------------------------


def nothing_stated(world: World) -> bool:
    return not (world.root / ".gate").exists()


def test_a_job_that_fails_states_nothing(here: World) -> None:
    def fail() -> None:
        with gate.training_run(model=MODEL, pipeline="p") as job:
            here.write(WEIGHTS, safetensors("half"))
            job.metric("loss", 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert nothing_stated(here)


Act = Callable[[World], object]
CHANGED: dict[str, tuple[Act, str]] = {
    "data": (lambda world: world.write("data/tickets/rows.jsonl", b"poison\n"), "changed during the training"),
    "data added": (lambda world: world.write("data/tickets/more.jsonl", b"{}\n"), "changed during the training"),
    "base": (lambda world: world.write("models/base/model.safetensors", b""), "changed during the training"),
    "data gone": (lambda world: (world.root / "data/tickets").rename(world.root / "x"), "cannot read"),
    "commit": (lambda world: world.commit("later"), "another commit was checked out"),
    "a link": (lambda world: (world.root / MODEL / "l").symlink_to("model.safetensors"), "symbolic link"),
}


@pytest.mark.parametrize(("act", "words"), CHANGED.values(), ids=CHANGED)
def test_what_changes_during_the_training_is_an_error(here: World, act: Act, words: str) -> None:
    def train() -> None:
        data = {"tickets": "data/tickets", "again": "data/tickets"}
        with gate.training_run(model=MODEL, pipeline="p", datasets=data, base={"b": "models/base"}):
            here.write(WEIGHTS, safetensors("trained"))
            act(here)

    with pytest.raises(gate.GateError, match=words):
        train()
    assert nothing_stated(here)


def test_a_model_that_nobody_wrote_is_not_attested(here: World) -> None:
    with pytest.raises(gate.AttestError, match="wrote no model"), gate.training_run(model=MODEL, pipeline="p"):
        pass
    here.write(WEIGHTS, safetensors("yesterday"))
    with pytest.raises(gate.AttestError, match="nothing was written"), gate.training_run(model=MODEL, pipeline="p"):
        pass
    assert nothing_stated(here)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "model outside": ({"model": "../elsewhere"}, "does not lie below"),
    "model is the root": ({"model": "."}, "does not lie below"),
    "data in the model": ({"model": "data", "datasets": {"t": "data/tickets"}}, "lie in each other"),
    "model in the data": ({"model": "data/tickets/model", "datasets": {"t": "data"}}, "lie in each other"),
    "base is the model": ({"model": "models/base", "base": {"b": "models/base"}}, "lie in each other"),
    "no data": ({"datasets": {"t": "data/none"}}, "cannot read"),
    "empty pipeline": ({"pipeline": ""}, "would refuse this statement"),
    "large seed": ({"seed": 1 << 60}, "no canonical form|would refuse"),
    "odd environment": ({"environment": {"": "x"}}, "would refuse this statement"),
    "no key": ({"key": "keys/none.key"}, "cannot read"),
    "out in the model": ({"out": f"{MODEL}/p.json"}, "lies inside what it is about"),
    "out is something": ({"out": "train.py"}, "is not overwritten"),
    "no predecessor": ({"depends_on": ["none.json"]}, "cannot read"),
    "no statement": ({"depends_on": ["train.py"]}, "neither a statement nor an envelope|refuse|JSON"),
}


@pytest.mark.parametrize(("more", "words"), BAD.values(), ids=BAD)
def test_what_would_be_refused_is_said_before_the_training(here: World, more: dict[str, Any], words: str) -> None:
    (here.root / MODEL).mkdir(parents=True)
    with (
        pytest.raises(gate.GateError, match=words),
        gate.training_run(**{"model": MODEL, "pipeline": "p", **more}),
    ):
        pytest.fail("the training began")
    assert nothing_stated(here)


def test_a_key_that_needs_a_passphrase_has_nobody_to_ask(here: World) -> None:
    generate_key("p256", here.root / "keys/job.key", here.root / "keys/job.pub", "secret")
    with pytest.raises(gate.AttestError, match="nobody to ask"):
        run(here, key="keys/job.key")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1 << 80])
def test_numbers_that_measure_nothing_are_refused_at_once(here: World, value: float) -> None:
    with (
        pytest.raises(gate.AttestError, match="loss cannot be recorded"),
        gate.training_run(model=MODEL, pipeline="p") as job,
    ):
        job.metric("loss", value)
    assert nothing_stated(here)


def test_a_statement_may_not_become_too_large(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from gate.model.settings import Limits

    monkeypatch.setattr("gate.app.training.LIMITS", Limits(evidence_bytes=100))
    with pytest.raises(gate.AttestError, match="more than evidence may have"):
        run(here)
    assert nothing_stated(here)


# -- the code ----------------------------------------------------------------------------------------------------------


def code(statement: Path) -> Mapping[str, Any]:
    found = read(statement).facts["code"]
    assert isinstance(found, Mapping)
    return found


DIRTY: dict[str, tuple[Act, bool]] = {
    "nothing": (lambda _: None, False),
    "tracked": (lambda world: world.write("train.py", b"changed\n"), True),
    "untracked": (lambda world: world.write("helper.py", b"x\n"), True),
    "repository within": (lambda world: world.git("clone", "-q", ".", "vendored"), True),
    "ignored": (lambda world: world.write("keys/x.key", b"x\n"), False),
    "data": (lambda world: world.write("data/tickets/new.jsonl", b"x\n"), False),
    "evidence": (lambda world: world.write(".gate/attestations/x.json", b"x\n"), False),
}


@pytest.mark.parametrize(("act", "dirty"), DIRTY.values(), ids=DIRTY)
def test_code_that_differs_from_the_commit_is_said(here: World, act: Act, dirty: bool) -> None:
    act(here)
    assert code(run(here, datasets={"t": "data/tickets"}).statement)["dirty"] is dirty


def test_code_that_changes_meanwhile_is_said(here: World) -> None:
    with gate.training_run(model=MODEL, pipeline="p") as job:
        here.write(WEIGHTS, safetensors("trained"))
        here.write("logs/out.txt", b"not code")
    assert code(job.stated.statement)["dirty"] is False
    (here.root / "logs/out.txt").unlink()
    with gate.training_run(model=MODEL, pipeline="p") as job:
        here.write(WEIGHTS, safetensors("again"))
        here.write("train.py", b"changed\n")
    assert code(job.stated.statement)["dirty"] is True


def test_a_folder_that_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path / "plain")
    world.root.mkdir()
    monkeypatch.chdir(tmp_path)
    stated = run(World(world.root), model=f"plain/{MODEL}", root="plain")
    assert code(stated.statement) == {"repository": None, "commit": None, "dirty": None}
    world.git("init", "-q")
    world.git("remote", "add", "origin", "https://me:secret@code.example/acme/app.git?x=y")
    found = code(run(World(world.root), model=f"plain/{MODEL}", root="plain").statement)
    assert found == {"repository": "https://code.example/acme/app.git", "commit": None, "dirty": None}


ADDRESSES = {
    "git@code.example:acme/app.git": "ssh://code.example/acme/app.git",
    "code.example:app": "ssh://code.example/app",
    "ssh://git@code.example:2222/acme/app": "ssh://code.example:2222/acme/app",
    "http://user@code.example/app#x": "http://code.example/app",
    "": None,
    "/srv/git/app": None,
    "../app": None,
    "file:///srv/app": None,
    "https://code.example:port/app": None,
    "https://[code/app": None,
    "https:///app": None,
    "ext::sh -c x": None,
    "https://code.example/\x1b[0m": None,
    "https://code.example/" + "x" * 2000: None,
}


@pytest.mark.parametrize(("url", "shown"), ADDRESSES.items())
def test_addresses_hold_no_secret_and_no_path_of_this_machine(url: str, shown: str | None) -> None:
    assert public_address(url) == shown


# -- the environment ---------------------------------------------------------------------------------------------------


def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> str:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent) + os.pathsep + os.environ["PATH"])
    return environment.environment()["accelerator"]


SMI: dict[str, tuple[str, str]] = {
    "two cards": ("#!/bin/sh\nprintf 'Card, 1.2\\nCard, 1.2\\n'\n", "2 x Card, 1.2"),
    "fails": ("#!/bin/sh\nexit 9\n", "unknown: nvidia-smi ended with code 9"),
    "silent": ("#!/bin/sh\n", "unknown: nvidia-smi ended with code 0"),
    "hostile": ("#!/bin/sh\nprintf 'Ca\\033rd\\n'\n", "1 x Ca?rd"),
    "no program": ("not a program\n\0", "unknown: nvidia-smi gave no answer"),
}


@pytest.mark.parametrize(("script", "shown"), SMI.values(), ids=SMI)
def test_the_accelerator_is_what_its_tool_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, shown: str
) -> None:
    assert smi(tmp_path, monkeypatch, script) == shown


def test_versions_are_read_without_importing_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PACKAGES", ("cryptography", "no-such-package-here"))
    monkeypatch.setenv("CUDA_VERSION", "12.4.1")
    monkeypatch.setenv("ROCM_VERSION", "")
    monkeypatch.setattr("shutil.which", lambda _: None)
    found = environment.environment()
    assert set(found) == {"python", "platform", "accelerator", "cryptography", "env.CUDA_VERSION"}
    assert found["accelerator"] == "none found"
    assert found["env.CUDA_VERSION"] == "12.4.1"
