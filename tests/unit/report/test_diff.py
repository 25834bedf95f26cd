"""Differences of decisions and documents, for people and for programs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from gate.app.diff import Opened, diff, open_document
from gate.errors import ConfigError, EvidenceError
from gate.formats.canonical_json import pretty
from gate.formats.input_document import read_input_document
from gate.formats.schema import problem
from gate.model.control import Mode
from gate.model.decision import Decision, Outcome, Verdict
from gate.model.difference import Diff, Difference
from gate.model.policy import Presence
from gate.report.diff import diff_json, diff_markdown, diff_text, difference_lines, summary
from gate.report.json import render_json
from tests.support.decisions import approval, control, decision, refusal, undecided, violation

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "\x1b[2J| x | `y` @all #1\u202e<b>\r\n## "


def document(**changes: Any) -> Opened:
    value = json.loads((ROOT / "tests/property/inputs/pull_request.json").read_text())
    return Opened("a.json", read_input_document(json.dumps({**value, **changes}).encode()))


def compared(old: Decision, new: Decision) -> Diff:
    return diff(Opened("old.json", old), Opened("new.json", new))


def test_a_decision_is_the_same_as_itself_whatever_its_id_and_time() -> None:
    again = dataclasses.replace(refusal(), id="01J8ZQ4T7M3N5P6R7S8T9V0W1Y", decided_at="2026-11-21T12:00:00Z")
    found = compared(refusal(), again)
    assert found.is_same
    assert (found.turns, found.differences) == ((), ())
    assert summary(found) == "The two decisions say the same."
    assert diff_text(found).splitlines()[-1] == summary(found)


def test_what_turned_comes_first_with_the_violations_that_are_no_more() -> None:
    found = compared(refusal(), approval())
    turned = {turn.control: turn for turn in found.turns}
    assert turned["artifact.signed"].refuses_no_more
    assert [entry.violation.code for entry in turned["artifact.signed"].gone] == ["artifact.signed.missing"]
    assert turned["evidence.accepted"].new is None
    assert turned["build.provenance"].old is None
    assert not turned["scan.coverage"].refuses_no_more, "it only warned"
    assert summary(found).startswith("DENY -> ALLOW: 0 controls refuse now, 3 no more; ")
    text = diff_text(found)
    assert "artifact.signed: fail -> pass, refuses no more" in text
    assert "scan.coverage: fail (warns) -> not asked" in text
    assert "      - artifact.signed.missing: summarizer: no verified signature" in text
    assert "  + verified/sha256:" in text
    assert "  - rejected/sha256:" in text


def test_the_other_way_round_it_refuses_now() -> None:
    found = compared(approval(), refusal())
    assert {turn.control for turn in found.turns if turn.refuses_now} == {
        "artifact.signed",
        "change.attested",
        "evidence.accepted",
    }
    assert "build.provenance: pass -> not asked\n" in diff_text(found)
    assert "artifact.signed: pass -> fail, REFUSES NOW" in diff_text(found)


def test_no_decision_is_called_so() -> None:
    assert summary(compared(undecided(), approval())).startswith("NO DECISION -> ALLOW")


def test_a_violation_that_is_waived_now_is_told() -> None:
    bare = violation("scan.malware.finding", "modelscan found S201", artifact="summarizer", file="extra.bin")
    old = decision(control("scan.malware", Outcome.FAIL, bare), control("b.two"))
    covers: list[tuple[dict[str, Any], str]] = [
        ({"waiver": "W-1"}, "(waived by W-1)"),
        ({"reuse": "sha256:" + "0" * 64}, "(reused)"),
    ]
    for cover, words in covers:
        entry = dataclasses.replace(bare, **cover)
        [turn] = compared(old, decision(control("scan.malware", Outcome.FAIL, entry), control("b.two"))).turns
        assert (len(turn.gone), len(turn.came)) == (1, 1)
        text = diff_text(compared(old, decision(control("scan.malware", Outcome.FAIL, entry), control("b.two"))))
        assert f"+ scan.malware.finding: summarizer/extra.bin: modelscan found S201 {words}" in text


def test_another_mode_is_a_turn() -> None:
    refused = violation("a.one.bad", "bad")
    old = decision(control("a.one", Outcome.FAIL, refused), control("b.two"))
    new = decision(
        control("a.one", Outcome.FAIL, refused, mode=Mode.WARN), control("b.two"), verdict=Verdict.ALLOW, exit_code=0
    )
    [turn] = compared(old, new).turns
    assert turn.refuses_no_more
    assert "a.one: fail -> fail (warns), refuses no more" in diff_text(compared(old, new))


def test_violations_alone_are_a_turn_and_the_standing_is_said_once() -> None:
    old = decision(control("a.one", Outcome.FAIL, violation("a.one.bad", "bad")))
    new = decision(control("a.one", Outcome.FAIL, *(violation("a.one.bad", f"bad {n}") for n in range(12))))
    text = diff_text(compared(old, new))
    assert "  a.one: fail\n" in text
    assert "      + ... and 2 more\n" in text


def test_documents_differ_place_by_place() -> None:
    found = diff(document(), document(skipped={"signals": "broken"}, waivers={}))
    assert found.turns == ()
    assert {item.path[0] for item in found.differences} >= {"skipped"}
    assert summary(found).endswith(("place differs.", "places differ."))
    assert "skipped\n" in diff_text(found)
    assert "### Skipped" in diff_markdown(found)
    assert summary(diff(document(), document())) == "The two input documents say the same."


def test_one_place_differs() -> None:
    one = document()
    assert not isinstance(one.value, Decision)
    context = {**one.value.value["context"], "environment": "other"}  # type: ignore[dict-item]
    assert summary(diff(one, document(context=context))) == "1 place differs."


def test_a_decision_and_a_document_are_not_compared() -> None:
    with pytest.raises(ConfigError, match=r"old\.json and a\.json are not of one kind"):
        diff(Opened("old.json", refusal()), document())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "cannot be read"),
        (b"{}", "neither a decision nor an input document"),
        (b'{"schema": "urn:gate:decision:v1"}', "does not fit its schema"),
        (b'{"schema": "urn:gate:input:v1"}', "does not fit its schema"),
    ],
)
def test_what_is_neither_is_named(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(EvidenceError, match=why) as caught:
        open_document(path)
    assert "x.json" in str(caught.value)
    with pytest.raises(EvidenceError, match="cannot read"):
        open_document(tmp_path / "absent.json")


def test_a_saved_decision_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(render_json(refusal()))
    assert open_document(path).value == refusal()


@pytest.mark.parametrize("pair", [(refusal, approval), (approval, undecided), (refusal, refusal)])
def test_the_json_fits_its_schema_and_leaves_nothing_out(pair: Any) -> None:
    found = compared(pair[0](), pair[1]())
    value = diff_json(found)
    assert problem("diff.json", json.loads(pretty(value))) is None
    assert len(value["differences"]) == len(found.differences)  # type: ignore[arg-type]
    assert value["same"] == found.is_same


def test_names_that_are_not_unique_hide_nothing() -> None:
    twice = dataclasses.replace(refusal(), waivers=(*refusal().waivers, refusal().waivers[0]))
    found = compared(refusal(), twice)
    assert any(item.path[0] == "waivers" for item in found.differences)
    assert not compared(twice, dataclasses.replace(twice, waivers=())).is_same


def test_long_sections_are_cut_in_text_and_say_so() -> None:
    items = [Difference(("skipped", str(n)), Presence.ADDED, new="x") for n in range(41)]
    assert list(difference_lines(items, skip=1))[-1] == "... and 1 more; --format json lists all"
    assert len(list(difference_lines(items))) == 41


def test_values_are_shown_in_a_few_words() -> None:
    values = [
        {"claim": "prompt", "origin": "a"},
        {"other": 1},
        ["a", "b"],
        [],
        [1],
        None,
        True,
        "text",
        "sha256:" + "a" * 64,
    ]
    items = [Difference(("s", "k"), Presence.ADDED, new=value) for value in values]  # type: ignore[arg-type]
    assert [line.removeprefix("+ k: ") for line in difference_lines(items, skip=1)] == [
        "prompt, a",
        "1 members",
        "a and b",
        "nothing",
        "[1]",
        "none",
        "true",
        "text",
        "sha256:aaaaaaaa..",
    ]
    assert list(difference_lines([Difference(("s",), Presence.CHANGED, 1, None)], skip=1)) == ["~ s: 1 -> none"]


def test_s34_hostile_text_is_harmless() -> None:
    old = decision(control("a.one", Outcome.FAIL, violation(HOSTILE, HOSTILE, artifact=HOSTILE, file=HOSTILE)))
    new = dataclasses.replace(approval(), id=HOSTILE, decided_at=HOSTILE, skipped={HOSTILE: HOSTILE})
    found = diff(Opened(HOSTILE, old), Opened(HOSTILE, new))
    for text in (diff_text(found), diff_markdown(found)):
        assert not set(text) & {"\x1b", "\r", "\u202e"}
    assert "<b>" not in diff_markdown(found).replace("<br>", "").replace("`", "\0").split("\0")[0::2]
    assert not any(line.startswith("## ") for line in diff_markdown(found).splitlines())
    assert pretty(diff_json(found)).isprintable() or "\n" in pretty(diff_json(found))
