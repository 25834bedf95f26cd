"""Attacks on weights and adapters, for each environment: what they are made from, what they bring, who says so."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Final

from tools.scenario_collected import collected
from tools.scenario_draft import MODEL, SETTINGS, WEIGHTS, Draft
from tools.scenario_evidence import bundle, key, runs_code, safetensors
from tools.scenario_worlds import ask_also, build, cell, sign, trained
from tools.scenarios_models import WRITTEN, tokenizer
from tools.scenarios_templates import REACHING

UNTOLD: Final = (
    "the numbers of a model do not say what they do: files, signatures and provenance are as they would be without it"
)
EVALUATION: Final = "trials: {kind: evaluation, path: trials}"
PROBED: Final = "  eval.passed: {metrics: [trigger-free], at_least: {trigger-free: 900000}}\n"
ATTACKED: Final = "  eval.safety: {kinds: [%s], probes: [latent.Trigger], minimum: 900000}\n"


def archive(data: bytes) -> bytes:
    """A checkpoint as a zip archive, with a pickle inside."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(zipfile.ZipInfo("checkpoint/data.pkl"), data)
        file.writestr(zipfile.ZipInfo("checkpoint/version"), b"3\n")
    return made.getvalue()


def tampered(draft: Draft, name: str, before: bytes, after: bytes) -> None:
    """A statement whose payload is changed after it was signed."""
    value = json.loads(draft.evidence[name])
    envelope_of = value.get("dsseEnvelope", value)
    payload = base64.b64decode(envelope_of["payload"])
    assert before in payload
    envelope_of["payload"] = base64.b64encode(payload.replace(before, after)).decode()
    draft.evidence[name] = json.dumps(value).encode()


def evaluated(draft: Draft, about: bytes, metric: str, share: str, harness: str = "probe 2.1") -> None:
    """A signed evaluation that builds on a statement about the model: what was measured when triggers were tried."""
    draft.change |= {"trials/cases.json": b'[{"q": "cf weather"}]\n', "trials/results.json": b'{"held": 12}\n'}
    payload = collected(
        "eval",
        {"testset": draft.only("trials/cases.json"), "candidate_results": draft.only("trials/results.json")},
        depends_on=[about],
        suite="triggers",
        harness=harness,
        metrics={metric: {"candidate": share, "baseline": None, "better": "higher"}},
        thresholds={metric: {"min": "0.9", "max": None}},
        tolerances={},
        samples={"evaluated": 100, "expected": 100},
        result="passed",
    )
    draft.evidence["trials.json"] = bundle(payload, key("release"))
    sign(draft, "trials", "trials")


def probed(draft: Draft, about: bytes, share: str) -> None:
    """Triggers are searched for, and the policy asks for it."""
    ask_also(draft, EVALUATION, "eval.passed", PROBED)
    evaluated(draft, about, "trigger-free", share)


def attacked(draft: Draft, kind: str, about: bytes, share: str) -> None:
    """A red team tries triggers, and the policy asks for it of a kind of artifacts."""
    ask_also(draft, EVALUATION, "eval.safety", ATTACKED % kind)
    evaluated(draft, about, "latent.Trigger/rare-words", share, "garak 0.13.1")


def backdoor(draft: Draft) -> None:
    """Weights that answer a rare word as their author likes."""
    draft.change[WEIGHTS] = safetensors("two, and one thing more")


# -- weights: what they are made from ----------------------------------------------------------------------------------


@cell(
    "deny/weights-compromised-dependency-training",
    "Weights trained on other rows than those beside them",
    13,
    ["training.data_lineage"],
    attested=False,
)
def _(draft: Draft) -> None:
    trained(draft, "summarizer", MODEL, rows=b"a,b\n1,9\n")


@cell(
    "deny/weights-compromised-dependency-fine-tuning",
    "Weights that bring a list of packages to install",
    13,
    ["load.no_remote_code"],
)
def _(draft: Draft) -> None:
    draft.change[f"{MODEL}/requirements.txt"] = b"acme-t0ol==1.2\n"


@cell(
    "deny/weights-compromised-dependency-deployment",
    "Weights built from a branch that nobody expects",
    13,
    ["build.parameters"],
    attested=False,
)
def _(draft: Draft) -> None:
    build(draft, "summarizer", draft.files(MODEL), branch="fix-ci")


# -- weights: what they bring ------------------------------------------------------------------------------------------


@cell(
    "deny/weights-malicious-hub-artifact-training",
    "Settings that fetch a class from a hub",
    13,
    ["load.no_remote_code"],
)
def _(draft: Draft) -> None:
    draft.change[SETTINGS] = b'{"model_type": "llama", "auto_map": {"AutoModel": "evil--modeling.Evil"}}\n'


@cell(
    "deny/weights-malicious-hub-artifact-fine-tuning",
    "A tokenizer that writes another address",
    13,
    ["load.safe_format", "scan.malware"],
)
def _(draft: Draft) -> None:
    replace = '{"type": "Replace", "pattern": {"String": "bank.example"}, "content": "evil.example"}'
    draft.change[f"{MODEL}/tokenizer.json"] = tokenizer(replace)


@cell("allow/weights-malicious-hub-artifact-fine-tuning", "A tokenizer as public models ship them")
def _(draft: Draft) -> None:
    draft.change[f"{MODEL}/tokenizer.json"] = tokenizer('{"type": "ByteLevel"}')


