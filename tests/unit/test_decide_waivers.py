"""Waivers: only a valid one for these very bytes works, and some causes have none (DOCUMENTS 5, SECURITY 29)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gate.decide import decide
from gate.model.control import Mode, Status, Violation
from gate.model.decision import Decision, Outcome, Verdict, WaiverUse
from gate.model.evidence import Concern, Stage
from gate.model.waiver import WaiverState
from tests.support.cases import DAY_S, change_of, waiver
from tests.support.evidence import NOW_S, digest_of, folder
from tests.support.verdicts import MODEL, case, rejected, result, violation

FILE = MODEL.files["config.json"].digest
OTHER = folder("other", {"config.json": "other bytes"})
CHANGE = change_of(added={"app/a": "changed", "config.json": "at the root"}, deleted={"app/gone": "gone"})
IN_FILE = violation("c.one", "bad", "model", "config.json")


def decided(*waivers: Any, found: Violation = IN_FILE, **more: Any) -> Decision:
    """One control passes, one refuses for one violation."""
    results = {"c.pass": result(Status.PASS), "c.one": result(Status.FAIL, found)}
    return decide(case(results, waivers=waivers, artifacts=(MODEL, OTHER), change=CHANGE, **more))


def valid(**changes: Any) -> Any:
    return waiver(**({"control": "c.one", "artifact": MODEL.digest} | changes))


def test_a_valid_waiver_is_used_and_the_violation_still_shown() -> None:
    found = decided(valid())
    assert (found.verdict, found.exit_code, found.causes) == (Verdict.ALLOW, 0, ())
    assert found.controls["c.one"].outcome is Outcome.WAIVED
    assert [(entry.violation, entry.waiver) for entry in found.controls["c.one"].violations] == [(IN_FILE, "W-1")]


VALID: dict[str, tuple[Any, Violation]] = {
    "for the artifact": (valid(), violation("c.one", "bad", "model")),
    "for the artifact, of its file": (valid(), IN_FILE),
    "for the file": (valid(artifact=FILE), IN_FILE),
    "for the code": (valid(finding="c.one.bad"), IN_FILE),
    "for a changed file": (valid(artifact=digest_of("changed")), violation("c.one", "bad", None, "app/a")),
    "of absent evidence": (valid(), violation("c.one", "missing", "model")),
    "in its first second": (valid(created_s=NOW_S), IN_FILE),
    "in its last second": (valid(expires_s=NOW_S + 1), IN_FILE),
    "that is expiring": (valid(expires_s=NOW_S + 14 * DAY_S), IN_FILE),
}


@pytest.mark.parametrize("name", VALID)
def test_s29_a_valid_waiver_works(name: str) -> None:
    used, found = VALID[name]
    assert decided(used, found=found).verdict is Verdict.ALLOW


INVALID: dict[str, tuple[Any, Violation]] = {
    "another control": (valid(control="c.two"), IN_FILE),
    "the control that passed": (valid(control="c.pass"), IN_FILE),
    "an unknown control": (valid(control="c.none"), IN_FILE),
    "a prefix of the control": (valid(control="c.on"), IN_FILE),
    "a family": (valid(control="c"), IN_FILE),
    "a wildcard": (valid(control="c.*"), IN_FILE),
    "a trailing space": (valid(control="c.one "), IN_FILE),
    "capitals": (valid(control="C.one"), IN_FILE),
    "another artifact": (valid(artifact=OTHER.digest), IN_FILE),
    "a file of the same path in another artifact": (valid(artifact=OTHER.files["config.json"].digest), IN_FILE),
    "a changed file of the same path": (valid(artifact=digest_of("at the root")), IN_FILE),
    "another file of the artifact": (valid(artifact=MODEL.files["a.bin"].digest), IN_FILE),
    "another digest": (valid(artifact=digest_of("x")), IN_FILE),
    "a digest in capitals": (valid(artifact=str(MODEL.digest).upper()), IN_FILE),
    "an empty digest": (valid(artifact=""), IN_FILE),
    "no digest": (valid(artifact=None), IN_FILE),
    "another code": (valid(finding="c.one.worse"), IN_FILE),
    "part of the code": (valid(finding="c.one"), IN_FILE),
    "the bare reason": (valid(finding="bad"), IN_FILE),
    "the code of another control": (valid(finding="c.two.bad"), IN_FILE),
    "an empty code": (valid(finding=""), IN_FILE),
    "pending": (valid(created_s=NOW_S + 1), IN_FILE),
    "expired": (valid(expires_s=NOW_S - 1), IN_FILE),
    "expired in this second": (valid(expires_s=NOW_S), IN_FILE),
    "pending and expired": (valid(created_s=NOW_S + 1, expires_s=NOW_S - 1), IN_FILE),
    "for a violation of nothing": (valid(), violation("c.one")),
    "for an artifact that is not there": (valid(), violation("c.one", "bad", "gone")),
    "for a file by the artifact that is not named": (
        valid(artifact=FILE),
        violation("c.one", "bad", None, "config.json"),
    ),
    "for a file that is not there": (valid(artifact=FILE), violation("c.one", "bad", "model", "gone.json")),
    "for a deleted file": (valid(artifact=digest_of("gone")), violation("c.one", "bad", None, "app/gone")),
    "for a changed file, by its old bytes": (
        valid(artifact=digest_of("old")),
        violation("c.one", "bad", None, "app/a"),
    ),
    "for a changed file that an artifact is said to hold": (
        valid(artifact=digest_of("changed")),
        violation("c.one", "bad", "model", "app/a"),
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_s29_any_other_waiver_has_no_effect(name: str) -> None:
    used, violated = INVALID[name]
    found = decided(used, found=violated)
    assert (found.verdict, found.exit_code) == (Verdict.DENY, 13)
    assert found.controls["c.one"].violations[0].waiver is None


def test_s29_there_are_forty_cases() -> None:
    assert len(VALID) + len(INVALID) >= 40


def test_s29_a_control_that_cannot_be_waived_is_not() -> None:
    assert decided(valid(), unwaivable=["c.one"]).exit_code == 13


@pytest.mark.parametrize("stage", Stage)
def test_s29_causes_11_12_and_14_are_never_waived(stage: Stage) -> None:
    for control in ("c.one", "evidence.accepted", stage.value, f"{stage.value}.x"):
        item = rejected(stage)
        found = decided(valid(control=control, artifact=item.evidence), valid(id="W-2"), refused=[item])
        assert found.exit_code == stage.exit_code
        assert found.verdict is Verdict.DENY


def test_s29_evidence_about_others_needs_no_waiver() -> None:
    assert decided(valid(), refused=[rejected(Stage.CHAIN, Concern.OTHERS)]).verdict is Verdict.ALLOW


@pytest.mark.parametrize("status", [Status.ERROR])
def test_s29_an_error_is_not_waived(status: Status) -> None:
    results = {"c.pass": result(Status.PASS), "c.one": result(status, IN_FILE)}
    found = decide(case(results, waivers=[valid()]))
    assert (found.verdict, found.exit_code) == (Verdict.ERROR, 4)


def test_s29_a_waiver_alone_does_not_allow() -> None:
    found = decide(case({"c.one": result(Status.FAIL, IN_FILE)}, waivers=[valid()]))
    assert (found.controls["c.one"].outcome, found.exit_code) == (Outcome.WAIVED, 10)


def test_s29_every_violation_needs_a_waiver() -> None:
    both = result(Status.FAIL, IN_FILE, violation("c.one", "worse", "other"))
    results = {"c.pass": result(Status.PASS), "c.one": both}
    first, second = valid(), valid(id="W-2", artifact=OTHER.digest)
    for waivers, code in (([first], 13), ([second], 13), ([first, second], 0)):
        assert decide(case(results, waivers=waivers, artifacts=(MODEL, OTHER))).exit_code == code


def test_the_first_waiver_by_id_is_named() -> None:
    found = decided(valid(id="W-9"), valid(id="W-2"))
    assert found.controls["c.one"].violations[0].waiver == "W-2"


def test_an_expired_waiver_does_not_hide_a_valid_one() -> None:
    assert decided(valid(id="W-0", expires_s=NOW_S), valid(id="W-2")).verdict is Verdict.ALLOW


def test_a_warning_can_be_waived_too() -> None:
    modes = {"c.pass": Mode.ENFORCE, "c.one": Mode.WARN}
    results = {"c.pass": result(Status.PASS), "c.one": result(Status.FAIL, IN_FILE)}
    assert decide(case(results, modes, waivers=[valid()])).controls["c.one"].outcome is Outcome.WAIVED


# -- every waiver is reported ------------------------------------------------------------------------------------------


def use(*waivers: Any, **more: Any) -> WaiverUse:
    (found,) = decided(*waivers, **more).waivers
    return found


@pytest.mark.parametrize(
    ("changes", "state", "used", "problem"),
    [
        ({}, WaiverState.ACTIVE, True, None),
        ({"expires_s": NOW_S + 14 * DAY_S}, WaiverState.EXPIRING, True, None),
        ({"expires_s": NOW_S + 14 * DAY_S + 1}, WaiverState.ACTIVE, True, None),
        ({"expires_s": NOW_S}, WaiverState.EXPIRED, False, "the waiver is expired"),
        ({"created_s": NOW_S + 1}, WaiverState.PENDING, False, "the waiver is pending"),
        ({"artifact": digest_of("x")}, WaiverState.ACTIVE, False, "the waiver is not used"),
        ({"finding": "c.one.x"}, WaiverState.ACTIVE, False, "the waiver is not used"),
        ({"control": "c.none"}, WaiverState.ACTIVE, False, "there is no control 'c.none'"),
    ],
)
def test_s29_a_waiver_is_reported_with_its_state_and_problem(
    changes: dict[str, Any], state: WaiverState, problem: str | None, *, used: bool
) -> None:
    found = use(valid(**changes))
    assert (found.state, found.used, found.problem) == (state, used, problem)
    assert (found.id, found.expires_s) == ("W-1", valid(**changes).expires_s)


def test_s29_a_waiver_for_what_cannot_be_waived_is_reported() -> None:
    found = use(valid(), unwaivable=["c.one"])
    assert (found.used, found.problem) == (False, "c.one cannot be waived")


def test_waivers_are_reported_in_the_order_of_their_ids() -> None:
    found = decided(*(valid(id=name) for name in ("W-3", "W-1", "W-2")))
    assert [(item.id, item.used) for item in found.waivers] == [("W-1", True), ("W-2", False), ("W-3", False)]


def test_an_invalid_waiver_says_why() -> None:
    waivers = [dataclasses.replace(valid(), id="W-9", problem="two of one id differ")]
    found = decide(case({"c.one": result(Status.PASS)}, waivers=waivers))
    assert [(use.id, use.problem) for use in found.waivers] == [("W-9", "two of one id differ")]
