"""What a verification summary is good for: seven checks, the rules, the inputs and its age (SLSA VSA v1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from gate.model.digest import Digest
from gate.model.evidence import Concern, Rejected, SignerIdentity, Stage, Statement, Subject, TimeSource, Verified
from gate.model.reuse import Setting, Summary, Verifier, summaries, verifier_json
from tests.support.evidence import NOW_S, digest_of, folder, image

MODEL = folder("model", {"config.json": "{}"})
SERVER = image("server", "registry.example/llm/server", digest_of("image"))
OTHER_GATE = SignerIdentity("gatekeeper", "key", digest_of("key"))
VERIFIER = Verifier(
    name="other",
    id="https://gate.example/",
    signers=frozenset({"gatekeeper"}),
    policies=frozenset({digest_of("listed")}),
    levels=("SLSA_BUILD_LEVEL_2",),
    controls=("build.provenance",),
    resources={"model": "https://models.example/summarizer"},
    max_age_s=3600,
)
FACTS: Mapping[str, Any] = {
    "verifier_id": "https://gate.example/",
    "time_verified_s": NOW_S - 60,
    "resource_uri": "https://models.example/summarizer",
    "policy": {"uri": None, "digest": digest_of("rules")},
    "inputs": [digest_of("provenance")],
    "unnamed_inputs": 0,
    "result": "passed",
    "levels": ["SLSA_BUILD_LEVEL_3"],
    "dependency_levels": None,
    "slsa_version": "1.0",
}


def setting(**changes: Any) -> Setting:
    base = Setting({"other": VERIFIER}, {"model": MODEL, "server": SERVER}, digest_of("rules"), (), NOW_S)
    return dataclasses.replace(base, **changes)


def item(facts: Mapping[str, Any] = FACTS, name: str = "vsa", **changes: Any) -> Verified:
    statement = Statement(
        changes.pop("claim", "verification.summary"), "type", (), (), False, (), None, facts, predicate={}
    )
    base = Verified(digest_of(name), digest_of(f"bundle {name}"), "vsa.json", statement, (OTHER_GATE,), ("model",))
    return dataclasses.replace(base, **changes)


SUMMARIES = frozenset({"verification.summary"})


def only(found: tuple[Summary, ...]) -> Summary:
    (summary,) = found
    return summary


def test_a_summary_that_holds_stands_for_the_controls_named() -> None:
    assert only(summaries([item()], [], setting())) == Summary(
        digest_of("vsa"), "other", "model", ("build.provenance",), (), SUMMARIES
    )


def with_facts(**changes: Any) -> Verified:
    return item({**FACTS, **changes})


GOOD: dict[str, Verified] = {
    "under listed rules": with_facts(policy={"uri": "x", "digest": digest_of("listed")}),
    "of the very level": with_facts(levels=["SLSA_SOURCE_LEVEL_1", "SLSA_BUILD_LEVEL_2"]),
    "as old as allowed": with_facts(time_verified_s=NOW_S - 3600),
    "by a clock that is fast": with_facts(time_verified_s=NOW_S + 300),
    "signed later than verified": item(signed_at_s=NOW_S - 30, time_source=TimeSource.LOG),
    "signed by others too": item(signers=(OTHER_GATE, SignerIdentity("x", "key", digest_of("x")))),
}


@pytest.mark.parametrize("name", GOOD)
def test_it_is_good(name: str) -> None:
    assert only(summaries([GOOD[name]], [], setting())).problems == ()


BAD: dict[str, tuple[Verified, str]] = {
    "failed": (with_facts(result="failed"), "verification failed"),
    "another resource": (with_facts(resource_uri="https://models.example/other"), "it is about another resource"),
    "a lower level": (with_facts(levels=["SLSA_BUILD_LEVEL_1"]), "it does not reach SLSA_BUILD_LEVEL_2"),
    "another track": (with_facts(levels=["SLSA_SOURCE_LEVEL_4"]), "it does not reach SLSA_BUILD_LEVEL_2"),
    "no level": (with_facts(levels=[]), "it does not reach SLSA_BUILD_LEVEL_2"),
    "unevaluated": (with_facts(levels=["SLSA_BUILD_LEVEL_UNEVALUATED"]), "it does not reach SLSA_BUILD_LEVEL_2"),
    "other rules": (with_facts(policy={"uri": "x", "digest": digest_of("y")}), "it was made under other rules"),
    "no digest of rules": (with_facts(policy={"uri": "x", "digest": None}), "it was made under other rules"),
    "no policy": (with_facts(policy=None), "it was made under other rules"),
    "no evidence": (with_facts(inputs=[]), "it names no evidence that was verified"),
    "no list of evidence": (with_facts(inputs=None), "it names no evidence that was verified"),
    "evidence without digest": (with_facts(unnamed_inputs=1), "it names evidence without its SHA-256"),
    "evidence unsaid": (with_facts(unnamed_inputs=None), "it names evidence without its SHA-256"),
    "too old": (with_facts(time_verified_s=NOW_S - 3601), "it is too old"),
    "signed too long ago": (item(signed_at_s=NOW_S - 3601), "it is too old"),
    "the future": (with_facts(time_verified_s=NOW_S + 301), "it comes from the future"),
    "no time": (with_facts(time_verified_s=None), "it does not say when verification took place"),
    "no stated time": (
        item({**FACTS, "time_verified_s": None}, signed_at_s=NOW_S),
        "it does not say when verification took place",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_it_stands_for_nothing(name: str) -> None:
    made, problem = BAD[name]
    assert only(summaries([made], [], setting())).problems == (problem,)


NOBODY = ("its verifier and signer are not in reuse of gate.yaml",)


@pytest.mark.parametrize(
    "made",
    [
        with_facts(verifier_id="https://gate.example"),
        with_facts(verifier_id=None),
        item(signers=(SignerIdentity("release", "key", digest_of("key")),)),
    ],
)
def test_a_verifier_is_an_id_and_a_signer(made: Verified) -> None:
    assert only(summaries([made], [], setting())) == Summary(digest_of("vsa"), None, "model", (), NOBODY)


def test_evidence_that_is_refused_or_revoked_here_supports_nothing() -> None:
    problem = ("evidence that it rests on is refused or revoked here",)
    refused = Rejected(
        *(digest_of("bundle"), "x.json", Stage.SIGNATURE, "x", "y"),
        concern=Concern.OTHERS,
        payload=digest_of("provenance"),
    )
    assert only(summaries([item()], [refused], setting())).problems == problem
    by_bytes = dataclasses.replace(refused, evidence=digest_of("provenance"), payload=None)
    assert only(summaries([item()], [by_bytes], setting())).problems == problem
    assert only(summaries([item()], [], setting(revoked=[digest_of("provenance")]))).problems == problem
    assert only(summaries([item()], [dataclasses.replace(refused, payload=None)], setting())).problems == ()


FAILED = {**FACTS, "result": "failed"}
LATER = "its verifier says later, or at the same time, that verification failed"


@pytest.mark.parametrize("at_s", [NOW_S - 60, NOW_S, None])
def test_a_later_failure_counts(at_s: int | None) -> None:
    other = item({**FAILED, "time_verified_s": at_s}, "failure")
    found = {summary.statement: summary.problems for summary in summaries([item(), other], [], setting())}
    assert found[digest_of("vsa")] == (LATER,)


def test_a_failure_by_another_entry_of_the_same_verifier_counts() -> None:
    rotated = dataclasses.replace(VERIFIER, name="rotated", signers=frozenset({"second"}))
    failure = item(FAILED, "failure", signers=(SignerIdentity("second", "key", digest_of("second")),))
    found = summaries([item(), failure], [], setting(verifiers={"other": VERIFIER, "rotated": rotated}))
    assert {summary.statement: summary.problems for summary in found}[digest_of("vsa")] == (LATER,)


@pytest.mark.parametrize(
    "other",
    [
        item({**FAILED, "time_verified_s": NOW_S - 61}, "failure"),
        item(FAILED, "failure", artifacts=("server",)),
        item({**FAILED, "verifier_id": "https://somebody.example/"}, "failure"),
        item(FACTS, "another"),
    ],
)
def test_no_other_word_is_a_contradiction(other: Verified) -> None:
    found = {summary.statement: summary.problems for summary in summaries([item(), other], [], setting())}
    assert found[digest_of("vsa")] == ()


PART = {
    "its own digest": Subject("model", MODEL.digest),
    "one of its files": Subject("other name", MODEL.files["config.json"].digest),
}


def about(subject: Subject, facts: Mapping[str, Any], *, claim: str = "verification.summary", of: str) -> Verified:
    """A statement that covers no artifact as a whole and names some digest."""
    base = item(facts, "partial", artifacts=(), claim=claim)
    changes: dict[str, Any] = {of: (subject,)}
    return dataclasses.replace(base, statement=dataclasses.replace(base.statement, **changes))


@pytest.mark.parametrize("of", ["subjects", "resources"])
@pytest.mark.parametrize("part", PART)
def test_a_failure_of_a_part_counts(part: str, of: str) -> None:
    (found,) = summaries([item(), about(PART[part], FAILED, of=of)], [], setting())
    assert found.problems == (LATER,)


def test_a_result_that_is_no_pass_counts_as_a_failure() -> None:
    silent = {name: value for name, value in FACTS.items() if name != "result"}
    (found,) = summaries([item(), about(PART["one of its files"], silent, of="subjects")], [], setting())
    assert found.problems == (LATER,)


def test_a_failure_of_other_bytes_does_not_count() -> None:
    for subject in (Subject("config.json", digest_of("others")), Subject("config.json", None)):
        (found,) = summaries([item(), about(subject, FAILED, of="subjects")], [], setting())
        assert found.problems == ()
    unread = dataclasses.replace(SERVER, name="model", digest=None)
    (found,) = summaries(
        [item(), about(Subject("x", None), FAILED, of="subjects")], [], setting(artifacts={"model": unread})
    )
    assert found.problems == ()


@pytest.mark.parametrize("part", PART)
def test_what_is_here_is_known(part: str) -> None:
    """A statement of another claim about any of the bytes is here, whatever it says."""
    (found,) = summaries([item(), about(PART[part], {}, claim="sbom", of="subjects")], [], setting())
    assert (found.problems, found.here) == ((), SUMMARIES | {"sbom"})
    (whole,) = summaries([item(), item({}, "whole", claim="sbom")], [], setting())
    assert whole.here == SUMMARIES | {"sbom"}
    (other,) = summaries([item(), item({}, "other", claim="sbom", artifacts=("server",))], [], setting())
    assert other.here == SUMMARIES


@pytest.mark.parametrize(
    ("concern", "artifacts", "problems"),
    [
        (Concern.AT_STAKE, ("model",), ("evidence about the artifact is refused here",)),
        (Concern.OTHERS, ("model",), ("evidence about the artifact is refused here",)),
        (Concern.AT_STAKE, (), ("evidence about the artifact is refused here",)),
        (Concern.AT_STAKE, ("server",), ()),
        (Concern.OTHERS, (), ()),
    ],
)
def test_refused_evidence_about_it_takes_the_effect(
    concern: Concern, artifacts: tuple[str, ...], problems: tuple[str, ...]
) -> None:
    refused = Rejected(digest_of("b"), "x.json", Stage.CHAIN, "x", "y", None, concern, artifacts)
    assert only(summaries([item()], [refused], setting())).problems == problems


def test_an_image_is_its_repository_unless_something_else_is_said() -> None:
    about = item({**FACTS, "resource_uri": "registry.example/llm/server"}, artifacts=("server",))
    assert only(summaries([about], [], setting())).problems == ()
    said = dataclasses.replace(VERIFIER, resources={"server": "pkg:oci/server"})
    assert only(summaries([about], [], setting(verifiers={"other": said}))).problems == (
        "it is about another resource",
    )


def test_a_model_has_no_name_of_its_own() -> None:
    unnamed = dataclasses.replace(VERIFIER, resources={})
    assert only(summaries([item()], [], setting(verifiers={"other": unnamed}))).problems == (
        "gate.yaml does not say which resource model is (reuse: resources)",
    )


def test_all_levels_are_asked_for_and_other_words_are_compared_as_they_are() -> None:
    both = dataclasses.replace(VERIFIER, levels=("SLSA_BUILD_LEVEL_2", "SCANNED"))
    asked = setting(verifiers={"other": both})
    assert only(summaries([item()], [], asked)).problems == ("it does not reach SCANNED",)
    assert only(summaries([with_facts(levels=["SCANNED", "SLSA_BUILD_LEVEL_2"])], [], asked)).problems == ()


def test_only_summaries_count_and_only_where_a_verifier_is_trusted() -> None:
    assert summaries([item(claim="properties")], [], setting()) == ()
    assert summaries([item()], [], setting(verifiers={})) == ()
    assert summaries([item(artifacts=())], [], setting()) == ()


def test_they_are_listed_by_artifact_and_digest_in_whatever_order() -> None:
    many = [item(name="a"), item(name="b", artifacts=("model", "server")), item(name="c")]
    found = summaries(many, [], setting())
    assert found == summaries(reversed(many), [], setting())
    assert [(s.artifact, s.statement) for s in found] == sorted((s.artifact, s.statement) for s in found)
    assert [s.artifact for s in found].count("model") == 3


def test_the_verifier_is_part_of_the_rules() -> None:
    assert verifier_json(VERIFIER) == {
        "id": "https://gate.example/",
        "signers": ["gatekeeper"],
        "policies": [Digest(digest_of("listed"))],
        "levels": ["SLSA_BUILD_LEVEL_2"],
        "controls": ["build.provenance"],
        "resources": {"model": "https://models.example/summarizer"},
        "max_age_s": 3600,
    }
