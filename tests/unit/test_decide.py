"""The verdict: closed, total, and reached by one way only (ARCHITECTURE 2 and 6)."""

from __future__ import annotations

import ast
import dataclasses
import functools
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from gate.decide import PRECEDENCE, Case, decide
from gate.errors import PolicyError
from gate.model.change import ChangeSource
from gate.model.control import ControlResult, Mode, Status
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome, Verdict, WaiverUse
from gate.model.digest import Digest
from gate.model.evidence import Concern, Rejected, Stage, Statement, Subject, Verified, VerifiedSet
from gate.model.waiver import WaiverState
from tests.support.cases import change_of, good_case, judge, verified_set, waiver
from tests.support.evidence import digest_of
from tests.support.verdicts import MODEL, case, info, rejected, result, violation

GATE: Final = Path(__file__).parents[2] / "gate"
ENFORCE, WARN, OFF = Mode.ENFORCE, Mode.WARN, Mode.OFF
CONTROLS: Final = ("c.one", "c.two", "c.three")


# -- the truth table, against an oracle that is written differently ----------------------------------------------------

# What a control says: a letter. p pass, n not applicable, e error, f refused, m evidence missing, b both,
# w refused and waived, v missing and waived, h half waived, and a capital for mode warn.
LETTERS: Final = "pnefmbwvh"
STAGE_LETTERS: Final = {
    "": None,
    "s": Stage.SIGNATURE,
    "d": Stage.SUBJECT,
    "c": Stage.CHAIN,
    "t": Stage.STATEMENT,
    "v": Stage.ENVELOPE,
}


def oracle(letters: str, stages: str) -> int:
    """The exit code, from the words of the specification alone."""
    harm = [letter for letter in letters if letter.islower()]
    found = "".join(harm)
    if "s" in stages:
        return 11
    if "d" in stages:
        return 12
    if set(stages) & set("ctv"):
        return 14
    if "m" in found or "b" in found:
        return 10
    if "f" in found or "h" in found:
        return 13
    if "e" in found:
        return 4
    return 0 if "p" in found else 10


def answer(name: str, letter: str) -> ControlResult:
    waived = violation(name, "bad", "model")
    absent = violation(name, "missing", "model")
    elsewhere = violation(name, "bad")
    return {
        "p": result(Status.PASS),
        "n": result(Status.NOT_APPLICABLE),
        "e": result(Status.ERROR),
        "f": result(Status.FAIL, elsewhere),
        "m": result(Status.FAIL, violation(name, "missing")),
        "b": result(Status.FAIL, elsewhere, violation(name, "x_missing")),
        "w": result(Status.FAIL, waived),
        "v": result(Status.FAIL, absent),
        "h": result(Status.FAIL, waived, elsewhere),
    }[letter.lower()]


def lettered(letters: str, stages: str = "", concern: Concern = Concern.AT_STAKE) -> Case:
    names = CONTROLS[: len(letters)]
    waivers = [waiver(id=f"W-{name}", control=name, artifact=MODEL.digest) for name in names]
    refused = [rejected(stage, concern) for letter in stages if (stage := STAGE_LETTERS[letter]) is not None]
    return case(
        {name: answer(name, letter) for name, letter in zip(names, letters, strict=True)},
        {name: ENFORCE if letter.islower() else WARN for name, letter in zip(names, letters, strict=True)},
        refused=refused,
        waivers=waivers,
    )


def table() -> Iterator[tuple[str, str]]:
    both = LETTERS + LETTERS.upper()
    for size in (1, 2):
        for letters in itertools.product(both, repeat=size):
            yield from (("".join(letters), stage) for stage in STAGE_LETTERS)
    chance = random.Random(7)
    for _ in range(600):
        yield "".join(chance.choices(both, k=3)), "".join(chance.sample("sdctv", chance.randrange(4)))


def test_the_verdict_is_that_of_the_oracle() -> None:
    rows = list(table())
    assert len(rows) >= 500
    wrong = []
    for letters, stages in rows:
        found, expected = decide(lettered(letters, stages)), oracle(letters, stages)
        verdict = {0: Verdict.ALLOW, 4: Verdict.ERROR}.get(expected, Verdict.DENY)
        if (found.exit_code, found.verdict) != (expected, verdict):
            wrong.append((letters, stages, found.exit_code, expected))
    assert wrong == []


def test_evidence_about_others_changes_no_verdict() -> None:
    for letters, stages in table():
        found = decide(lettered(letters, stages, Concern.OTHERS))
        assert found.exit_code == decide(lettered(letters)).exit_code


