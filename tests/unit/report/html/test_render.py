"""The page as a parser reads it: what is markup is ours, and nothing in it reaches out."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import re
import time
import unicodedata
from functools import cache
from html.parser import HTMLParser

import pytest
import yaml

from gate import resources
from gate.model.control import Mode
from gate.model.decision import Decision, Outcome
from gate.report.html import lineage, view
from gate.report.interface import render
from tests.support.decisions import GOLDEN, approval, control, decision, digest, dry_refusal, refusal, violation
from tests.support.hostile_decisions import allowed, hostile
from tests.support.hostile_texts import TEXTS
from tests.support.large_decisions import large

VOID = {"br", "input", "meta", "option", "path", "rect"}
OUTSIDE = {"src", "srcset", "action", "formaction", "background", "cite", "data", "poster", "ping", "style"}


CHUNKS = [TEXTS[start::8] for start in range(8)]
SCRIPTS = re.compile(r"(?s)(?<=<style>).*?(?=</style>)|(?<=<script>).*?(?=</script>)")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def is_clean(page: str) -> bool:
    odd = set(re.sub(r"[\x20-\x7e\n]+", "", page))
    return not {unicodedata.category(character) for character in odd} & HIDDEN


class Parsed(HTMLParser):
    """All elements with their attributes, and the text that is no script and no style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.comments: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def shape(self) -> set[tuple[str, str]]:
        """Every element with each of its attributes."""
        return {(tag, name) for tag, attributes in self.elements for name in ("", *attributes)}


@cache
def own_shape() -> frozenset[tuple[str, str]]:
    """The elements and attributes that decisions without anything strange have."""
    samples: list[Decision] = [*(make() for make in GOLDEN.values()), large(60, 200), hostile("word"), allowed("word")]
    return frozenset(found for made in samples for found in Parsed(render("html", made)).shape)


@pytest.mark.parametrize("texts", CHUNKS, ids=range(8))
def test_s34_text_from_outside_is_never_markup(texts: list[str]) -> None:
    for number, text in enumerate(texts):
        made = allowed(text) if number % 3 == 2 else hostile(text)
        page = render("html", made)
        assert is_clean(page), ascii(text)
        found = Parsed(SCRIPTS.sub("", page))
        assert found.shape <= own_shape(), ascii(text)
        assert found.comments == []
        assert (found.wrong, found.open) == ([], []), ascii(text)
        [title] = re.findall("<title>([^<]*)</title>\n<style>", page)
        assert title.startswith("ALLOW: change against" if number % 3 == 2 else "DENY: change against")
        assert page.count("<h1>") == 1


@pytest.mark.parametrize("name", GOLDEN)
def test_nothing_in_the_page_reaches_out(name: str) -> None:
    found = Parsed(render("html", GOLDEN[name]()))
    names = {attribute for _, attributes in found.elements for attribute in attributes}
    assert not names & OUTSIDE
    assert not {name for name in names if name.startswith("on")}
    links = [attributes["href"] for _, attributes in found.elements if "href" in attributes]
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert {link for link in links if link is None or link[1:] not in ids or not link.startswith("#")} == set()
    assert len(ids) == len(set(ids))
    assert not {tag for tag, _ in found.elements} & {"base", "embed", "iframe", "img", "link", "object"}


def test_the_policy_names_the_very_style_and_script() -> None:
    page = render("html", refusal())
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    hashes = []
    for tag in ("style", "script"):
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode().replace("+", "&#43;")
        hashes.append(digest.replace("&#43;", "+"))
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_no_template_marks_anything_safe() -> None:
    template = resources.page_file("page.html").decode()
    assert not re.search(r"\|\s*safe|Markup|autoescape|{%\s*raw", template)
    # Each value in an attribute stands in double quotes, or is a word of our own.
    for value in re.findall(r"<[a-z][^<>]*?=\s*([^\s\"'>{]*{{)", template):
        pytest.fail(f"an attribute without quotes: {value}")
    for name in ("page.css", "page.js"):
        assert "</" not in resources.page_file(name).decode()
        assert "innerHTML" not in resources.page_file(name).decode()


def test_a_dry_run_and_every_part_say_so() -> None:
    assert "DRY RUN: nothing is blocked." in Parsed(render("html", dry_refusal())).text
    assert "the change was judged by what it brings itself" in Parsed(render("html", dry_refusal())).text
    assert "rests on 2 verified statements" in Parsed(render("html", approval())).text


def test_a_refusal_without_controls_says_what_stands_in_the_way() -> None:
    nothing = Parsed(render("html", decision(exit_code=10, causes=(), subject={}, skipped={}))).text
    assert "What stands in the way is the rejected evidence below, or that nothing was judged." in nothing
    for words in (
        "There are none.",
        "There is none.",
        "There is nothing to draw",
        "Nothing was left out.",
        "names one",
    ):
        assert words in nothing


def test_the_waivers_to_ask_for_can_be_copied() -> None:
    entries = [
        dataclasses.replace(violation("a.b.bad", "x", artifact=f"m{n}"), digest=digest(f"m{n}")) for n in range(7)
    ]
    page = render(
        "html", decision(control("a.b", Outcome.FAIL, *entries), control("a.c", Outcome.FAIL, mode=Mode.WARN))
    )
    [shown] = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    waivers = yaml.safe_load(html.unescape(shown))["waivers"]
    assert [waiver["artifact"] for waiver in waivers] == [digest(f"m{n}") for n in range(5)]
    assert "2 more: <code>gate explain a.b --decision FILE</code> lists all." in page


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MAX_FINDINGS", 100)
    monkeypatch.setattr(view, "MAX_EVIDENCE", 10)
    monkeypatch.setattr(lineage, "MAX_NODES", 50)
    shown = Parsed(render("html", large())).text
    assert "1900 more findings have no room here" in shown
    assert re.search(r"\d+ more items of evidence have no room here", shown)
    assert re.search(r"\d+ more groups of artifacts and statements have no room here", shown)


def test_the_words_claim_nothing_that_people_judge() -> None:
    shown = Parsed(render("html", refusal())).text.lower()
    assert "whether it is met, people judge" in shown
    assert not re.search(r"complia|complies|satisf|certif", shown)


def test_a_decision_of_a_fleet_is_rendered_soon() -> None:
    made = large()
    began = time.process_time()
    page = render("html", made)
    assert time.process_time() - began < 15
    assert len(page) < 5_000_000
    assert page == render("html", dataclasses.replace(made))


def test_a_message_of_many_code_spans_stays_short() -> None:
    entry = violation("a.b.found", "`" * 200_000)
    assert len(render("html", decision(control("a.b", Outcome.FAIL, entry)))) < 200_000
