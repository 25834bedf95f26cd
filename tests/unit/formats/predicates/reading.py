"""Reading predicates in tests: good ones, and copies of them with one change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import read_statement
from gate.model.digest import sha256_digest
from gate.model.evidence import Statement, Subject

SLSA_V1, SLSA_V02 = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"
SUBJECTS = (Subject("model", sha256_digest(b"model")),)


def read(kind: str, predicate: Any, subjects: tuple[Subject, ...] = SUBJECTS) -> Statement:
    return read_statement(RawStatement(subjects, kind, predicate))


def code_of(kind: str, predicate: Any, subjects: tuple[Subject, ...] = SUBJECTS) -> str:
    with pytest.raises(StatementError) as caught:
        read(kind, predicate, subjects)
    assert len(str(caught.value)) < 700
    return caught.value.code


def changed(value: Any, path: str, new: Any) -> Any:
    """A deep copy with one member replaced, or left out where the change is `...`."""
    copy = json.loads(json.dumps(value))
    *parents, last = path.split(".")
    inner = copy
    for key in parents:
        inner = inner[int(key)] if isinstance(inner, list) else inner[key]
    if new is ...:
        del inner[last]
    else:
        inner[int(last) if isinstance(inner, list) else last] = new
    return copy


V1: dict[str, Any] = {
    "buildDefinition": {
        "buildType": "https://example.com/build/v1",
        "externalParameters": {
            "configSource": {"uri": "git+https://example.com/app"},
            "parameters": {"quantize": True},
        },
        "internalParameters": {"runner": "large"},
        "resolvedDependencies": [
            {"uri": "git+https://example.com/app", "digest": {"gitCommit": "0" * 40}},
            {"name": "base", "digest": {"sha256": "1" * 64}},
        ],
    },
    "runDetails": {
        "builder": {"id": "https://example.com/builder@v1"},
        "metadata": {
            "invocationId": "run-7",
            "startedOn": "2026-11-20T10:00:00Z",
            "finishedOn": "2026-11-20T11:00:00+01:00",
        },
    },
}
V02: dict[str, Any] = {
    "builder": {"id": "https://example.com/builder@v1"},
    "buildType": "https://example.com/build/v1",
    "invocation": {"configSource": {"uri": "git+https://example.com/app"}, "parameters": {"quantize": True}},
    "metadata": {
        "buildInvocationId": "run-7",
        "buildStartedOn": "2026-11-20T10:00:00Z",
        "buildFinishedOn": "2026-11-20T10:00:00.5Z",
    },
    "materials": [
        {"uri": "git+https://example.com/app", "digest": {"gitCommit": "0" * 40}},
        {"uri": "base", "digest": {"sha256": "1" * 64}},
    ],
}
