"""What scenarios are about: threats, kinds and twins, told by the names of those that do not tell it themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from tools.scenario_draft import Scenario

THREATS: Final[Mapping[str, tuple[str, str]]] = {
    "compromised-dependency": (
        "Compromised dependency",
        "Something that the artifact is built from, or runs with, is vulnerable, replaced or not what it seems.",
    ),
    "malicious-hub-artifact": (
        "Malicious artifact from a hub",
        "What is taken from a public hub brings code along, follows a name that moves, or is not what was looked at.",
    ),
    "unsafe-deserialization": (
        "Unsafe deserialization",
        "Reading the file runs what its author wrote into it.",
    ),
    "forged-provenance": (
        "Forged provenance",
        "A statement is made up, signed by nobody who may, about other bytes, or changed after it was signed.",
    ),
    "backdoored-model": (
        "Backdoored model",
        "The model behaves well until it meets what its author chose; its data or its trainer made it so.",
    ),
    "poisoned-application": (
        "Poisoned prompts and corpora",
        "What an application tells its model, or lets it read, is changed to serve somebody else.",
    ),
    "excessive-agency": (
        "Excessive agency",
        "A tool of an application may do more than was looked at, or is another one.",
    ),
    "faked-evaluation": (
        "Faked evaluation",
        "A result is claimed that was not measured, not of this version, not complete or too long ago.",
    ),
    "disclosure": (
        "Disclosure",
        "A secret, a prompt or personal data gets where it does not belong.",
    ),
    "unsafe-deployment": (
        "Unsafe deployment",
        "What is admitted runs with rights, reach or settings that make any other weakness worse.",
    ),
    "missing-evidence": (
        "Missing evidence",
        "Nobody vouches for it: what is asked for was never made, or is too old, or by too few.",
    ),
    "weakened-gate": (
        "Weakened gate",
        "The change weakens the rules, keys or exceptions that it is judged by.",
    ),
    "misconfiguration": (
        "Misconfigured gate",
        "The gate cannot do its work as it is set up, and must not guess.",
    ),
}
"""The threats by id, each with its title and what an attacker does."""
CROSSED: Final = (
    "compromised-dependency",
    "malicious-hub-artifact",
    "unsafe-deserialization",
    "forged-provenance",
    "backdoored-model",
)
KINDS: Final = ("weights", "adapter", "dataset", "package", "container")
TARGETS: Final = ("training", "fine-tuning", "deployment")
IMPOSSIBLE: Final = (
    {
        "kind": "adapter",
        "threat": None,
        "target": "training",
        "reason": "a training from scratch starts from no adapter; what starts from one is a fine-tuning",
    },
    {
        "kind": "dataset",
        "threat": None,
        "target": "deployment",
        "reason": "nothing that is deployed loads a training dataset; documents that are served are a corpus",
    },
    {
        "kind": "package",
        "threat": "backdoored-model",
        "target": None,
        "reason": "a package holds no model: weights that are shipped in one are judged as weights",
    },
)
SET: Final = {
    "schema": "urn:gate:scenario-set:v1",
    "title": "Supply-chain scenarios of AI artifacts",
    "threats": {name: {"title": title, "description": text} for name, (title, text) in THREATS.items()},
    "matrix": {"kinds": list(KINDS), "threats": list(CROSSED), "targets": list(TARGETS)},
    "impossible": list(IMPOSSIBLE),
}
"""`scenarios.json`."""

_THREAT_BY_NAME: Final = {
    "approval": "missing-evidence",
    "artifact-integrity": "missing-evidence",
    "artifact-integrity-": "forged-provenance",
    "artifact-pinned": "malicious-hub-artifact",
    "artifact-signed": "missing-evidence",
    "artifact-signed-by-stranger": "forged-provenance",
    "artifact-transparent": "missing-evidence",
    "build-": "forged-provenance",
    "build-provenance": "missing-evidence",
    "build-provenance-conflict": "forged-provenance",
    "chain-valid": "faked-evaluation",
    "change-attested": "missing-evidence",
    "change-attested-chain": "faked-evaluation",
    "change-plain_files": "poisoned-application",
    "change-policy_unchanged": "weakened-gate",
    "container-provenance": "forged-provenance",
    "container-signed": "missing-evidence",
    "corpus-attested": "poisoned-application",
    "dataset-governed": "disclosure",
    "deploy-": "unsafe-deployment",
    "deploy-old_version": "compromised-dependency",
    "deploy-unknown_version": "compromised-dependency",
    "deps-pinned": "compromised-dependency",
    "empty-change": "weakened-gate",
    "eval-": "faked-evaluation",
    "eval-safety": "poisoned-application",
    "eval-safety-probe": "faked-evaluation",
    "evidence-accepted": "forged-provenance",
    "evidence-fresh": "faked-evaluation",
    "load-no_remote_code": "malicious-hub-artifact",
    "load-safe_format": "unsafe-deserialization",
    "load-safe_format-tokenizer": "malicious-hub-artifact",
    "load-template_pinned": "malicious-hub-artifact",
    "model-": "missing-evidence",
    "plugin-vetted": "excessive-agency",
    "privacy-plaintext": "disclosure",
    "project-health": "compromised-dependency",
    "prompt-attested": "poisoned-application",
    "route-attested": "missing-evidence",
    "runtime-quiet": "compromised-dependency",
    "sbom-": "missing-evidence",
    "scan-coverage": "missing-evidence",
    "scan-malware": "unsafe-deserialization",
    "scan-malware-waiver-expired": "weakened-gate",
    "scan-secrets": "disclosure",
    "scan-vulnerabilities": "compromised-dependency",
    "slo-attested": "missing-evidence",
    "source-reviewed": "missing-evidence",
    "training-base_lineage": "forged-provenance",
    "training-data_lineage": "forged-provenance",
    "waiver-valid": "weakened-gate",
}
_KIND_BY_NAME: Final = {
    "corpus-": "corpus",
    "eval-binds": "corpus",
    "eval-passed": "evaluation",
    "load-no_remote_code": "weights",
    "route-": "route",
    "slo-": "slo",
    "chain-valid": "slo",
    "training-base_lineage": "adapter",
}
_TWIN_BY_NAME: Final = {
    "deploy-old_version": "allow/deploy-minimum_versions",
    "deploy-unknown": "allow/deploy-restricted",
    "deploy-unknown_version": "allow/deploy-minimum_versions",
    "empty-change": "allow/artifact-signed",
    "eval-safety-probe": "allow/eval-safety",
    "load-safe_format-lambda": "allow/load-safe_format-models",
    "load-safe_format-reaches-out": "allow/load-safe_format-models",
    "sbom-unnamed": "allow/sbom-complete",
    "scan-malware-waiver-expired": "allow/scan-malware-waived",
}


def threat_of(scenario: Scenario) -> str:
    """Its threat: what it says, else what its name says, else, where there is no decision, a wrong configuration."""
    if scenario.outcome == "allow":
        return "none"
    if scenario.outcome == "error" and scenario.threat is None:
        return "misconfiguration"
    return scenario.threat or _longest(_THREAT_BY_NAME, scenario.name)


def kind_of(scenario: Scenario, kinds: Sequence[str]) -> str:
    """The kind of artifact that it is about: what it or its name says, else the first that asks for admission."""
    first = kinds[0] if kinds else "repository"
    return scenario.kind or _longest({"": first, **_KIND_BY_NAME}, scenario.name)


def twin_of(scenario: Scenario, places: Collection[str]) -> str | None:
    """The scenario without the attack that is nearest.

    The one of its name, else the one that it names, else the one whose name is the longest beginning of its.
    """
    if scenario.outcome == "allow":
        return None
    if scenario.outcome == "deny" and f"allow/{scenario.name}" in places:
        return f"allow/{scenario.name}"
    if scenario.twin is not None or scenario.outcome == "error":
        return scenario.twin or "allow/artifact-signed"
    good = {place.removeprefix("allow/"): place for place in places if place.startswith("allow/")}
    return _longest(good | _TWIN_BY_NAME, scenario.name)


def _longest(table: Mapping[str, str], name: str) -> str:
    return table[max((key for key in table if name.startswith(key)), key=len)]