def test_the_table_holds_every_exit_code() -> None:
    assert {oracle(*row) for row in table()} == {0, 4, 10, 11, 12, 13, 14}


@pytest.mark.parametrize("stages", ["sdc", "dc", "csd", "tv", "ct"])
def test_the_precedence_is_11_12_14_10_13(stages: str) -> None:
    found = decide(lettered("fm", stages))
    assert PRECEDENCE == (11, 12, 14, 10, 13)
    assert found.causes == tuple(code for code in PRECEDENCE if code in found.causes)
    assert set(found.causes) == {{"s": 11, "d": 12}.get(letter, 14) for letter in stages} | {10, 13}
    assert found.exit_code == found.causes[0]


def test_all_causes_are_reported() -> None:
    assert decide(lettered("fm", "sdc")).causes == (11, 12, 14, 10, 13)


def test_nothing_that_passed_is_no_reason_to_allow() -> None:
    for letters in ("n", "nn", "w", "nw", "Pn", "P", "PP", "PF", "wv"):
        found = decide(lettered(letters))
        assert (found.verdict, found.exit_code) == (Verdict.DENY, 10)


def test_a_warning_changes_no_verdict() -> None:
    for letter in LETTERS.upper():
        assert decide(lettered("p" + letter)).verdict is Verdict.ALLOW


def test_a_refusal_without_a_violation_is_still_a_refusal() -> None:
    for more in ((), (result(Status.PASS),)):
        results = dict(zip(CONTROLS, (result(Status.FAIL), *more), strict=False))
        assert decide(case(results)).exit_code == 13


@pytest.mark.parametrize("status", [Status.PASS, Status.NOT_APPLICABLE])
def test_a_pass_with_a_violation_is_a_refusal(status: Status) -> None:
    results = {"c.one": result(Status.PASS), "c.two": result(status, violation("c.two"))}
    found = decide(case(results))
    assert (found.exit_code, found.controls["c.two"].outcome) == (13, Outcome.FAIL)


# -- what is no evaluation of the profile ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answered", "modes"),
    [
        ({}, {"c.one": ENFORCE}),
        ({"c.one": 1}, {"c.one": ENFORCE, "c.two": WARN}),
        ({"c.one": 1, "c.two": 1}, {"c.one": ENFORCE}),
        ({"c.one": 1, "c.two": 1}, {"c.one": ENFORCE, "c.two": OFF}),
        ({"c.two": 1}, {"c.one": ENFORCE}),
        ({}, {}),
        ({}, {"c.one": OFF}),
        ({"C.one": 1}, {"c.one": ENFORCE}),
    ],
)
def test_s25_another_set_of_controls_is_no_evaluation(answered: dict[str, int], modes: dict[str, Mode]) -> None:
    with pytest.raises(PolicyError, match="not of the controls that the profile asks for"):
        decide(case({name: result(Status.PASS) for name in answered}, modes))


def test_a_control_that_the_catalogue_lacks_is_no_control() -> None:
    with pytest.raises(PolicyError, match="catalogue"):
        decide(case({"c.one": result(Status.PASS)}, catalogue={}))


# -- a decision that allows without reason cannot be made --------------------------------------------------------------

ALLOWED: Final = decide(lettered("pnwP"[:3]))
DENIED: Final = decide(lettered("f"))


def changed(name: str, **changes: Any) -> dict[str, ControlDecision]:
    return {**ALLOWED.controls, name: dataclasses.replace(ALLOWED.controls[name], **changes)}


def listed(**changes: Any) -> tuple[WaiverUse, ...]:
    return tuple(dataclasses.replace(waiver, **changes) for waiver in ALLOWED.waivers)


REUSED: Final = (
    DecidedViolation(
        dataclasses.replace(violation("c.three"), code="c.three.missing"), None, Digest(f"sha256:{'7' * 64}")
    ),
)
OPEN: Final = (DecidedViolation(violation("c.one"), None),)
FALSE_ALLOWS: Final[dict[str, dict[str, Any]]] = {
    "deny with exit 0": {"verdict": Verdict.DENY},
    "error with exit 0": {"verdict": Verdict.ERROR},
    "allow with exit 13": {"exit_code": 13},
    "allow with exit 4": {"exit_code": 4},
    "no control": {"controls": {}},
    "nothing passed": {"controls": changed("c.one", outcome=Outcome.NOT_APPLICABLE)},
    "the pass is a warning": {"controls": changed("c.one", mode=WARN)},
    "a control failed": {"controls": changed("c.two", outcome=Outcome.FAIL)},
    "a control is in error": {"controls": changed("c.two", outcome=Outcome.ERROR)},
    "an open violation": {"controls": changed("c.one", violations=OPEN)},
    "a waived control with an open violation": {"controls": changed("c.three", violations=OPEN)},
    "a waiver for nothing": {"controls": changed("c.three", violations=())},
    "a waiver for what cannot be waived": {"controls": changed("c.three", info=info("c.three", waivable=False))},
    "a waiver that is nowhere": {"waivers": ()},
    "a waiver that is not used": {"waivers": listed(used=False)},
    "a waiver that is over": {"waivers": listed(state=WaiverState.EXPIRED)},
    "a waiver of another control": {"waivers": listed(control="c.one")},
    "a summary that is nowhere": {"controls": changed("c.three", outcome=Outcome.REUSED, violations=REUSED)},
    "rejected evidence": {"rejected": (rejected(Stage.CHAIN),)},
    "a cause": {"causes": (13,)},
}


