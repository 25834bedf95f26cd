"""SLSA provenance of a training: another claim than a build, and the signer has to be trusted for that one."""

from __future__ import annotations

from typing import Any, Final

import pytest

from gate.formats.predicates import claim_of, claims_of
from gate.formats.predicates.training_provenance import BUILD_TYPES
from gate.model.digest import Digest, sha256_digest
from gate.verify.hints import read_hints
from tests.support.evidence import envelope, signer, statement, trust, verify
from tests.unit.formats.predicates.reading import SLSA_V02, SLSA_V1, V02, changed, code_of, read

FINE_TUNING, TRAINING = "urn:promotion-gate:buildtype:fine-tuning:v1", "urn:promotion-gate:buildtype:training:v1"
SOURCE: Final = "git+https://example.com/ml"
GOOD: Final[dict[str, Any]] = {
    "buildDefinition": {
        "buildType": FINE_TUNING,
        "externalParameters": {
            "source": SOURCE,
            "baseModel": "base",
            "datasets": ["https://example.com/tickets", "more"],
            "recipe": "train.yml",
            "seed": 7,
        },
        "internalParameters": {"environment": {"torch": "2.9"}, "dirty": False, "metricsRoot": "sha256:" + "5" * 64},
        "resolvedDependencies": [
            {"uri": SOURCE, "digest": {"gitCommit": "a" * 40}},
            {"name": "base", "digest": {"sha256": "1" * 64}},
            {
                "uri": "https://example.com/tickets",
                "name": "tickets",
                "digest": {"sha256": "2" * 64, "sha512": "3" * 128},
            },
            {"name": "more", "digest": {"sha256": "3" * 64}},
            {"uri": "urn:promotion-gate:statement:dataset", "digest": {"sha256": "6" * 64}},
            {"uri": "urn:promotion-gate:statement:eval", "digest": {"sha256": "7" * 64}},
            {"uri": "pkg:pypi/torch@2.9", "digest": {"sha512": "4" * 128}},
        ],
    },
    "runDetails": {
        "builder": {"id": "https://ci.example.com"},
        "metadata": {"startedOn": "2026-11-20T09:00:00Z", "finishedOn": "2026-11-20T10:00:00Z"},
    },
}


def test_a_fine_tuning_has_the_facts_of_the_own_predicate() -> None:
    found = read(SLSA_V1, GOOD)
    assert found.claim == "training.provenance"
    assert found.stated_at_s == 1795168800
    assert found.depends_on == (Digest("sha256:" + "6" * 64), Digest("sha256:" + "7" * 64))
    assert found.facts == {
        "result": None,
        "decision": None,
        "collected": True,
        "privacy": {"mode": "hash_only", "payloads": []},
        "roles": {},
        "method": "fine-tuning",
        "code": {"repository": SOURCE, "commit": "a" * 40, "dirty": False},
        "datasets": {"https://example.com/tickets": "sha256:" + "2" * 64, "more": "sha256:" + "3" * 64},
        "base": {"base": "sha256:" + "1" * 64},
        "environment": {"torch": "2.9"},
        "pipeline": "train.yml",
        "signer": None,
        "metrics_root": "sha256:" + "5" * 64,
        "seed": 7,
        "evaluation": ["sha256:" + "7" * 64],
        "builder_id": "https://ci.example.com",
        "started_at_s": 1795165200,
        "finished_at_s": 1795168800,
    }


def test_a_training_from_scratch_needs_no_more_than_it_says() -> None:
    good = changed(changed(GOOD, "buildDefinition.buildType", TRAINING), "buildDefinition.internalParameters", ...)
    good = changed(changed(good, "buildDefinition.externalParameters.baseModel", None), "runDetails.metadata", ...)
    found = read(SLSA_V1, good)
    assert (found.facts["method"], found.facts["base"], found.facts["environment"]) == ("training", {}, {})
    assert (found.facts["code"], found.stated_at_s) == (
        {"repository": SOURCE, "commit": "a" * 40, "dirty": None},
        None,
    )


@pytest.mark.parametrize("member", ["source", "baseModel", "datasets", "recipe", "seed"])
def test_each_external_parameter_is_needed(member: str) -> None:
    assert code_of(SLSA_V1, changed(GOOD, f"buildDefinition.externalParameters.{member}", ...)) == "predicate"


