"""Scenarios that are allowed: for each control at least one in which it passes."""

from __future__ import annotations

import pickle

from tools.scenario_collected import tuned_model
from tools.scenario_draft import (
    MODEL,
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
    IN_TOTO,
    bundle,
    encode,
    envelope,
    envelope_value,
    issue,
    key,
    model_signature,
    modelscan,
    own,
    provenance,
    provenance_v02,
    safetensors,
    sarif,
    sha256,
    subjects,
)

IMAGE = "registry.example/llm/server"
IMAGE_DIGEST = sha256(b"the image")
ALL = (
    "artifact.integrity",
    "artifact.pinned",
    "artifact.signed",
    "build.provenance",
    "change.attested",
    "change.plain_files",
    "change.policy_unchanged",
    "evidence.accepted",
    "evidence.fresh",
    "load.no_remote_code",
    "load.safe_format",
    "scan.coverage",
    "scan.malware",
)


def prompt_change(draft: Draft) -> None:
    """A prompt that changes, below the gate for prompts."""
    draft.base[PROMPT] = b"You are a helpful assistant.\n"
    draft.change[PROMPT] = b"You are a helpful and brief assistant.\n"


@scenario("allow/everything", "A retrained model and a changed prompt, with all that is asked for", passing=ALL)
def _(draft: Draft) -> None:
    draft.configure(config(gates=MODEL_GATE + PROMPT_GATE))
    draft.model()
    prompt_change(draft)
    draft.good()
    about = subjects(draft.only(PROMPT))
    draft.evidence["prompt.json"] = bundle(own("prompt", about), key("release"))
    draft.evidence["eval.json"] = bundle(own("eval", about), key("release"))


@scenario("allow/artifact-signed", "A retrained model with its signature", passing=["artifact.signed"], words=["ALLOW"])
def _(draft: Draft) -> None:
    draft.model()
    draft.good()


@scenario(
    "allow/artifact-signed-by-two", "Two signers where two are needed", passing=["artifact.signed", "build.provenance"]
)
def _(draft: Draft) -> None:
    signers = {**SIGNERS, "second": "claims: [artifact.signature]"}
    draft.configure(config(signers=signers, trust="  thresholds: {artifact.signature: 2}\n"), keys=tuple(signers))
    draft.model()
    draft.good()
    payload = model_signature("summarizer", draft.files(MODEL))
    draft.evidence["signature.sigstore.json"] = bundle(payload, key("release"), key("second"))


@scenario(
    "allow/artifact-signed-by-rsa",
    "RSA keys in the scheme that the configuration names",
    passing=["artifact.signed", "build.provenance"],
)
def _(draft: Draft) -> None:
    draft.configure(config(signers={"auditor": 'claims: [artifact.signature, "build.*"]'}), keys=["auditor"])
    draft.model()
    draft.signature("auditor")
    draft.built("auditor")


@scenario("allow/artifact-integrity", "A model with folders, every file of it signed", passing=["artifact.integrity"])
def _(draft: Draft) -> None:
    draft.model()
    draft.base[f"{MODEL}/tokenizer/vocab.txt"] = b"a\nb\n"
    draft.change[f"{MODEL}/shards/00001.safetensors"] = safetensors("shard")
    draft.good()


