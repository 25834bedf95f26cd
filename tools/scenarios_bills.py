"""Scenarios of data, model cards, licences and bills of materials: one that passes each control, and one refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tools.scenario_collected import collected
from tools.scenario_draft import MODEL, MODEL_ARTIFACT, Draft, config, profile, scenario
from tools.scenario_evidence import bundle, envelope, key, sha256, statement, subjects

CYCLONEDX: Final = "https://cyclonedx.org/bom/v1.6"
ROWS: Final = "data/rows.csv"
CARD: Final = {"considerations": {"useCases": ["summaries"], "technicalLimitations": ["English only"]}}
ALLOWED: Final = "parameters: {model.license: {allowed: [Apache-2.0, MIT]}}\n"
SIGNERS: Final = {"release": "claims: [sbom, dataset]", "builder": "claims: [artifact.signature]"}


def hashed(kind: str, path: str, content: bytes, **more: object) -> Mapping[str, object]:
    """A component with the SHA-256 of a file."""
    hashes = [{"alg": "SHA-256", "content": sha256(content)}]
    return {"type": kind, "bom-ref": path, "name": path, "hashes": hashes, **more}


def bill(root: Mapping[str, object], parts: Sequence[Mapping[str, object]], aggregate: str) -> Mapping[str, object]:
    """A CycloneDX document about a root with some parts."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": "2026-11-20T10:00:00Z", "component": root},
        "components": list(parts),
        "compositions": [{"aggregate": aggregate, "assemblies": [root["bom-ref"]]}],
    }


def model(
    draft: Draft,
    control: str,
    *,
    license_id: str = "Apache-2.0",
    card: Mapping[str, object] | None = None,
    aggregate: str = "complete",
    named: Sequence[str] = ("config.json", "model.safetensors"),
) -> bytes:
    """A model under one control, and a statement about it: a bill of materials with its files, licence and card."""
    enforced = profile({"artifact.pinned": "enforce", control: "enforce"})
    text = config([MODEL_ARTIFACT], gates="", signers=SIGNERS, profile="profile.yaml", more=ALLOWED)
    draft.configure(text, keys=tuple(SIGNERS))
    draft.base["profile.yaml"] = enforced
    draft.model()
    files = draft.files(MODEL)
    licenses = [{"license": {"id": license_id}}]
    root = {"type": "machine-learning-model", "bom-ref": "summarizer", "name": "summarizer", "licenses": licenses}
    parts = [hashed("file", path, content) for path, content in files.items() if path in named]
    document = bill({**root, **({"modelCard": card} if card else {})}, parts, aggregate)
    return statement(CYCLONEDX, subjects(files), document)


def signed(draft: Draft, payload: bytes) -> None:
    """The statement as evidence, signed by the signer who is trusted for it."""
    draft.evidence["model.cdx.json"] = bundle(payload, key("release"))


@scenario("allow/model-card", "A model whose bill of materials has its card", passing=["model.card"], words=["ALLOW"])
def _(draft: Draft) -> None:
    signed(draft, model(draft, "model.card", card=CARD))


@scenario(
    "deny/model-card",
    "A model whose card does not say what it is not fit for",
    13,
    failing=["model.card"],
    passing=["artifact.pinned"],
    words=["model.card", "intended_use, limitations"],
)
def _(draft: Draft) -> None:
    signed(draft, model(draft, "model.card", card={"considerations": {"useCases": ["summaries"]}}))


@scenario("allow/model-license", "A model with a licence of the list", passing=["model.license"])
def _(draft: Draft) -> None:
    signed(draft, model(draft, "model.license"))


@scenario(
    "deny/model-license",
    "A model with a licence that is not on the list",
    13,
    failing=["model.license"],
    passing=["artifact.pinned"],
    words=["model.license", "its licence GPL-3.0-only is not on the list"],
)
def _(draft: Draft) -> None:
    signed(draft, model(draft, "model.license", license_id="GPL-3.0-only"))


@scenario("allow/sbom-complete", "A bill of materials with each file, and no other parts", passing=["sbom.complete"])
def _(draft: Draft) -> None:
    signed(draft, model(draft, "sbom.complete"))


@scenario(
    "deny/sbom-complete",
    "A bill of materials that says itself that parts are missing",
    13,
    failing=["sbom.complete"],
    passing=["artifact.pinned"],
    words=["sbom.complete", "declares that its parts are all there"],
)
def _(draft: Draft) -> None:
    signed(draft, model(draft, "sbom.complete", aggregate="incomplete"))


@scenario(
    "deny/sbom-unnamed",
    "A complete bill of materials that leaves out the hash of one file",
    13,
    failing=["sbom.complete"],
    passing=["artifact.pinned"],
    words=["sbom.complete", "SHA-256"],
)
def _(draft: Draft) -> None:
    signed(draft, model(draft, "sbom.complete", named=["config.json"]))


@scenario("allow/sbom-signed", "A bill of materials by a signer trusted for it", passing=["sbom.signed"])
def _(draft: Draft) -> None:
    signed(draft, model(draft, "sbom.signed"))


@scenario(
    "deny/sbom-signed",
    "A bill of materials by a signer who is trusted for something else",
    11,
    failing=["sbom.signed"],
    passing=["artifact.pinned"],
    words=["sbom.signed", "no SBOM by a signer trusted for it"],
)
def _(draft: Draft) -> None:
    draft.evidence["model.cdx.json"] = envelope(model(draft, "sbom.signed"), key("builder"))


def governed(draft: Draft, **owned: object) -> None:
    """A dataset with a bill of materials in which something is said of it, and a statement of its own."""
    entry = "rows: {kind: dataset, path: data}"
    text = config([entry], gates="", signers=SIGNERS, profile="profile.yaml", target="training")
    draft.configure(text, keys=tuple(SIGNERS))
    draft.base["profile.yaml"] = profile({"artifact.pinned": "enforce", "dataset.governed": "enforce"})
    draft.change[ROWS] = b"a,b\n1,2\n"
    files = draft.only(ROWS)
    said = {"type": "dataset", "classification": "internal", "sensitiveData": [], **owned}
    licenses = [{"license": {"id": "CC0-1.0"}}]
    root = hashed("data", "rows", files[ROWS], data=[said], licenses=licenses)
    draft.evidence["rows.cdx.json"] = bundle(
        statement(CYCLONEDX, subjects(files), bill(root, (), "complete")), key("release")
    )
    attested = collected(
        "dataset",
        {"files": files},
        owner="data team",
        classification="internal",
        license="CC0-1.0",
        personal_data=False,
        sources={},
    )
    draft.evidence["rows.json"] = bundle(attested, key("release"))


@scenario("allow/dataset-governed", "A dataset of which two sources say the same", passing=["dataset.governed"])
def _(draft: Draft) -> None:
    governed(draft, governance={"owners": [{"organization": {"name": "data team"}}]})


@scenario(
    "deny/dataset-governed",
    "A dataset with personal data, of which its own statement says that there are none",
    13,
    failing=["dataset.governed"],
    passing=["artifact.pinned"],
    words=["dataset.governed", "its sources disagree: personal_data"],
)
def _(draft: Draft) -> None:
    governed(draft, sensitiveData=["names"])