@pytest.mark.parametrize("name", FALSE_ALLOWS)
def test_a_false_allow_cannot_be_built(name: str) -> None:
    with pytest.raises(ValueError, match=r"ALLOW"):
        dataclasses.replace(ALLOWED, **FALSE_ALLOWS[name])


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in {Outcome.FAIL, Outcome.ERROR}])
def test_no_control_passes_or_is_covered_with_an_open_violation(mode: Mode, outcome: Outcome) -> None:
    """In no verdict and no mode: reports and statements about verdicts name what passed."""
    control = dataclasses.replace(DENIED.controls["c.one"], mode=mode, outcome=outcome, violations=OPEN)
    with pytest.raises(ValueError, match=r"found something|a violation of it is not"):
        dataclasses.replace(DENIED, controls={"c.one": control})


@pytest.mark.parametrize("verdict", [Verdict.ALLOW, Verdict.DENY, Verdict.ERROR])
def test_a_refusal_cannot_be_turned_into_exit_0(verdict: Verdict) -> None:
    with pytest.raises(ValueError, match="ALLOW"):
        dataclasses.replace(DENIED, verdict=verdict, exit_code=0)


def test_a_decision_does_not_change_after_it_was_made() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DENIED.verdict = Verdict.ALLOW  # type: ignore[misc]


def test_warnings_and_evidence_about_others_may_stand_beside_an_allow() -> None:
    others: tuple[Rejected, ...] = (rejected(Stage.SIGNATURE, Concern.OTHERS),)
    warned = {**ALLOWED.controls, "c.four": dataclasses.replace(DENIED.controls["c.one"], mode=WARN)}
    assert dataclasses.replace(ALLOWED, rejected=others, controls=warned).verdict is Verdict.ALLOW


# Who may name the word, and why. Everybody else would be a second way to it.
MAKES_OR_CHECKS: Final = {"decide.py", "model/decision.py"}
READS_SAVED_ONES: Final = {"formats/decision_document.py"}


def names_of_allow(source: str) -> int:
    return sum(
        (isinstance(node, ast.Attribute) and node.attr == "ALLOW")
        or (isinstance(node, ast.Name) and node.id in {"ALLOW", "EXIT_ALLOW"} and isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Verdict")
        for node in ast.walk(ast.parse(source))
    )


NAMED: Final = {
    path.relative_to(GATE).as_posix()
    for path in GATE.rglob("*.py")
    if "Verdict" in path.read_text() and names_of_allow(path.read_text())
}
COMPARING: Final = ["app/admission_answer.py", "app/admit.py", "app/audit.py", "app/self_test.py"]
COMPARES: Final = sorted(NAMED - MAKES_OR_CHECKS - READS_SAVED_ONES)


def test_allow_is_made_or_checked_in_two_files_and_compared_in_reports() -> None:
    assert NAMED >= MAKES_OR_CHECKS | READS_SAVED_ONES
    assert [name for name in COMPARES if not name.startswith("report/")] == COMPARING


@pytest.mark.parametrize("name", COMPARES)
def test_others_compare_the_verdict_and_never_make_one(name: str) -> None:
    tree = ast.parse((GATE / name).read_text())
    allowed = {
        id(part)
        for node in ast.walk(tree)
        for part in [
            *(node.comparators if isinstance(node, ast.Compare) else []),
            *(node.keys if isinstance(node, ast.Dict) else []),
        ]
    }
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "ALLOW"]
    assert all(id(node) in allowed for node in named)


@functools.cache
def makers() -> set[str]:
    """Asked once: the tests of a mutant are run very often, and no mutant changes what is written in a file."""
    return {
        path.relative_to(GATE).as_posix()
        for path in GATE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Decision"
    }


