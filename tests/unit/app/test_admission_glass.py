"""Break glass: everything about an exception has to hold, and it excuses nothing but what it names."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from gate.errors import PolicyError, RecordError, UnavailableError
from gate.formats.rfc3339 import format_time
from gate.model.admission import Cause
from gate.model.admission_settings import AdmissionMode, BreakGlassSettings
from gate.model.decision import Verdict
from tests.support.admission import (
    APP,
    BREAKER,
    BUILDER,
    HOUR,
    IMAGE,
    NAMESPACE,
    OTHER,
    OTHER_IMAGE,
    FakeRecorder,
    FakeRegistries,
    World,
    annotated,
    break_glass,
    good,
    image_signature,
    pod,
    review,
    trust,
)
from tests.support.evidence import NOW_S, bundle, digest_of, encode, make_key, statement

UNLISTED = make_key("unlisted")


def world(attached: Mapping[Any, Any] | None = None, **more: Any) -> World:
    """One in which the image has no evidence, unless said."""
    return World(registries=FakeRegistries(attached or {}, **more))


def at(seconds: int) -> str:
    return format_time(NOW_S + seconds)


def test_an_exception_lets_in_what_is_refused_and_is_told_and_recorded() -> None:
    found = world()
    judged = found.judge(review(pod(IMAGE, annotations=annotated(break_glass()))))
    assert judged.answer.allowed
    assert judged.answer.cause is Cause.BREAK_GLASS
    assert "INC-7" in judged.answer.message
    assert "INC-7" in judged.answer.warnings[0]
    assert "INC-7 by breaker until" in judged.answer.annotations["break-glass"]
    assert judged.answer.annotations["verdict"] == "deny"
    assert judged.answer.annotations["cause"] == "break_glass"
    assert judged.decision is not None
    assert judged.decision.verdict is Verdict.DENY
    assert judged.decision.exit_code == 10
    assert judged.decision.admission is not None
    assert judged.decision.admission.outcome is Cause.BREAK_GLASS
    assert found.recorder is not None
    ((recorded, document),) = found.recorder.records
    assert recorded == judged.decision
    assert document.value["admission"]["break_glass"]["ticket"] == "INC-7"  # type: ignore[index,call-overload]


def test_what_is_allowed_needs_no_exception() -> None:
    judged = world({APP: good()}).judge(review(pod(IMAGE, annotations=annotated(break_glass()))))
    assert judged.answer.cause is Cause.ALLOWED
    broken = world({APP: good()}).judge(review(pod(IMAGE, annotations={"gate/break-glass": "!"})))
    assert broken.answer.cause is Cause.ALLOWED


def test_an_exception_never_makes_a_control_pass() -> None:
    judged = world().judge(review(pod(IMAGE, annotations=annotated(break_glass()))))
    plain = world().judge()
    assert judged.decision is not None
    assert plain.decision is not None
    assert judged.decision.controls == plain.decision.controls
    assert judged.decision.verified == ()


BAD: dict[str, tuple[bytes, str]] = {
    "expired": (break_glass(created=at(-HOUR), expires=at(0)), "it ended"),
    "long expired": (break_glass(created=at(-9 * HOUR), expires=at(-8 * HOUR)), "it ended"),
    "not begun": (break_glass(created=at(61), expires=at(HOUR)), "it begins"),
    "too long": (break_glass(created=at(-60), expires=at(-59 + 4 * HOUR)), "are the most"),
    "for a year": (break_glass(expires=at(365 * 24 * HOUR)), "are the most"),
    "another namespace": (break_glass(namespace="shop"), "it is for the namespace shop"),
    "all namespaces": (break_glass(namespace="*"), "statement.predicate"),
    "an unlisted signer": (break_glass(key=UNLISTED), "unlisted may not break the glass"),
    "a stranger": (break_glass(key=make_key("stranger")), "signature.untrusted"),
    "a signer of other claims": (break_glass(key=BUILDER), "signature.claim"),
    "another image": (break_glass((OTHER,)), f"{APP} is not what it lets in"),
    "no image": (break_glass(()), "statement."),
    "a signature of the image": (image_signature(), "something else"),
    "unsigned": (
        encode(json.loads(base64.b64decode(json.loads(break_glass())["dsseEnvelope"]["payload"]))),
        "envelope.",
    ),
    "junk": (b"junk", "envelope."),
    "two bundles": (break_glass() + b"\n" + break_glass(), "envelope."),
    "without reason": (break_glass(reason=" "), "statement.predicate"),
    "without ticket": (break_glass(ticket=""), "statement.predicate"),
    "backwards": (break_glass(created=at(60), expires=at(0)), "it ends after it begins"),
    "a date": (break_glass(expires="2026-12-31"), "RFC 3339"),
    "another member": (break_glass(images=(APP,), namespaces=["*"]), "statement.predicate"),
    "a tag as subject": (
        bundle(
            statement(
                "admission.break_glass",
                {"app": APP},
                predicate=json.loads(base64.b64decode(json.loads(break_glass())["dsseEnvelope"]["payload"]))[
                    "predicate"
                ],
            ),
            BREAKER,
        ),
        "statement.",
    ),
    "a plain statement": (bundle(statement("admission.break_glass", {APP: APP}), BREAKER), "something else"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_exception_of_which_something_does_not_hold_excuses_nothing(name: str) -> None:
    data, word = BAD[name]
    found = world()
    judged = found.judge(review(pod(IMAGE, annotations=annotated(data))))
    assert not judged.answer.allowed
    assert judged.answer.cause is Cause.REFUSED
    assert "the exception does not hold" in judged.answer.message
    assert judged.decision is not None
    assert judged.decision.admission is not None
    glass = judged.decision.admission.facts.break_glass
    assert glass is not None
    assert not glass.holds
    assert any(word in problem for problem in glass.problems), glass.problems
    assert judged.answer.annotations["break-glass"].startswith("does not hold")
    assert found.recorder is not None
    assert len(found.recorder.records) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "e30",
        base64.b64encode(break_glass()).decode() + "\n",
        base64.b64encode(b"x" * (65 << 10)).decode(),
        "A" * (129 << 10),
        "é",
        base64.b64encode(b"{}").decode().replace("=", "") + "=",
    ],
)
def test_an_annotation_that_is_no_base64_of_a_bundle_excuses_nothing(text: str) -> None:
    from gate.app.admission_glass import Asking, read_break_glass
    from gate.verify.trust import build_trust_store

    settings = BreakGlassSettings(("breaker",))
    asking = Asking(NAMESPACE, {APP}, NOW_S, is_recorded=True)
    assert not read_break_glass(text, settings, build_trust_store(trust(), NOW_S), asking).holds


@pytest.mark.parametrize("images", [(APP,), (OTHER,)])
def test_an_exception_for_one_image_of_two_excuses_nothing(images: tuple[Any, ...]) -> None:
    two = pod(IMAGE, OTHER_IMAGE, annotations=annotated(break_glass(images)))
    judged = world().judge(review(two))
    assert not judged.answer.allowed
    assert "the exception does not hold" in judged.answer.message
    both = pod(IMAGE, OTHER_IMAGE, annotations=annotated(break_glass((APP, OTHER))))
    assert world().judge(review(both)).answer.cause is Cause.BREAK_GLASS
    init = pod(IMAGE, annotations=annotated(break_glass()))
    init["spec"]["initContainers"] = [{**pod(OTHER_IMAGE)["spec"]["containers"][0], "name": "init"}]
    assert not world().judge(review(init)).answer.allowed


def test_an_exception_that_is_attached_to_the_image_instead_excuses_nothing() -> None:
    judged = world({APP: (break_glass(),)}).judge()
    assert judged.answer.cause is Cause.REFUSED
    assert not judged.answer.allowed
    assert judged.decision is not None
    assert [item.claim for item in judged.decision.verified] == ["admission.break_glass"]
    assert judged.decision.admission is not None
    assert judged.decision.admission.facts.break_glass is None


def test_an_exception_without_a_record_excuses_nothing() -> None:
    asked = review(pod(IMAGE, annotations=annotated(break_glass())))
    judged = world().replace(record=None, recorder=None).judge(asked)
    assert not judged.answer.allowed
    assert "not recorded" in judged.answer.message
    for recorder in (None, FakeRecorder(error=RecordError("full")), FakeRecorder(known=RecordError("full"))):
        failing = world().replace(recorder=recorder).judge(asked)
        assert failing.answer.cause is Cause.RECORD
        assert not failing.answer.allowed
    looked_at = world().judge(asked, is_recorded=False)
    assert looked_at.answer.cause is Cause.RECORD
    assert not looked_at.answer.allowed


def configured(settings: BreakGlassSettings | None) -> World:
    found = world()
    return found.replace(admission=dataclasses.replace(found.admission, break_glass=settings))


def test_what_gate_yaml_does_not_allow_excuses_nothing() -> None:
    asked = review(pod(IMAGE, annotations=annotated(break_glass())))
    assert "allows no exceptions" in configured(None).judge(asked).answer.message
    assert "may not break" in configured(BreakGlassSettings(())).judge(asked).answer.message
    assert (
        "in the namespace"
        in configured(BreakGlassSettings(("breaker",), namespaces=("shop",))).judge(asked).answer.message
    )
    short = configured(BreakGlassSettings(("breaker",), max_s=HOUR - 1)).judge(asked)
    assert "are the most" in short.answer.message
    named = configured(BreakGlassSettings(("breaker",), max_s=HOUR, namespaces=("shop", NAMESPACE)))
    assert named.judge(asked).answer.cause is Cause.BREAK_GLASS


def test_an_object_of_no_namespace_or_of_another_is_not_excused() -> None:
    from gate.app.admission_glass import Asking, read_break_glass
    from gate.verify.trust import build_trust_store

    text = annotated(break_glass())["gate/break-glass"]
    settings, store = BreakGlassSettings(("breaker",)), build_trust_store(trust(), NOW_S)
    for namespace, images, holds in (
        (NAMESPACE, {APP}, True),
        (None, {APP}, False),
        ("shop", {APP}, False),
        (NAMESPACE, set(), False),
    ):
        assert (
            read_break_glass(text, settings, store, Asking(namespace, images, NOW_S, is_recorded=True)).holds is holds
        )


def test_revoked_exceptions_and_signers_excuse_nothing() -> None:
    data = break_glass()
    asked = review(pod(IMAGE, annotations=annotated(data)))
    for revoked in (trust(revoked_evidence=[digest_of(data)]), trust(revoked_keys=["breaker"])):
        judged = world().replace(trust=revoked).judge(asked)
        assert not judged.answer.allowed
        assert "revoked" in judged.answer.message


def test_a_threshold_counts_for_exceptions_too() -> None:
    two = trust(thresholds={"admission.break_glass": 2})
    judged = world().replace(trust=two).judge(review(pod(IMAGE, annotations=annotated(break_glass()))))
    assert not judged.answer.allowed
    assert "threshold" in judged.answer.message


def test_an_exception_ends_while_it_is_used() -> None:
    asked = review(pod(IMAGE, annotations=annotated(break_glass())))
    for seconds, cause in ((0, Cause.BREAK_GLASS), (HOUR - 61, Cause.BREAK_GLASS), (HOUR - 60, Cause.REFUSED)):
        assert world().replace(clock=NOW_S + seconds).judge(asked).answer.cause is cause


def test_a_registry_that_cannot_be_reached_is_excused_by_an_exception_alone() -> None:
    error = UnavailableError("registry.test does not answer")
    asked = review(pod(IMAGE, annotations=annotated(break_glass())))
    found = world(error=error)
    judged = found.judge(asked)
    assert judged.answer.cause is Cause.BREAK_GLASS
    assert judged.decision is not None
    assert judged.decision.verdict is not Verdict.ALLOW
    assert judged.decision.admission is not None
    assert judged.decision.admission.facts.unread == {IMAGE: str(error)}
    assert found.recorder is not None
    assert len(found.recorder.records) == 1
    bad = world(error=error).judge(review(pod(IMAGE, annotations=annotated(break_glass(namespace="shop")))))
    assert bad.answer.cause is Cause.REGISTRY
    assert not bad.answer.allowed


def test_a_profile_that_needs_no_evidence_does_not_allow_what_was_not_read() -> None:
    controls = {"artifact.pinned": "enforce", "deploy.restricted": "enforce"}
    found = world({OTHER: ()}, errors={APP: UnavailableError("down")}).replace(controls=controls)
    assert world().replace(controls=controls).judge().answer.cause is Cause.ALLOWED
    assert found.judge().answer.cause is Cause.REGISTRY
    asked = review(pod(IMAGE, OTHER_IMAGE, annotations=annotated(break_glass((APP, OTHER)))))
    judged = found.judge(asked)
    assert judged.answer.cause is Cause.BREAK_GLASS
    assert judged.decision is not None
    assert judged.decision.verdict is Verdict.ERROR
    assert judged.decision.exit_code == 4


def test_a_policy_that_cannot_be_evaluated_is_not_excused() -> None:
    class Broken:
        name = version = "broken"

        def report(self, _document: object) -> bytes:
            raise PolicyError("no")

    judged = world().replace(engine=Broken()).judge(review(pod(IMAGE, annotations=annotated(break_glass()))))
    assert judged.answer.cause is Cause.POLICY
    assert not judged.answer.allowed


def test_in_a_dry_run_an_exception_is_told_as_what_it_is() -> None:
    found = world()
    dry = found.replace(admission=dataclasses.replace(found.admission, mode=AdmissionMode.DRY_RUN))
    asked = review(pod(IMAGE, annotations=annotated(break_glass())))
    assert dry.judge(asked).answer.cause is Cause.BREAK_GLASS
    bad = review(pod(IMAGE, annotations=annotated(break_glass(namespace="shop"))))
    assert dry.judge(bad).answer.cause is Cause.DRY_RUN
