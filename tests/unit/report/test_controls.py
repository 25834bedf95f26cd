"""Pages of the catalogue: complete, honest about gaps, and harmless whatever a policy's METADATA says."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gate.evaluate.frameworks import matrix
from gate.formats.canonical_json import pretty
from gate.formats.schema import problem
from gate.model.control import ControlInfo, FrameworkReference, Mode, Parameter, Profile
from gate.model.framework import Framework, Matrix
from gate.model.policy import Catalogue, Change, Effect, ItemDiff, PolicyDiff, Presence
from gate.report.controls import control_json, control_text, full_table, list_table, shown
from gate.report.matrix import matrix_json, matrix_markdown, matrix_table, matrix_text
from gate.report.policy_diff import diff_json, diff_text
from tests.support.decisions import info
from tests.support.evidence import digest_of

HOSTILE = "\x1b[2J=cmd|' /C calc'!A0\n| x | `y` @all #1\u202e<b>\r"
LISTED = Framework("F-1", "Title", "7", complete=True, scope="all 4", requirements=dict.fromkeys("ABCD", "Same"))
PARTIAL = Framework("P-1", "Part", "2", complete=False, scope="some", requirements={"A": "Alpha", "B": "Beta"})
UNKNOWN = Framework("ACME", "", "", complete=False, scope="no list", requirements={})


def control(name: str, frameworks: Mapping[str, Sequence[str]], **more: Any) -> ControlInfo:
    references = {key: FrameworkReference("partly supports", tuple(ids)) for key, ids in frameworks.items()}
    return info(name, frameworks=references, **more)


def catalogue_of(*controls: ControlInfo, **settings: Any) -> Catalogue:
    base = Profile("base", {item.id: Mode.ENFORCE for item in controls}, settings)
    soft = Profile("soft", {item.id: Mode.WARN for item in controls[1:]}, {})
    return Catalogue(digest_of("p"), {item.id: item for item in controls}, {"base": base, "soft": soft})


ONE = control("a.one", {"F-1": ["B"], "P-1": ["A", "Z"]}, claims=("prompt",))
TWO = control("b.two", {"F-1": ["B"], "ACME": ["A-1"]}, claims=())
BARE = control("c.bare", {})
CATALOGUE = catalogue_of(ONE, TWO, BARE)
ALL = tuple(CATALOGUE.controls.values())


def matrices(catalogue: Catalogue = CATALOGUE) -> list[Matrix]:
    return [matrix(framework, catalogue.controls.values()) for framework in (LISTED, PARTIAL, UNKNOWN)]


# -- list and show -----------------------------------------------------------------------------------------------------


def test_the_list_has_a_column_for_each_profile() -> None:
    lines = list_table(CATALOGUE, ALL, ["base", "soft"]).text().splitlines()
    assert lines[0].split() == ["control", "severity", "base", "soft", "title"]
    assert lines[1].split()[:4] == ["a.one", ONE.severity, "enforce", "off"]
    assert lines[2].split()[:4] == ["b.two", TWO.severity, "enforce", "warn"]


def test_the_full_table_names_what_evidence_supports() -> None:
    rows = list(csv.DictReader(io.StringIO(full_table(CATALOGUE, ALL, ["soft"]).csv(), newline="")))
    assert rows[0]["supports"] == "partly supports F-1 B; partly supports P-1 A, Z"
    assert (rows[0]["claims"], rows[0]["soft"], rows[1]["soft"]) == ("prompt", "off", "warn")
    assert "base" not in rows[0]
    assert {row["waivable"] for row in rows} <= {"yes", "no"}


def test_a_control_is_shown_with_what_profiles_set() -> None:
    parameters = (
        Parameter("limit", "string", "the limit", "low"),
        Parameter("on", "boolean", "a switch", default=False),
        Parameter("<claim>", "seconds", "an age"),
    )
    one = control("a.one", {}, parameters=parameters, claims=(), artifacts=(), waivable=False)
    catalogue = catalogue_of(one, **{"a.one": {"limit": "high", "eval": 60, "prompt": 70}})
    text = control_text(catalogue, one, None)
    assert "  parameter  limit (string, default low): the limit\n               base: high\n" in text
    assert "  parameter  on (boolean, default false): a switch\n  parameter" in text
    assert "  parameter  <claim> (seconds, default none): an age\n               base: eval 60, prompt 70" in text
    assert "  claims     none\n" in text
    assert "  artifacts  none: it is about the change\n" in text
    assert "  profiles   base: enforce, soft: off\n" in text
    assert "docs" not in text
    value: Any = control_json(catalogue, one)
    assert [(item["name"], item["default"], item["profiles"]) for item in value["parameters"]] == [
        ("limit", "low", {"base": "high"}),
        ("on", False, {}),
        ("<claim>", None, {"base": {"eval": 60, "prompt": 70}}),
    ]
    assert value["family"] == "a"


def test_a_control_is_shown_with_its_page_and_its_frameworks() -> None:
    text = control_text(CATALOGUE, ONE, "docs/x.md")
    assert text.endswith("  evidence   partly supports P-1: A, Z\n  docs       docs/x.md")
    waivable = control_text(CATALOGUE, info("a.one", waivable=True), None)
    assert "  waivable   yes\n" in waivable


def test_a_policy_without_profiles_is_shown() -> None:
    assert "  profiles   none\n" in control_text(Catalogue(digest_of("p"), {"a.one": ONE}, {}), ONE, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ("low", "low"),
        (300, "300"),
        (True, "true"),
        (["a"], '["a"]'),
        ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
    ],
)
def test_values_are_shown_as_they_are_written(value: Any, text: str) -> None:
    assert shown(value) == text


# -- the matrix --------------------------------------------------------------------------------------------------------


def test_the_matrix_as_text() -> None:
    assert (
        matrix_text(CATALOGUE, matrices())
        == """\
