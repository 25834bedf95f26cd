"""Scenarios that are refused: each control by itself where that can be, and what others were attacked with."""

from __future__ import annotations

import base64
import json

from tools.scenario_draft import (
    MODEL,
    MODEL_ARTIFACT,
    MODEL_GATE,
    PROMPT,
    PROMPT_GATE,
    SETTINGS,
    SIGNERS,
    WEIGHTS,
    Draft,
    config,
    profile,
    scenario,
)
from tools.scenario_evidence import (
    bundle,
    envelope,
    issue,
    key,
    model_signature,
    modelscan,
    own,
    provenance,
    runs_code,
    safetensors,
    sarif,
    sarif_result,
    sha256,
    subjects,
)
from tools.scenarios_allow import IMAGE, IMAGE_DIGEST, prompt_change, waiver

MODELSCAN = "reports:\n  - {tool: modelscan, path: .gate/reports/modelscan.json, artifact: summarizer}\n"
SARIF = "reports:\n  - {tool: sarif, path: .gate/reports/scan.sarif}\n"
ONLY_SIGNATURE = '  - {id: G001, trigger_paths: ["models/**"], required_attestations: [artifact.signature]}\n'


# -- artifact ----------------------------------------------------------------------------------------------------------


@scenario(
    "deny/artifact-signed",
    "An image by digest that nobody signed",
    10,
    failing=["artifact.signed"],
    passing=["artifact.pinned", "build.provenance"],
    words=["DENY", "artifact.signed", "gate sign"],
)
def _(draft: Draft) -> None:
    entry = f'server: {{kind: container, image: "{IMAGE}@sha256:{IMAGE_DIGEST}"}}'
    draft.configure(config([entry], gates="", profile="profile.yaml"))
    draft.base["profile.yaml"] = profile(
        dict.fromkeys(("artifact.pinned", "artifact.signed", "build.provenance"), "enforce")
    )
    draft.change["Dockerfile"] = b"FROM scratch\n"
    payload = provenance([{"name": IMAGE, "digest": {"sha256": IMAGE_DIGEST}}])
    draft.evidence["image.json"] = bundle(payload, key("builder"))


@scenario(
    "deny/artifact-signed-nothing",
    "A retrained model without any evidence",
    10,
    failing=["artifact.integrity", "artifact.signed", "build.provenance", "change.attested"],
    words=["DENY", WEIGHTS, "fix", "exit 10"],
)
def _(draft: Draft) -> None:
    draft.model()


