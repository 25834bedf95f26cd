"""500 hostile texts in every field of a decision, in every format: no control byte, no markup, no command."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt

from gate.model.decision import Decision, Verdict
from gate.report import job_summary, markdown
from gate.report.interface import FORMATS, render
from gate.report.json import decision_json
from tests.support.ci_commands import commands
from tests.support.hostile_decisions import allowed, hostile
from tests.support.hostile_texts import CLASSES, TEXTS, WRAPPED

CHUNKS = [[*TEXTS[start::8], *WRAPPED[start::64]] for start in range(8)]
# All of them run the same lines: those of the first are measured.
PLACES = [0, *(pytest.param(place, marks=pytest.mark.no_cover) for place in range(1, len(CHUNKS)))]
WORDS = {Verdict.ALLOW: "ALLOW", Verdict.DENY: "DENY"}
FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"


@functools.cache
def is_shown(character: str) -> bool:
    return character == " " or unicodedata.category(character) not in {
        *("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"),
    }


def is_clean(text: str) -> bool:
    return all(map(is_shown, set(text)))


def strings(value: Any) -> Iterator[str]:
    """All strings in a document, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def test_there_are_enough_of_them() -> None:
    assert len(TEXTS) >= 500
    assert {text for chunk in CHUNKS for text in chunk} >= set(TEXTS)
    assert len(CLASSES) >= 12


# --- what each format may not hold ------------------------------------------------------------------------------------


def check_text(made: Decision, shown: str) -> None:
    lines = shown.splitlines()
    assert re.match(rf"{WORDS[made.verdict]}  change against .*  \(\d of \d controls? ", lines[0])
    assert re.match(r"\d passed, \d warned, \d waived, 1 reused, \d not applicable\.   exit (?:0|13) \(", lines[-1])
    assert [line for line in lines[1:-1] if line and not line.startswith("  ")] == []
    assert len(shown) < 60_000


OWN_HTML = re.compile(r"<br>|</?details>|<summary>[A-Za-z0-9 ]+</summary>")
OWN_LINES = re.compile(r"## |### |> \*\*.*\*\*$|---$|\| --- .*\|$|- (?=(?:artifacts|controls|files)\b)")
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OWN_TOKENS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "hr", "html_block"),
    *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close"),
    *("th_open", "th_close", "td_open", "td_close", "blockquote_open", "blockquote_close"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "fence"),
}
# A block of YAML holds plain names, digests and words of the gate.
STANZA = re.compile(r"(?:[ -]*[a-z]+:(?: [A-Za-z0-9<>\"' .,:/_@+-]*)?\n)*")
OWN_CHILDREN = {"text", "code_inline", "html_inline", "strong_open", "strong_close"}


def check_markdown(made: Decision, shown: str) -> None:
    assert len(shown) <= markdown.MAX_CHARACTERS
    check_page(made, shown)


def check_summary(made: Decision, shown: str) -> None:
    assert len(shown) <= job_summary.MAX_CHARACTERS
    assert len(shown.encode()) <= 1 << 20
    check_page(made, shown)


def check_page(made: Decision, shown: str) -> None:
    lines = re.sub(r"(?ms)^```yaml\n.*?^```$", "", shown).split("\n")
    assert lines[0].startswith(f"## {WORDS[made.verdict]}: change against")
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
    for token in MARKDOWN.parse(shown):
        assert token.type in OWN_TOKENS, token
        assert token.type != "fence" or STANZA.fullmatch(token.content), token
        assert token.type != "html_block" or not OWN_HTML.sub("", token.content).strip(), token
        for child in token.children or []:
            assert child.type in OWN_CHILDREN, child
            assert child.type != "html_inline" or child.content == "<br>", child


def check_json(made: Decision, shown: str) -> None:
    found = json.loads(shown)
    assert found == json.loads(json.dumps(decision_json(made)))
    assert (found["verdict"], found["exit_code"]) == (made.verdict.value, made.exit_code)


