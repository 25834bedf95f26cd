"""A fault in any function on the way from a review to its answer never lets anything in (QUALITY, Meta).

Like `test_fault_injection`, over the whole way of a webhook: reading the review, judging, and answering.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from types import FrameType, FunctionType
from typing import Any, Final, cast

import pytest

from gate.app.admission import Admitter
from gate.app.admission_judge import State
from gate.errors import ClockError, EvidenceError, PolicyError, RecordError, UnavailableError
from gate.formats.rfc3339 import format_time
from gate.model.admission import Cause
from tests.property.test_fault_injection import DESCRIPTIVE as OF_DECISIONS
from tests.property.test_fault_injection import (
    GATE,
    Fault,
    Place,
    breaks,
    by_place,
    forget,
    instead_of,
    place,
    promises_a_value,
    refuses,
    says_nothing,
    title,
)
from tests.support.admission import (
    APP,
    HOST,
    IMAGE,
    OTHER,
    OTHER_IMAGE,
    FakeRecorder,
    FakeRegistries,
    World,
    annotated,
    body,
    break_glass,
    build_provenance,
    good,
    image_signature,
    pod,
)
from tests.support.evidence import NOW_S, make_key

STAGES: Final = tuple(
    str(GATE / name)
    for name in (
        *("verify", "normalize", "evaluate", "formats", "model", "decide.py"),
        *("app/admission", "app/admit.py", "app/check.py", "app/case.py", "app/gather.py", "app/policy.py"),
    )
)
Row = tuple[World, bytes]
"""A state, and the request that it is asked."""


def attached(*data: bytes, **more: Any) -> World:
    return World(registries=FakeRegistries({APP: data}, **more))


def glass(**changes: Any) -> bytes:
    return body(pod(IMAGE, annotations=annotated(break_glass(**changes))))


WITHOUT: Final = World().replace(record=None, recorder=None)
BOTH: Final = World(registries=FakeRegistries({APP: good(), OTHER: good(OTHER)}))
LET_IN: Final[dict[str, Row]] = {
    "good": (World(), body()),
    "two images": (BOTH, body(pod(IMAGE, OTHER_IMAGE))),
    "break glass in an outage": (attached(error=UnavailableError("down")), glass()),
}
REFUSED: Final[dict[str, Row]] = {
    "nothing attached": (attached(), body()),
    "unsigned": (attached(build_provenance()), body()),
    "a stranger": (attached(image_signature(key=make_key("stranger")), build_provenance()), body()),
    "another digest": (attached(*good(OTHER)), body()),
    "junk": (attached(*good(), b"junk"), body()),
    "one of two images": (World(), body(pod(IMAGE, OTHER_IMAGE))),
    "a tag": (World(), body(pod(f"{HOST}/team/app:1"))),
    "another registry": (World(), body(pod(f"elsewhere.test/app@{APP}"))),
    "no image": (World(), body(pod())),
    "an image that is none": (World(), body(pod(""))),
    "another kind": (World(), body({"apiVersion": "v1", "kind": "Secret", "metadata": {}})),
    "a registry that is down": (attached(error=UnavailableError("down")), body()),
    "a registry that lies": (attached(error=EvidenceError("another digest")), body()),
    "a log that is full": (World(recorder=FakeRecorder(error=RecordError("full"))), body()),
    "a log that was full": (World(recorder=FakeRecorder(known=RecordError("full"))), body()),
    "no log": (World(recorder=None), body()),
    "a clock that jumped": (World(clock_error=ClockError("it jumped")), body()),
    "no control for it": (World(controls={"evidence.accepted": "enforce"}), body()),
    "a control that fails to judge": (
        World(controls={"container.signed": "enforce", "evidence.fresh": "enforce"}).replace(
            parameters={"evidence.fresh": {"skew_s": "x"}}
        ),
        body(),
    ),
    "an exception that ended": (attached(), glass(expires=format_time(NOW_S))),
    "an exception for long": (attached(), glass(expires=format_time(NOW_S + 86_400))),
    "an exception elsewhere": (attached(), glass(namespace="shop")),
    "an exception for another image": (attached(), glass(images=(OTHER,))),
    "an exception by another signer": (attached(), glass(key=make_key("unlisted"))),
    "an exception by a stranger": (attached(), glass(key=make_key("stranger"))),
    "an exception that is none": (attached(), body(pod(IMAGE, annotations={"gate/break-glass": "e30="}))),
    "an exception without a log": (WITHOUT.replace(registries=FakeRegistries({})), glass()),
    "an exception that is attached": (attached(break_glass()), body()),
    "a review that is none": (World(), body()[:-1]),
    "a privileged pod": (World(), body(pod(IMAGE, hostNetwork=True))),
}
# Where `None` leaves the answer what it rightly is, and why.
DESCRIPTIVE: Final = OF_DECISIONS | {
    "app.admission_answer._notes": "warnings for people, and there are none",
    "app.admission_answer._glass": "words of an audit log",
    "app.admission_facts.AdmissionGathering._one": "what an image has attached, and an exception excuses it",
    "decide._causes": "exit codes, and an exception excuses them",
    "formats.members.member": "members of the frame of a statement, and an exception has its own",
    "formats.predicates.privacy.read_privacy": "whether contents are in a statement, and an exception has none",
    "verify.binding.artifacts_among": "what a statement covers, and an exception is looked at by its subjects",
    "app.admission_answer.refusing_controls": "names for people, where nothing refuses",
    "app.admission_facts.Uses.digests": "asked by exceptions, and there is none",
    "app.check.new_id": "the id of a decision, for people",
    "app.gather.named_here": "what statements name by path, and none does",
    "app.policy.judging_policy": "where the policy is from, for people",
    "app.policy.rules_digest": "what verification summaries name, and there is none",
    "evaluate.loaded.asking": "what need not be loaded; the whole policy is, then",
    "evaluate.parameters._settled": "parameters that METADATA gives a default, and no control here needs one",
    "formats.admission_review._groups": "groups of the person who asks, and nobody reads them",
    "formats.clean._read": "whether a text is a secret, and none is",
    "formats.predicates.common.dependencies": "what provenance builds on, of which no control here says anything",
    "formats.workloads.fields.Fields._below": "where something stands, for people",
    "formats.workloads.kinds.host_volumes": "volumes that operators add, and none does",
    "formats.workloads.kinds.loose_labels": "labels that operators add, and none does",
    "formats.workloads.reviewed._Found._own": "what pods of custom kinds take over, and this is none",
    "model.settings.Settings.steering": "files that steer the gate, and no change is judged",
    "verify.located.named_places": "what statements name by path, and none does",
    "verify.trust._fingerprint": "the name of a cache",
    "verify.trust.root_weaknesses": "the age of a trusted root, and there is none",
}
CAUGHT: Final = (*LET_IN, "nothing attached", "one of two images", "a log that is full", "an exception that ended")
"""Where exceptions are looked at that somebody may catch."""


@dataclasses.dataclass(frozen=True)
class Held:
    """Holds one state."""

    world: World

    def current(self) -> State:
        return cast("State", self.world)


def answered(row: Row) -> bool:
    """Whether it is let in."""
    world, data = row
    if world.recorder is not None:
        world.recorder.records.clear()
    return Admitter(cast("Any", Held(world))).answer(data, time.monotonic() + 60).answer.allowed


def called(row: Row) -> list[FunctionType]:
    """The functions of the gate that a review calls, sorted by name."""
    found: set[Place] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(STAGES) and "<" not in frame.f_code.co_name:
            found.add(place(frame.f_code))

    answered(row)
    forget()
    profiler = sys.getprofile()
    sys.setprofile(note)
    try:
        answered(row)
    finally:
        sys.setprofile(profiler)
    known = by_place()
    unknown = {name for _, _, name in found - known.keys() if "<locals>" not in name}
    assert unknown == set(), "a function that cannot be replaced"
    return sorted((known[code] for code in found & known.keys()), key=title)


def let_in(row: Row, fault: Fault, functions: list[FunctionType]) -> set[str]:
    found = set()
    for function in functions:
        with instead_of(function, fault, lambda: None):
            try:
                is_let_in = answered(row)
            except Exception:  # noqa: BLE001 - a fault in the last line of defence: there is no answer
                is_let_in = False
        if is_let_in:
            found.add(title(function))
    return found


@pytest.mark.parametrize("name", LET_IN)
def test_what_is_let_in_is_let_in_without_a_fault(name: str) -> None:
    assert answered(LET_IN[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_without_a_fault(name: str) -> None:
    assert not answered(REFUSED[name])


@pytest.mark.parametrize("name", LET_IN)
def test_an_exception_in_any_function_lets_nothing_in(name: str) -> None:
    assert let_in(LET_IN[name], breaks, called(LET_IN[name])) == set()


@pytest.mark.parametrize("name", CAUGHT)
def test_an_exception_that_some_caller_may_catch_lets_nothing_in(name: str) -> None:
    row = (LET_IN | REFUSED)[name]
    assert let_in(row, refuses, called(row)) == set()


@pytest.mark.parametrize("name", REFUSED)
def test_none_from_any_function_lets_nothing_in_that_is_refused(name: str) -> None:
    functions = [function for function in called(REFUSED[name]) if promises_a_value(function)]
    assert let_in(REFUSED[name], says_nothing, functions) == set()


@pytest.mark.parametrize("name", LET_IN)
def test_none_from_any_function_lets_nothing_in(name: str) -> None:
    functions = [function for function in called(LET_IN[name]) if promises_a_value(function)]
    assert let_in(LET_IN[name], says_nothing, functions) <= DESCRIPTIVE.keys()


@pytest.mark.parametrize("error", [PolicyError("x"), RecordError("x"), ClockError("x"), RuntimeError("x")])
def test_errors_of_what_is_held_let_nothing_in(error: Exception) -> None:
    class Broken:
        name = version = "broken"

        def report(self, _document: object) -> bytes:
            raise error

    assert not answered((World().replace(engine=Broken()), body()))


def test_the_way_is_long() -> None:
    names = {title(function) for row in (LET_IN | REFUSED).values() for function in called(row)}
    assert len(names) >= 150
    assert {"app.admission_answer.answer_of", "app.admission_glass.read_break_glass", "decide.decide"} <= names
    assert Cause.ALLOWED.value == "allowed"
