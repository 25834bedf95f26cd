"""`gate diff`: what differs between two decisions, or between two input documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.attest.files import read_file
from gate.errors import AttestError, ConfigError, EvidenceError
from gate.formats.checked import Checked
from gate.formats.decision_document import DecisionFormatError, read_decision
from gate.formats.input_document import InputDocumentError, InputFacts, read_input_document
from gate.formats.json_diff import differences
from gate.formats.rfc3339 import format_time
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.decision import ControlDecision, DecidedViolation, Decision
from gate.model.difference import Diff, Kind, Side, Turn, standing
from gate.model.document import INPUT_SCHEMA, InputDocument
from gate.model.json import JsonObject, JsonValue
from gate.report.json import DECISION_SCHEMA, decision_json

DOCUMENT_BYTES: Final = 64 << 20
_HOW: Final = "name two decisions (`gate check --output FILE`) or two input documents (`gate input > FILE`)"
# What is told of a decision or control by itself.
_APART: Final = frozenset({"schema", "id", "verdict", "exit_code", "decided_at"})
_TURNED: Final = frozenset({"status", "mode", "violations", "waiver"})


@dataclass(frozen=True, slots=True)
class Opened:
    """A decision or an input document, and where it was read."""

    place: str
    value: Decision | InputDocument


def open_document(path: Path) -> Opened:
    """The decision or input document in a file; raises `EvidenceError` for what is neither."""
    try:
        data = read_file(path, DOCUMENT_BYTES)
    except AttestError as error:
        raise EvidenceError(str(error)) from None
    return Opened(str(path), read_document(str(path), data))


def read_document(place: str, data: bytes) -> Decision | InputDocument:
    """The decision or input document in some bytes; raises `EvidenceError` that names the place."""
    try:
        value = loads_object(data, limit=DOCUMENT_BYTES)
        kind = value.get("schema")
        if kind == DECISION_SCHEMA:
            return read_decision(value)
        if kind == INPUT_SCHEMA:
            return read_input_document(data, limit=DOCUMENT_BYTES)
    except (StrictJsonError, DecisionFormatError, InputDocumentError) as error:
        raise EvidenceError(f"{place} cannot be read: {error}", hint=_HOW) from None
    raise EvidenceError(f"{place} is neither a decision nor an input document", hint=_HOW)


def diff(old: Opened, new: Opened) -> Diff:
    """What differs; raises `ConfigError` for a decision and a document."""
    one, other = old.value, new.value
    if isinstance(one, Decision) and isinstance(other, Decision):
        return diff_decisions(one, other, (old.place, new.place))
    if isinstance(one, InputDocument) and isinstance(other, InputDocument):
        found = tuple(differences(one.value, other.value))
        return Diff(Kind.INPUT, _documented(one, old.place), _documented(other, new.place), (), found)
    raise ConfigError(f"{old.place} and {new.place} are not of one kind", hint=_HOW)


def diff_decisions(old: Decision, new: Decision, places: tuple[str, str] = ("", "")) -> Diff:
    """What differs between two decisions, ids and times apart."""
    found = tuple(differences(_compared(old), _compared(new)))
    return Diff(Kind.DECISION, _decided(old, places[0]), _decided(new, places[1]), tuple(turns(old, new)), found)


def _decided(decision: Decision, place: str) -> Side:
    return Side(place, decision.id, decision.decided_at, decision.verdict.value, decision.exit_code)


def _documented(document: InputDocument, place: str) -> Side:
    return Side(place, document.digest, format_time(InputFacts(document).now_s))


def turns(old: Decision, new: Decision) -> Iterator[Turn]:
    """The controls whose outcome, mode or violations differ."""
    for name in sorted(old.controls.keys() | new.controls.keys()):
        before, after = old.controls.get(name), new.controls.get(name)
        gone, came = _only(before, after), _only(after, before)
        if standing(before) != standing(after) or gone or came:
            yield Turn(name, before, after, gone, came)


def _only(one: ControlDecision | None, other: ControlDecision | None) -> tuple[DecidedViolation, ...]:
    """The violations that only one of two has."""
    there = set() if other is None else {*map(_told, other.violations)}
    return () if one is None else tuple(entry for entry in one.violations if _told(entry) not in there)


def _told(entry: DecidedViolation) -> tuple[str | None, ...]:
    """What is told of a violation: with other evidence it is still the same."""
    violation = entry.violation
    return violation.code, violation.message, violation.artifact, violation.file, entry.waiver, entry.reuse


def _compared(decision: Decision) -> JsonObject:
    """The decision as a document whose lists have names, without what is told apart."""
    document = Checked(decision_json(decision))
    evidence = document.object("evidence")
    return {
        **{name: value for name, value in document.value.items() if name not in _APART},
        "controls": {
            name: {key: value for key, value in control.value.items() if key not in _TURNED}
            for name, control in document.members("controls")
        },
        "evidence": {
            "verified": _named(evidence.objects("verified"), "payload"),
            "rejected": _named(evidence.objects("rejected"), "evidence"),
        },
        "waivers": _named(document.objects("waivers"), "id"),
        "reuse": _named(document.objects("reuse"), "artifact", "statement"),
    }


def _named(items: Sequence[Checked], *keys: str) -> JsonValue:
    """Objects by what names them; a list when their names are not unique."""
    found = {" ".join(item.text(key) for key in keys): item.value for item in items}
    return found if len(found) == len(items) else [item.value for item in items]
