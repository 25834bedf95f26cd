"""What has to hold of an exception, tried at its bounds."""

from __future__ import annotations

import base64
import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

import pytest

from gate.app import admission_glass
from gate.app.admission_answer import refusing_controls, unread
from gate.app.admission_glass import MAX_BYTES, Asking, read_break_glass
from gate.formats.rfc3339 import format_time
from gate.model.admission import BreakGlass, Cause
from gate.model.admission_settings import BreakGlassSettings
from gate.model.digest import sha256_digest
from gate.model.evidence import Evidence
from gate.verify.pipeline import verify_evidence
from gate.verify.trust import TrustStore, build_trust_store
from tests.support.admission import (
    APP,
    BREAKER,
    HOUR,
    NAMESPACE,
    OTHER,
    World,
    annotated,
    break_glass,
    good,
    image_signature,
    trust,
)
from tests.support.admission_worlds import (
    ENGINE,
    GLASS,
    excused,
    world,
)
from tests.support.evidence import NOW_S, bundle, digest_of, statement

# -- the exception -----------------------------------------------------------------------------------------------------

SETTINGS: Final = BreakGlassSettings(("breaker",), max_s=HOUR, namespaces=(NAMESPACE, "other"))


@functools.cache
def store() -> TrustStore:
    return build_trust_store(trust(), NOW_S)


def glass(text: str | None = None, settings: BreakGlassSettings | None = SETTINGS, **asked: Any) -> BreakGlass:
    asking = dataclasses.replace(Asking(NAMESPACE, {APP}, NOW_S, is_recorded=True), **asked)
    return read_break_glass(annotated(GLASS)["gate/break-glass"] if text is None else text, settings, store(), asking)


def lasting(begins_s: int, ends_s: int) -> str:
    data = break_glass(created=format_time(NOW_S + begins_s), expires=format_time(NOW_S + ends_s))
    return annotated(data)["gate/break-glass"]


def encoded(data: bytes) -> str:
    return annotated(data)["gate/break-glass"]


THREE: Final = frozenset(digest_of(str(number)) for number in range(3))
EXCEPTIONS: Final[dict[str, tuple[Callable[[], BreakGlass], str]]] = {
    "good": (glass, ""),
    "another signer listed too": (lambda: glass(settings=BreakGlassSettings(("x", "breaker"), max_s=HOUR)), ""),
    "begins in a minute": (lambda: glass(lasting(60, HOUR)), ""),
    "begins later": (lambda: glass(lasting(61, HOUR)), f"it begins at {format_time(NOW_S + 61)}"),
    "ends in a second": (lambda: glass(lasting(-60, 1)), ""),
    "ends now": (lambda: glass(lasting(-60, 0)), f"it ended at {format_time(NOW_S)}"),
    "longest": (lambda: glass(lasting(-60, HOUR - 60)), ""),
    "longer": (lambda: glass(lasting(-60, HOUR - 59)), "it lasts 3601 seconds, and 3600 are the most"),
    "not recorded": (
        lambda: glass(is_recorded=False),
        "decisions are not recorded here, and no exception may go unseen",
    ),
    "not allowed": (lambda: glass(settings=None), "gate.yaml allows no exceptions"),
    "not listed": (lambda: glass(settings=BreakGlassSettings(("x",), max_s=HOUR)), "breaker may not break the glass"),
    "no namespace": (lambda: glass(namespace=None), f"it is for the namespace {NAMESPACE}, not for none"),
    "another namespace": (lambda: glass(namespace="a"), f"it is for the namespace {NAMESPACE}, not for a"),
    "namespace not allowed": (
        lambda: glass(settings=BreakGlassSettings(("breaker",), max_s=HOUR, namespaces=("other",))),
        f"gate.yaml allows no exceptions in the namespace {NAMESPACE}",
    ),
    "no image": (lambda: glass(images=set()), "no image is not what it lets in"),
    "one more image": (lambda: glass(images={APP, OTHER}), f"{OTHER} is not what it lets in"),
    "three more": (lambda: glass(images=THREE), f"{', '.join(sorted(THREE)[:2])} is not what it lets in"),
    "a signature": (lambda: glass(encoded(image_signature())), "it is a statement of something else"),
    "a plain statement": (
        lambda: glass(encoded(bundle(statement("admission.break_glass", {APP: APP}), BREAKER))),
        "it is a statement of something else",
    ),
    "no base64": (lambda: glass("!"), "it is no canonical base64"),
}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_what_holds_of_an_exception(name: str) -> None:
    ask, problem = EXCEPTIONS[name]
    found = ask()
    assert len(found.problems) == bool(problem)
    assert all(item == problem or item.startswith("it is no canonical base64 ") for item in found.problems)
    assert found.holds is not bool(problem)


