"""JUnit XML: cases are counted, and hostile XML is refused."""

from __future__ import annotations

import pytest

from gate.formats.results import Results, ResultsError, Samples, read_results

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
CASES = (
    '<testcase name="a"/><testcase name="b"><failure>no</failure></testcase><testcase name="c"><skipped/></testcase>'
)
GOOD = f'{HEAD}<testsuites><testsuite name="s" tests="3" failures="1" errors="0">{CASES}</testsuite></testsuites>'


def read(text: str | bytes) -> Results:
    return read_results(text.encode() if isinstance(text, str) else text, "junit.xml")


def refused(text: str | bytes) -> str:
    with pytest.raises(ResultsError) as caught:
        read(text)
    return str(caught.value).removeprefix("junit.xml: ")


def suite(inside: str, **attributes: str) -> str:
    words = "".join(f' {key}="{text}"' for key, text in attributes.items())
    return f"<testsuite{words}>{inside}</testsuite>"


def test_cases_are_counted() -> None:
    found = read(GOOD)
    assert found.metrics["pass_rate"].text == "0.5"
    assert found.metrics["pass_rate"].better == "higher"
    assert found.samples == Samples(evaluated=2, expected=3)
    assert (found.tool, found.version) == ("junit", None)


def test_an_error_is_no_pass_and_no_evaluated_sample() -> None:
    case = "<testcase><system-out>x</system-out><failure/><error/><skipped/></testcase>"
    found = read(suite(f"<properties><property name='p'/></properties>{case}<testcase/>"))
    assert found.metrics["pass_rate"].text == "0.5"
    assert found.samples == Samples(evaluated=1, expected=2)


def test_suites_may_lie_in_suites() -> None:
    found = read(suite(suite("<testcase/>", tests="1") + suite("<testcase/>", tests="1"), tests="2"))
    assert found.samples == Samples(evaluated=2, expected=2)


@pytest.mark.parametrize(
    ("attribute", "evaluated", "rate"),
    [
        ('status="notrun"', 1, "1"),
        ('status="run" result="suppressed"', 1, "1"),
        ('status="failed"', 2, "0.5"),
        ('status="Error"', 1, "0.5"),
        ('status="run" result="completed"', 2, "1"),
    ],
)
def test_an_attribute_may_say_what_became_of_a_case(attribute: str, evaluated: int, rate: str) -> None:
    found = read(suite(f"<testcase/><testcase {attribute}/>"))
    assert found.samples == Samples(evaluated=evaluated, expected=2)
    assert found.metrics["pass_rate"].text == rate


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (suite(""), "pass_rate: 0 of 0 is no ratio"),
        (suite("<testcase><skipped/></testcase>"), "pass_rate: 0 of 0 is no ratio"),
        (suite("<testcase/>", name="s", tests="2"), "suite 's' says 2 tests, and holds 1"),
        (suite("<testcase/>", failures="1"), "suite '' says 1 failures, and holds 0"),
        (suite("<testcase/>", errors="1"), "suite '' says 1 errors, and holds 0"),
        (suite("<testcase/>", tests="NaN"), "tests of suite '' is 'NaN', not a number of tests"),
        (suite("<testcase/>", tests="²"), "tests of suite '' is '²', not a number of tests"),
        (suite("<testcase/>", tests="1" * 10), "tests of suite '' is '1111111111', not a number of tests"),
        (GOOD[:-5], "not XML at line 1, column"),
        (GOOD + GOOD, "not XML at line 1, column"),
        ("<html/>", "the root is 'html', expected testsuites or testsuite"),
        (suite("<testcase><testcase/></testcase>"), "testcase stands inside testcase"),
        (suite("<testcase><testsuite/></testcase>"), "testsuite stands inside testcase"),
        (suite("<testcase><j:failure/></testcase>", **{"xmlns:j": "x"}), "'j:failure' has a prefix; elements of a"),
        ('<j:testsuite xmlns:j="x"/>', "'j:testsuite' has a prefix"),
        (
            suite("<testcase><properties><failure/></properties></testcase>"),
            "failure stands inside properties, expected",
        ),
        (suite("<testcase><Failure/></testcase>"), "Failure stands inside testcase, expected failure inside testcase"),
        (suite("<testcase/><error/>"), "error stands inside testsuite, expected error inside testcase"),
        (suite("<system-out><skipped/></system-out>"), "skipped stands inside system-out, expected skipped"),
        ("<failure/>", "failure stands inside nothing"),
        (suite("<a>" * 40 + "</a>" * 40), "more than 32 levels of nesting"),
        ('<!DOCTYPE testsuite [<!ENTITY a "aaaa">]><testsuite/>', "a document type declaration; XML with one is"),
        ('<!DOCTYPE testsuite SYSTEM "http://127.0.0.1/x.dtd"><testsuite/>', "a document type declaration; XML"),
        (suite("<testcase>&a;</testcase>"), "not XML at line 1, column"),
        ('<?xml version="1.0" encoding="latin-1"?><testsuite/>', "encoding 'latin-1'; only UTF-8 is read"),
        (suite('<testcase name="\ufffe"/>'), "not XML at line 1, column"),
        (b"<testsuite>\xff</testsuite>", "not UTF-8 at byte 11"),
        (b"<testsuite>" + b" " * (16 << 20), "16777227 bytes of XML, more than the 16777216 that are read"),
    ],
)
def test_what_is_cut_contradictory_or_hostile_is_an_error(text: str | bytes, problem: str) -> None:
    assert refused(text).startswith(problem)


def test_an_outcome_in_a_default_namespace_counts() -> None:
    found = read(suite('<testcase><failure xmlns="urn:x"/></testcase><testcase/>', xmlns="urn:y"))
    assert found.metrics["pass_rate"].text == "0.5"


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert read(b"\xef\xbb\xbf" + GOOD.encode()).samples == Samples(evaluated=2, expected=3)
