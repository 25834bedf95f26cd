"""Reports of `gate verify`: every item with everything that is wrong with it, and nothing that a sink would take up."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.model.digest import Digest
from gate.model.evidence import Failure, Rejected, SignerIdentity, Stage, Statement, Subject, Verified, VerifiedSet
from gate.model.verification import Verification
from gate.report.junit import Case, junit
from gate.report.verification import FORMATS, render_verification
from tests.support.decisions import NOON_S, digest, rejected

HOSTILE: Final = (
    *(chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))),
    *("\u202e", "\u2028", "\u200b", "\ufffe", "\uffff", "\U000f0000", "\ud800", "\u0300\u0301\u0302\u0303\u0304"),
    *("<script>alert(1)</script>", "]]>", "<!--", "&lt;", "&", '"', "'", "\"'", "`", "|", "a | b", "\\", "@everyone"),
    *(
        "[x](https://evil.example)",
        "![x](y)",
        "</details>",
        "::error::x",
        "\x1b[2J",
        "x\nverified  y",
        "a\r\nb",
        "x" * 9000,
    ),
    *("%0A", "{{x}}", "${{ x }}", "#1", "\x1b]8;;https://evil.example\x07x", "", " "),
)
CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028\u2029\ufffe\uffff\ud800-\udfff]")


def verified(name: str = "prompt.json", *, claim: str = "prompt", signer: str = "release", **more: Any) -> Verified:
    statement = Statement(claim, "urn:x", (Subject("a", digest("a")),), (), False, (), None, {}, {}, **more)
    person = SignerIdentity(signer, "key", digest("key"), signer, signer)
    return Verified(digest(f"payload {name}"), digest(f"evidence {name}"), name, statement, (person,), ("prompts",))


def found(*items: Verified | Rejected, code: int = 0, skipped: dict[str, str] | None = None) -> Verification:
    evidence = VerifiedSet(
        tuple(item for item in items if isinstance(item, Verified)),
        tuple(item for item in items if isinstance(item, Rejected)),
        skipped or {},
    )
    return Verification(evidence, code, NOON_S, digest("configuration"), digest("trust"), "0.1.0")


CHAIN: Final = Failure(Stage.CHAIN, "chain.edge", "it builds on the wrong thing")
LINK: Final = Failure(Stage.SUBJECT, "subject.mismatch", "'b' is a link")
TWICE: Final = rejected(Stage.SUBJECT, "subject.mismatch", origin="two.json", detail="'a' differs", also=(LINK, CHAIN))
MIXED: Final = found(verified(), TWICE, rejected(origin="forged.json"), code=11, skipped={"note.md": "no evidence"})


def test_the_text_names_every_failure_and_what_is_verified() -> None:
    assert render_verification("text", MIXED, "untrusted signature").splitlines() == [
        "rejected  forged.json",
        "          signature.untrusted: no trusted key made any of its signatures",
        "verified  prompt.json",
        "          prompt by release, covers prompts",
        "rejected  two.json",
        "          subject.mismatch: 'a' differs",
        "          subject.mismatch: 'b' is a link",
        "          chain.edge: it builds on the wrong thing",
        "skipped   note.md: no evidence",
        "1 verified, 2 rejected.   exit 11 (untrusted signature)",
    ]


def test_explain_shows_every_stage_and_one_fix_for_each_that_failed() -> None:
    text = render_verification("text", MIXED, "x", explain=True)
    stages = re.findall(r"^ {12}(passed|failed|not reached) +(\w+)", text, re.MULTILINE)
    names = [stage.value for stage in Stage]
    forged, good, two = ({stage: word for word, stage in stages[at : at + 5]} for at in (0, 5, 10))
    assert list(forged) == list(good) == list(two) == names
    assert list(forged.values()) == ["passed", "failed", "not reached", "not reached", "not reached"]
    assert set(good.values()) == {"passed"}
    assert list(two.values()) == ["passed", "passed", "passed", "failed", "failed"]
    assert text.count("fix: ") == 3


@pytest.mark.parametrize("explain", [False, True])
def test_the_json_holds_everything(explain: bool) -> None:
    value = json.loads(render_verification("json", MIXED, "meaning", explain=explain))
    assert value["exit_code"] == 11
    assert value["meaning"] == "meaning"
    assert value["verified_at"] == "2026-11-20T12:00:00Z"
    assert value["digests"] == {"configuration": digest("configuration"), "trust": digest("trust")}
    assert value["skipped"] == {"note.md": "no evidence"}
    assert [(item["origin"], item["outcome"]) for item in value["items"]] == [
        ("forged.json", "rejected"),
        ("prompt.json", "verified"),
        ("two.json", "rejected"),
    ]
    failures = value["items"][2]["failures"]
    assert [(one["stage"], one["exit_code"], one["code"]) for one in failures] == [
        ("subject", 12, "subject.mismatch"),
        ("subject", 12, "subject.mismatch"),
        ("chain", 14, "chain.edge"),
    ]
    assert all(("fix" in one) == explain for one in failures)
    assert value["items"][1]["signers"][0]["name"] == "release"
    assert value["items"][1]["payload"] == digest("payload prompt.json")


def test_the_markdown_is_one_table() -> None:
    text = render_verification("markdown", MIXED, "meaning", explain=True)
    assert text.startswith("## Evidence: 1 verified, 2 rejected\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert sum(line.startswith("- `") for line in text.splitlines()) == 3
    assert "- skipped `note.md`:" in text
    assert "|" not in render_verification("markdown", found(code=10), "missing")


def suites(text: str) -> ET.Element:
    return ET.fromstring(text)


def test_the_junit_has_a_suite_for_each_claim_and_a_case_for_each_item() -> None:
    top = suites(render_verification("junit", MIXED, "x", explain=True))
    assert (top.tag, top.attrib) == (
        "testsuites",
        {"name": "gate verify", "tests": "3", "failures": "2", "errors": "0"},
    )
    assert {suite.get("name"): (suite.get("tests"), suite.get("failures")) for suite in top} == {
        "build.provenance": ("2", "2"),
        "prompt": ("1", "0"),
    }
    failures = top.findall(".//testcase[@name='two.json']/failure")
    assert [item.get("type") for item in failures] == ["subject.mismatch", "subject.mismatch", "chain.edge"]
    assert all("fix: " in (item.get("message") or "") for item in failures)


@pytest.mark.parametrize("items", [(), (rejected(),)])
def test_the_junit_of_nothing_verified_is_never_green(items: tuple[Rejected, ...]) -> None:
    top = suites(render_verification("junit", found(*items, code=10), "nothing is there"))
    assert int(top.get("failures") or 0) == len(items) + 1
    assert top.find(".//failure[@type='evidence.missing']") is not None


def checked(form: str, text: str) -> None:
    assert not CONTROL.search(text)
    if form == "json":
        assert text.isascii()
        json.loads(text)
    elif form == "junit":
        top = suites(text)
        assert {element.tag for element in top.iter()} <= {"testsuites", "testsuite", "testcase", "failure"}
        assert [case.get("name") is not None for case in top.iter("testcase")] == [True, True]
    elif form == "markdown":
        outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        assert not re.search(r"[<>\[\]!]\S", outside)
        assert not re.search(r"@\w|https?:", outside)
        assert sum(line.startswith("|") for line in text.splitlines()) == 4
    else:
        assert len(re.findall(r"^(?:verified|rejected)  ", text, re.MULTILINE)) == 2
        assert not re.search(r"^::", text, re.MULTILINE)


def hostile(text: str) -> Verification:
    reject = rejected(
        Stage.SUBJECT,
        text,
        origin=text,
        detail=text,
        claimed=text,
        artifacts=(text,),
        also=(Failure(LINK.stage, text, text),),
    )
    return found(verified(text, claim=text, signer=text), reject, code=12, skipped={text: text})


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_in_every_field(form: str) -> None:
    for text in (*HOSTILE, *(one + two for one, two in itertools.pairwise(HOSTILE))):
        for explain in (False, True):
            checked(form, render_verification(form, hostile(text), "meaning", explain=explain))


@given(st.text(max_size=40))
def test_any_text_in_every_field(text: str) -> None:
    for form in FORMATS:
        checked(form, render_verification(form, hostile(text), "meaning", explain=True))


@given(
    st.lists(
        st.builds(Case, st.text(max_size=9), st.text(max_size=9), st.just((("c", "t"),)) | st.just(())), max_size=6
    )
)
def test_junit_counts_what_it_shows(cases: list[Case]) -> None:
    top = suites(junit("x", cases))
    assert int(top.get("tests") or 0) == len(cases) == len(list(top.iter("testcase")))
    assert int(top.get("failures") or 0) == len(list(top.iter("failure"))) == sum(bool(case.failures) for case in cases)


def test_a_verification_is_no_yes() -> None:
    with pytest.raises(TypeError, match="exit_code"):
        bool(MIXED)


def test_the_order_is_that_of_the_files() -> None:
    items: list[Verified | Rejected] = [
        verified("b"),
        verified("a"),
        rejected(origin="aa"),
        rejected(origin="aa", evidence=Digest("sha256:0")),
    ]
    for order in itertools.permutations(items):
        lines = render_verification("text", found(*order), "x").splitlines()
        assert [line[10:] for line in lines if re.match("verified|rejected", line)] == ["a", "aa", "aa", "b"]
