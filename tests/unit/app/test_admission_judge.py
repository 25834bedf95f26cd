"""Reviews are judged as `gate check` would judge their images, and nothing lets in what it should not."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import cast

import pytest

from gate.app.admission_judge import State, judge_object, judge_review
from gate.errors import (
    ClockError,
    ConfigError,
    EvidenceError,
    GateError,
    LimitError,
    PolicyError,
    RecordError,
    UnavailableError,
)
from gate.formats.rfc3339 import format_time
from gate.model.admission import Asked, Cause, Operation, Reviewed, Role
from gate.model.admission_settings import AdmissionMode, PlacesSettings
from gate.model.decision import Outcome, Verdict
from gate.model.digest import Digest
from gate.model.evidence import Evidence
from tests.support.admission import (
    APP,
    BUILDER,
    HOST,
    IMAGE,
    OTHER,
    OTHER_IMAGE,
    FakeRecorder,
    FakeRegistries,
    World,
    build_provenance,
    good,
    image_signature,
    pod,
    review,
    trust,
)
from tests.support.evidence import NOW_S, bundle, digest_of, encode, make_key, statement

WORLD = World()
DRY = WORLD.replace(admission=dataclasses.replace(WORLD.admission, mode=AdmissionMode.DRY_RUN))


def world(attached: Mapping[Digest, tuple[bytes, ...]], **more: object) -> World:
    return WORLD.replace(registries=FakeRegistries(attached, **more), recorder=FakeRecorder())  # type: ignore[arg-type]


def refused(found: World, cause: Cause, *words: str, images: tuple[str, ...] = (IMAGE,)) -> None:
    judged = found.judge(review(pod(*images)))
    assert not judged.answer.allowed
    assert judged.answer.cause is cause
    assert judged.answer.uid == "u-1"
    for word in words:
        assert word in judged.answer.message


def test_a_good_pod_is_let_in_and_recorded() -> None:
    found = World()
    judged = found.judge()
    assert judged.answer.allowed is True
    assert judged.answer.cause is Cause.ALLOWED
    assert judged.decision is not None
    assert judged.decision.verdict is Verdict.ALLOW
    assert judged.answer.annotations["decision"] == judged.decision.id
    assert found.recorder is not None
    assert [decision.id for decision, _ in found.recorder.records] == [judged.decision.id]


def test_what_is_configured_of_a_repository_is_not_judged() -> None:
    judged = WORLD.judge()
    assert judged.decision is not None
    subject = judged.decision.subject["artifacts"]
    assert isinstance(subject, dict)
    assert list(subject) == [IMAGE]


# -- evidence of other images (SECURITY 40) ----------------------------------------------------------------------------

PLATFORM = digest_of("platform")
ABOUT_OTHERS = {
    "nothing": (),
    "only provenance": (build_provenance(),),
    "another digest": good(OTHER),
    "another digest by the image's name": good(OTHER, name=f"{HOST}/team/app"),
    "the platform manifest instead of the index": good(PLATFORM, name=f"{HOST}/team/app"),
    "a stranger's signature": (image_signature(key=make_key("stranger")), build_provenance()),
    "a signer of other claims": (image_signature(key=BUILDER), build_provenance(key=make_key())),
}


@pytest.mark.parametrize("name", ABOUT_OTHERS)
def test_s40_evidence_that_is_not_about_the_admitted_digest_lets_nothing_in(name: str) -> None:
    refused(world({APP: ABOUT_OTHERS[name]}), Cause.REFUSED, "refused by gate (decision 01", "fix: ")


def test_s40_a_statement_without_subject_lets_nothing_in() -> None:
    empty = bundle(statement(kind="https://sigstore.dev/cosign/sign/v1", subjects=(), predicate={}))
    refused(world({APP: (*good(), empty)}), Cause.REFUSED, "statement.")
    refused(world({APP: (empty, build_provenance())}), Cause.REFUSED, "container.signed")


def test_s40_tags_are_refused() -> None:
    for image in (f"{HOST}/team/app:1", f"{HOST}/team/app"):
        refused(WORLD, Cause.REFERENCE, image, images=(image,))
        refused(WORLD, Cause.REFERENCE, image, images=(IMAGE, image))


def test_s40_a_tag_that_is_looked_up_is_looked_up_once_and_told() -> None:
    image = f"{HOST}/team/app:1"
    found = world({APP: good()}, tags={image: APP}).replace(controls={"container.signed": "enforce"})
    twice = pod(image, image)
    judged = found.judge(review(twice))
    assert judged.answer.allowed
    assert len(judged.answer.warnings) == 2
    assert all(image in text and APP in text for text in judged.answer.warnings)
    assert found.registries.asked == [IMAGE]


def test_s40_a_tag_that_moved_is_judged_as_what_it_is_now() -> None:
    image = f"{HOST}/team/app:1"
    moved = world({APP: good()}, tags={image: OTHER}).replace(controls={"container.signed": "enforce"})
    refused(moved, Cause.REFUSED, "container.signed", OTHER, images=(image,))


def test_images_of_other_registries_are_refused() -> None:
    image = f"elsewhere.test/app@{APP}"
    refused(WORLD, Cause.REFERENCE, "elsewhere.test", images=(image,))
    refused(WORLD, Cause.REFERENCE, "elsewhere.test", images=(IMAGE, image))


def test_s39_one_image_of_several_that_fails_refuses_the_whole() -> None:
    both = {APP: good(), OTHER: good(OTHER, "other")}
    assert world(both).judge(review(pod(IMAGE, OTHER_IMAGE))).answer.allowed
    for digest in both:
        refused(world({**both, digest: ()}), Cause.REFUSED, "container.signed", digest, images=(IMAGE, OTHER_IMAGE))
        for names in ({"initContainers": "init"}, {"ephemeralContainers": "debug"}):
            (place, name), *_ = names.items()
            item = pod(IMAGE)
            item["spec"][place] = [{**pod(OTHER_IMAGE)["spec"]["containers"][0], "name": name}]
            judged = world({**both, digest: ()}).judge(review(item))
            assert not judged.answer.allowed
            assert digest in judged.answer.message


def test_s39_objects_that_ask_for_no_image_or_are_not_understood_are_refused() -> None:
    for item in (pod(), {**pod(IMAGE), "spec": {"containers": [{"name": "a"}]}}, {**pod(IMAGE), "spec": None}):
        judged = WORLD.judge(review(item))
        assert judged.answer.cause is Cause.OBJECT
        assert not judged.answer.allowed
    judged = WORLD.judge(review(sub_resource="status"))
    assert judged.answer.cause is Cause.OBJECT


def test_more_images_than_are_allowed_are_refused_before_anything_is_asked() -> None:
    limits = dataclasses.replace(WORLD.admission.limits, images=2)
    found = world({APP: good()}).replace(admission=dataclasses.replace(WORLD.admission, limits=limits))
    refused(found, Cause.OBJECT, "3", images=(IMAGE,) * 3)
    assert found.registries.asked == []
    assert found.registries.deadlines == []


def test_the_same_evidence_on_two_images_is_no_duplicate() -> None:
    shared = digest_of("shared")
    both = f"{HOST}/team/shared@{shared}"
    elsewhere = f"{HOST}/mirror/shared@{shared}"
    found = world({shared: good(shared)})
    assert found.judge(review(pod(both, elsewhere))).answer.allowed
    refused(world({APP: (*good(), good()[0])}), Cause.REFUSED, "duplicate")


def test_evidence_of_the_configured_folders_counts_too() -> None:
    held = tuple(Evidence(f"folder/{number}.json", data) for number, data in enumerate(good()))
    found = world({}).replace(evidence=held, skipped={"folder/x": "no evidence"})
    judged = found.judge()
    assert judged.answer.allowed
    assert judged.decision is not None
    assert judged.decision.skipped["evidence folder/x"] == "no evidence"
    assert world({APP: good()}).replace(evidence=held).judge().answer.allowed


def test_evidence_that_was_revoked_refuses() -> None:
    revoked = trust(revoked_evidence=[digest_of(good()[0])])
    refused(world({APP: good()}).replace(trust=revoked), Cause.REFUSED, "revoked")
    refused(world({APP: good()}).replace(trust=trust(revoked_keys=["release"])), Cause.REFUSED, "revoked")


def test_containers_without_pods_are_refused_unless_their_kind_is_configured_so() -> None:
    reviewed = Reviewed({}, (Asked(IMAGE, "spec.image", Role.CONTAINER),))
    found = World(controls={"container.signed": "enforce"})
    ends_at = time.monotonic() + 10
    judged = judge_object(cast("State", found), review(), reviewed, ends_at)
    assert judged.answer.cause is Cause.OBJECT
    assert "nothing is known of the pods" in judged.answer.message
    places = (PlacesSettings(review().kind, "pods", images=("spec.image",)),)
    known = found.replace(admission=dataclasses.replace(found.admission, places=places))
    assert judge_object(cast("State", known), review(), reviewed, ends_at).answer.allowed


# -- what goes wrong ---------------------------------------------------------------------------------------------------

ERRORS: dict[str, tuple[GateError, Cause]] = {
    "unavailable": (UnavailableError("no answer", hint="try again"), Cause.REGISTRY),
    "evidence": (EvidenceError("another digest came"), Cause.EVIDENCE),
    "limit": (LimitError("too large"), Cause.EVIDENCE),
    "configuration": (ConfigError("no such ca"), Cause.CONFIGURATION),
    "unforeseen": (GateError("whatever"), Cause.BUG),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_read_refuses_and_says_why(name: str) -> None:
    error, cause = ERRORS[name]
    found = world({APP: good()}, error=error)
    refused(found, cause, str(error), error.hint)
    assert found.recorder is not None
    assert found.recorder.records == []
    one = world({APP: good(), OTHER: good(OTHER)}, errors={OTHER: error})
    refused(one, cause, str(error), images=(IMAGE, OTHER_IMAGE))


@pytest.mark.parametrize("name", ERRORS)
def test_a_dry_run_lets_in_what_cannot_be_read_and_says_so(name: str) -> None:
    error, cause = ERRORS[name]
    judged = DRY.replace(registries=FakeRegistries({}, error=error)).judge()
    is_told = cause in {Cause.REGISTRY, Cause.EVIDENCE}
    assert judged.answer.allowed is is_told
    if is_told:
        assert judged.answer.cause is Cause.DRY_RUN
        assert str(error) in judged.answer.warnings[0]
        assert judged.answer.annotations["would-refuse"].startswith(cause.value)


class Broken:
    """An engine that fails."""

    name = "broken"
    version = "0"

    def __init__(self, error: Exception | None = None, answer: bytes = b"{}") -> None:
        self.error, self.answer = error, answer

    def report(self, _document: object) -> bytes:
        if self.error is not None:
            raise self.error
        return self.answer


@pytest.mark.parametrize("engine", [Broken(PolicyError("no")), Broken(), Broken(answer=b'{"results": {}}')])
def test_a_policy_that_cannot_be_evaluated_refuses(engine: Broken) -> None:
    refused(WORLD.replace(engine=engine), Cause.POLICY)
    judged = DRY.replace(engine=engine).judge()
    assert judged.answer.cause is Cause.DRY_RUN
    assert judged.answer.annotations["would-refuse"].startswith("policy")
    assert judged.decision is None


def test_a_control_that_cannot_be_judged_refuses_as_an_error_of_the_policy() -> None:
    controls = {"container.signed": "enforce", "evidence.fresh": "enforce"}
    judged = World(controls=controls, parameters={"evidence.fresh": {"skew_s": "x"}}).judge()
    assert judged.decision is not None
    assert judged.decision.controls["evidence.fresh"].outcome is Outcome.ERROR
    assert judged.decision.verdict is Verdict.ERROR
    assert judged.answer.cause is Cause.POLICY
    assert "evidence.fresh could not be judged" in judged.answer.message
    assert not judged.answer.allowed


@pytest.mark.parametrize("base", [WORLD, DRY])
def test_s36_nothing_is_answered_that_is_not_recorded(base: World) -> None:
    broken = (
        base.replace(recorder=FakeRecorder(error=RecordError("disk full"))),
        base.replace(recorder=FakeRecorder(known=RecordError("disk full"))),
        base.replace(recorder=None),
    )
    for found in broken:
        refused(found, Cause.RECORD)
    assert base.replace(recorder=None, record=None).judge().answer.allowed


def test_a_log_that_is_known_to_be_broken_costs_no_registry_a_question() -> None:
    found = world({APP: good()}).replace(recorder=FakeRecorder(known=RecordError("disk full")))
    refused(found, Cause.RECORD)
    assert found.registries.deadlines == []


@pytest.mark.parametrize("base", [WORLD, DRY])
def test_a_clock_that_jumped_refuses_in_every_mode(base: World) -> None:
    refused(base.replace(clock_error=ClockError("it jumped")), Cause.CLOCK, "it jumped")


@pytest.mark.parametrize("base", [WORLD, DRY])
def test_there_is_no_judging_after_the_time_is_over(base: World) -> None:
    judged = judge_review(cast("State", base), review(), time.monotonic() - 1)
    assert judged.answer.cause is Cause.DEADLINE
    assert not judged.answer.allowed


def test_registries_are_asked_to_answer_before_the_time_is_over() -> None:
    found = World()
    found.judge()
    assert all(at < time.monotonic() + 9.8 for at in found.registries.deadlines)
    assert len(found.registries.deadlines) == 2


# -- modes -------------------------------------------------------------------------------------------------------------


def test_a_dry_run_lets_in_and_tells_what_would_be_refused() -> None:
    found = DRY.replace(registries=FakeRegistries({}), recorder=FakeRecorder())
    judged = found.judge()
    assert judged.answer.allowed
    assert judged.answer.cause is Cause.DRY_RUN
    assert "container.signed" in judged.answer.warnings[0]
    assert "container.signed" in judged.answer.annotations["would-refuse"]
    assert judged.decision is not None
    assert judged.decision.verdict is Verdict.DENY
    assert judged.decision.dry_run
    assert judged.decision.exit_code != 0
    assert judged.decision.admission is not None
    assert judged.decision.admission.outcome is Cause.DRY_RUN
    assert found.recorder is not None
    assert len(found.recorder.records) == 1


def test_a_dry_run_says_nothing_of_what_is_allowed() -> None:
    judged = DRY.judge()
    assert judged.answer.cause is Cause.ALLOWED
    assert judged.answer.warnings == ()
    assert "would-refuse" not in judged.answer.annotations


def test_a_control_that_only_warns_warns() -> None:
    controls = {**WORLD.controls, "container.signed": "warn"}
    found = world({APP: (build_provenance(),)}).replace(controls=controls)
    judged = found.judge()
    assert judged.answer.allowed
    assert "container.signed" in judged.answer.warnings[0]


def test_what_was_seen_last_is_told() -> None:
    judged = world({APP: good()}, last_seen=frozenset({APP})).judge()
    assert judged.answer.allowed
    assert IMAGE in judged.answer.warnings[0]
    assert judged.decision is not None
    assert judged.decision.admission is not None
    assert judged.decision.admission.facts.last_seen == (IMAGE,)


def test_updates_are_judged_as_new_objects_are() -> None:
    asked = review(operation=Operation.UPDATE, old=pod(IMAGE))
    assert WORLD.judge(asked).answer.allowed
    assert not world({}).judge(asked).answer.allowed


def test_one_that_is_only_looked_at_is_not_recorded() -> None:
    found = World()
    assert found.judge(is_recorded=False).answer.allowed
    assert found.recorder is not None
    assert found.recorder.records == []


def test_an_image_in_two_uses_is_two_artifacts() -> None:
    item = pod(IMAGE, volumes=[{"name": "m", "image": {"reference": IMAGE}}])
    judged = WORLD.judge(review(item))
    assert judged.decision is not None
    subject = judged.decision.subject["artifacts"]
    assert isinstance(subject, dict)
    assert list(subject) == [IMAGE, f"{IMAGE} (weights)"]
    assert judged.decision.admission is not None
    assert {use.artifact for use in judged.decision.admission.facts.images.values()} == set(subject)


def test_messages_are_short_and_name_what_to_do() -> None:
    found = world({}).replace(controls={**WORLD.controls, "sbom.complete": "enforce", "sbom.signed": "enforce"})
    answer = found.judge().answer
    assert len(answer.message) <= 1000
    assert answer.message.startswith("refused by gate (decision ")
    assert "and 1 more" in answer.message
    assert answer.code == 403
    long = world({}).judge(review(pod(*(f"{HOST}/{'a' * 100}/{n}@{digest_of(str(n))}" for n in range(9)))))
    assert len(long.answer.message) <= 1000
    assert "and 15 more" in long.answer.message


def searched(digest: Digest) -> bytes:
    """A search for vulnerabilities that found none."""
    at = format_time(NOW_S - 60)
    database = {"uri": "https://db.example", "version": "1", "lastUpdate": at}
    scanner = {"uri": "pkg:generic/trivy", "version": "0.60", "db": database, "result": []}
    predicate = {"scanner": scanner, "metadata": {"scanStartedOn": at, "scanFinishedOn": at}}
    return bundle(
        encode(
            {
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"name": "app", "digest": {"sha256": digest.removeprefix("sha256:")}}],
                "predicateType": "https://in-toto.io/attestation/vulns/v0.2",
                "predicate": predicate,
            }
        )
    )


@pytest.mark.parametrize("control", ["scan.vulnerabilities", "deploy.safe_loading"])
def test_s39_a_control_that_passes_over_a_mounted_image_has_not_judged_it(control: str) -> None:
    """One is about containers unless told otherwise, the other about how a model is loaded."""
    signed = world({APP: (*good(), searched(APP))}).replace(
        controls={"container.signed": "enforce", "container.provenance": "enforce", control: "enforce"}, parameters={}
    )
    item = pod(IMAGE)
    item["spec"]["containers"][0]["command"] = ["vllm", "serve", "/model", "--load-format", "safetensors"]
    judged = signed.judge(review(item))
    assert judged.answer.allowed
    assert judged.decision is not None
    assert judged.decision.controls[control].outcome is Outcome.PASS
    item["spec"]["volumes"] = [{"name": "m", "image": {"reference": OTHER_IMAGE}}]
    answer = signed.judge(review(item)).answer
    assert (answer.allowed, answer.cause) == (False, Cause.REFUSED)
    assert "no enforced control that judged what it asks for" in answer.message
    attached = {APP: (*good(), searched(APP)), OTHER: (image_signature(OTHER),)}
    whole = signed.replace(
        registries=FakeRegistries(attached), controls={**signed.controls, "artifact.signed": "enforce"}
    )
    assert whole.judge(review(item)).answer.allowed


def test_s39_a_control_that_is_told_to_judge_mounted_images_has_judged_them() -> None:
    item = pod(IMAGE, volumes=[{"name": "m", "image": {"reference": OTHER_IMAGE}}])
    told = {"scan.vulnerabilities": {"kinds": ["container", "weights"]}}
    controls = {"scan.vulnerabilities": "enforce"}
    attached = {APP: (searched(APP),), OTHER: (searched(OTHER),)}
    found = world(attached).replace(controls=controls, parameters=told).judge(review(item)).answer
    assert found.allowed
    alone = world({APP: (searched(APP),)}).replace(controls=controls, parameters=told).judge(review(item)).answer
    assert not alone.allowed


def test_s39_images_that_no_control_judges_are_refused() -> None:
    only_others = World(controls={"evidence.accepted": "enforce"})
    refused(only_others, Cause.REFUSED, "no enforced control that judged", "container")
    warned = World(controls={"evidence.accepted": "enforce", "container.signed": "warn"})
    refused(warned, Cause.REFUSED, "no enforced control that judged")
    volume = pod(IMAGE, volumes=[{"name": "m", "image": {"reference": IMAGE}}])
    judged = World(controls={"container.signed": "enforce"}).judge(review(volume))
    assert not judged.answer.allowed
    assert "weights" in judged.answer.message
