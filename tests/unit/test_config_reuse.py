"""The section `reuse` of `gate.yaml`: what is read, and each mistake at its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gate.formats import schema
from gate.model.digest import Digest
from gate.model.reuse import Verifier
from tests.unit.config_cases import BASE, load, refused, text_of

DIGEST = "sha256:" + "1" * 64
GOOD: dict[str, Any] = {
    "id": "https://gate.example/",
    "signers": ["gatekeeper"],
    "policies": [DIGEST],
    "levels": ["SLSA_BUILD_LEVEL_2"],
    "controls": ["scan.malware", "build.provenance", "scan.malware"],
    "max_age": "7d",
}


def configured(**changes: Any) -> dict[str, Any]:
    value = copy.deepcopy(BASE)
    value["trust"]["signers"]["gatekeeper"] = {"key": "keys/release.pub", "claims": ["verification.summary"]}
    value["trust"]["signers"]["other"] = {"key": "keys/release.pub", "claims": ["sbom"]}
    value["reuse"] = {"staging": {key: item for key, item in {**GOOD, **changes}.items() if item is not None}}
    return value


def test_without_the_section_nobody_is_believed() -> None:
    assert load(text_of(BASE)).reuse == {}


def test_everything_is_read() -> None:
    name = next(iter(BASE["artifacts"]))
    value = configured(resources={name: "https://models.example/x"})
    assert schema.problem("config.json", value) is None
    assert load(text_of(value)).reuse == {
        "staging": Verifier(
            name="staging",
            id="https://gate.example/",
            signers=frozenset({"gatekeeper"}),
            policies=frozenset({Digest(DIGEST)}),
            levels=("SLSA_BUILD_LEVEL_2",),
            controls=("build.provenance", "scan.malware"),
            resources={name: "https://models.example/x"},
            max_age_s=7 * 86_400,
        )
    }


def test_digests_of_rules_may_be_left_out() -> None:
    assert load(text_of(configured(policies=None))).reuse["staging"].policies == frozenset()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": None}, "needs 'id'"),
    "no signers": ({"signers": None}, "needs 'signers'"),
    "no levels": ({"levels": None}, "needs 'levels'"),
    "no controls": ({"controls": None}, "needs 'controls'"),
    "no age": ({"max_age": None}, "needs 'max_age'"),
    "nobody signs": ({"signers": []}, "at least one"),
    "nothing reached": ({"levels": []}, "at least one"),
    "for nothing": ({"controls": []}, "at least one"),
    "for everything": ({"controls": ["*"]}, "is not the id of a control"),
    "an unknown signer": ({"signers": ["gatekeepr"]}, "no signer 'gatekeepr'; did you mean 'gatekeeper'"),
    "a signer without the claim": ({"signers": ["other"]}, "may not speak for verification.summary"),
    "no URI": ({"id": "gate"}, "the URI by which"),
    "no digest": ({"policies": ["sha256:1"]}, "the digest of rules"),
    "an unknown artifact": ({"resources": {"x": "y"}}, "no artifact 'x'"),
    "no duration": ({"max_age": "soon"}, "a duration such as"),
    "an unknown key": ({"policy": DIGEST}, "unknown key 'policy'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_told_with_its_place(name: str) -> None:
    changes, message = BAD[name]
    assert message in refused(text_of(configured(**changes)))
