"""Kept samples: evidence in every format that was ever read, which has to verify for ever."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tools.scenario_draft import MODEL, config
from tools.scenario_evidence import (
    bundle,
    encode,
    envelope,
    key,
    model_signature,
    own,
    provenance,
    provenance_v02,
    result_of_tests,
    safetensors,
    subjects,
)

OWN_CLAIMS = (
    "training.provenance",
    "prompt",
    "corpus",
    "eval",
    "route",
    "slo",
    "dataset",
    "model.card",
    "plugin",
    "approval",
    "review",
    "waiver",
    "scan.report",
)
PROMPT = "app/system.txt"


def compat_files() -> Mapping[str, bytes]:
    """A tree, and evidence about it, each piece in another format."""
    files = {
        f"{MODEL}/model.safetensors": safetensors("kept"),
        f"{MODEL}/config.json": b'{"model_type": "llama"}\n',
    }
    model = {path.removeprefix(f"{MODEL}/"): data for path, data in files.items()}
    prompt = {PROMPT: b"You are a helpful assistant.\n"}
    claims = f'claims: [artifact.signature, "build.*", test.result, {", ".join(OWN_CLAIMS)}]'
    signers = dict.fromkeys(("release", "builder", "second", "auditor"), claims)
    gate = '  - {id: G001, trigger_paths: ["app/**"], required_attestations: [prompt]}\n'
    text = config(gates=gate, signers={**signers, "pkcs1": claims}).decode()
    text = text.replace("keys/pkcs1.pub,", "keys/auditor.pub, scheme: rsa-pkcs1v15-sha256,")
    tree = {"gate.yaml": text.encode(), **files, **prompt, **{f"keys/{name}.pub": key(name).pem for name in signers}}
    evidence = _evidence(model, prompt)
    return {**{f"tree/{p}": d for p, d in tree.items()}, **{f"evidence/{p}": d for p, d in evidence.items()}}


def _evidence(model: Mapping[str, bytes], prompt: Mapping[str, bytes]) -> dict[str, bytes]:
    about, text = subjects(model), subjects(prompt)
    pkcs1 = dataclasses.replace(key("auditor"), pkcs1=True)
    signature = model_signature("summarizer", model)
    found = {
        "model-signature.ed25519.sigstore.json": bundle(signature, key("release")),
        "model-signature.p384.dsse": envelope(signature, key("second")),
        "slsa-v1.p256.json": envelope(provenance(about), key("builder")),
        "slsa-v1.rsa-pss.att": envelope(provenance(about, builder="https://other.example/1"), key("auditor")),
        "slsa-v0.2.rsa-pkcs1.sigstore": bundle(provenance_v02(about), pkcs1),
        "test-result.json": bundle(result_of_tests(about), key("second")),
        "two-signatures.json": envelope(own("review", text, reviewer="two"), key("release"), key("builder")),
        "without-key-id.json": _without_key_ids(own("review", text, reviewer="one")),
    }
    found |= {f"own.{claim}.sigstore.json": bundle(own(claim, text), key("release")) for claim in OWN_CLAIMS}
    first = own("corpus", text, round=1)
    lines = [envelope(first, key("release")), bundle(own("eval", text, depends_on=[first]), key("second"))]
    found["chain.jsonl"] = b"\n".join(lines) + b"\n"
    return found


def _without_key_ids(payload: bytes) -> bytes:
    """As some tools write it: no key id at all, and other white space."""
    import json

    value = json.loads(envelope(payload, key("release")))
    value["signatures"] = [{"sig": item["sig"]} for item in value["signatures"]]
    return b"\n" + encode(value).replace(b",", b", ") + b"\n"
