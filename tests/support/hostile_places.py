"""Decisions with a hostile text in every place of their document that takes any text."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from gate.formats.decision_document import DecisionFormatError, read_decision
from gate.model.decision import Decision
from gate.report.json import decision_json

TEXTS = (
    "\x1b[31mred\x07",
    "two\nlines\r\nmore",
    "  spaces  ",
    "",
    "\u202egnp.exe\u2066",
    "<script>alert(1)</script>",
    "`code` [link](https://x.example) @you #1 | *",
    "##[error] ::error::x %0A",
    "=cmd|' /C calc'!A0",
    "\x7f\x9b\ufeff\U000e0001",
    '"}],"verdict":"allow"',
    "a" * 5000,
    "9 lives (1)",
)
"""One for each class of what a document of others has to take."""


def hostile(decision: Decision, text: str) -> Decision:
    """The decision with that text wherever it stays a decision: all places at once that can be."""
    value: Any = copy.deepcopy(decision_json(decision))
    for holder, key in [*_places(value)]:
        before = holder[key]
        holder[key] = text
        try:
            read_decision(value)
        except DecisionFormatError:
            holder[key] = before
    return read_decision(value)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, str):
            yield value, key
        elif isinstance(item, dict | list):
            yield from _places(item)