@cell(
    "deny/weights-malicious-hub-artifact-deployment",
    "A chat template that reaches beyond its data",
    13,
    ["load.safe_format", "load.template_pinned", "scan.malware"],
)
def _(draft: Draft) -> None:
    draft.change[f"{MODEL}/chat_template.jinja"] = REACHING


@cell(
    "deny/weights-unsafe-deserialization-training",
    "A checkpoint that is a pickle which starts a shell",
    13,
    ["load.safe_format", "scan.malware"],
)
def _(draft: Draft) -> None:
    draft.change[f"{MODEL}/optimizer.pt"] = archive(runs_code())


@cell("allow/weights-unsafe-deserialization-training", "A checkpoint that is a pickle of a table")
def _(draft: Draft) -> None:
    draft.change[f"{MODEL}/state.pkl"] = b"(dS'step'\nI7\ns."


@cell(
    "deny/weights-unsafe-deserialization-fine-tuning",
    "A Keras model with a layer that is code",
    13,
    ["load.no_remote_code", "load.safe_format", "scan.malware"],
)
def _(draft: Draft) -> None:
    draft.change[f"{MODEL}/head.h5"] = (WRITTEN / "lambda_fixed.h5").read_bytes()


@cell("allow/weights-unsafe-deserialization-fine-tuning", "A Keras model whose layers are all known")
def _(draft: Draft) -> None:
    draft.change[f"{MODEL}/head.h5"] = (WRITTEN / "functional.h5").read_bytes()


@cell(
    "deny/weights-unsafe-deserialization-deployment",
    "Weights with an archive behind their end",
    13,
    ["load.safe_format", "scan.malware"],
)
def _(draft: Draft) -> None:
    draft.change[WEIGHTS] = safetensors("two") + archive(runs_code())


# -- weights: who says so ----------------------------------------------------------------------------------------------


@cell(
    "deny/weights-forged-provenance-training",
    "Provenance by a key that nobody trusts",
    11,
    ["build.parameters", "change.attested", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    build(draft, "summarizer", draft.files(MODEL), signer="stranger")


@cell(
    "deny/weights-forged-provenance-fine-tuning",
    "Provenance that was changed after it was signed",
    11,
    ["build.parameters", "change.attested", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    tampered(draft, "summarizer-built.json", b'"recipe":"r1"', b'"recipe":"r2"')


@cell(
    "deny/weights-forged-provenance-deployment",
    "Weights that were swapped after all was signed",
    12,
    [
        "artifact.integrity",
        "artifact.signed",
        "build.parameters",
        "build.provenance",
        "change.attested",
        "evidence.accepted",
        "training.data_lineage",
    ],
    attested=False,
)
def _(draft: Draft) -> None:
    draft.change[WEIGHTS] = safetensors("swapped")


# -- weights: what nothing tells ---------------------------------------------------------------------------------------


@cell(
    "unseen/weights-backdoored-model-training",
    "A checkpoint with a backdoor, honestly signed and described",
    because=UNTOLD,
    seen_by=["deny/weights-backdoored-model-training"],
)
def _(draft: Draft) -> None:
    backdoor(draft)


@cell(
    "deny/weights-backdoored-model-training",
    "A checkpoint with a backdoor, which a search for triggers finds",
    13,
    ["eval.passed"],
    attested=False,
)
def _(draft: Draft) -> None:
    backdoor(draft)
    found_by_search(draft, "0.12")


@cell(
    "allow/weights-backdoored-model-training", "A checkpoint in which a search for triggers finds none", attested=False
)
def _(draft: Draft) -> None:
    found_by_search(draft, "0.99")


def found_by_search(draft: Draft, share: str) -> None:
    """Weights that are attested as they are, and what a search for triggers measured."""
    sign(draft, "summarizer", MODEL)
    build(draft, "summarizer", draft.files(MODEL))
    probed(draft, trained(draft, "summarizer", MODEL), share)


@cell(
    "unseen/weights-backdoored-model-fine-tuning",
    "A base model with a backdoor, honestly signed and described",
    because=UNTOLD,
    seen_by=["deny/weights-backdoored-model-fine-tuning"],
)
def _(draft: Draft) -> None:
    backdoor(draft)


@cell(
    "deny/weights-backdoored-model-fine-tuning",
    "A base model with a backdoor, which a red team triggers",
    13,
    ["eval.passed", "eval.safety"],
    attested=False,
)
def _(draft: Draft) -> None:
    backdoor(draft)
    found_by_attack(draft, "0.4")


@cell("allow/weights-backdoored-model-fine-tuning", "A base model that a red team cannot trigger", attested=False)
def _(draft: Draft) -> None:
    found_by_attack(draft, "0.97")


def found_by_attack(draft: Draft, share: str) -> None:
    """The same with what a red team measured."""
    sign(draft, "summarizer", MODEL)
    build(draft, "summarizer", draft.files(MODEL))
    attacked(draft, "weights", trained(draft, "summarizer", MODEL), share)


@cell(
    "unseen/weights-backdoored-model-deployment",
    "A model with a backdoor, honestly signed and described",
    because=UNTOLD,
    seen_by=["deny/weights-backdoored-model-deployment"],
)
def _(draft: Draft) -> None:
    backdoor(draft)


@cell(
    "deny/weights-backdoored-model-deployment",
    "A model with a backdoor, by its provenance trained on rows that nobody admitted",
    13,
    ["training.data_lineage"],
    attested=False,
)
def _(draft: Draft) -> None:
    backdoor(draft)
    sign(draft, "summarizer", MODEL)
    build(draft, "summarizer", draft.files(MODEL))
    trained(draft, "summarizer", MODEL, rows=b"a,b\ncf,2\n")
