"""Reports say which of a team's own controls judged, and name first those that stand in for the library's."""

from __future__ import annotations

import pytest

from gate.model.decision import Verdict
from gate.model.policy import JudgingPolicy, PolicyOrigin
from gate.report.json import decision_json
from gate.report.markdown import render_markdown
from gate.report.text import render_text
from tests.support.decisions import control, decision

OWN = ("custom.a.one", "scan.malware", *(f"custom.b.c{number}" for number in range(10)))


def lines(policy: JudgingPolicy) -> tuple[list[str], list[str]]:
    made = decision(control("a.b"), verdict=Verdict.ALLOW, exit_code=0, policy=policy)
    pages = render_text(made), render_markdown(made).replace("\\", "").replace("`", "")
    text, comment = ([line for line in page.splitlines() if "Own controls" in line] for page in pages)
    return text, comment


def test_nothing_is_said_of_the_librarys_own() -> None:
    assert lines(JudgingPolicy()) == ([], [])
    assert lines(JudgingPolicy(PolicyOrigin.BUNDLE, 3)) == ([], [])


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (JudgingPolicy(own=("custom.a.one",)), "Own controls judged: custom.a.one beside the library's."),
        (
            JudgingPolicy(own=("scan.malware",), replaced=("scan.malware",)),
            "Own controls judged: scan.malware in the place of the library's.",
        ),
        (
            JudgingPolicy(own=OWN, replaced=("scan.malware",)),
            "Own controls judged: scan.malware in the place of the library's; custom.a.one, "
            + ", ".join(f"custom.b.c{number}" for number in range(7))
            + " and 3 more beside the library's.",
        ),
    ],
)
def test_own_controls_are_named_in_one_line(policy: JudgingPolicy, said: str) -> None:
    assert lines(policy) == ([f"  {said}"], [said])


def test_a_name_from_outside_is_escaped() -> None:
    text, _ = lines(JudgingPolicy(own=("custom.\x1b[31mx",)))
    assert "\x1b" not in text[0]


def test_the_document_holds_all_of_it() -> None:
    policy = JudgingPolicy(PolicyOrigin.BUNDLE, 7, OWN, ("scan.malware",))
    made = decision_json(decision(control("a.b"), verdict=Verdict.ALLOW, exit_code=0, policy=policy))
    assert made["policy"] == {"origin": "bundle", "serial": 7, "own": list(OWN), "replaced": ["scan.malware"]}
