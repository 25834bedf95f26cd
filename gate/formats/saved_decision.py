"""Decisions that were saved (`urn:gate:decision:v1`), as far as a recall needs them.

Also those of older versions: members that are not there are empty. Nothing says that a file was not edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.predicates.common import member, names_in, text
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.digest import Digest, parse_digest
from gate.model.json import JsonValue
from gate.model.recall import Counted, SavedDecision

SCHEMA: Final = "urn:gate:decision:v1"


class SavedDecisionError(ValueError):
    """The bytes are no decision."""


class UnreadableDecisionError(SavedDecisionError):
    """The bytes are nothing that can be read: a decision may have been there."""


def read_saved_decision(place: str, data: bytes, *, limit: int) -> SavedDecision:
    """A decision, whose place is for people; raises `SavedDecisionError`."""
    try:
        value = loads(data, limit=limit)
    except StrictJsonError as error:
        raise UnreadableDecisionError(f"no JSON: {error}") from None
    if text(value, "schema") != SCHEMA:
        raise SavedDecisionError(f"its schema is not {SCHEMA}")
    artifacts = member(value, "subject", "artifacts")
    controls = member(value, "controls")
    listed = member(value, "evidence", "verified")
    return SavedDecision(
        place=place,
        id=text(value, "id") or "",
        verdict=text(value, "verdict") or "unknown",
        decided_at=text(value, "decided_at") or "",
        artifacts={name: text(artifacts, name, "digest") for name in names_in(artifacts)},
        verified=tuple(
            item for entry in (listed if isinstance(listed, list) else []) for item in [_counted(entry)] if item
        ),
        controls={name: _counts(member(controls, name)) for name in names_in(controls)},
    )


def _counts(control: JsonValue) -> frozenset[str]:
    """What a control counted, and the summaries that stand for what it misses."""
    violations = member(control, "violations")
    reused = [text(item, "reuse") for item in (violations if isinstance(violations, list) else [])]
    return frozenset({*names_in(member(control, "evidence")), *(digest for digest in reused if digest is not None)})


def _counted(value: JsonValue) -> Counted | None:
    payload, evidence = _digest(value, "payload"), _digest(value, "evidence")
    if payload is None or evidence is None:
        return None
    subjects, signers = member(value, "subjects"), member(value, "signers")
    named = [(name, text(subjects, name)) for name in names_in(subjects)] if isinstance(subjects, Mapping) else []
    return Counted(
        payload,
        evidence,
        text(value, "claim"),
        text(value, "origin") or "",
        tuple((name, word) for name, word in named if word is not None),
        tuple(
            (text(one, "spki"), text(one, "issuer"), text(one, "subject"))
            for one in (signers if isinstance(signers, list) else [])
        ),
    )


def _digest(value: JsonValue, name: str) -> Digest | None:
    return parse_digest(text(value, name) or "")
