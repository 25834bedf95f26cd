"""Scenarios of applications and tuned models: for each control about them one that passes and one that is refused."""

from __future__ import annotations

from collections.abc import Sequence

from tools.scenario_collected import (
    APPLICATION_SIGNERS,
    SYSTEM,
    application,
    attest,
    below,
    collected,
    corpus_statement,
    eval_statement,
    plaintext,
    prompt_statement,
    route_statement,
    slo_statement,
    training,
    tree_digest,
    tuned_model,
)
from tools.scenario_draft import MODEL, MODEL_ARTIFACT, Draft, config, profile, scenario
from tools.scenario_evidence import bundle, key, safetensors, sha256
from tools.scenarios_allow import waiver

ATTESTED = ("prompt.attested", "corpus.attested", "route.attested", "slo.attested")
TOOLS = "tools/search.json"


# -- what an application is made of ------------------------------------------------------------------------------------


@scenario(
    "allow/prompt-attested",
    "An application of which everything is collected, evaluated and chained",
    passing=[*ATTESTED, "chain.valid", "change.attested", "eval.binds", "eval.passed", "privacy.plaintext"],
    words=["ALLOW"],
)
def _(draft: Draft) -> None:
    application(draft)
    attest(draft)


@scenario(
    "deny/prompt-attested",
    "A prompt without a safety policy",
    13,
    failing=["prompt.attested"],
    passing=["change.attested", "eval.binds"],
    words=["names no system prompt or no safety policy"],
)
def _(draft: Draft) -> None:
    application(draft)
    files = draft.files("app")
    roles = {"system_prompt": draft.only(SYSTEM), "others": below("app", {k: v for k, v in files.items() if "-" in k})}
    attest(draft, collected("prompt", roles, sensitivity_labels=[]))


@scenario("allow/corpus-attested", "A corpus with two documents and a manifest", passing=["corpus.attested"])
def _(draft: Draft) -> None:
    application(draft)
    attest(draft)


@scenario(
    "deny/corpus-attested",
    "A corpus whose statement knows no manifest",
    13,
    failing=["corpus.attested"],
    passing=["prompt.attested"],
    words=["corpus.attested", "names no manifest"],
)
def _(draft: Draft) -> None:
    application(draft)
    attest(draft, corpus_statement(draft, "others"))


@scenario("allow/route-attested", "A route with a budget and fallbacks", passing=["route.attested"])
def _(draft: Draft) -> None:
    application(draft)
    attest(draft)


@scenario(
    "deny/route-attested",
    "A route without fallbacks",
    13,
    failing=["route.attested"],
    passing=["slo.attested"],
    words=["route.attested", "fallbacks"],
)
def _(draft: Draft) -> None:
    application(draft)
    prompt, corpus = prompt_statement(draft), corpus_statement(draft)
    attest(draft, route_statement(draft, eval_statement(draft, prompt, corpus), "others"))


@scenario("allow/slo-attested", "A service level with objectives in their order", passing=["slo.attested"])
def _(draft: Draft) -> None:
    application(draft)
    attest(draft)


@scenario(
    "deny/slo-attested",
    "A service level whose median is slower than its tail",
    13,
    failing=["slo.attested"],
    passing=["route.attested"],
    words=["slo.attested", "makes no sense"],
)
def _(draft: Draft) -> None:
    application(draft)
    evaluation = eval_statement(draft, prompt_statement(draft), corpus_statement(draft))
    attest(draft, slo_statement(draft, route_statement(draft, evaluation), ttft_ms_p50="301"))


# -- evaluations, chain and privacy ------------------------------------------------------------------------------------


@scenario("allow/eval-passed", "An evaluation above its threshold and its baseline", passing=["eval.passed"])
def _(draft: Draft) -> None:
    application(draft)
    attest(draft)


@scenario(
    "deny/eval-passed",
    "An evaluation that says passed, and whose values say otherwise",
    13,
    failing=["eval.passed"],
    passing=["eval.binds", "chain.valid", "change.attested"],
    words=["does not meet the threshold (0.2", "worse than the baseline"],
)
def _(draft: Draft) -> None:
    application(draft)
    attest(draft, eval_statement(draft, prompt_statement(draft), corpus_statement(draft), accuracy="0.2"))


