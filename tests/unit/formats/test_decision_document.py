"""A saved decision is read back whole, or not at all."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from gate.formats.decision_document import DecisionFormatError, load_decision, read_decision
from gate.model.decision import ReuseUse
from gate.model.json import JsonValue
from gate.report.json import decision_json, render_json
from tests.support.decisions import GOLDEN, approval, digest, refusal, statement


@pytest.mark.parametrize("name", GOLDEN)
def test_what_was_written_is_read(name: str) -> None:
    decision = GOLDEN[name]()
    text = render_json(decision)
    assert load_decision(text.encode()) == decision
    assert render_json(load_decision(text.encode())) == text


def test_summaries_and_everything_about_statements_come_back() -> None:
    item = dataclasses.replace(
        statement("eval", "release"), depends_on=(digest("prompt"),), log_included=True, predicate_type="urn:x"
    )
    reuse = ReuseUse(digest("summary"), None, "summarizer", ("sbom.signed",), used=False, problems=("it is too old",))
    decision = dataclasses.replace(approval(), verified=(item,), reuse=(reuse,))
    assert read_decision(decision_json(decision)) == decision


def changed(path: str, value: JsonValue) -> bytes:
    document: Any = json.loads(render_json(approval()))
    *parents, last = path.split("/")
    place = document
    for key in parents:
        place = place[key]
    place[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("schema", "urn:gate:decision:v2", "does not fit its schema"),
        ("controls/artifact.signed/status", "fine", "does not fit its schema"),
        ("more", 1, "does not fit its schema"),
        ("exit_code", 13, "does not fit its schema"),
        ("verdict", "deny", "does not fit its schema"),
        ("causes", [13], "does not fit its schema"),
        ("controls/artifact.signed/status", "fail", "ALLOW"),
    ],
)
def test_what_is_no_decision_is_not_read(path: str, value: JsonValue, said: str) -> None:
    with pytest.raises(DecisionFormatError, match=said):
        load_decision(changed(path, value))


def test_a_refusal_edited_into_an_approval_is_not_read() -> None:
    document = json.loads(render_json(refusal())) | {"verdict": "allow", "exit_code": 0, "causes": []}
    with pytest.raises(DecisionFormatError, match="ALLOW"):
        load_decision(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"a":1,"a":2}', b"\xff", b"null"])
def test_what_is_no_json_object_is_not_read(data: bytes) -> None:
    with pytest.raises(DecisionFormatError):
        load_decision(data)


def test_a_limit_holds() -> None:
    with pytest.raises(DecisionFormatError, match="no JSON"):
        load_decision(render_json(approval()).encode(), limit=100)
