"""Cases: what is written is what is read, and a part that cannot be read is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.canonical_json import dumps, pretty
from gate.formats.case_file import CaseFile, CaseFileError, case_json, make_case, read_case
from gate.formats.schema import problem
from gate.report.json import decision_json
from tests.support.cases import document_of, good_model
from tests.support.decisions import refusal

FILES = {"gate/main/main.rego": b"package gate.main\n", "gate/profiles/own/data.json": b"{}"}


def case() -> CaseFile:
    return make_case(decision_json(refusal()), document_of(good_model()).canonical, FILES)


def test_a_case_is_read_as_it_was_written() -> None:
    value = case_json(case())
    assert problem("case.json", value) is None
    assert read_case(pretty(value).encode()) == case()
    assert case().recorded == dumps(decision_json(refusal()))


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(pretty(case_json(case()))), **changes}).encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "no JSON"),
        (changed(more=1), "does not fit its schema"),
        (changed(policy={"a": 1}), "does not fit its schema"),
        (changed(decision={}), "the decision: "),
        (changed(input={}), "the input document: "),
        (changed(input={"x": 1 << 60}), "the input document has no canonical form"),
    ],
)
def test_what_is_no_case_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(CaseFileError, match=why):
        read_case(data)


def test_a_policy_that_is_no_text_is_not_written() -> None:
    odd = make_case(decision_json(refusal()), document_of(good_model()).canonical, {"a.rego": b"\xff"})
    with pytest.raises(CaseFileError, match="not UTF-8"):
        case_json(odd)
