"""Worlds of a webhook that are judged quickly: a document that was evaluated is not evaluated again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from gate.errors import (
    PolicyError,
    RecordError,
    UnavailableError,
)
from gate.evaluate.interface import Engine
from gate.model.admission import Cause, Review
from gate.model.admission_settings import AdmissionMode
from gate.model.digest import Digest
from gate.model.document import InputDocument
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
    break_glass,
    container,
    good,
    pod,
    review,
)
from tests.support.cases import embedded
from tests.support.evidence import NOW_S

TAG: Final = f"{HOST}/team/app:1"
GLASS: Final = break_glass()
BOTH: Final = {APP: good(), OTHER: good(OTHER, "other")}


class Remembering:
    """An engine that evaluates a document once: what is tried here lies before and behind it."""

    def __init__(self, inner: Engine) -> None:
        self.inner, self.name, self.version = inner, inner.name, inner.version
        self.known: dict[str, bytes] = {}

    def report(self, document: InputDocument) -> bytes:
        if document.digest not in self.known:
            self.known[document.digest] = self.inner.report(document)
        return self.known[document.digest]


class Failing:
    """An engine that evaluates nothing."""

    name = version = "failing"

    def report(self, _document: InputDocument) -> bytes:
        raise PolicyError("no")


ENGINE: Final = Remembering(embedded())
PARAMETERS: Final = World().at(NOW_S).profile.parameters
WORLD: Final = World(engine=ENGINE, parameters=PARAMETERS)
ONLY_SIGNED: Final = {"container.signed": "enforce"}
NO_EVIDENCE: Final = {"artifact.pinned": "enforce", "deploy.restricted": "enforce"}


def world(attached: Mapping[Digest, tuple[bytes, ...]] | None = None, **more: Any) -> World:
    """One in which the image has no evidence, unless said; `more` are of the registries, or else of the world."""
    names = {field.name for field in dataclasses.fields(FakeRegistries)}
    own = {name: value for name, value in more.items() if name in names}
    rest = {name: value for name, value in more.items() if name not in names}
    return WORLD.replace(registries=FakeRegistries(attached or {}, **own), recorder=FakeRecorder()).replace(**rest)


def admitting(found: World, **changes: Any) -> World:
    return found.replace(admission=dataclasses.replace(found.admission, **changes))


def dry(found: World) -> World:
    return admitting(found, mode=AdmissionMode.DRY_RUN)


def at_most(images: int) -> World:
    found = world({APP: good()})
    return admitting(found, limits=dataclasses.replace(found.admission.limits, images=images))


def excused(*images: str, data: bytes = GLASS) -> Review:
    return review(pod(*(images or (IMAGE,)), annotations=annotated(data)))


def asks(*images: str, **spec: Any) -> Review:
    return review(pod(*images, **spec))


def beside(place: str) -> Review:
    """A pod with another image at another place."""
    item = pod(IMAGE)
    item["spec"][place] = [container(OTHER_IMAGE, "beside")]
    return review(item)


def mounted() -> Review:
    return review(pod(IMAGE, volumes=[{"name": "m", "image": {"reference": OTHER_IMAGE}}]))


DOWN: Final = UnavailableError("down")
FULL: Final = RecordError("full")
YES, GLASSES, DRY = Cause.ALLOWED, Cause.BREAK_GLASS, Cause.DRY_RUN
