"""Answers of a webhook: one place lets in, and only what a decision allows, an exception excuses or a dry run tells."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Final

import pytest

import gate
from gate.app.admission_answer import JUDGED, MESSAGE, Decided, Undecided, answer_of, unread
from gate.formats.admission_review import write_review
from gate.model.admission import Answer, BreakGlass, Cause
from gate.model.admission_settings import AdmissionMode
from gate.model.decision import Decision, Verdict
from tests.support.admission import APP, FakeRegistries, World, good, image_signature
from tests.support.evidence import digest_of

GATE: Final = Path(gate.__file__).parent
ENFORCE, DRY = AdmissionMode.ENFORCE, AdmissionMode.DRY_RUN
LET_IN: Final = frozenset({Cause.ALLOWED, Cause.BREAK_GLASS, Cause.DRY_RUN})


def decision(world: World) -> Decision:
    found = world.judge().decision
    assert found is not None
    return found


ALLOWED: Final = decision(World())
DENIED: Final = decision(World(registries=FakeRegistries({APP: (image_signature(),)})))
GLASS: Final = BreakGlass(digest_of("e"), digest_of("p"), ("breaker",), "payments", "down", "INC-7", None, 1, 2)


def with_outcome(found: Decision, outcome: Cause, glass: BreakGlass | None = None) -> Decision:
    """A decision whose own word for the answer is another: nothing makes such a one."""
    assert found.admission is not None
    facts = dataclasses.replace(found.admission.facts, break_glass=glass)
    admitted = dataclasses.replace(found.admission, facts=facts, outcome=outcome)
    copy = object.__new__(Decision)
    for field in dataclasses.fields(Decision):
        object.__setattr__(copy, field.name, getattr(found, field.name))
    object.__setattr__(copy, "admission", admitted)
    return copy


def lets_in(source: str) -> list[int]:
    """The lines that make an answer which may let something in."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        values = [*node.args[1:2], *(item.value for item in node.keywords if item.arg == "allowed")]
        is_false = len(values) == 1 and isinstance(values[0], ast.Constant) and values[0].value is False
        if (name == "Answer" and not is_false) or (name == "replace" and _sets(node)):
            found.append(node.lineno)
    return found


def _sets(node: ast.Call) -> bool:
    return any(item.arg in {"allowed", None} for item in node.keywords)


def test_nothing_else_lets_anything_in() -> None:
    sources = {path.relative_to(GATE).as_posix(): path.read_text() for path in GATE.rglob("*.py")}
    # Other classes of that name know nothing of admission.
    found = {name: lets_in(source) for name, source in sources.items() if "model.admission" in source}
    assert len(found) > 10
    assert [name for name, lines in found.items() if lines] == ["app/admission_answer.py"]
    tree = ast.parse((GATE / "app/admission_answer.py").read_text())
    (maker,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "answer_of")
    assert all(maker.lineno <= line <= (maker.end_lineno or 0) for line in found["app/admission_answer.py"])


def test_an_answer_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError):
        bool(answer_of("u", ENFORCE, Decided(ALLOWED, True)))


@pytest.mark.parametrize("mode", [ENFORCE, DRY])
def test_what_a_decision_allows_is_let_in(mode: AdmissionMode) -> None:
    answer = answer_of("u", mode, Decided(ALLOWED, True))
    assert (answer.allowed, answer.cause, answer.uid, answer.code) == (True, Cause.ALLOWED, "u", 200)
    assert answer.annotations == {"decision": ALLOWED.id, "verdict": "allow", "cause": "allowed"}


@pytest.mark.parametrize("cause", list(Cause))
def test_what_was_not_decided_is_let_in_by_a_dry_run_alone(cause: Cause) -> None:
    found = Undecided(cause, "because", "do this")
    if cause not in LET_IN:
        answer = answer_of("u", ENFORCE, found)
        assert not answer.allowed
        assert answer.cause is cause
        assert answer.code >= 400
        assert "because; do this" in answer.message
    if cause not in LET_IN:
        dry = answer_of("u", DRY, found)
        assert dry.allowed is (cause in JUDGED)
        assert dry.cause is (Cause.DRY_RUN if cause in JUDGED else cause)


