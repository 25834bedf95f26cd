"""What a change of policy does to past decisions, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from gate.formats.canonical_json import pretty
from gate.formats.schema import problem
from gate.model.digest import Digest
from gate.model.impact import ControlTurn, Impact, Opinion, PastCase, Rulebook
from gate.report.impact import impact_csv, impact_json, impact_markdown, impact_text, summary
from tests.support.decisions import NOON, digest

HOSTILE = "\x1b[2J=cmd|' /C calc'!A0\n| x | `y` @all #1\u202e<b>\r"
NOW = ControlTurn("scan.malware", "pass", "fail", refuses_now=True, refuses_no_more=False)
NO_MORE = ControlTurn("artifact.signed", "fail", "fail (warns)", refuses_now=False, refuses_no_more=True)
OTHER = ControlTurn("model.card", "not asked", "fail (warns)", refuses_now=False, refuses_no_more=False)


def case(place: str, old: str, new: str, *turns: ControlTurn, recorded: str | None = None) -> PastCase:
    return PastCase(place, NOON, ("summarizer",), recorded, "baseline", Opinion(old), Opinion(new), turns)


CASES = (
    case("one", "allow", "allow", recorded="allow"),
    case("two", "allow", "deny", NOW, OTHER, recorded="allow"),
    case("three", "deny", "allow", NO_MORE, recorded="allow"),
    replace(case("four", "deny", "deny", OTHER), asked_by="strict"),
    replace(case("five", "allow", "error"), new=Opinion("error", "data.gate.main.report took longer than 10 seconds")),
)
OLD = Rulebook("3f2a1b9c04d1e5f60718293a4b5c6d7e8f901234", digest("old"), "baseline")
NEW = Rulebook("worktree", digest("new"), "baseline")
IMPACT = Impact(OLD, NEW, CASES, {"six": "no JSON"})


def test_the_tables_count_by_verdict_and_by_control() -> None:
    lines = impact_text(IMPACT).splitlines()
    assert lines[0].startswith("old  commit 3f2a1b9c04d1: policy sha256:")
    assert lines[1].startswith("new  the work tree: policy sha256:")
    verdicts = [line.split() for line in lines if " -> " in line][:5]
    assert ["DENY", "->", "ALLOW", "1", "LOOSENS"] in verdicts
    assert ["ALLOW", "->", "NO", "DECISION", "1"] in verdicts
    assert verdicts[3] == ["ALLOW", "->", "ALLOW", "1"], "those that turned come first"
    assert "scan.malware     1            0                0" in lines
    assert "artifact.signed  0            1                0" in lines
    assert "model.card       0            0                2" in lines


def test_each_case_that_turned_is_named_with_what_turned_it() -> None:
    text = impact_text(IMPACT)
    assert "two    2026-11-20T12:00:00Z  summarizer  ALLOW -> DENY         scan.malware" in text
    assert "three  2026-11-20T12:00:00Z  summarizer  DENY -> ALLOW         artifact.signed" in text
    assert "data.gate.main.report took longer than 10 seconds" in text
    assert "\none " not in text
    assert "NOT JUDGED  six: no JSON" in text


def test_what_was_decided_by_another_policy_or_asked_by_another_profile_is_noted() -> None:
    text = impact_text(IMPACT)
    assert "NOTE  1 case: decided otherwise then than the old policy decides now" in text
    assert "NOTE  1 case: asked by another profile then: strict" in text
    assert "NOTE  1 case: asked by another profile then: `strict`" not in text
    assert "asked by another profile then: strict" in impact_markdown(IMPACT)


@pytest.mark.parametrize(
    ("impact", "sentence"),
    [
        (IMPACT, "3 verdicts of 5 past cases turn, 1 of them to ALLOW; 1 could not be judged again."),
        (Impact(OLD, NEW, CASES[:1], {}), "No verdict of 1 past case turns."),
        (Impact(OLD, NEW, CASES[1:2], {}), "1 verdict of 1 past case turns, 0 of them to ALLOW."),
    ],
)
def test_the_last_line_says_how_much_turns(impact: Impact, sentence: str) -> None:
    assert summary(impact) == sentence
    assert impact_text(impact).splitlines()[-1] == sentence
    assert impact_markdown(impact).startswith(f"## {sentence}\n")


def test_without_any_turn_there_is_one_table() -> None:
    impact = Impact(OLD, NEW, CASES[:1], {})
    assert "because" not in impact_text(impact)
    assert "###" not in impact_markdown(impact)
    assert "NOTE" not in impact_text(impact)


def test_the_json_fits_its_schema_and_names_every_case() -> None:
    value = json.loads(pretty(impact_json(IMPACT)))
    assert problem("impact.json", value) is None
    assert [item["place"] for item in value["cases"]] == ["one", "two", "three", "four", "five"]
    assert (value["total"], value["turned"], value["loosened"]) == (5, 3, 1)
    assert value["controls"]["scan.malware"] == {"refuses_now": 1, "refuses_no_more": 0, "otherwise": 0}
    assert value["decided_otherwise"] == 1
    assert value["asked_otherwise"] == {"strict": 1}


def test_the_csv_has_a_row_for_each_case() -> None:
    rows = list(csv.DictReader(io.StringIO(impact_csv(IMPACT), newline="")))
    assert [row["case"] for row in rows] == ["one", "two", "three", "four", "five"]
    assert rows[1]["refuses now"] == "scan.malware"
    assert rows[2]["refuses no more"] == "artifact.signed"
    assert rows[3]["recorded"] == ""
    assert rows[4]["problem"].startswith("data.gate.main.report")


def test_what_is_too_long_is_cut_and_said_so() -> None:
    turns = tuple(replace(NOW, control=f"a.c{number}") for number in range(8))
    cases = tuple(case(f"c{number}", "allow", "deny", *turns) for number in range(41))
    impact = Impact(OLD, NEW, cases, {f"u{number}": "why" for number in range(11)})
    for text in (impact_text(impact), impact_markdown(impact)):
        assert "... and 1 more; --format json lists all" in text
        assert "... and 1 more that were not judged" in text
        assert " and 2 more" in text
    quiet = replace(CASES[1], turns=(OTHER,))
    assert "model.card" in impact_text(Impact(OLD, NEW, (quiet,), {})).split("because of")[1]


def test_s34_hostile_text_is_harmless() -> None:
    bad = PastCase(HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE, Opinion("deny", HOSTILE), Opinion("allow"), (NOW,))
    rules = Rulebook(HOSTILE, Digest(HOSTILE), HOSTILE)
    impact = Impact(rules, rules, (bad,), {HOSTILE: HOSTILE})
    for text in (impact_text(impact), impact_markdown(impact), impact_csv(impact).replace("\r\n", "\n")):
        assert not set(text) & {"\x1b", "\r", "\u202e"}
    rows = list(csv.reader(io.StringIO(impact_csv(impact), newline="")))
    assert len(rows) == 2
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in rows[1])