@pytest.mark.parametrize(
    ("path", "new", "code"),
    [
        ("externalParameters.extra", 1, "predicate"),
        ("internalParameters.extra", 1, "predicate"),
        ("resolvedDependencies", ..., "predicate"),
        ("resolvedDependencies.1.digest", {"sha256": "A" * 64}, "predicate"),
        ("resolvedDependencies.1.digest", {"sha512": "1" * 128}, "dependency"),
        ("resolvedDependencies.1.name", "other", "dependency"),
        ("resolvedDependencies.3.name", "base", "dependency"),
        ("externalParameters.source", "git+https://example.com/other", "dependency"),
        ("externalParameters.datasets", ["unknown"], "dependency"),
        ("externalParameters.baseModel", None, "training"),
        ("buildType", TRAINING, "training"),
    ],
)
def test_what_is_named_is_an_input_with_a_digest(path: str, new: Any, code: str) -> None:
    assert code_of(SLSA_V1, changed(GOOD, f"buildDefinition.{path}", new)) == code


@pytest.mark.parametrize(
    "build_type",
    [
        "urn:promotion-gate:buildtype:training:v2",
        "urn:promotion-gate:buildtype:fine-tuning:v1 ",
        "URN:Promotion-Gate:buildtype:fine-tuning:v1",
        "urn: promotion-gate:buildtype:training:v1",
        "urn:promotion\u00ad-gate:buildtype:training:v1",
        "https://x.example/urn:promotion-gate:buildtype:training:v1",
        "urn:promotion-gate:buildtype:distilling:v1",
    ],
    ids=ascii,
)
def test_a_name_that_only_looks_like_a_training_is_no_build_either(build_type: str) -> None:
    assert code_of(SLSA_V1, changed(GOOD, "buildDefinition.buildType", build_type)) == "build_type"
    assert code_of(SLSA_V02, {**V02, "buildType": build_type}) == "build_type"


@pytest.mark.parametrize("build_type", sorted(BUILD_TYPES))
def test_a_training_is_not_stated_in_the_older_form(build_type: str) -> None:
    assert code_of(SLSA_V02, {**V02, "buildType": build_type}) == "build_type"


def test_a_type_can_make_two_claims_and_the_predicate_says_which() -> None:
    assert claims_of(SLSA_V1) == ("build.provenance", "training.provenance")
    assert claims_of(SLSA_V02) == ("build.provenance",)
    assert claims_of("unknown") == ()
    assert claim_of(SLSA_V1, GOOD) == "training.provenance"
    assert claim_of(SLSA_V1, changed(GOOD, "buildDefinition.buildType", "x")) == "build.provenance"
    assert claim_of(SLSA_V02, GOOD) == "build.provenance"
    broken = changed(GOOD, "buildDefinition.externalParameters", {})
    payload = statement(subjects={"m": sha256_digest(b"m")}, kind=SLSA_V1, predicate=broken)
    assert read_hints(envelope(payload), 1 << 20)[1].claim == "training.provenance"


@pytest.mark.parametrize(
    ("build_type", "claim"), [(FINE_TUNING, "training.provenance"), ("https://x.example/b", "build.provenance")]
)
@pytest.mark.parametrize("trusted", ["training.provenance", "build.provenance", "build.*", "training.*"])
def test_only_who_is_trusted_for_the_claim_that_is_made_makes_it(build_type: str, claim: str, trusted: str) -> None:
    predicate = changed(GOOD, "buildDefinition.buildType", build_type)
    predicate = changed(
        predicate, "buildDefinition.resolvedDependencies", GOOD["buildDefinition"]["resolvedDependencies"][:4]
    )
    payload = statement(subjects={"m": sha256_digest(b"m")}, kind=SLSA_V1, predicate=predicate)
    found = verify(envelope(payload), store=trust(signer("release", claims=(trusted,))))
    expected = trusted.split(".", maxsplit=1)[0] == claim.split(".", maxsplit=1)[0]
    assert [item.statement.claim for item in found.verified] == ([claim] if expected else [])
    assert [item.code for item in found.rejected] == ([] if expected else ["signature.claim"])
