"""The parts behind an answer of a webhook, tried so that every mutant of them is noticed that lets something in."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any, Final, cast
from unittest import mock

import pytest

from gate.app import admission_judge
from gate.app.admission_facts import resolved_uses, settings_for
from gate.app.admission_judge import MARGIN_S, Judgement, Stages, State, judge_object, judge_review
from gate.app.check import Judged, judge
from gate.app.workspace import Workspace
from gate.collect.admission import Fetched, Registries, Resolved
from gate.decide import EXIT_MISSING
from gate.errors import (
    EvidenceError,
)
from gate.formats.canonical_json import dumps
from gate.model.admission import Asked, Cause, ObjectKind, Review, Reviewed, Role
from gate.model.admission_settings import AdmissionRegistry, PlacesSettings
from gate.model.document import InputDocument
from gate.model.evidence import Evidence
from gate.model.settings import Settings
from tests.support.admission import (
    APP,
    HOST,
    IMAGE,
    OTHER,
    OTHER_IMAGE,
    POD,
    FakeRecorder,
    FakeRegistries,
    World,
    good,
    image_signature,
    pod,
    review,
)
from tests.support.admission_worlds import (
    BOTH,
    DOWN,
    ENGINE,
    FULL,
    NO_EVIDENCE,
    ONLY_SIGNED,
    PARAMETERS,
    TAG,
    WORLD,
    YES,
    admitting,
    asks,
    dry,
    excused,
    world,
)
from tests.support.evidence import digest_of, make_key

# -- the parts ---------------------------------------------------------------------------------------------------------


def judged_as(found: World, asked: Review, reviewed: Reviewed, ends_in_s: float = 10) -> Judgement:
    return judge_object(cast("State", found), asked, reviewed, time.monotonic() + ends_in_s)


CONTAINED: Final = Asked(IMAGE, "spec.image", Role.CONTAINER)
MODEL: Final = Asked(OTHER_IMAGE, "spec.model", Role.MODEL)
STORAGE: Final = ObjectKind("serving.kserve.io", "v1alpha1", "ClusterStorageContainer")
PLACED: Final = ObjectKind("example.test", "v1", "Thing")
PLACES: Final = (PlacesSettings(POD, "pods", images=("a",)), PlacesSettings(PLACED, "things", images=("spec.image",)))
UNREAD_OBJECTS: Final[dict[str, tuple[ObjectKind, Reviewed, str]]] = {
    "a problem": (POD, Reviewed({}, (MODEL,), ("odd",)), "odd"),
    "three problems": (POD, Reviewed({}, (MODEL,), ("a", "b", "c")), "a; b; c"),
    "four problems": (POD, Reviewed({}, (MODEL,), ("a", "b", "c", "d")), "a; b; c; and 1 more"),
    "nothing asked": (POD, Reviewed({}, ()), "the object asks for no image, so there is nothing to judge"),
    "too many": (
        POD,
        Reviewed({}, (MODEL,) * 3),
        "the object asks for 3 images, admission.limits.images allows 2",
    ),
    "no pods": (POD, Reviewed({}, (CONTAINED,)), "nothing is known of the pods that its containers are of"),
    "no pods beside a model": (POD, Reviewed({}, (CONTAINED, MODEL)), "nothing is known of the pods"),
}


def narrow(found: World) -> World:
    return admitting(found, limits=dataclasses.replace(found.admission.limits, images=2))


@pytest.mark.parametrize("name", UNREAD_OBJECTS)
def test_objects_that_are_not_wholly_understood(name: str) -> None:
    kind, reviewed, message = UNREAD_OBJECTS[name]
    found = narrow(world(BOTH, controls=NO_EVIDENCE))
    judged = judged_as(found, review(kind=kind), reviewed)
    assert (judged.answer.allowed, judged.answer.cause, judged.decision) == (False, Cause.OBJECT, None)
    assert judged.answer.message.removeprefix("refused by gate, object: ").startswith(message)
    assert "more" in message or "more" not in judged.answer.message
    assert found.registries.deadlines == []


@pytest.mark.parametrize("kind", [STORAGE, PLACED])
def test_kinds_whose_pods_are_asked_for_elsewhere(kind: ObjectKind) -> None:
    found = narrow(world(BOTH, controls=ONLY_SIGNED))
    placed = admitting(found, places=PLACES)
    assert judged_as(placed, review(kind=kind), Reviewed({}, (CONTAINED,))).answer.allowed
    is_known = kind is STORAGE
    assert judged_as(found, review(kind=kind), Reviewed({}, (CONTAINED,))).answer.allowed is is_known


def test_places_are_for_their_own_kind() -> None:
    placed = admitting(world(BOTH, controls=ONLY_SIGNED), places=PLACES[1:])
    assert judged_as(placed, review(kind=PLACED), Reviewed({}, (CONTAINED,))).answer.allowed
    refused = judged_as(placed, review(), Reviewed({}, (CONTAINED,))).answer
    assert (refused.allowed, refused.cause) == (False, Cause.OBJECT)


def test_a_model_needs_no_pods() -> None:
    signed = {**NO_EVIDENCE, "artifact.signed": "enforce"}
    judged = judged_as(world(BOTH, controls=signed), review(kind=PLACED), Reviewed({}, (MODEL,)))
    assert judged.answer.allowed


def test_s39_a_mounted_image_is_not_judged_by_having_a_digest() -> None:
    used = pod(IMAGE, volumes=[{"name": "m", "image": {"reference": OTHER_IMAGE}}])
    mixed = {"artifact.pinned": "enforce", "container.signed": "enforce"}
    assert world({APP: good()}, controls=mixed).judge(review(pod(IMAGE))).answer.allowed
    judged = world({APP: good()}, controls=mixed).judge(review(used))
    assert (judged.answer.allowed, judged.answer.cause) == (False, Cause.REFUSED)


def test_registries_answer_before_the_time_is_over_and_stages_are_timed() -> None:
    found, stages, ends_at = world({APP: good()}), Stages(), time.monotonic() + 10
    assert judge_review(cast("State", found), review(), ends_at, stages=stages).answer.allowed
    assert found.registries.deadlines == [ends_at - MARGIN_S] * 2
    assert stages.seconds.keys() >= {"read", "registry", "verify", "evaluate", "record"}
    assert all(0 <= seconds < 10 for seconds in stages.seconds.values())


@dataclasses.dataclass
class Stopped:
    """A clock that stands."""

    now: float = 100

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("ends_at", [99, 100, 101])
@pytest.mark.parametrize("is_dry", [False, True])
def test_there_is_no_judging_when_the_time_is_over(ends_at: float, is_dry: bool) -> None:
    found = world({APP: good()})
    with mock.patch.object(admission_judge, "time", Stopped()):
        judged = judge_review(cast("State", dry(found) if is_dry else found), review(), ends_at)
    assert judged.answer.allowed is (ends_at == 101)
    assert judged.answer.cause is (YES if ends_at == 101 else Cause.DEADLINE)


def test_stages_add_up() -> None:
    stages, clock = Stages(), Stopped()
    with mock.patch.object(admission_judge, "time", clock):
        for _ in range(2):
            with stages.stage("a"), stages("unknown"):
                clock.now += 5
    assert stages.seconds == {"a": 10, "other": 10}


def test_s36_what_was_to_be_recorded_and_was_not_is_refused() -> None:
    def unrecorded(workspace: Workspace, **more: Any) -> Judged:
        return judge(workspace, **{**more, "is_recorded": False})

    found = world({APP: good()})
    with mock.patch.object(admission_judge, "judge", unrecorded):
        refused = found.judge()
        assert (refused.answer.allowed, refused.answer.cause) == (False, Cause.RECORD)
        assert found.replace(record=None).judge().answer.allowed


def test_what_is_not_to_be_recorded_needs_no_log() -> None:
    broken = FakeRecorder(known=FULL)
    assert world({APP: good()}, recorder=broken, record=None).judge().answer.allowed
    for recorder in (None, broken):
        assert world({APP: good()}, recorder=recorder).judge(is_recorded=False).answer.allowed
    excusing = world().judge(excused(), is_recorded=False).answer
    assert (excusing.allowed, excusing.cause) == (False, Cause.RECORD)


def test_each_use_of_an_image_is_an_artifact() -> None:
    registries = FakeRegistries(tags={TAG: APP})
    asked = (
        Asked(IMAGE, "a", Role.CONTAINER),
        Asked(IMAGE, "b", Role.CONTAINER),
        Asked(IMAGE, "c", Role.VOLUME),
        Asked(TAG, "d", Role.CONTAINER),
        Asked(OTHER_IMAGE, "e", Role.MODEL),
    )
    found = resolved_uses(asked, cast("Registries", registries), 5)
    weights = f"{IMAGE} (weights)"
    assert {place: use.artifact for place, use in found.places.items()} == {
        **dict.fromkeys("abd", IMAGE),
        "c": weights,
        "e": OTHER_IMAGE,
    }
    assert [(item.name, item.kind.value, item.artifact.digest) for item in found.images] == [
        (IMAGE, "container", APP),
        (weights, "weights", APP),
        (OTHER_IMAGE, "weights", OTHER),
    ]
    assert found.tags == (asked[3],)
    assert found.digests == {APP, OTHER}
    assert registries.deadlines == [5] * 3
    with pytest.raises(EvidenceError, match="one place"):
        resolved_uses((asked[0], Asked(OTHER_IMAGE, "a", Role.MODEL)), cast("Registries", registries), 5)


def test_evidence_is_read_where_the_configuration_says() -> None:
    uses = resolved_uses((CONTAINED, MODEL), cast("Registries", FakeRegistries()), 5)
    one = AdmissionRegistry(access=dataclasses.replace(AdmissionRegistry().access, timeout_s=7))
    admission = dataclasses.replace(WORLD.admission, registries={HOST: one})
    found = settings_for(WORLD.settings, uses, admission)
    assert list(found.artifacts) == [IMAGE, OTHER_IMAGE]
    assert [(item.artifact, item.access) for item in found.evidence_registries] == [
        (IMAGE, one.access),
        (OTHER_IMAGE, one.access),
    ]
    assert (found.reports, found.manifests, found.signals, dict(found.gates)) == ((), (), (), {})
    other = settings_for(WORLD.settings, uses, dataclasses.replace(admission, registries={}))
    assert [item.access for item in other.evidence_registries] == [AdmissionRegistry().access] * 2


class Narrow(World):
    """One that takes two pieces of evidence."""

    @property
    def settings(self) -> Settings:
        found = super().settings
        return dataclasses.replace(found, limits=dataclasses.replace(found.limits, evidence_count=2))


def test_there_is_a_most_of_evidence() -> None:
    two = Narrow(engine=ENGINE, parameters=PARAMETERS)
    assert two.judge().answer.allowed
    three = two.replace(evidence=(Evidence("folder/x", image_signature(OTHER)),)).judge().answer
    assert (three.allowed, three.cause) == (False, Cause.EVIDENCE)
    assert "3 pieces of evidence are too many; limits.evidence_count" in three.message


class Skipping(FakeRegistries):
    """Registries that left something out."""

    def fetched(self, resolved: Resolved, ends_at: float) -> Fetched:
        return dataclasses.replace(super().fetched(resolved, ends_at), skipped={f"at {resolved.digest}": "odd"})


def test_what_was_found_is_told() -> None:
    found = world(controls=NO_EVIDENCE).replace(
        registries=Skipping(BOTH, last_seen=frozenset({OTHER})), skipped={"folder": "no evidence"}
    )
    decision = found.judge(asks(IMAGE, OTHER_IMAGE)).decision
    assert decision is not None
    assert decision.admission is not None
    assert decision.admission.facts.last_seen == (OTHER_IMAGE,)
    assert {f"evidence at {APP}", f"evidence at {OTHER}", "evidence folder"} <= decision.skipped.keys()
    assert found.recorder is not None
    ((_, document),) = found.recorder.records
    change = cast("dict[str, object]", document.value["change"])
    assert (change["dirty"], change["files"]) == (False, {})
    assert list(document.value["artifacts"]) == [IMAGE, OTHER_IMAGE]  # type: ignore[arg-type]


def test_what_lies_at_two_places_is_there_once() -> None:
    shared = digest_of("shared")
    both = (f"{HOST}/team/shared@{shared}", f"{HOST}/mirror/shared@{shared}")
    assert world({shared: good(shared)}).judge(asks(*both)).answer.allowed
    used = pod(IMAGE, volumes=[{"name": "m", "image": {"reference": IMAGE}}])
    signed = {**world().controls, "artifact.signed": "enforce"}
    judged = world({APP: good()}, controls=signed).judge(review(used))
    assert judged.answer.allowed
    assert judged.decision is not None
    assert judged.decision.rejected == ()


class Silent:
    """The engine, but for one control that has nothing to judge, as it says."""

    name, version = ENGINE.name, ENGINE.version

    def report(self, document: InputDocument) -> bytes:
        found = json.loads(ENGINE.report(document))
        found["controls"]["container.signed"] = {
            "evidence": [],
            "reason": "nothing here",
            "status": "not_applicable",
            "violations": [],
        }
        return dumps(found)


def test_s39_a_control_that_had_nothing_to_say_judged_nothing() -> None:
    controls = {"evidence.accepted": "enforce", "container.signed": "enforce"}
    assert world({APP: good()}, controls=controls).judge().answer.allowed
    judged = world({APP: good()}, controls=controls, engine=Silent()).judge()
    assert (judged.answer.allowed, judged.answer.cause) == (False, Cause.REFUSED)
    assert "no enforced control that judged" in judged.answer.message


def test_what_refuses_already_keeps_its_reason() -> None:
    stranger = (image_signature(key=make_key("stranger")),)
    decision = world({APP: stranger}, controls={"evidence.accepted": "enforce"}).judge().decision
    assert decision is not None
    assert decision.exit_code == decision.causes[0] != EXIT_MISSING


def test_answers_have_a_code_and_say_no_more_than_there_is() -> None:
    answers = [found.judge().answer for found in (world({APP: good()}), dry(world()), world(error=DOWN))]
    assert [answer.code for answer in answers] == [200, 200, 503]
    assert answers[2].message.endswith(" down")
