from __future__ import annotations

import dataclasses
import itertools
import json
import re
import unicodedata
from typing import Any

import pytest

from gate.model.control import FrameworkReference, Mode
from gate.model.decision import Decision, Outcome, Verdict
from gate.model.evidence import Concern, SignerIdentity
from gate.report.interface import render
from gate.report.json import decision_json
from gate.report.markdown import MAX_CHARACTERS
from tests.support.decisions import (
    NOON_S,
    control,
    decision,
    digest,
    rejected,
    statement,
    violation,
    waiver,
)

CONTROLS = [chr(n) for n in (*range(0x20), *range(0x7F, 0xA0))]
HIDDEN = [
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u115f\u1160\u3164\uffa0\u2800\u180e\ufe0f\U000e0041",
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u2028\u2029",
    *"\ud800\udcff\udfff\ue000\uf8ff\ufffe\uffff\U000f0000\U0010ffff\u0378\u00a0\u2003\u3000\u0300",
]
MARKUP = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</details><h1>ALLOW</h1>",
    "<!-- ",
    "-->",
    "[ALLOW](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "https://evil.example",
    "www.evil.example",
    "mail@evil.example",
    "@everyone",
    "@org/team",
    "#1",
    "org/repo#1",
    "GH-1",
    "fixes #1",
    "0123456789abcdef0123456789abcdef01234567",
    "`",
    "``",
    "```",
    "` <b>",
    "`|`",
    "|",
    "\\|",
    "\\",
    "\\`",
    "a | b | c",
    "**bold**",
    "__bold__",
    "~~gone~~",
    "$math$",
    "# heading",
    "> quote",
    "- item",
    "* item",
    "+ item",
    "1. item",
    "1) item",
    "---",
    "===",
    "    code",
    "&lt;b&gt;",
    "&#64;user",
    ":smile:",
    "{{x}}",
    "${{ secrets.X }}",
    "::error::ALLOW",
    "::set-output name=x::y",
    "%0AALLOW",
    "'; rm -rf / #",
    "$(id)",
    "ALLOW  change against main",
    "",
    " ",
    "x" * 10_000,
    "<" * 10_000,
    "`|" * 5_000,
    "\u202e" * 10_000,
    "a " * 5_000,
]
BASES = [*CONTROLS, *HIDDEN, *MARKUP]
HOSTILE = list(
    dict.fromkeys(
        [
            *BASES,
            *(f"models/{text}.bin" for text in BASES),
            *(f"{text}\nALLOW  everything" for text in BASES),
            *(f"\x1b]0;{text}\x07\x1b[2J" for text in BASES),
            *(one + two for one, two in itertools.pairwise(BASES)),
        ]
    )
)


def hostile(text: str, **changes: Any) -> Decision:
    """A refusal with the text in every field that is text, and a control of every kind."""
    name = f"change.{text}"
    reject = rejected(origin=text, code=text, detail=text, claimed="prompt", artifacts=(text,))
    entries = [
        violation(text, text, artifact=text, file=text, evidence=[reject.evidence]),
        violation(f"{text}.missing", text, file=text),
        violation(text, f"{text} prompt", file=text, waiver=text),
    ]
    words: dict[str, Any] = {
        "title": text,
        "description": text,
        "severity": text,
        "claims": ("prompt",),
        "fix": text,
        "frameworks": {text: FrameworkReference("supports", (text,))},
    }
    person = SignerIdentity(text, text, None, text, text)
    base: dict[str, Any] = {
        "id": text,
        "context": dict.fromkeys(("target", "environment", "profile", "configuration_from"), text),
        "subject": {
            "artifacts": {text: {"kind": text, "digest": text, "path": text}},
            "change": {"status": "collected", "base": text, "merge_base": text, "head": text, "tree": text},
        },
        "verified": (
            dataclasses.replace(
                statement("prompt", artifacts=(text,), subjects={text: digest("x")}), origin=text, signers=(person,)
            ),
        ),
        "rejected": (reject, rejected(evidence=digest("2"), origin=text, code=text, concern=Concern.OTHERS)),
        "waivers": (
            waiver(text, text),
            waiver(f"{text}2", text, used=False, problem=text, expires_s=NOON_S * 10**9),
        ),
        "skipped": {text: text},
        "engine": text,
        "engine_version": text,
        "gate_version": text,
        "decided_at": text,
    }
    return decision(
        control(name, Outcome.FAIL, *entries, **words),
        control(f"{name}2", Outcome.ERROR, reason=text, **words),
        control(f"{name}3", Outcome.FAIL, *entries[:2], mode=Mode.WARN, **words),
        control(f"{name}4", Outcome.WAIVED, entries[2], **words),
        control(f"{name}5", Outcome.PASS, reason=text, **words),
        control(f"{name}6", Outcome.NOT_APPLICABLE, reason=text, **words),
        control("change.plain", Outcome.PASS, evidence=[digest("a")]),
        **(base | changes),
    )