@pytest.mark.parametrize("cause", [Cause.ALLOWED, Cause.BREAK_GLASS, Cause.DRY_RUN])
@pytest.mark.parametrize("mode", [ENFORCE, DRY])
def test_what_was_not_decided_cannot_be_said_to_be_allowed(cause: Cause, mode: AdmissionMode) -> None:
    answer = answer_of("u", mode, Undecided(cause, "because"))
    assert not answer.allowed
    assert answer.cause is Cause.BUG


def test_causes_that_a_dry_run_never_lets_in() -> None:
    assert {cause for cause in Cause if cause not in JUDGED | LET_IN} == {
        *(Cause.REVIEW, Cause.RECORD, Cause.CLOCK, Cause.CONFIGURATION, Cause.DEADLINE),
        *(Cause.OVERLOADED, Cause.STOPPING, Cause.BUG),
    }


def test_a_refusal_holds_and_is_only_told_in_a_dry_run() -> None:
    answer = answer_of("u", ENFORCE, Decided(DENIED, True))
    assert (answer.allowed, answer.cause, answer.code) == (False, Cause.REFUSED, 403)
    assert answer.annotations["controls"] == "container.provenance"
    dry = answer_of("u", DRY, Decided(DENIED, True))
    assert (dry.allowed, dry.cause) == (True, Cause.DRY_RUN)
    assert dry.annotations["would-refuse"] == f"refused: {answer.message}"


@pytest.mark.parametrize("found", [ALLOWED, DENIED])
@pytest.mark.parametrize("outcome", list(Cause))
@pytest.mark.parametrize("glass", [None, GLASS, dataclasses.replace(GLASS, problems=("it ended",))])
@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_decision_and_its_own_word_for_the_answer_have_to_agree(
    found: Decision, outcome: Cause, glass: BreakGlass | None, is_recorded: bool
) -> None:
    answer = answer_of("u", ENFORCE, Decided(with_outcome(found, outcome, glass), is_recorded))
    allows = found.verdict is Verdict.ALLOW and outcome is Cause.ALLOWED
    excuses = found is DENIED and outcome is Cause.BREAK_GLASS and glass is GLASS and is_recorded
    assert answer.allowed is (allows or excuses)


def test_a_decision_of_a_check_is_no_answer() -> None:
    answer = answer_of("u", DRY, Decided(dataclasses.replace(ALLOWED, admission=None), True))
    assert (answer.allowed, answer.cause) == (False, Cause.BUG)


def test_decisions_cannot_be_made_with_another_word_for_the_answer() -> None:
    assert ALLOWED.admission is not None
    assert DENIED.admission is not None
    for outcome in set(Cause) - {Cause.REFUSED}:
        with pytest.raises(ValueError, match="answer"):
            dataclasses.replace(DENIED, admission=dataclasses.replace(DENIED.admission, outcome=outcome))
    for outcome in set(Cause) - {Cause.ALLOWED}:
        with pytest.raises(ValueError, match="answer"):
            dataclasses.replace(ALLOWED, admission=dataclasses.replace(ALLOWED.admission, outcome=outcome))
    facts = dataclasses.replace(ALLOWED.admission.facts, unread={"a": "down"})
    with pytest.raises(ValueError, match="ALLOW"):
        dataclasses.replace(ALLOWED, admission=dataclasses.replace(ALLOWED.admission, facts=facts))


def test_who_cannot_be_judged_is_refused_with_the_uid() -> None:
    assert unread("u", Cause.OVERLOADED, "too many") == Answer("u", False, Cause.OVERLOADED, "too many", 503)
    assert unread(None, Cause.REVIEW, "x" * 5000) == Answer("", False, Cause.REVIEW, "x" * MESSAGE, 400)


def test_answers_can_be_written() -> None:
    for world in (World(), World(registries=FakeRegistries({}))):
        answer = world.judge().answer
        written = write_review(answer)
        assert written.isascii()
        assert answer.annotations["decision"].encode() in written
    assert good()
