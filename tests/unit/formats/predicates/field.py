"""Statements of the field's predicate types: the examples of their specifications, and copies with one change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.formats.intoto import StatementError, parse_statement
from gate.formats.predicates import DRAFTS, Reading, read_statement
from gate.model.evidence import Statement
from tests.unit.formats.predicates.reading import changed

VECTORS = Path(__file__).parents[3] / "vectors" / "predicates"
NAMES = sorted(path.stem for path in VECTORS.glob("*.json"))
ALL_DRAFTS = Reading(drafts=frozenset(DRAFTS))


def example(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_bytes())
    return value


def read(statement: Any, reading: Reading = ALL_DRAFTS) -> Statement:
    return read_statement(parse_statement(json.dumps(statement).encode(), limit=1 << 20), reading)


def facts(name: str, path: str = "", new: Any = None) -> Any:
    """The facts of an example, or of a copy with one member of its predicate changed."""
    statement = example(name)
    return read(changed(statement, f"predicate.{path}", new) if path else statement).facts


def code_of(statement: Any, reading: Reading = ALL_DRAFTS) -> str:
    with pytest.raises(StatementError) as caught:
        read(statement, reading)
    assert len(str(caught.value)) < 700
    return caught.value.code


def code(name: str, path: str, new: Any) -> str:
    """The code with which an example with one change is refused."""
    return code_of(changed(example(name), path, new))