def test_an_exception_is_told_as_it_is() -> None:
    found = glass()
    assert (found.signers, found.namespace, found.ticket, found.approver) == (("breaker",), NAMESPACE, "INC-7", "ann")
    assert (found.reason, found.created_s, found.expires_s) == ("the shop is down", NOW_S - 60, NOW_S - 60 + HOUR)
    assert found.evidence == sha256_digest(GLASS)
    assert glass(encoded(b"x")).problems[0].startswith("envelope.")


def test_only_one_verified_statement_and_nothing_refused_is_an_exception() -> None:
    text = annotated(GLASS)["gate/break-glass"]
    good_one = verify_evidence(
        [Evidence("x", GLASS)], store(), {}, {}, limit=MAX_BYTES, other_digest=lambda _digest, _algorithm: None
    )
    bad = verify_evidence(
        [Evidence("x", b"x")], store(), {}, {}, limit=MAX_BYTES, other_digest=lambda _digest, _algorithm: None
    )
    for verified, rejected in (
        ((), ()),
        ((), bad.rejected),
        (good_one.verified, bad.rejected),
        (good_one.verified * 2, ()),
    ):
        found = dataclasses.replace(good_one, verified=verified, rejected=rejected)
        with mock.patch.object(admission_glass, "verify_evidence", lambda *_, found=found, **__: found):
            assert not glass(text).holds


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("QQ==", b"A"),
        ("QR==", None),
        ("QQ==\n", None),
        ("QQ", None),
        (base64.b64encode(bytes(MAX_BYTES)).decode(), bytes(MAX_BYTES)),
        (base64.b64encode(bytes(MAX_BYTES + 1)).decode(), None),
        ("A" * (MAX_BYTES * 2 + 4), None),
    ],
)
def test_what_an_annotation_holds(text: str, data: bytes | None) -> None:
    assert admission_glass._decoded(text) == data


def test_values_of_other_kinds_count_for_nothing() -> None:
    assert [admission_glass._number(value) for value in (5, "5", None)] == [5, 0, 0]
    assert [admission_glass._text(value) for value in ("a", 5, None)] == ["a", None, None]
    assert list(admission_glass._misplaced(None, SETTINGS, None)) == ["it is for the namespace None, not for none"]


def test_a_control_that_cannot_be_judged_is_an_error_of_the_policy() -> None:
    controls = {"container.signed": "enforce", "evidence.fresh": "enforce"}
    found = World(engine=ENGINE, controls=controls, parameters={"evidence.fresh": {"skew_s": "x"}}).judge()
    assert (found.answer.allowed, found.answer.cause) == (False, Cause.POLICY)
    assert "evidence.fresh could not be judged" in found.answer.message


def test_an_exception_that_lets_in_is_told_as_a_warning() -> None:
    answer = world().judge(excused()).answer
    assert answer.warnings[0] == f"let in over an exception, and recorded: {answer.message}"
    assert answer.annotations["break-glass"].startswith("INC-7 by breaker until")
    assert world({APP: good()}).judge().answer.warnings == ()
    assert answer.code == 200
    warned = world(controls={"artifact.pinned": "enforce", "container.signed": "warn"}).judge()
    assert warned.decision is not None
    assert refusing_controls(warned.decision) == ()
    assert unread("u", Cause.OBJECT, "x").code == 403
