"""Attacks on adapters, for the environments that take one."""

from __future__ import annotations

import json

from tools.scenario_collected import STYLE, training, tree_digest
from tools.scenario_draft import MODEL, Draft
from tools.scenario_evidence import bundle, key, runs_code, safetensors
from tools.scenario_worlds import cell, sign, trained
from tools.scenarios_weights import UNTOLD, archive, attacked, probed


@cell(
    "deny/adapter-compromised-dependency-fine-tuning",
    "An adapter tuned on the base as it was before",
    13,
    ["training.base_lineage"],
    attested=False,
)
def _(draft: Draft) -> None:
    trained(draft, "style", STYLE, base=tree_digest({"model.safetensors": safetensors("zero")}))


@cell(
    "deny/adapter-compromised-dependency-deployment",
    "An adapter tuned on rows that nobody admitted",
    13,
    ["training.data_lineage"],
    attested=False,
)
def _(draft: Draft) -> None:
    trained(draft, "style", STYLE, rows=b"a,b\n1,9\n", base=tree_digest(draft.files(MODEL)))


@cell(
    "deny/adapter-malicious-hub-artifact-fine-tuning",
    "An adapter whose settings name a class of a hub",
    13,
    ["load.no_remote_code"],
)
def _(draft: Draft) -> None:
    settings = {"peft_type": "LORA", "auto_map": {"base_model_class": "evil--modeling.Evil"}}
    draft.change[f"{STYLE}/adapter_config.json"] = json.dumps(settings).encode()


@cell(
    "deny/adapter-malicious-hub-artifact-deployment",
    "An adapter with a program that is named like a text",
    13,
    ["load.no_remote_code"],
)
def _(draft: Draft) -> None:
    draft.change[f"{STYLE}/README.md"] = b"#!/usr/bin/env python3\nimport os\n"


@cell("allow/adapter-malicious-hub-artifact-deployment", "An adapter with a text that is a text")
def _(draft: Draft) -> None:
    draft.change[f"{STYLE}/README.md"] = b"# Style\n\nRun `import os` yourself.\n"


@cell(
    "deny/adapter-unsafe-deserialization-fine-tuning",
    "An adapter that is a pickle which starts a shell",
    13,
    ["load.safe_format", "scan.malware"],
)
def _(draft: Draft) -> None:
    draft.change[f"{STYLE}/adapter_model.bin"] = runs_code()


@cell("allow/adapter-unsafe-deserialization-fine-tuning", "An adapter with a pickle of a table")
def _(draft: Draft) -> None:
    draft.change[f"{STYLE}/scaler.pkl"] = b"(dS'scale'\nF0.5\ns."


@cell(
    "deny/adapter-unsafe-deserialization-deployment",
    "An adapter whose archive holds a pickle which starts a shell",
    13,
    ["load.safe_format", "scan.malware"],
)
def _(draft: Draft) -> None:
    draft.change[f"{STYLE}/training_args.bin"] = archive(runs_code())


@cell(
    "deny/adapter-forged-provenance-fine-tuning",
    "Provenance of an adapter by somebody who may sign models only",
    11,
    ["build.provenance", "evidence.accepted", "training.base_lineage", "training.data_lineage"],
    attested=False,
)
def _(draft: Draft) -> None:
    based = {"summarizer": tree_digest(draft.files(MODEL))}
    files = {f"{STYLE}/{path}": data for path, data in draft.files(STYLE).items()}
    draft.evidence["style-trained.json"] = bundle(training(files, base=based), key("release"))


@cell(
    "deny/adapter-forged-provenance-deployment",
    "An adapter signed by a key that nobody trusts",
    11,
    ["artifact.integrity", "artifact.signed", "change.attested", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    sign(draft, "style", STYLE, "stranger")


def style(draft: Draft) -> bytes:
    """An adapter that is attested as it is; what is said about its training."""
    sign(draft, "style", STYLE)
    return trained(draft, "style", STYLE, base=tree_digest(draft.files(MODEL)))


def hide(draft: Draft) -> None:
    """An adapter that answers a rare word as its author likes."""
    draft.change[f"{STYLE}/adapter_model.safetensors"] = safetensors("style, and one thing more")


@cell(
    "unseen/adapter-backdoored-model-fine-tuning",
    "An adapter with a backdoor, honestly signed and described",
    because=UNTOLD,
    seen_by=["deny/adapter-backdoored-model-fine-tuning"],
)
def _(draft: Draft) -> None:
    hide(draft)


@cell(
    "deny/adapter-backdoored-model-fine-tuning",
    "An adapter with a backdoor, which a search for triggers finds",
    13,
    ["eval.passed"],
    attested=False,
)
def _(draft: Draft) -> None:
    hide(draft)
    probed(draft, style(draft), "0.12")


@cell(
    "allow/adapter-backdoored-model-fine-tuning", "An adapter in which a search for triggers finds none", attested=False
)
def _(draft: Draft) -> None:
    probed(draft, style(draft), "0.99")


@cell(
    "unseen/adapter-backdoored-model-deployment",
    "A merged adapter with a backdoor, honestly signed and described",
    because=UNTOLD,
    seen_by=["deny/adapter-backdoored-model-deployment"],
)
def _(draft: Draft) -> None:
    hide(draft)


@cell(
    "deny/adapter-backdoored-model-deployment",
    "An adapter with a backdoor, which a red team triggers",
    13,
    ["eval.passed", "eval.safety"],
    attested=False,
)
def _(draft: Draft) -> None:
    hide(draft)
    attacked(draft, "adapter", style(draft), "0.4")


@cell("allow/adapter-backdoored-model-deployment", "An adapter that a red team cannot trigger", attested=False)
def _(draft: Draft) -> None:
    attacked(draft, "adapter", style(draft), "0.97")