def test_only_decide_makes_decisions() -> None:
    """And the reader of saved ones, which import contracts keep away from whatever judges."""
    assert makers() == {"decide.py", "formats/decision_document.py"}


# -- what else a decision says -----------------------------------------------------------------------------------------


def test_a_decision_names_what_it_rests_on() -> None:
    found = decide(lettered("p"))
    assert (found.id, found.decided_at, found.engine, found.engine_version) == (
        "01TEST", "2026-11-20T12:00:00Z", "scripted", "1",
    )  # fmt: skip
    assert (found.digests.input, found.digests.policy) == (digest_of("input"), digest_of("policy"))
    assert (found.digests.configuration, found.digests.trust) == (digest_of("configuration"), digest_of("trust"))
    assert found.context == {"target": "deployment", "profile": "p", "configuration_from": "worktree"}


def test_a_dry_run_has_the_true_verdict() -> None:
    found = decide(dataclasses.replace(lettered("f"), dry_run=True))
    assert (found.dry_run, found.verdict, found.exit_code) == (True, Verdict.DENY, 13)


def test_equal_cases_give_equal_decisions() -> None:
    assert decide(lettered("pfw", "s")) == decide(lettered("pfw", "s"))


def test_the_subject_names_artifacts_and_commits() -> None:
    found = decide(dataclasses.replace(lettered("p"), change=change_of(source=ChangeSource.COLLECTED)))
    model = {
        "kind": "weights", "digest": MODEL.digest, "path": "models/model", "reference": None, "base": None,
        "bytes": MODEL.bytes, "build_level": None,
    }  # fmt: skip
    assert found.subject == {
        "artifacts": {"model": model},
        "change": {
            "status": "collected", "base": "a" * 40, "merge_base": "a" * 40, "head": "b" * 40, "tree": "b" * 40,
            "dirty": False,
        },
    }  # fmt: skip


def test_coverage_counts_what_was_looked_at() -> None:
    evidence = verified_set(good_case())
    found: Any = judge(good_case()).coverage
    assert found["artifacts"] == {"total": 1, "with_verified_evidence": 1}
    assert found["files"] == {"changed": 2, "in_artifacts": 2}
    assert found["claims"] == {"artifact.signature": 1, "build.provenance": 1, "eval": 1, "prompt": 1}
    assert found["controls"]["evaluated"] == found["controls"]["total"] == 24
    # Nothing was collected, no model was tuned and nothing is waived.
    assert found["controls"]["pass"] == 13
    assert len(evidence.verified) == 4


def test_the_code_is_that_of_the_violations_that_are_not_waived() -> None:
    """Evidence that is missing and waived does not turn a refusal into missing evidence."""
    both = result(Status.FAIL, violation("c.one", "missing", "model"), violation("c.one", "bad"))
    found = decide(case({"c.one": both}, waivers=[waiver(control="c.one", artifact=MODEL.digest)]))
    assert found.causes == (13,)


def test_a_subject_without_a_sha256_is_not_listed() -> None:
    resources = (Subject("a", digest_of("a")), Subject("b", None, {"sha512": "0" * 128}))
    body = Statement("prompt", "t", resources, resources, False, (), None, {}, {})
    item = Verified(digest_of("p"), digest_of("e"), "x", body, ())
    found = decide(case({"c.one": result(Status.PASS)}, evidence=VerifiedSet((item,), ())))
    assert found.verified[0].subjects == {"a": digest_of("a")}


def test_verified_statements_are_listed_with_their_subjects() -> None:
    found = judge(good_case())
    (item,) = [item for item in found.verified if item.claim == "prompt"]
    assert item.subjects == {name: digest_of(text) for name, text in (
        ("app/system.txt", "You are a helpful summarizer."), ("app/tools.txt", "search: allowed"),
    )}  # fmt: skip
    assert item.signers[0].name == "release"


def test_rejected_evidence_is_in_the_decision_whatever_it_concerns() -> None:
    items = (rejected(Stage.CHAIN), rejected(Stage.CHAIN, Concern.OTHERS, "o"))
    assert decide(case({"c.one": result(Status.PASS)}, evidence=VerifiedSet((), items))).rejected == items


def test_controls_keep_their_results() -> None:
    answered = ControlResult(Status.PASS, (), (digest_of("e"),), "why")
    (found,) = decide(case({"c.one": answered})).controls.values()
    assert (found.evidence, found.reason, found.mode, found.info.id) == ((digest_of("e"),), "why", ENFORCE, "c.one")
    assert isinstance(ALLOWED, Decision)