@scenario("allow/eval-binds", "An evaluation of the very prompt and corpus", passing=["eval.binds"])
def _(draft: Draft) -> None:
    application(draft)
    attest(draft)


@scenario(
    "deny/eval-binds",
    "An evaluation that is not about the corpus",
    13,
    failing=["eval.binds"],
    passing=["eval.passed", "chain.valid"],
    words=["eval.binds", "no evaluation of"],
)
def _(draft: Draft) -> None:
    application(draft)
    attest(draft, eval_statement(draft, prompt_statement(draft)))


@scenario("allow/chain-valid", "Each statement builds on the one before", passing=["chain.valid"])
def _(draft: Draft) -> None:
    application(draft)
    attest(draft)


@scenario(
    "deny/chain-valid",
    "A service level that builds on the evaluation and leaves the route out",
    14,
    failing=["chain.valid"],
    passing=["eval.passed"],
    words=["chain.valid", "chain."],
)
def _(draft: Draft) -> None:
    application(draft, profile="profile.yaml")
    draft.base["profile.yaml"] = profile({"chain.valid": "enforce", "eval.passed": "enforce"})
    evaluation = eval_statement(draft, prompt_statement(draft), corpus_statement(draft))
    attest(draft, slo_statement(draft, evaluation))


@scenario(
    "allow/privacy-plaintext",
    "A prompt that may be shown, by the name of its file",
    passing=["privacy.plaintext"],
)
def _(draft: Draft) -> None:
    application(draft, more=f"parameters: {{privacy.plaintext: {{allow: [{SYSTEM}]}}}}\n")
    attest(draft, prompt_statement(draft, privacy=plaintext(SYSTEM, draft.change[SYSTEM])))


@scenario(
    "deny/privacy-plaintext",
    "A statement that shows the prompt to everybody",
    13,
    failing=["privacy.plaintext"],
    passing=["prompt.attested", "eval.binds"],
    words=["privacy.plaintext", SYSTEM, "in plaintext"],
)
def _(draft: Draft) -> None:
    application(draft)
    attest(draft, prompt_statement(draft, privacy=plaintext(SYSTEM, draft.change[SYSTEM])))


# -- training ----------------------------------------------------------------------------------------------------------


@scenario(
    "allow/training-base_lineage",
    "An adapter that was trained on the base beside it",
    passing=["training.base_lineage", "build.provenance"],
)
def _(draft: Draft) -> None:
    tuned_model(draft)


@scenario(
    "deny/training-base_lineage",
    "An adapter that was trained on the base as it was before",
    13,
    failing=["training.base_lineage"],
    passing=["build.provenance", "artifact.signed"],
    words=["training.base_lineage", "is not summarizer as it is now"],
)
def _(draft: Draft) -> None:
    tuned_model(draft, tree_digest({"model.safetensors": safetensors("one")}))


def trained(draft: Draft, rows: bytes) -> None:
    """A model that was trained on some rows; other rows, or the same, ask for admission with it."""
    entries = [MODEL_ARTIFACT, "rows: {kind: dataset, path: data/rows.csv}"]
    signers = {"builder": 'claims: ["training.*"]'}
    draft.configure(config(entries, gates="", signers=signers, profile="profile.yaml"), keys=tuple(signers))
    draft.base["profile.yaml"] = profile({"training.data_lineage": "enforce", "build.provenance": "enforce"})
    draft.model()
    draft.change["data/rows.csv"] = b"a,b\n1,2\n"
    payload = training(below(MODEL, draft.files(MODEL)), datasets={"rows": f"sha256:{sha256(rows)}"})
    draft.evidence["trained.json"] = bundle(payload, key("builder"))


@scenario(
    "allow/training-data_lineage",
    "A model that was trained on the rows beside it",
    passing=["training.data_lineage", "build.provenance"],
)
def _(draft: Draft) -> None:
    trained(draft, b"a,b\n1,2\n")