def check_sarif(_: Decision, shown: str) -> None:
    for text in strings(json.loads(shown)):
        assert is_clean(text), ascii(text)
    [run] = json.loads(shown)["runs"]
    messages = [result["message"]["text"] for result in run["results"]]
    messages += [notice["message"]["text"] for notice in run["invocations"][0]["toolExecutionNotifications"]]
    for rule in run["tool"]["driver"]["rules"]:
        messages += [rule["shortDescription"]["text"], rule["fullDescription"]["text"], rule["help"]["text"]]
        assert rule["helpUri"].startswith("urn:gate:rule:")
        for token in MARKDOWN.parse(rule["help"]["markdown"]):
            assert token.type in {"paragraph_open", "paragraph_close", "inline"}, token
            assert {child.type for child in token.children or []} <= {"text", "code_inline"}
    for message in messages:
        assert "](" not in message
        assert not re.search(r"(?<!\{)(?:\{\{)*\{(?!\{)|(?<!\})\}(?:\}\})*(?!\})", message), message
    for result in run["results"]:
        for location in result["locations"]:
            parts = urlsplit(location["physicalLocation"]["artifactLocation"]["uri"])
            assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")


def check_junit(_: Decision, shown: str) -> None:
    own = {"testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out", "properties", "property"}
    for element in ET.fromstring(shown).iter():
        assert element.tag in own
        assert set(element.keys()) <= {
            "name",
            "value",
            "tests",
            "failures",
            "errors",
            "skipped",
            "classname",
            "type",
            "message",
        }
        assert all(is_clean(value) for value in element.attrib.values())
        assert is_clean((element.text or "").strip("\n"))
    assert "<!" not in shown


def check_github(made: Decision, shown: str) -> None:
    lines = shown.splitlines()
    found = commands(shown)
    assert len(found) == len(lines)
    assert found[0].name == ("notice" if made.verdict is Verdict.ALLOW else "error")
    assert found[0].data.startswith(f"{WORDS[made.verdict]}: ")
    for command in found:
        assert command.name in {"error", "warning", "notice"}
        assert command.properties.keys() <= {"file", "line", "title"}
        assert is_clean(command.data)
        assert all(map(is_clean, command.properties.values()))
        assert command.properties["title"]


def check_values(_: Decision, shown: str) -> None:
    for text in strings(json.loads(shown)):
        assert is_clean(text), ascii(text)


def check_csv(made: Decision, shown: str) -> None:
    rows = list(csv.reader(io.StringIO(shown, newline=""), strict=True))
    assert len(shown.splitlines()) == len(rows)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[1][:3:2] == ["verdict", made.verdict.value]
    for cell in (cell for row in rows for cell in row):
        assert is_clean(cell), ascii(cell)
        assert cell.lstrip(" ")[:1] not in set(FORMULA) - {""}, ascii(cell)
    assert all(part.startswith('"') and part.endswith('"') for part in shown.splitlines())
    # Other programs split at semicolons, and heed quotes at the beginning of a line alone, or nowhere.
    splits = csv.reader(io.StringIO(shown, newline=""), delimiter=";")
    for cell in (cell for row in (*splits, *(line.split(";") for line in shown.splitlines())) for cell in row[1:]):
        assert cell.lstrip(' "')[:1] not in set(FORMULA), ascii(cell)


CHECKS: dict[str, Callable[[Decision, str], None]] = {
    "text": check_text,
    "json": check_json,
    "markdown": check_markdown,
    "summary": check_summary,
    "sarif": check_sarif,
    "junit": check_junit,
    "github": check_github,
    "gitlab-annotations": check_values,
    "gitlab-codequality": check_values,
    "csv": check_csv,
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("place", PLACES)
def test_s34_nothing_hidden_no_markup_and_no_command_gets_out(form: str, place: int) -> None:
    for number, text in enumerate(CHUNKS[place]):
        made = allowed(text) if number % 3 == 2 else hostile(text)
        shown = render(form, made)
        assert is_clean(re.sub(r"\r?\n", "", shown)), (ascii(text), form)
        if form in CHECKS:
            CHECKS[form](made, shown)
        if form != "github":
            assert commands(shown) == [], (ascii(text), form)
