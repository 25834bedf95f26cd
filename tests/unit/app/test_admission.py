"""From the bytes of a request to an answer: whatever happens, there is one, with the uid, and bugs let nothing in."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from gate.app.admission import Admitter, Answered
from gate.app.admission_held import Health, Reloaded
from gate.app.admission_judge import Judgement, State, judge_review
from gate.errors import PolicyError
from gate.model.admission import Cause
from gate.model.admission_settings import AdmissionMode
from tests.support.admission import APP, FakeRegistries, World, body, good, pod


class FakeHeld:
    """A state that is there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.closed = False

    def current(self) -> State:
        return cast("State", self.world)

    def reload(self) -> Reloaded:
        return Reloaded(True, "no")

    def health(self) -> Health:
        return Health(("the log is full",), (), {"records": 3})

    def notes(self) -> Sequence[str]:
        return ("no checkpoint can be signed",)

    def counts(self) -> Mapping[str, int]:
        return {"records": 3}

    def close(self) -> None:
        self.closed = True


def answered(world: World, data: bytes, **more: Any) -> Answered:
    return Admitter(FakeHeld(world), **more).answer(data, time.monotonic() + 10)


def test_a_good_review_is_answered() -> None:
    found = answered(World(), body())
    assert found.answer.allowed
    assert found.answer.uid == "u-1"
    assert found.verdict == "allow"
    assert found.decision_id == found.answer.annotations["decision"]
    assert found.controls == ()
    assert set(found.seconds) == {"read", "registry", "verify", "evaluate", "record"}
    assert all(seconds >= 0 for seconds in found.seconds.values())
    assert found.trace is None


def test_a_bad_one_names_the_controls() -> None:
    found = answered(World(registries=FakeRegistries({})), body())
    assert not found.answer.allowed
    assert found.verdict == "deny"
    assert found.controls == ("container.provenance", "container.signed")


@pytest.mark.parametrize("mode", list(AdmissionMode))
@pytest.mark.parametrize(
    ("data", "uid"), [(b"", ""), (b"{}", ""), (b"[]", ""), (body()[:-1], ""), (body() + b"x", ""), (body(uid=""), "")]
)
def test_what_is_no_review_is_refused_in_every_mode(mode: AdmissionMode, data: bytes, uid: str) -> None:
    world = World()
    found = answered(world.replace(admission=dataclasses.replace(world.admission, mode=mode)), data)
    assert found.answer.cause is Cause.REVIEW
    assert not found.answer.allowed
    assert found.answer.code == 400
    assert found.answer.uid in {uid, "u-1"}


def test_a_body_that_is_too_large_is_refused() -> None:
    world = World()
    limits = dataclasses.replace(world.admission.limits, body_bytes=100)
    found = answered(world.replace(admission=dataclasses.replace(world.admission, limits=limits)), body())
    assert (found.answer.cause, found.answer.code) == (Cause.REVIEW, 413)


def test_an_object_that_is_not_understood_has_no_decision() -> None:
    found = answered(World(), body({**pod(), "kind": "Pod"}))
    assert found.answer.cause is Cause.OBJECT
    assert (found.decision_id, found.verdict, found.controls) == (None, None, ())


BUGS = (RuntimeError("x"), ValueError("x"), KeyError("x"), MemoryError(), RecursionError(), AssertionError())


@pytest.mark.parametrize("error", BUGS, ids=repr)
@pytest.mark.parametrize("mode", list(AdmissionMode))
def test_a_bug_refuses_in_every_mode_and_echoes_the_uid(error: Exception, mode: AdmissionMode) -> None:
    world = World()
    world = world.replace(admission=dataclasses.replace(world.admission, mode=mode))

    def broken(*_arguments: object, **_named: object) -> Judgement:
        raise error

    found = answered(world, body(), judging=broken)
    assert (found.answer.allowed, found.answer.cause, found.answer.uid) == (False, Cause.BUG, "u-1")
    assert found.answer.code == 500
    assert found.trace is not None
    assert type(error).__name__ in found.trace
    assert type(error).__name__ not in found.answer.message


def test_a_state_that_is_not_there_refuses_and_echoes_the_uid() -> None:
    class Empty(FakeHeld):
        def current(self) -> State:
            raise PolicyError("no state")

    found = Admitter(Empty(World())).answer(body(), time.monotonic() + 1)
    assert (found.answer.allowed, found.answer.cause, found.answer.uid) == (False, Cause.BUG, "u-1")


def test_who_began_with_a_state_goes_on_with_it() -> None:
    held = FakeHeld(World())

    def judging(state: State, *arguments: Any, **named: Any) -> Judgement:
        held.world = World(registries=FakeRegistries({}))
        return judge_review(state, *arguments, **named)

    admitter = Admitter(held, judging)
    assert admitter.answer(body(), time.monotonic() + 10).answer.allowed
    assert not admitter.answer(body(), time.monotonic() + 10).answer.allowed


def test_the_rest_is_asked_of_what_holds_the_state() -> None:
    held = FakeHeld(World(registries=FakeRegistries({APP: good()})))
    with Admitter(held) as admitter:
        assert admitter.notes() == ("no checkpoint can be signed",)
        assert admitter.ready() == ("the log is full",)
        assert admitter.figures() == {"records": 3}
        assert admitter.reload() == Reloaded(True, "no")
        assert admitter.limits == held.world.admission.limits
        assert not held.closed
    assert held.closed