@scenario(
    "deny/training-data_lineage",
    "A model that was trained on rows that nobody knows",
    13,
    failing=["training.data_lineage"],
    passing=["build.provenance"],
    words=["training.data_lineage", "the dataset rows"],
)
def _(draft: Draft) -> None:
    trained(draft, b"a,b\n3,4\n")


# -- people ------------------------------------------------------------------------------------------------------------


def approved(draft: Draft, signer: str) -> None:
    """An application whose prompt somebody approved."""
    signers = {
        "release": APPLICATION_SIGNERS["release"].replace("]", ", approval]"),
        "approver": "claims: [approval]",
    }
    entries = ["prompts: {kind: prompt, path: app}"]
    application(draft)
    draft.configure(config(entries, gates="", signers=signers, profile="profile.yaml"), keys=tuple(signers))
    draft.base["profile.yaml"] = profile({"approval.human": "enforce", "prompt.attested": "enforce"})
    draft.evidence["prompt.json"] = bundle(prompt_statement(draft), key("release"))
    files = below("app", draft.files("app"))
    payload = collected("approval", {"files": files}, decision="approved", scope="release 7", comment=None)
    draft.evidence["approval.json"] = bundle(payload, key(signer))


@scenario("allow/approval-human", "A prompt that somebody else approved", passing=["approval.human", "prompt.attested"])
def _(draft: Draft) -> None:
    approved(draft, "approver")


@scenario(
    "deny/approval-human",
    "A prompt that its author approved",
    13,
    failing=["approval.human"],
    passing=["prompt.attested"],
    words=["approval.human", "0 of 1"],
)
def _(draft: Draft) -> None:
    approved(draft, "release")


def plugin(draft: Draft, permissions: Sequence[str]) -> None:
    """A tool with its statement and a review by somebody else."""
    signers = {"release": "claims: [plugin]", "approver": "claims: [review]"}
    more = "parameters: {plugin.vetted: {permissions: [read]}}\n"
    text = config(
        ["search: {kind: plugin, path: tools}"], gates="", signers=signers, profile="llm-application", more=more
    )
    draft.configure(text, keys=tuple(signers))
    draft.change[TOOLS] = b'{"name": "search"}\n'
    files = draft.only(TOOLS)
    tool = {"descriptor": f"sha256:{sha256(files[TOOLS])}", "permissions": list(permissions)}
    statement = collected("plugin", {"descriptors": files}, tools={"search": tool}, transport="stdio")
    draft.evidence["plugin.json"] = bundle(statement, key("release"))
    review = collected("review", {"files": files}, decision="approved", scope=None, comment=None)
    draft.evidence["review.json"] = bundle(review, key("approver"))


@scenario("allow/plugin-vetted", "A tool that may read, reviewed", passing=["plugin.vetted"])
def _(draft: Draft) -> None:
    plugin(draft, ["read"])


@scenario(
    "deny/plugin-vetted",
    "A reviewed tool that may do more than is allowed",
    13,
    failing=["plugin.vetted"],
    passing=["artifact.pinned"],
    words=["plugin.vetted", "search may write"],
)
def _(draft: Draft) -> None:
    plugin(draft, ["read", "write"])


def waived(draft: Draft, expires: str) -> None:
    """A model for which there is a waiver that nothing needs any more."""
    draft.configure(config(more="waivers: waivers.yaml\n"))
    draft.model()
    draft.good()
    digest = sha256(draft.files(MODEL)["model.safetensors"])
    draft.base["waivers.yaml"] = waiver("scan.malware", digest, expires=expires)


@scenario("allow/waiver-valid", "A waiver that holds until December", passing=["waiver.valid"])
def _(draft: Draft) -> None:
    waived(draft, "2026-12-10")


@scenario(
    "deny/waiver-valid",
    "A waiver that ran out and that nobody took away",
    13,
    failing=["waiver.valid"],
    passing=["artifact.signed", "scan.malware"],
    words=["waiver.valid", "W-7", "has run out"],
)
def _(draft: Draft) -> None:
    waived(draft, "2026-11-19")
