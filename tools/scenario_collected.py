"""Collected statements for the fixtures, and an application and a tuned model that they are about.

As everything here made from the documented form alone, without the gate's code: each file is a subject by its path,
in one role, and the members of a claim are those of its schema in `schemas/predicates`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from tools.scenario_draft import MODEL, MODEL_ARTIFACT, Draft, config
from tools.scenario_evidence import (
    bundle,
    key,
    model_signature,
    own_type,
    safetensors,
    sha256,
    statement,
    subjects,
)

OTHERS: Final = ("others",)
ROLES: Final[Mapping[str, Sequence[str]]] = {
    "prompt": ("system_prompt", "templates", "tool_schemas", "safety_policy", "render_config", "test_suite", *OTHERS),
    "corpus": (
        "connector_configs",
        "document_manifest",
        "documents",
        "chunking_config",
        "embedding_input",
        "vector_index",
        *OTHERS,
    ),
    "eval": ("testset", "scoring_config", "baseline_results", "candidate_results", "run_environment", *OTHERS),
    "route": ("route_config", "budget_policy", "fallback_graph", "canary_config", "simulation_result", *OTHERS),
    "slo": ("observability_query", *OTHERS),
    "training.provenance": ("model",),
    "dataset": ("files",),
    "plugin": ("descriptors", "server"),
    "approval": ("files", "statements"),
    "review": ("files", "statements"),
}
"""The roles of each claim; a statement names all of them."""


def collected(
    claim: str,
    roles: Mapping[str, Mapping[str, bytes]],
    *,
    privacy: Mapping[str, object] | None = None,
    depends_on: Sequence[bytes] = (),
    **members: object,
) -> bytes:
    """A collected statement of a claim about the files in some roles."""
    files = {path: data for part in roles.values() for path, data in part.items()}
    predicate = {
        "created_at": "2026-11-20T10:00:00Z",
        "depends_on": [f"sha256:{sha256(payload)}" for payload in depends_on],
        "roles": {role: sorted(roles.get(role, {})) for role in ROLES[claim]},
        "folders": {},
        "privacy": privacy or {"mode": "hash_only"},
        **members,
    }
    return statement(own_type(claim), subjects(files), predicate)


def plaintext(path: str, content: bytes) -> Mapping[str, object]:
    """The privacy of a statement that holds the content of a file."""
    payload = {"digest": f"sha256:{sha256(content)}", "content": base64.b64encode(content).decode()}
    return {"mode": "plaintext_explicit", "payloads": {path: payload}}


def merkle_root(files: Mapping[str, bytes]) -> str:
    """The tree hash of RFC 6962 over one file or two: a leaf is path, NUL and the file's SHA-256."""
    leaves = [path.encode() + b"\x00" + hashlib.sha256(data).digest() for path, data in sorted(files.items())]
    nodes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    assert len(nodes) in {1, 2}
    return "sha256:" + (nodes[0] if len(nodes) == 1 else hashlib.sha256(b"\x01" + nodes[0] + nodes[1]).digest()).hex()


def tree_digest(files: Mapping[str, bytes]) -> str:
    """The digest of a folder: SHA-256 over the lines of `sha256sum`."""
    lines = "".join(f"{sha256(data)}  {path}\n" for path, data in sorted(files.items()))
    return f"sha256:{sha256(lines.encode())}"


# -- an application ----------------------------------------------------------------------------------------------------

SYSTEM: Final = "app/system.txt"
POLICY: Final = "app/safety-policy.yaml"
APPLICATION: Final = {
    SYSTEM: b"You are a helpful assistant.\n",
    POLICY: b"deny: [weapons]\n",
    "data/manifest.json": b'{"documents": ["one.txt", "two.txt"]}\n',
    "data/one.txt": b"first document\n",
    "data/two.txt": b"second document\n",
    "eval/testset.json": b'[{"q": "a", "a": "b"}]\n',
    "eval/candidate.json": b'{"accuracy": 0.91}\n',
    "route/route.yaml": b"default: a\n",
    "route/budget.yaml": b"cap: 5\n",
    "route/fallback.json": b"{}\n",
    "slo/query.promql": b"rate(x[5m])\n",
}
APPLICATION_ARTIFACTS: Final = (
    "prompts: {kind: prompt, path: app}",
    "documents: {kind: corpus, path: data}",
    "evaluation: {kind: evaluation, path: eval}",
    "routes: {kind: route, path: route}",
    "levels: {kind: slo, path: slo}",
)
APPLICATION_GATES: Final = '  - {id: G001, trigger_paths: ["app/**"], required_attestations: [prompt, eval]}\n'
APPLICATION_SIGNERS: Final = {"release": "claims: [prompt, corpus, eval, route, slo]"}
OBJECTIVES: Final = {
    "ttft_ms_p50": "100",
    "ttft_ms_p95": "300",
    "tokens_per_sec_p50": "40",
    "cost_per_1k_tokens_cap_usd": "0.5",
    "error_rate_cap": "0.01",
    "error_budget_remaining": "0.9",
}


def application(draft: Draft, *, profile: str = "llm-application", more: str = "") -> None:
    """An application whose prompt changes, with the five artifacts that it is made of."""
    artifacts = list(APPLICATION_ARTIFACTS)
    text = config(artifacts, gates=APPLICATION_GATES, signers=APPLICATION_SIGNERS, profile=profile, more=more)
    draft.configure(text, keys=tuple(APPLICATION_SIGNERS))
    draft.base |= APPLICATION
    draft.change[SYSTEM] = b"You are a helpful and brief assistant.\n"


