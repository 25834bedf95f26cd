"""Conditions of rules in words: which held, with which values, and what was there instead where one did not."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Final

from gate.model.json import JsonObject, JsonValue
from gate.model.trace import BodyTrace, Condition, Operand, State
from gate.report.escape import terminal
from gate.report.summary import counted

_BINDINGS: Final = 3
_VALUES: Final = 3
_VALUE: Final = 120
_STATEMENT: Final = 200
_DIFF: Final = 30
_LONG: Final = 60
_MARKS: Final = {State.HELD: "yes", State.FAILED: "NO ", State.UNREACHED: "-  ", State.UNKNOWN: "?  "}


def shown(value: JsonValue, limit: int = _VALUE) -> str:
    """A value as one line of JSON, shortened and safe for a terminal."""
    return terminal(json.dumps(value, sort_keys=True, ensure_ascii=False), limit)


def body_lines(trace: BodyTrace) -> Iterator[str]:
    """A body: where it is, then its conditions."""
    yield f"{terminal(trace.rule, 80)}  {terminal(trace.path, 200)}:{trace.line}"
    if trace.problem:
        yield f"  cannot be traced: {terminal(trace.problem, 300)}"
    for condition in trace.conditions:
        yield from (f"  {line}" for line in condition_lines(condition))
    for call in trace.calls:
        yield from (f"  in {line}" if not i else f"     {line}" for i, line in enumerate(body_lines(call)))


def condition_lines(condition: Condition) -> Iterator[str]:
    """A condition: whether it held, its text, and the values that say why."""
    yield f"{_MARKS[condition.state]}  {condition.line:>4}  {terminal(_one_line(condition.text), _STATEMENT)}"
    indent = " " * 11
    if condition.problem:
        yield f"{indent}error: {terminal(_one_line(condition.problem), 300)}"
    bindings = [binding for binding in condition.bindings if binding]
    for binding in bindings[:_BINDINGS]:
        yield indent + ", ".join(f"{terminal(name, 60)} = {shown(value, _LONG)}" for name, value in binding.items())
    if len(bindings) > _BINDINGS:
        yield f"{indent}... and {counted(len(bindings) - _BINDINGS, 'other choice')} of these"
    names = ("left", "right") if condition.is_equality else ()
    for place, operand in enumerate(condition.operands):
        name = names[place] if place < len(names) else terminal(_one_line(operand.text), _LONG)
        if condition.is_equality or list(map(shown, operand.values)) != [operand.text]:
            yield f"{indent}{name}: {_values(operand)}"
    yield from (indent + line for line in _difference(condition))


def _values(operand: Operand) -> str:
    if not operand.values:
        return "undefined"
    more = len(operand.values) - _VALUES
    return " or ".join(shown(value) for value in operand.values[:_VALUES]) + (f" or {more} more" if more > 0 else "")


def _difference(condition: Condition) -> Iterator[str]:
    """Line by line where two long values differ."""
    values = [operand.values for operand in condition.operands]
    if not condition.is_equality or [len(one) for one in values] != [1, 1]:
        return
    left, right = (json.dumps(one[0], sort_keys=True, ensure_ascii=False, indent=1).splitlines() for one in values)
    if max(len(left), len(right)) < 3:
        return
    lines = list(difflib.unified_diff(left, right, "left", "right", n=1, lineterm=""))[2:]
    yield from (terminal(line, 160) for line in lines[:_DIFF])
    if len(lines) > _DIFF:
        yield f"... {len(lines) - _DIFF} more lines"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def trace_json(trace: BodyTrace) -> JsonObject:
    """A body as JSON; of the choices of variables the first few."""
    return {
        "rule": trace.rule,
        "file": trace.path,
        "line": trace.line,
        "problem": trace.problem or None,
        "conditions": [_condition_json(condition) for condition in trace.conditions],
        "calls": [trace_json(call) for call in trace.calls],
    }


def _condition_json(condition: Condition) -> JsonObject:
    bindings: list[Mapping[str, JsonValue]] = [binding for binding in condition.bindings if binding]
    return {
        "text": condition.text,
        "line": condition.line,
        "state": condition.state.name.lower(),
        "choices": len(condition.bindings),
        "bindings": [dict(binding) for binding in bindings[:_BINDINGS]],
        "values": [{"text": one.text, "values": list(one.values[:_VALUES])} for one in condition.operands],
        "problem": condition.problem or None,
    }
