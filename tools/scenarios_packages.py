"""Attacks on packages and what they depend on, for each environment."""

from __future__ import annotations

from typing import Final

from tools.scenario_draft import Draft
from tools.scenario_evidence import bundle, key, sha256, statement
from tools.scenario_worlds import LOCK, SERVICE, audit, build, cell, publish, sign
from tools.scenarios_locked import uv


def vulnerability(name: str, text: str) -> dict[str, object]:
    """A finding of pip-audit."""
    return {"id": name, "fix_versions": ["1.3"], "aliases": [], "description": text}


@cell(
    "deny/package-compromised-dependency-training",
    "A dependency with a known vulnerability",
    13,
    ["scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    audit(draft, vulnerability("CVE-2026-0001", "Remote code execution."))


@cell(
    "deny/package-compromised-dependency-fine-tuning", "A dependency that is locked without a hash", 13, ["deps.pinned"]
)
def _(draft: Draft) -> None:
    draft.change[LOCK] = draft.change[LOCK].replace(b', hash = "sha256:', b', note = "sha256:')


@cell(
    "deny/package-compromised-dependency-deployment",
    "A dependency of which the index published another file",
    13,
    ["deps.pinned"],
    attested=False,
)
def _(draft: Draft) -> None:
    publish(draft, sha256(b"another wheel"))


@cell(
    "deny/package-malicious-hub-artifact-training", "A dependency that follows a branch of a hub", 13, ["deps.pinned"]
)
def _(draft: Draft) -> None:
    draft.change[LOCK] = uv('git = "https://hub.example/acme/tool?branch=main#0123456"')


@cell(
    "deny/package-malicious-hub-artifact-fine-tuning",
    "A dependency that is known to be malware",
    13,
    ["scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    audit(draft, vulnerability("MAL-2026-1", "Sends the environment away when it is imported."))


@cell(
    "deny/package-malicious-hub-artifact-deployment",
    "A dependency with a name beside a known one, of which no index knows the files",
    13,
    ["deps.pinned"],
)
def _(draft: Draft) -> None:
    draft.change[LOCK] = draft.change[LOCK].replace(b"acme-tool", b"acme-t0ol").replace(b"acme_tool", b"acme_t0ol")


def vex(draft: Draft, signer: str, version: str) -> None:
    """A word that the vulnerability does not apply to a version of the dependency."""
    product = {"@id": "pkg:generic/service", "subcomponents": [{"@id": f"pkg:pypi/acme-tool@{version}"}]}
    word = {
        "vulnerability": {"name": "CVE-2026-0002"},
        "products": [product],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    }
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/2",
        "author": "Product Security",
        "timestamp": "2026-11-19T12:00:00Z",
        "version": 1,
        "statements": [word],
    }
    files = [{"name": LOCK, "digest": {"sha256": sha256(draft.change[LOCK])}}]
    draft.evidence["vex.json"] = bundle(statement("https://openvex.dev/ns", files, document), key(signer))


LOADS: Final = vulnerability("CVE-2026-0002", "Loading a checkpoint runs code, also with weights_only.")


@cell(
    "deny/package-unsafe-deserialization-training",
    "A library that runs what is in a checkpoint",
    13,
    ["scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    audit(draft, LOADS)


@cell(
    "deny/package-unsafe-deserialization-fine-tuning",
    "The same, explained away for another version",
    13,
    ["scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    audit(draft, LOADS)
    vex(draft, "approver", "1.1")


@cell(
    "deny/package-unsafe-deserialization-deployment",
    "The same, explained away by somebody who may not",
    11,
    ["evidence.accepted", "scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    audit(draft, LOADS)
    vex(draft, "release", "1.2")


@cell(
    "deny/package-forged-provenance-training",
    "A package signed by a key that nobody trusts",
    11,
    ["artifact.integrity", "artifact.signed", "change.attested", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    sign(draft, "service", SERVICE, "stranger")


@cell(
    "deny/package-forged-provenance-fine-tuning",
    "A package that changed after it was signed",
    12,
    ["artifact.integrity", "artifact.signed", "build.level", "change.attested", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    draft.change[f"{SERVICE}/setup.py"] = b"import os\n"


@cell(
    "deny/package-forged-provenance-deployment",
    "A package built by somebody who says to be the hosted builder",
    11,
    ["build.level", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    build(draft, "service", draft.files(SERVICE), signer="release")