def allowed(text: str) -> Decision:
    """The same with nothing that refuses."""
    made = hostile(text)
    fine = {
        name: entry
        for name, entry in made.controls.items()
        if entry.mode is Mode.WARN or entry.outcome not in {Outcome.FAIL, Outcome.ERROR}
    }
    return dataclasses.replace(
        made, verdict=Verdict.ALLOW, exit_code=0, causes=(), rejected=made.rejected[1:], controls=fine
    )


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 500


CHUNKS = [HOSTILE[start::8] for start in range(8)]


def is_shown(character: str) -> bool:
    return character in " \n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


@pytest.mark.parametrize("texts", CHUNKS, ids=range(8))
def test_text_holds_nothing_hidden_and_no_line_of_its_own(texts: list[str]) -> None:
    for text in texts:
        for word, made in (("DENY", hostile(text)), ("ALLOW", allowed(text))):
            shown = render("text", made)
            assert all(map(is_shown, shown)), ascii(text)
            lines = shown.splitlines()
            assert re.match(rf"{word}  change against .*  \(\d of \d controls? ", lines[0]), ascii(lines[0])
            assert re.match(r"\d passed, \d warned, \d waived, \d not applicable\.   exit (?:0|13) \(", lines[-1])
            assert [line for line in lines[1:-1] if line and not line.startswith("  ")] == [], ascii(text)
            assert len(shown) < 60_000


OWN_HTML = re.compile(r"<br>|</?details>|<summary>[A-Za-z0-9 ]+</summary>")
OWN_LINES = re.compile(r"## |### |> \*\*.*\*\*$|---$|\| --- .*\|$")


@pytest.mark.parametrize("texts", CHUNKS, ids=range(8))
def test_markdown_holds_no_markup_from_outside(texts: list[str]) -> None:
    for text in texts:
        for word, made in (("DENY", hostile(text)), ("ALLOW", allowed(text))):
            shown = render("markdown", made)
            assert all(map(is_shown, shown)), ascii(text)
            assert len(shown) <= MAX_CHARACTERS
            lines = shown.split("\n")
            assert lines[0].startswith(f"## {word}: change against")
            assert [line for line in lines if line.startswith("## ")] == lines[:1]
            columns = 0
            for line in lines:
                assert line.count("`") % 2 == 0, ascii(line)
                prose = OWN_HTML.sub("", OWN_LINES.sub("", re.sub(r"`[^`]+`", "", line)))
                if line.startswith("| "):
                    columns = columns or line.count("|")
                    assert line.count("|") == columns, ascii(line)
                    prose = prose.replace("|", "")
                else:
                    columns = 0
                prose = prose.replace("**exit ", "").replace(")**, decision", "").replace("--dry-run", "")
                assert not set(prose) & set("<>[]*_~#@\\/&$={}|+^%`"), ascii(line)


@pytest.mark.parametrize("texts", CHUNKS, ids=range(8))
def test_json_is_printable_ascii_and_says_all(texts: list[str]) -> None:
    for text in texts:
        made = hostile(text)
        shown = render("json", made)
        assert shown.isascii()
        assert all(c == "\n" or c.isprintable() for c in shown)
        found = json.loads(shown)
        # The two halves of a pair are one character to whoever reads the document; paths cannot hold them.
        assert found == decision_json(made) or "\ud800\udcff" in text
        assert (found["verdict"], found["exit_code"]) == ("deny", 13)