F-1  Title, 7
  The list of requirements is complete: all 4

  B  Same
    partly supports  a.one  needs prompt    base: enforce
    partly supports  b.two  needs no claim  base: enforce  soft: warn

  No control for 3 of the 4 requirements listed:
    A, C, D  Same

  No mapping to it in 1 of 3 controls:
    c.bare

P-1  Part, 2
  The list of requirements is not complete: some

  A  Alpha
    partly supports  a.one  needs prompt  base: enforce

  Z  (not in the gate's list)
    partly supports  a.one  needs prompt  base: enforce

  No control for 1 of the 2 requirements listed (there may be more: the list is not complete):
    B  Beta

  No mapping to it in 2 of 3 controls:
    b.two, c.bare

ACME
  The list of requirements is not complete: no list

  A-1  (not in the gate's list)
    partly supports  b.two  needs no claim  base: enforce  soft: warn

  No mapping to it in 2 of 3 controls:
    a.one, c.bare

No mapping to any framework: c.bare.

Evidence for a control supports a requirement; whether it is met, people judge."""
    )


def test_the_matrix_says_what_its_list_was_checked_against() -> None:
    found = [matrix(dataclasses.replace(LISTED, source="the book"), ALL)]
    assert "  The list of requirements is complete: all 4\n  Source: the book\n\n" in matrix_text(CATALOGUE, found)
    assert "complete: all 4. Source: the book.\n" in matrix_markdown(CATALOGUE, found)
    value: Any = matrix_json(CATALOGUE, found)
    assert value["frameworks"][0]["source"] == "the book"


def test_a_control_that_no_profile_asks_for_is_said_to_be_in_none() -> None:
    catalogue = Catalogue(digest_of("p"), {"a.one": ONE}, {})
    assert "needs prompt  in no profile\n" in matrix_text(catalogue, [matrix(LISTED, [ONE])])


def test_a_matrix_without_gaps_says_nothing_of_gaps() -> None:
    whole = control("a.one", {"F-1": list("ABCD")})
    for render in (matrix_text, matrix_markdown):
        text = render(catalogue_of(whole), [matrix(LISTED, [whole])])
        assert "No " not in text


def test_the_matrix_as_markdown() -> None:
    text = matrix_markdown(CATALOGUE, matrices())
    assert "## `F-1`\n\nTitle, 7. The list of requirements is complete: all 4.\n\n| requirement | title |" in text
    assert "| `B` | Same | `b.two` | partly supports |  | enforce | warn |" in text
    assert "No control for 3 of the 4 requirements listed:\n\n- A, C, D Same\n" in text
    assert "\n\n## ACME\n\nThe list of requirements is not complete: no list.\n\n" in text
    assert "\n\nNo mapping to any framework: `c.bare`.\n\nEvidence for a control supports" in text
    assert "|" not in matrix_markdown(catalogue_of(BARE), [matrix(UNKNOWN, [BARE])])


def test_the_matrix_as_a_spreadsheet_has_each_gap() -> None:
    rows = list(csv.DictReader(io.StringIO(matrix_table(CATALOGUE, matrices()).csv(), newline="")))
    found = [(row["framework"], row["requirement"], row["control"], row["gap"]) for row in rows]
    assert found == [
        ("F-1", "A", "", "no control"),
        ("F-1", "B", "a.one", ""),
        ("F-1", "B", "b.two", ""),
        ("F-1", "C", "", "no control"),
        ("F-1", "D", "", "no control"),
        ("F-1", "", "c.bare", "no mapping"),
        ("P-1", "A", "a.one", ""),
        ("P-1", "B", "", "no control; the list of requirements is not complete"),
        ("P-1", "Z", "a.one", "not in the gate's list"),
        ("P-1", "", "b.two", "no mapping"),
        ("P-1", "", "c.bare", "no mapping"),
        ("ACME", "A-1", "b.two", "not in the gate's list"),
        ("ACME", "", "a.one", "no mapping"),
        ("ACME", "", "c.bare", "no mapping"),
    ]
    assert rows[1] | {"framework": ""} == {
        "framework": "", "requirement": "B", "title": "Same", "control": "a.one", "relation": "partly supports",
        "claims": "prompt", "base": "enforce", "soft": "off", "gap": "",
    }  # fmt: skip


def test_the_matrix_as_json_fits_its_schema() -> None:
    value: Any = matrix_json(CATALOGUE, matrices())
    assert problem("controls-matrix.json", value) is None
    assert [item["gaps"] for item in value["frameworks"]] == [
        {"requirements": ["A", "C", "D"], "controls": ["c.bare"]},
        {"requirements": ["B"], "controls": ["b.two", "c.bare"]},
        {"requirements": [], "controls": ["a.one", "c.bare"]},
    ]
    assert value["unmapped"] == ["c.bare"]


# -- differences -------------------------------------------------------------------------------------------------------


def difference(*controls: ItemDiff, profiles: tuple[ItemDiff, ...] = (), new: str = "new") -> PolicyDiff:
    return PolicyDiff(digest_of("old"), digest_of(new), controls, profiles, ())


FULL = difference(
    ItemDiff("a.gone", Presence.REMOVED, Effect.LOOSENS),
    ItemDiff("a.new", Presence.ADDED, Effect.NONE),
    ItemDiff(
        "b.two",
        Presence.CHANGED,
        Effect.NONE,
        (Change("severity", "low", "high", Effect.TIGHTENS), Change("Rego", "1", "2", Effect.UNCLEAR)),
    ),
    profiles=(ItemDiff("base", Presence.CHANGED, Effect.NONE, (Change("a: b", None, 3, Effect.UNCLEAR),)),),
)


def test_a_difference_as_text() -> None:
    assert (
        diff_text(FULL)
        == f"""\
old {FULL.old}
new {FULL.new}

controls
  - a.gone   [LOOSENS]
  + a.new
  ~ b.two
      severity: low -> high   [tightens]
      Rego: 1 -> 2   [may loosen]

profiles
  ~ base
      a: b: none -> 3   [may loosen]

1 change loosens the policy; 2 more may: read them."""
    )


def test_what_does_not_differ_is_said() -> None:
    assert diff_text(difference(new="old")).endswith("\n\nThe policies are the same.")
    assert "The policies judge alike" in diff_text(difference())
    two = (FULL.controls[0], FULL.controls[0])
    assert diff_text(difference(*two)).endswith("\n2 changes loosen the policy; 0 more may: read them.")


def test_a_difference_as_json_fits_its_schema() -> None:
    value: Any = diff_json(FULL)
    assert problem("controls-diff.json", value) is None
    assert (value["loosens"], value["unclear"]) == (1, 2)
    assert value["controls"][2]["changes"][0] == {
        "what": "severity", "old": "low", "new": "high", "effect": "tightens",
    }  # fmt: skip


# -- hostile METADATA --------------------------------------------------------------------------------------------------


def hostile() -> Catalogue:
    one = info(
        "a.one",
        title=HOSTILE,
        description=HOSTILE,
        fix=HOSTILE,
        artifacts=(HOSTILE,),
        targets=(HOSTILE,),
        frameworks={HOSTILE: FrameworkReference("supports", (HOSTILE,))},
        parameters=(Parameter("p", HOSTILE, HOSTILE, HOSTILE),),
    )
    return catalogue_of(one, **{"a.one": {"p": HOSTILE}})


def pages() -> dict[str, str]:
    catalogue = hostile()
    (one,) = catalogue.controls.values()
    framework = Framework(HOSTILE, HOSTILE, HOSTILE, complete=False, scope=HOSTILE, requirements={"R": HOSTILE})
    found = [matrix(framework, [one]), matrix(LISTED, [one])]
    changes = (Change(HOSTILE, HOSTILE, [HOSTILE], Effect.UNCLEAR),)
    diff = difference(ItemDiff(HOSTILE, Presence.CHANGED, Effect.NONE, changes))
    full = full_table(catalogue, [one], ["base"])
    return {
        "list": list_table(catalogue, [one], ["base"]).text(),
        "list.md": full.markdown(),
        "list.csv": full.csv(),
        "show": control_text(catalogue, one, None),
        "show.json": pretty(control_json(catalogue, one)),
        "matrix": matrix_text(catalogue, found),
        "matrix.md": matrix_markdown(catalogue, found),
        "matrix.csv": matrix_table(catalogue, found).csv(),
        "matrix.json": pretty(matrix_json(catalogue, found)),
        "diff": diff_text(diff),
        "diff.json": pretty(diff_json(diff)),
    }


@pytest.mark.parametrize(("name", "page"), pages().items(), ids=pages())
def test_hostile_metadata_is_harmless(name: str, page: str) -> None:
    lines = page.removesuffix("\r\n").split("\r\n" if name.endswith(".csv") else "\n")
    assert all(line.isprintable() for line in lines)
    if name.endswith(".md"):
        assert "<b>" not in "".join(part for line in lines for part in line.split("`")[::2])
    if name.endswith(".csv"):
        rows = list(csv.reader(io.StringIO(page, newline=""), strict=True))
        assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r")]
    if name.endswith(".json"):
        assert json.loads(page)
