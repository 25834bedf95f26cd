from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.report.escape import (
    LIMIT,
    markdown,
    markdown_code,
    sarif,
    spreadsheet,
    terminal,
    workflow_data,
    workflow_property,
)
from tests.support.ci_commands import commands

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 1.0", "plain text, 1.0"),
        ("", ""),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\r\tc", "a\\x0ab\\x0d\\x09c"),
        ("\x7f\x85\x9b", "\\x7f\\u0085\\u009b"),
        ("safe\u202egpj.exe", "safe\\u202egpj.exe"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\udcff", "\\udcff"),
        ("\ue000\U0010ffff", "\\ue000\\U0010ffff"),
        ("a\u00a0b\u3000c", "a\\u00a0b\\u3000c"),
        ("\u3164\u2800\ufe0f\U000e0101", "\\u3164\\u2800\\ufe0f\\U000e0101"),
        ("mode\u0300le", "mode\u0300le"),
        ("\u0300x", "\\u0300x"),
        ("e" + "\u0300" * 5, "e" + "\u0300" * 3 + "\\u0300\\u0300"),
        ("modèle-模型", "modèle-模型"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_terminal_shows_what_text_hides(text: str, shown: str) -> None:
    assert terminal(text) == shown


def test_a_long_text_keeps_its_head_and_its_tail() -> None:
    shown = terminal("head" + "x" * 5000 + "tail", 60)
    assert shown.startswith("headxx")
    assert shown.endswith("xxtail")
    assert " ... " in shown
    assert len(shown) == 60


def test_an_escape_is_never_cut() -> None:
    for limit in range(30, 60):
        shown = terminal("\x1b" * 100, limit)
        assert re.fullmatch(r"(\\x1b)+ \.\.\. (\\x1b)+", shown)
        assert len(shown) <= limit


def test_a_short_text_with_long_escapes_is_cut_too() -> None:
    assert len(terminal("\U0010ffff" * 30, 60)) <= 60


@given(ANY_TEXT)
def test_terminal_gives_one_printable_line(text: str) -> None:
    shown = terminal(text)
    assert len(shown) <= LIMIT
    assert all(c == " " or unicodedata.category(c) not in {*HIDDEN, "Zs"} for c in shown)
    assert terminal(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No verified signature covers it.", "No verified signature covers it."),
        ("(2 of 14, don't know)", "(2 of 14, don't know)"),
        ("see #12 and @user", "see `#12` and `@user`"),
        ("GH-12 deadbeef", "`GH-12` `deadbeef`"),
        ("1. list", "`1`. list"),
        ("- item", "`-` item"),
        ("<img src=x>", "`<img` `src=x>`"),
        ("**bold** _it_", "`**bold**` `_it_`"),
        ("[a](http://b.c)", "`[a](http://b.c`)"),
        ("www.evil.example", "`www.evil.example`"),
        ("a|b", "`a\\x7cb`"),
        ("run `gate sign x` now", "run `gate sign x` now"),
        ("open ` only", "open `\\x60` only"),
        ("` `", "` `"),
        ("sha256:0011..", "`sha256:0011..`"),
        ("(see gate.yaml).", "(see `gate.yaml`)."),
        ("", ""),
    ],
)
def test_markdown_lets_only_words_be_prose(text: str, shown: str) -> None:
    assert markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a b", "`a b`"), ("a`b|c", "`a\\x60b\\x7cc`"), ("", "` `"), ("x\ny", "`x\\x0ay`"), ("a\\", "`a\\`")],
)
def test_markdown_code_stays_in_its_span(text: str, shown: str) -> None:
    assert markdown_code(text) == shown


@given(ANY_TEXT | st.text("`|<>[]()!*_~#@:/.w \\\n-+=&;1a'\"", max_size=60))
def test_markdown_has_no_markup_outside_code_spans(text: str) -> None:
    shown = markdown(text)
    assert shown.count("`") % 2 == 0
    assert "|" not in shown
    prose = re.sub(r"`[^`]+`", "", shown)
    assert not set(prose) & set("`<>[]*_~#@\\/&$={}|+^%")
    assert not re.match(r"\s*(?:[-+*>]|\d+[.)])\s", shown)
    assert not re.search(r"\w\.\w|\\b[0-9a-f]{7,}\\b", prose)


@given(ANY_TEXT)
def test_markdown_code_is_one_span(text: str) -> None:
    assert re.fullmatch(r"`[^`|\x00-\x1f\x7f-\x9f]+`", markdown_code(text))


# -- spreadsheets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("", ""),
        ("a=b", "a=b"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("a;=1+1", "a;'=1+1"),
        ('a; "=1+1";;-2; b', "a;' \"=1+1\";;'-2; b"),
        ("a;b=c", "a;b=c"),
        ("  =1", "'  =1"),
        ("\t=1", "\\x09=1"),
        ("\r=1", "\\x0d=1"),
        ("\n=1", "\\x0a=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\x1b[31m", "\\x1b[31m"),
    ],
)
def test_a_cell_of_a_spreadsheet_is_no_formula(text: str, shown: str) -> None:
    assert spreadsheet(text) == shown


@given(ANY_TEXT)
def test_no_text_begins_a_formula(text: str) -> None:
    cell = spreadsheet(text)
    assert cell.lstrip(" ")[:1] not in set("=+-@\t\r\n")
    assert cell.isprintable()


# -- the log of a CI job -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::ALLOW", "\\x3a:error::ALLOW"),
        ("a ::add-mask::DENY", "a \\x3a:add-mask::DENY"),
        (":::x", "\\x3a::x"),
        ("::1", "\\x3a:1"),
        ("fe80::1 and std::env", "fe80::1 and std::env"),
        ("##[add-mask]DENY", "#\\x23[add-mask]DENY"),
        ("a##vso[task.complete result=Succeeded;]", "a#\\x23vso[task.complete result=Succeeded;]"),
        ("###[x]", "##\\x23[x]"),
        ("## heading", "## heading"),
    ],
)
def test_terminal_shows_no_command_of_a_ci_service(text: str, shown: str) -> None:
    assert terminal(text) == shown
    assert terminal(shown) == shown


PIECES = [*"::## []=%,;\\\n\u00e9a", "vso", "error", "add-mask", " ::"]
COMMAND_LIKE = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(COMMAND_LIKE | ANY_TEXT, st.integers(30, 80))
def test_s34_no_text_is_a_command_of_a_ci_service(text: str, limit: int) -> None:
    shown = terminal(text, limit)
    assert commands("\n".join(["", *re.split("(?= )", shown)])) == []
    assert commands(markdown(text, limit)) == []
    [found] = commands(f"::error file={workflow_property(text, limit)},title=x::{workflow_data(text, limit)}")
    assert found.data == shown
    assert found.properties == ({"file": shown, "title": "x"} if shown else {"title": "x"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("{0} and {{1}}", "{{0}} and {{{{1}}}}"),
        ("[ALLOW](https://evil.example)", "[ALLOW]\\x28https://evil.example)"),
        ("[a] (b)", "[a] (b)"),
    ],
)
def test_a_message_of_sarif_has_no_link_and_no_placeholder(text: str, shown: str) -> None:
    assert sarif(text) == shown