def prompt_statement(draft: Draft, *, privacy: Mapping[str, object] | None = None) -> bytes:
    """The statement about the prompt as it is."""
    roles = {"system_prompt": draft.only(SYSTEM), "safety_policy": draft.only(POLICY)}
    return collected("prompt", roles, privacy=privacy, sensitivity_labels=["internal"])


def corpus_statement(draft: Draft, manifest: str = "document_manifest") -> bytes:
    """The statement about the corpus, with its manifest in a role."""
    documents = draft.only("data/one.txt", "data/two.txt")
    return collected(
        "corpus",
        {manifest: draft.only("data/manifest.json"), "documents": documents},
        snapshot_id="snapshot-1",
        embedding_model="e5",
        index_builder_image_digest=f"sha256:{'a' * 64}",
        build_command_digest=None,
        documents={"count": 2, "root": merkle_root(documents)},
    )


def eval_statement(draft: Draft, *depends_on: bytes, accuracy: str = "0.91") -> bytes:
    """The statement about an evaluation that says it passed, whatever was measured."""
    return collected(
        "eval",
        {"testset": draft.only("eval/testset.json"), "candidate_results": draft.only("eval/candidate.json")},
        depends_on=depends_on,
        suite="suite-1",
        harness="plain JSON",
        metrics={"accuracy": {"candidate": accuracy, "baseline": "0.9", "better": "higher"}},
        thresholds={"accuracy": {"min": "0.8", "max": None}},
        tolerances={},
        samples=None,
        result="passed",
    )


def route_statement(draft: Draft, evaluation: bytes, fallback: str = "fallback_graph") -> bytes:
    """The statement about the route, with the graph of fallbacks in a role."""
    roles = {
        "route_config": draft.only("route/route.yaml"),
        "budget_policy": draft.only("route/budget.yaml"),
        fallback: draft.only("route/fallback.json"),
    }
    providers = [{"provider": "local", "model": "a"}]
    return collected("route", roles, depends_on=[evaluation], strategy="static", providers=providers)


def slo_statement(draft: Draft, route: bytes, **objectives: str) -> bytes:
    """The statement about the service level."""
    return collected(
        "slo",
        {"observability_query": draft.only("slo/query.promql")},
        depends_on=[route],
        profile="slo-1",
        window={"start": "2026-11-01T00:00:00Z", "end": "2026-11-20T00:00:00Z"},
        objectives={**OBJECTIVES, **objectives},
    )


def attest(draft: Draft, *statements: bytes) -> None:
    """Puts statements about the application among the evidence, and what is missing for all five claims."""
    given = {json.loads(payload)["predicateType"].split(":")[-2]: payload for payload in statements}
    prompt = given.get("prompt", prompt_statement(draft))
    corpus = given.get("corpus", corpus_statement(draft))
    evaluation = given.get("eval", eval_statement(draft, prompt, corpus))
    route = given.get("route", route_statement(draft, evaluation))
    slo = given.get("slo", slo_statement(draft, route))
    for payload in (prompt, corpus, evaluation, route, slo):
        word = json.loads(payload)["predicateType"].split(":")[-2]
        draft.evidence[f"{word}.json"] = bundle(payload, key("release"))


# -- a tuned model -----------------------------------------------------------------------------------------------------

STYLE: Final = "models/style"
TUNED_ARTIFACTS: Final = (MODEL_ARTIFACT, f"style: {{kind: adapter, path: {STYLE}, base: summarizer}}")
TUNED_GATES: Final = '  - {id: G001, trigger_paths: ["models/**"], required_attestations: [artifact.signature]}\n'
TUNED_SIGNERS: Final = {
    "release": "claims: [artifact.signature]",
    "builder": 'claims: ["build.*", "training.*", dataset]',
}


def training(
    files: Mapping[str, bytes], *, base: Mapping[str, str] | None = None, datasets: Mapping[str, str] | None = None
) -> bytes:
    """The statement about how some files were trained; tuned where there is a base."""
    return collected(
        "training.provenance",
        {"model": files},
        method="fine-tuning" if base else "training",
        code={"repository": "https://code.example/acme/training", "commit": "a" * 40, "dirty": False},
        datasets=dict(datasets or {}),
        base=dict(base or {}),
        environment={"framework": "torch 2.9"},
        pipeline="train.py --epochs 3",
        signer=None,
        time={"started_at": "2026-11-20T08:00:00Z", "finished_at": "2026-11-20T09:00:00Z"},
        evaluation=[],
        metrics_root=None,
        seed=7,
    )


def below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files by their path below the root."""
    return {f"{folder}/{path}": data for path, data in files.items()}


def tuned_model(draft: Draft, base: str | None = None) -> None:
    """A retrained model with its evidence, and a signed adapter that was trained on a base: this one, or another."""
    draft.configure(config(TUNED_ARTIFACTS, gates=TUNED_GATES, signers=TUNED_SIGNERS), keys=tuple(TUNED_SIGNERS))
    draft.model()
    draft.good()
    draft.change[f"{STYLE}/adapter_config.json"] = b'{"peft_type": "LORA", "r": 8, "auto_map": {}}\n'
    draft.change[f"{STYLE}/adapter_model.safetensors"] = safetensors("style")
    draft.evidence["style.json"] = bundle(model_signature("style", draft.files(STYLE)), key("release"))
    trained = training(below(STYLE, draft.files(STYLE)), base={"summarizer": base or tree_digest(draft.files(MODEL))})
    draft.evidence["style-trained.json"] = bundle(trained, key("builder"))
