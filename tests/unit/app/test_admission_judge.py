"""Reviews are judged as `gate check` would judge their images, and nothing lets in what it should not."""

from __future__ import annotations

import dataclasses

from gate.model.admission import Cause
from gate.model.admission_settings import AdmissionMode
from gate.model.decision import Verdict
from tests.support.admission import (
    IMAGE,
    FakeRegistries,
    World,
    pod,
    review,
)

WORLD = World()
DRY = WORLD.replace(admission=dataclasses.replace(WORLD.admission, mode=AdmissionMode.DRY_RUN))


def world(attached: dict[str, tuple[bytes, ...]], **more: object) -> World:
    return WORLD.replace(registries=FakeRegistries(attached, **more))  # type: ignore[arg-type]


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