@scenario(
    "allow/artifact-integrity-renamed",
    "A file of a model is renamed and the model signed again",
    passing=["artifact.integrity", "change.attested"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.base[f"{MODEL}/vocab.txt"] = b"a\nb\n"
    draft.change[f"{MODEL}/words.txt"] = b"a\nb\n"
    draft.deleted.append(f"{MODEL}/vocab.txt")
    draft.good()


@scenario(
    "allow/artifact-pinned", "An image by digest, with provenance", passing=["artifact.pinned", "build.provenance"]
)
def _(draft: Draft) -> None:
    asked = dict.fromkeys(("artifact.pinned", "build.provenance", "evidence.accepted"), "enforce")
    entry = f'server: {{kind: container, image: "{IMAGE}@sha256:{IMAGE_DIGEST}"}}'
    draft.configure(config([entry], gates="", profile="profile.yaml"))
    draft.base["profile.yaml"] = profile(asked)
    draft.change["Dockerfile"] = b"FROM scratch\n"
    payload = provenance([{"name": IMAGE, "digest": {"sha256": IMAGE_DIGEST}}])
    draft.evidence["image.json"] = bundle(payload, key("builder"))


@scenario("allow/build-provenance", "Provenance in SLSA v0.2", passing=["build.provenance"])
def _(draft: Draft) -> None:
    draft.model()
    draft.signature()
    draft.evidence["provenance.json"] = bundle(provenance_v02(subjects(draft.files(MODEL))), key("builder"))


@scenario(
    "allow/change-attested",
    "A changed prompt with its attestations; no artifact asks for admission",
    passing=["change.attested", "evidence.fresh"],
    words=["ALLOW", "change.attested"],
)
def _(draft: Draft) -> None:
    draft.configure(config([], gates=PROMPT_GATE))
    prompt_change(draft)
    about = subjects(draft.only(PROMPT))
    prompt = own("prompt", about)
    draft.evidence["prompt.dsse"] = envelope(prompt, key("release"))
    evaluated = subjects({"eval/results.json": b"{}"})
    draft.evidence["eval.att"] = envelope(own("eval", evaluated, depends_on=[prompt]), key("release"))


@scenario(
    "allow/change-attested-lines",
    "All evidence in one file of lines, in base64 for addresses",
    passing=["change.attested"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    lines = [draft.evidence.pop("signature.sigstore.json"), b""]
    payload = provenance(subjects(draft.files(MODEL)), builder="https://builder.example/?>>>")
    value = envelope_value(payload, key("builder"))
    text = {"payload": value["payload"], "payloadType": IN_TOTO, "signatures": value["signatures"]}
    del draft.evidence["provenance.dsse.json"]
    safe = encode(text).decode()
    for part in (str(text["payload"]), str(text["signatures"][0]["sig"])):  # type: ignore[index]
        safe = safe.replace(part, part.replace("+", "-").replace("/", "_"))
    draft.evidence["all.jsonl"] = b"\n".join([*lines, safe.encode(), b""])


@scenario("allow/change-plain_files", "A script that stays executable, below a gate", passing=["change.plain_files"])
def _(draft: Draft) -> None:
    draft.configure(config([], gates=PROMPT_GATE))
    draft.base["app/run.sh"] = b"#!/bin/sh\n"
    draft.change["app/run.sh"] = b"#!/bin/sh\nexec true\n"
    draft.executable_before.append("app/run.sh")
    draft.executable.append("app/run.sh")
    about = subjects(draft.only("app/run.sh"))
    draft.evidence["prompt.json"] = bundle(own("prompt", about), key("release"))
    draft.evidence["eval.json"] = bundle(own("eval", about), key("release"))


@scenario(
    "allow/change-policy_unchanged",
    "A change to gate.yaml that a trusted person approved",
    passing=["change.policy_unchanged"],
)
def _(draft: Draft) -> None:
    draft.configure(config())
    draft.model()
    draft.change["gate.yaml"] = draft.base["gate.yaml"].replace(b"production", b"staging")
    draft.good()
    approval = own("approval", subjects(draft.only("gate.yaml")))
    draft.evidence["approval.json"] = bundle(approval, key("approver"))


@scenario(
    "allow/evidence-accepted",
    "A forgery about something else does not stand in the way, and is shown",
    passing=["evidence.accepted"],
    words=["signature.untrusted", "elsewhere.json"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    about = subjects({"elsewhere/other.bin": b"other"})
    draft.evidence["elsewhere.json"] = envelope(provenance(about), key("stranger"))
    draft.evidence["older.json"] = envelope(provenance(subjects({WEIGHTS: safetensors("one")})), key("builder"))


@scenario("allow/evidence-fresh", "An evaluation of last week", passing=["evidence.fresh"])
def _(draft: Draft) -> None:
    draft.configure(config([], gates=PROMPT_GATE, more="parameters: {evidence.fresh: {eval: 10d}}\n"))
    prompt_change(draft)
    about = subjects(draft.only(PROMPT))
    draft.evidence["prompt.json"] = bundle(own("prompt", about, None), key("release"))
    draft.evidence["eval.json"] = bundle(own("eval", about, "2026-11-13T12:00:00Z"), key("release"))


@scenario("allow/load-no_remote_code", "An adapter whose settings name no code", passing=["load.no_remote_code"])
def _(draft: Draft) -> None:
    tuned_model(draft)


@scenario("allow/load-safe_format", "A pickle that holds data and calls nothing", passing=["load.safe_format"])
def _(draft: Draft) -> None:
    draft.model()
    draft.change[f"{MODEL}/labels.pkl"] = pickle.dumps({"labels": ["good", "bad"], "threshold": 0.5}, protocol=4)
    draft.good()


@scenario("allow/scan-coverage", "A report of modelscan that names every file", passing=["scan.coverage"])
def _(draft: Draft) -> None:
    report = "reports:\n  - {tool: modelscan, path: .gate/reports/modelscan.json, artifact: summarizer}\n"
    draft.configure(config(more=report))
    draft.model()
    draft.good()
    draft.reports["modelscan.json"] = modelscan(["model.safetensors", "config.json"])


@scenario("allow/scan-malware", "A SARIF report without results, with digests", passing=["scan.malware"])
def _(draft: Draft) -> None:
    draft.configure(config(more='reports:\n  - {tool: sarif, path: ".gate/reports/*.sarif"}\n'))
    draft.model()
    draft.good()
    draft.reports["scan.sarif"] = sarif(draft.only(WEIGHTS, SETTINGS))


@scenario(
    "allow/scan-malware-waived",
    "A finding that somebody took responsibility for, until December",
    passing=["scan.coverage"],
    waived=["scan.malware"],
    words=["waiver W-7", "2026-12-10", "modelscan"],
)
def _(draft: Draft) -> None:
    report = "reports:\n  - {tool: modelscan, path: .gate/reports/modelscan.json, artifact: summarizer}\n"
    draft.configure(config(more=report + "waivers: waivers.yaml\n"))
    draft.model()
    draft.good()
    draft.reports["modelscan.json"] = modelscan(["model.safetensors", "config.json"], [issue("model.safetensors")])
    digest = sha256(draft.files(MODEL)["model.safetensors"])
    draft.base["waivers.yaml"] = waiver("scan.malware", digest)


def waiver(control: str, digest: str, created: str = "2026-11-01", expires: str = "2026-12-10") -> bytes:
    """`waivers.yaml` with one waiver."""
    return (
        "version: 1\nwaivers:\n"
        f"  - {{id: W-7, control: {control}, artifact: 'sha256:{digest}', reason: looked at by hand,\n"
        f"     ticket: SEC-12, owner: ann, approver: ben, created: {created}, expires: {expires}}}\n"
    ).encode()


@scenario(
    "allow/change-attested-warned",
    "A control that a profile only warns about",
    passing=["artifact.signed"],
    words=["warned", "change.attested"],
)
def _(draft: Draft) -> None:
    draft.configure(config(gates=MODEL_GATE + PROMPT_GATE, profile="profile.yaml"))
    draft.base["profile.yaml"] = profile({**dict.fromkeys(ALL, "enforce"), "change.attested": "warn"})
    draft.model()
    prompt_change(draft)
    draft.good()


@scenario("allow/without-base", "Everything below the root, as if all of it were new", passing=["change.attested"])
def _(draft: Draft) -> None:
    draft.model()
    draft.good()
    draft.against = None


@scenario("allow/single-file", "A model that is one file", passing=["artifact.integrity", "artifact.signed"])
def _(draft: Draft) -> None:
    entry = f"summarizer: {{kind: weights, path: {WEIGHTS}}}"
    draft.configure(config([entry]))
    draft.model()
    files = {"model.safetensors": draft.change[WEIGHTS]}
    draft.evidence["signature.json"] = bundle(model_signature("model.safetensors", files), key("release"))
    draft.evidence["provenance.json"] = envelope(provenance(subjects({WEIGHTS: draft.change[WEIGHTS]})), key("builder"))


@scenario("allow/package", "A lock file that asks for admission", passing=["artifact.signed", "artifact.pinned"])
def _(draft: Draft) -> None:
    gate = "  - {id: G003, trigger_paths: [requirements.lock], required_attestations: [artifact.signature]}\n"
    draft.configure(config(["deps: {kind: package, path: requirements.lock}"], gates=gate))
    draft.change["requirements.lock"] = b"click==8.3.3\n"
    files = {"requirements.lock": draft.change["requirements.lock"]}
    draft.evidence["deps.json"] = bundle(model_signature("requirements.lock", files), key("release"))
