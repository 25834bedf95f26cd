"""The oracle itself: of each kind of wrong answer it says so, and of right ones nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults import load
from tests.faults.load import Asked, Oracle, Subject, Window
from tests.support.registries import Registry
from tests.support.webhook_site import Site

GOOD, BAD = Subject("good", True, ("a",)), Subject("bad", False, ("b",))
RECORDED = {"d-allow": "allow", "d-deny": "deny"}


def answer(allowed: bool, cause: str, decision: str | None, **changes: Any) -> dict[str, Any]:
    annotations = {"cause": cause} | ({} if decision is None else {"decision": decision})
    status = {} if allowed else {"status": {"code": 403, "message": "refused by gate: because"}}
    return {"uid": "u", "allowed": allowed, "auditAnnotations": annotations, **status, **changes}


ALLOWED, DENIED = answer(True, "allowed", "d-allow"), answer(False, "refused", "d-deny")
BROKEN = answer(False, "registry", None)


def asked(subject: Subject, response: dict[str, Any] | None, began: float = 10.0, took: float = 0.1) -> Asked:
    return Asked(subject, "u", began, began + took, response)


def told(site: Site, *all_asked: Asked, **more: Any) -> dict[str, Any]:
    fault = Window("fault", {"registry"}, 20.0, 25.0, 27.0)
    return Oracle(site, [asked(GOOD, ALLOWED, 1.0), *all_asked], [fault], **more).figures()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    monkeypatch.setattr(load, "verdicts", lambda _: RECORDED)
    return Site(tmp_path, Registry.__new__(Registry))


RIGHT = {
    "let in": asked(GOOD, ALLOWED),
    "refused": asked(BAD, DENIED),
    "refused in a fault": asked(GOOD, BROKEN, 21.0),
    "refused before it was over": asked(GOOD, BROKEN, 26.5),
    "begun before a fault": asked(GOOD, BROKEN, 19.0, 2.0),
    "no room": asked(GOOD, answer(False, "overloaded", None)),
}
WRONG = {
    "WRONG ALLOW": asked(BAD, ALLOWED),
    "the uid of another": asked(GOOD, ALLOWED | {"uid": "v"}),
    "it took 5.00 s": asked(GOOD, ALLOWED, took=5.0),
    "no reason": asked(BAD, DENIED | {"status": {"code": 403, "message": ""}}),
    "refused, registry": asked(GOOD, BROKEN, 28.0),
    "refused, policy": asked(GOOD, answer(False, "policy", None), 21.0),
    "refused, refused": asked(GOOD, DENIED),
    "no answer": asked(GOOD, None),
    "the decision None is not in the log": asked(GOOD, answer(True, "allowed", None)),
    "the decision d-lost is not in the log": asked(GOOD, answer(True, "allowed", "d-lost")),
    "the log says deny": asked(GOOD, answer(True, "allowed", "d-deny")),
    "the log says allow": asked(BAD, answer(False, "refused", "d-allow")),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_right(site: Site, name: str) -> None:
    assert told(site, RIGHT[name])["asked"] == 2


@pytest.mark.parametrize("problem", WRONG)
def test_wrong_answers_are_found(site: Site, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        told(site, WRONG[problem])


def test_who_is_killed_may_not_answer(site: Site) -> None:
    assert told(site, asked(GOOD, None), answers=False)["good_let_in"] == 1