@scenario(
    "deny/artifact-signed-by-stranger",
    "A signature by a key that nobody trusts",
    11,
    failing=["artifact.integrity", "artifact.signed", "change.attested", "evidence.accepted"],
    words=["signature.untrusted", "exit 11"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.built()
    draft.signature("stranger")


@scenario(
    "deny/artifact-signed-by-one-of-two",
    "One signature where two are needed, given twice",
    11,
    failing=["artifact.integrity", "artifact.signed", "change.attested", "evidence.accepted"],
    words=["signature.threshold"],
)
def _(draft: Draft) -> None:
    signers = {**SIGNERS, "second": "claims: [artifact.signature]"}
    draft.configure(config(signers=signers, trust="  thresholds: {artifact.signature: 2}\n"), keys=tuple(signers))
    draft.model()
    draft.built()
    payload = model_signature("summarizer", draft.files(MODEL))
    draft.evidence["one.json"] = bundle(payload, key("release"))
    draft.evidence["two.json"] = envelope(payload, key("release"), key("release"))


@scenario(
    "deny/artifact-integrity",
    "Routes that ask for admission and are not signed as they are",
    10,
    failing=["artifact.integrity"],
    passing=["artifact.pinned", "change.attested"],
    words=["artifact.integrity"],
)
def _(draft: Draft) -> None:
    draft.configure(config(["routes: {kind: route, path: app}"], gates=PROMPT_GATE))
    prompt_change(draft)
    about = subjects(draft.only(PROMPT))
    draft.evidence["prompt.json"] = bundle(own("prompt", about), key("release"))
    draft.evidence["eval.json"] = bundle(own("eval", about), key("release"))


@scenario(
    "deny/artifact-integrity-swapped",
    "The weights were swapped after they were signed",
    12,
    failing=["artifact.integrity", "artifact.signed", "build.provenance", "change.attested", "evidence.accepted"],
    words=["exit 12", "model.safetensors"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    draft.change[WEIGHTS] = safetensors("swapped")


@scenario(
    "deny/artifact-integrity-extra",
    "A file was added to a signed model",
    12,
    failing=["artifact.integrity", "artifact.signed", "build.provenance", "change.attested", "evidence.accepted"],
    words=["extra.json"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    draft.change[f"{MODEL}/extra.json"] = b"{}\n"


@scenario(
    "deny/artifact-integrity-link",
    "A file of a signed model was replaced by a link to the same bytes",
    12,
    failing=[
        "artifact.integrity",
        "artifact.pinned",
        "artifact.signed",
        "build.provenance",
        "change.attested",
        "change.plain_files",
        "evidence.accepted",
        "load.safe_format",
        "scan.coverage",
    ],
    words=["config.json", "link"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    draft.base["copy.json"] = draft.base[SETTINGS]
    draft.links[SETTINGS] = "../../copy.json"


@scenario(
    "deny/artifact-pinned",
    "An image by tag",
    13,
    failing=["artifact.pinned"],
    passing=["change.policy_unchanged"],
    words=["artifact.pinned", "server"],
)
def _(draft: Draft) -> None:
    controls = ("artifact.pinned", "change.policy_unchanged", "evidence.accepted")
    draft.configure(config([f'server: {{kind: container, image: "{IMAGE}:latest"}}'], profile="profile.yaml", gates=""))
    draft.base["profile.yaml"] = profile(dict.fromkeys(controls, "enforce"))
    draft.change["Dockerfile"] = b"FROM scratch\n"


# -- build -------------------------------------------------------------------------------------------------------------


@scenario(
    "deny/build-provenance",
    "A signed model of which nobody says how it was made",
    10,
    failing=["build.provenance"],
    passing=["artifact.signed", "change.attested"],
    words=["build.provenance"],
)
def _(draft: Draft) -> None:
    draft.configure(config(gates=ONLY_SIGNATURE))
    draft.model()
    draft.signature()


@scenario(
    "deny/build-provenance-incomplete",
    "Provenance without any input",
    13,
    failing=["build.provenance"],
    passing=["artifact.signed", "change.attested"],
    words=["build.provenance"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.signature()
    payload = provenance(subjects(draft.files(MODEL)), dependencies=[])
    draft.evidence["provenance.json"] = bundle(payload, key("builder"))


@scenario(
    "deny/build-provenance-conflict",
    "Two builders that tell different stories",
    13,
    failing=["build.provenance"],
    words=["disagree"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    payload = provenance(subjects(draft.files(MODEL)), builder="https://builder.example/other")
    draft.evidence["other.json"] = bundle(payload, key("builder"))


# -- change ------------------------------------------------------------------------------------------------------------


@scenario(
    "deny/change-attested",
    "A changed prompt of which half the attestations are there",
    10,
    failing=["change.attested"],
    passing=["artifact.signed", "build.provenance", "evidence.accepted"],
    words=[PROMPT, "eval", "exit 10"],
)
def _(draft: Draft) -> None:
    draft.configure(config(gates=MODEL_GATE + PROMPT_GATE))
    draft.model()
    prompt_change(draft)
    draft.good()
    draft.evidence["prompt.json"] = bundle(own("prompt", subjects(draft.only(PROMPT))), key("release"))


@scenario(
    "deny/change-attested-deleted",
    "A deleted prompt that the attestation does not know to be gone",
    10,
    failing=["change.attested"],
    words=["app/old.txt"],
)
def _(draft: Draft) -> None:
    draft.configure(config([], gates=PROMPT_GATE))
    draft.base |= {PROMPT: b"You are a helpful assistant.\n", "app/old.txt": b"old\n"}
    before = subjects(draft.only(PROMPT, "app/old.txt"))
    draft.deleted.append("app/old.txt")
    draft.evidence["prompt.json"] = bundle(own("prompt", before), key("release"))
    draft.evidence["eval.json"] = bundle(own("eval", before), key("release"))


@scenario(
    "deny/change-attested-chain",
    "An evaluation that builds on a statement which is not there",
    14,
    failing=["chain.valid", "change.attested", "evidence.accepted"],
    words=["chain.dangling"],
)
def _(draft: Draft) -> None:
    draft.configure(config([], gates=PROMPT_GATE))
    prompt_change(draft)
    about = subjects(draft.only(PROMPT))
    draft.evidence["prompt.json"] = bundle(own("prompt", about), key("release"))
    absent = own("corpus", about)
    draft.evidence["eval.json"] = bundle(own("eval", about, depends_on=[absent]), key("release"))


@scenario(
    "deny/change-plain_files",
    "An attested script that becomes executable",
    13,
    failing=["change.plain_files"],
    passing=["change.attested"],
    words=["app/run.sh", "executable"],
)
def _(draft: Draft) -> None:
    draft.configure(config([], gates=PROMPT_GATE))
    draft.base["app/run.sh"] = b"#!/bin/sh\n"
    draft.executable.append("app/run.sh")
    about = subjects(draft.only("app/run.sh"))
    draft.evidence["prompt.json"] = bundle(own("prompt", about), key("release"))
    draft.evidence["eval.json"] = bundle(own("eval", about), key("release"))
    draft.change["README.md"] = b"It can be run now.\n"


@scenario(
    "deny/change-policy_unchanged",
    "A good change that weakens gate.yaml on the way",
    13,
    failing=["change.policy_unchanged"],
    passing=["artifact.signed", "change.attested"],
    words=["gate.yaml", "configuration"],
)
def _(draft: Draft) -> None:
    draft.configure(config())
    draft.model()
    draft.change["gate.yaml"] = draft.base["gate.yaml"].replace(b"[artifact.signature, build.provenance]", b"[prompt]")
    draft.good()


@scenario(
    "deny/change-policy_unchanged-key",
    "A change that brings the key its evidence is signed with",
    11,
    failing=[
        "artifact.integrity",
        "artifact.signed",
        "change.attested",
        "change.policy_unchanged",
        "evidence.accepted",
    ],
    words=["keys/release.pub"],
)
def _(draft: Draft) -> None:
    draft.configure(config())
    draft.model()
    draft.built()
    draft.signature("stranger")
    draft.change["keys/release.pub"] = key("stranger").pem


# -- evidence ----------------------------------------------------------------------------------------------------------


@scenario(
    "deny/evidence-accepted",
    "A forgery beside good evidence",
    11,
    failing=["evidence.accepted"],
    passing=["artifact.signed", "build.provenance", "change.attested"],
    words=["forged.json", "signature.untrusted"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    draft.evidence["forged.json"] = envelope(provenance(subjects(draft.files(MODEL))), key("stranger"))


@scenario(
    "deny/evidence-accepted-wrong-claim",
    "Provenance signed by somebody who may sign models only",
    11,
    failing=["build.provenance", "change.attested", "evidence.accepted"],
    words=["signature.claim"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.signature()
    draft.built("release")


@scenario(
    "deny/evidence-accepted-tampered",
    "Provenance whose payload was changed after it was signed",
    11,
    failing=["build.provenance", "change.attested", "evidence.accepted"],
    words=["signature.untrusted"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    value = json.loads(draft.evidence["provenance.dsse.json"])
    payload = base64.b64decode(value["payload"]).replace(b"training/v1", b"training/v2")
    value["payload"] = base64.b64encode(payload).decode()
    draft.evidence["provenance.dsse.json"] = json.dumps(value).encode()


@scenario(
    "deny/evidence-accepted-doubled-key",
    "A payload that two readers could read differently",
    14,
    failing=["build.provenance", "change.attested", "evidence.accepted"],
    words=["statement.json"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.signature()
    payload = provenance(subjects(draft.files(MODEL))).replace(b'"subject":', b'"subject":[],"subject":', 1)
    draft.evidence["provenance.json"] = envelope(payload, key("builder"))


@scenario(
    "deny/evidence-accepted-revoked",
    "A signature by a key that was revoked yesterday",
    11,
    failing=["artifact.integrity", "artifact.signed", "change.attested", "evidence.accepted"],
    words=["signature.revoked"],
)
def _(draft: Draft) -> None:
    draft.configure(config(trust="  revoked: {keys: [release]}\n"))
    draft.model()
    draft.good()


@scenario(
    "deny/evidence-accepted-expired",
    "A signature by a key whose time is over",
    11,
    failing=["artifact.integrity", "artifact.signed", "change.attested", "evidence.accepted"],
    words=["signature.expired"],
)
def _(draft: Draft) -> None:
    signers = {**SIGNERS, "release": "claims: [artifact.signature], valid_until: 2026-11-19"}
    draft.configure(config(signers=signers))
    draft.model()
    draft.good()


@scenario(
    "deny/evidence-fresh",
    "An evaluation that is six weeks old",
    13,
    failing=["evidence.fresh"],
    passing=["change.attested", "evidence.accepted"],
    words=["evidence.fresh", "older"],
)
def _(draft: Draft) -> None:
    draft.configure(config([], gates=PROMPT_GATE))
    prompt_change(draft)
    about = subjects(draft.only(PROMPT))
    draft.evidence["prompt.json"] = bundle(own("prompt", about), key("release"))
    draft.evidence["eval.json"] = bundle(own("eval", about, "2026-10-09T12:00:00Z"), key("release"))


@scenario(
    "deny/evidence-fresh-future",
    "Provenance of tomorrow",
    13,
    failing=["evidence.fresh"],
    passing=["build.provenance"],
    words=["future"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.signature()
    payload = provenance(subjects(draft.files(MODEL)), finished="2026-11-21T12:00:00Z")
    draft.evidence["provenance.json"] = bundle(payload, key("builder"))


# -- load and scan -----------------------------------------------------------------------------------------------------


@scenario(
    "deny/load-no_remote_code",
    "Settings that make the loader fetch code, well signed",
    13,
    failing=["load.no_remote_code"],
    passing=["artifact.signed", "load.safe_format", "scan.malware"],
    words=["auto_map", "config.json"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.change[SETTINGS] = b'{"auto_map": {"AutoModel": "evil--modeling.Evil"}}\n'
    draft.good()


@scenario(
    "deny/load-safe_format",
    "A format that nobody knows, well signed and in the scanner's report",
    13,
    failing=["load.safe_format"],
    passing=["artifact.signed", "scan.coverage"],
    words=["weights.xyz", "unknown"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=MODELSCAN))
    draft.model()
    draft.change[f"{MODEL}/weights.xyz"] = bytes(range(256))
    draft.good()
    draft.reports["modelscan.json"] = modelscan(["model.safetensors", "config.json", "weights.xyz"])


@scenario(
    "deny/load-safe_format-polyglot",
    "Bytes behind the end of a safetensors file",
    13,
    failing=["load.safe_format", "scan.malware"],
    words=["model.safetensors"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.change[WEIGHTS] = safetensors("two") + b"trailing"
    draft.good()


@scenario(
    "deny/load-safe_format-runs-code",
    "A pickle that calls os.system, well signed",
    13,
    failing=["load.safe_format", "scan.malware"],
    words=["pytorch_model.bin"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.change[f"{MODEL}/pytorch_model.bin"] = runs_code()
    draft.good()


@scenario(
    "deny/scan-coverage",
    "A report that was asked for and is not there",
    10,
    failing=["scan.coverage"],
    passing=["artifact.signed", "scan.malware"],
    words=["modelscan", "exit 10"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=MODELSCAN))
    draft.model()
    draft.good()


@scenario(
    "deny/scan-coverage-errors",
    "A scanner that met an error does not say clean",
    13,
    failing=["scan.coverage"],
    words=["modelscan"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=MODELSCAN))
    draft.model()
    draft.good()
    error = {"category": "DEPENDENCY", "description": "install extras", "source": WEIGHTS}
    draft.reports["modelscan.json"] = modelscan(["config.json"], errors=[error])


@scenario(
    "deny/scan-coverage-cut",
    "A report that breaks off in the middle",
    13,
    failing=["scan.coverage"],
    words=["modelscan"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=MODELSCAN))
    draft.model()
    draft.good()
    draft.reports["modelscan.json"] = modelscan(["model.safetensors", "config.json"])[:-20]


@scenario(
    "deny/scan-coverage-unsuccessful",
    "A SARIF run that does not say that it succeeded",
    13,
    failing=["scan.coverage"],
    words=["modelaudit"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=SARIF))
    draft.model()
    draft.good()
    draft.reports["scan.sarif"] = sarif(draft.only(WEIGHTS, SETTINGS), successful=False)


@scenario(
    "deny/scan-malware",
    "A finding of the scanner in a signed model",
    13,
    failing=["scan.malware"],
    passing=["artifact.signed", "scan.coverage", "load.safe_format"],
    words=["scan.malware", "PickleUnsafeOpScan"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=MODELSCAN))
    draft.model()
    draft.good()
    draft.reports["modelscan.json"] = modelscan(["model.safetensors", "config.json"], [issue("model.safetensors")])


@scenario(
    "deny/scan-malware-sarif",
    "A SARIF result of level error",
    13,
    failing=["scan.malware"],
    words=["modelaudit", "S201"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=SARIF))
    draft.model()
    draft.good()
    draft.reports["scan.sarif"] = sarif(draft.only(WEIGHTS, SETTINGS), [sarif_result(WEIGHTS)])


@scenario(
    "deny/scan-malware-waiver-expired",
    "A waiver that ran out yesterday",
    13,
    failing=["scan.malware", "waiver.valid"],
    words=["W-7", "expired"],
)
def _(draft: Draft) -> None:
    draft.configure(config(more=MODELSCAN + "waivers: waivers.yaml\n"))
    draft.model()
    draft.good()
    draft.reports["modelscan.json"] = modelscan(["model.safetensors", "config.json"], [issue("model.safetensors")])
    digest = sha256(draft.files(MODEL)["model.safetensors"])
    draft.base["waivers.yaml"] = waiver("scan.malware", digest, expires="2026-11-19")


@scenario(
    "deny/scan-malware-dataset",
    "A dataset that holds a pickle which runs code",
    13,
    failing=["scan.malware"],
    words=["rows.pkl"],
)
def _(draft: Draft) -> None:
    gate = '  - {id: G001, trigger_paths: ["data/**"], required_attestations: [artifact.signature]}\n'
    draft.configure(config(["tickets: {kind: dataset, path: data/tickets}"], gates=gate, target="training"))
    draft.change["data/tickets/rows.pkl"] = runs_code()
    signed = model_signature("tickets", draft.files("data/tickets"))
    draft.evidence["tickets.json"] = bundle(signed, key("release"))


@scenario(
    "deny/empty-change",
    "Nothing differs from the base: that is not a pass",
    13,
    failing=["change.attested"],
    words=["no file differs"],
)
def _(draft: Draft) -> None:
    draft.configure(config([MODEL_ARTIFACT], gates=MODEL_GATE))
    draft.model()
    draft.base[WEIGHTS] = draft.change.pop(WEIGHTS)
    draft.good()
    draft.against = "HEAD"
