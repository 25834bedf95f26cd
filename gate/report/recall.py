"""What rests on a key, an identity, a piece of evidence or an artifact, as text and as `urn:gate:recall:v1`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from gate.formats.canonical_json import pretty
from gate.model.json import JsonObject
from gate.model.recall import Recall, Resting, RestingDecision, Standing, Why
from gate.report.escape import terminal

T = TypeVar("T")
FORMATS: Final = ("text", "json")
RECALL_SCHEMA: Final = "urn:gate:recall:v1"
_SHOWN: Final = 10
_SHORT: Final = 19
_HEADS: Final[Mapping[Why, str]] = {
    Why.SIGNED: "signed by it",
    Why.IS: "it is",
    Why.ABOUT: "about it",
    Why.BUILDS_ON: "builds on these",
    Why.MADE_FROM: "about what was made from it",
}


def render_recall(form: str, found: Recall, exit_code: int) -> str:
    """The report in one of `FORMATS`."""
    return pretty(recall_json(found, exit_code)) if form == "json" else "\n".join(_text(found, exit_code))


def recall_summary(found: Recall, exit_code: int) -> str:
    """The line that ends the text, alone: what is said where the report goes into a file."""
    standings = [item.standing for item in found.statements]
    counts = ", ".join(f"{standings.count(one)} {one.value}" for one in Standing if one in standings)
    statements = _many(len(standings), "statement") + (f" ({counts})" if counts else "")
    rests = f"resting on it: {statements}, {_many(len(found.decisions), 'decision')}"
    nothing = "nothing was found, and not everything could be read" if found.searched.unread else "nothing rests on it"
    return f"{nothing if found.is_empty else rests}.   exit {exit_code}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


# -- JSON --------------------------------------------------------------------------------------------------------------


def recall_json(found: Recall, exit_code: int) -> JsonObject:
    """The document; nothing is left out of it or shortened."""
    target, searched = found.target, found.searched
    return {
        "schema": RECALL_SCHEMA,
        "exit_code": exit_code,
        "target": {
            "kind": target.kind,
            "label": target.label,
            "spki": target.spki,
            "issuer": target.issuer,
            "subject": target.subject,
            "digests": sorted(target.words),
        },
        "searched": {
            "directories": list(searched.directories),
            "evidence": searched.evidence,
            "decisions": searched.decisions,
            "unread": dict(searched.unread),
            "skipped": dict(searched.skipped),
            "notes": list(searched.notes),
        },
        "statements": [_json_statement(item) for item in found.statements],
        "artifacts": [
            {"name": name, "digest": digest, "standing": standing.value}
            for (name, digest), standing in _artifacts(found).items()
        ],
        "decisions": [_json_decision(item) for item in found.decisions],
    }


def _json_statement(item: Resting) -> JsonObject:
    return {
        "payload": item.payload,
        "claim": item.claim,
        "why": item.why.value,
        "standing": item.standing.value,
        "because": list(item.because),
        "subjects": [{"name": name, "digest": digest} for name, digest in item.subjects],
        "places": [
            {
                "origin": place.origin,
                "evidence": place.evidence,
                "signed": place.signed.value if place.signed is not None else None,
                "note": place.note,
            }
            for place in item.places
        ],
        "others": None if item.others is None else list(item.others),
    }


def _json_decision(item: RestingDecision) -> JsonObject:
    return {
        "place": item.place,
        "id": item.id,
        "verdict": item.verdict,
        "decided_at": item.decided_at,
        "artifacts": dict(item.artifacts),
        "statements": list(item.statements),
        "controls": list(item.controls),
    }


def _artifacts(found: Recall) -> Mapping[tuple[str, str], Standing]:
    """Everything that the statements are about, with the surest standing of each, sorted."""
    order, best = tuple(Standing), dict[tuple[str, str], Standing]()
    for item in found.statements:
        for subject in item.subjects:
            best[subject] = min(best.get(subject, item.standing), item.standing, key=order.index)
    return dict(sorted(best.items()))


# -- text --------------------------------------------------------------------------------------------------------------


def _text(found: Recall, exit_code: int) -> Iterator[str]:
    target, searched = found.target, found.searched
    yield f"RECALL  {target.kind} {terminal(target.label)}"
    places = ", ".join(searched.directories) or "no folder"
    pieces = _many(searched.evidence, "piece") + " of evidence"
    yield terminal(f"searched {pieces} in {places}, {_many(searched.decisions, 'decision')}")
    for origin, reason in _some(list(searched.unread.items())):
        yield f"NOT READ  {terminal(origin)}: {terminal(reason)}"
    yield from _more(len(searched.unread), "that could not be read")
    for note in searched.notes:
        yield f"NOTE  {terminal(note)}"
    for why in Why:
        items = [item for item in found.statements if item.why is why]
        if items:
            yield ""
            yield f"{_HEADS[why]}: {_many(len(items), 'statement')}"
            for item in items:
                yield from _statement(item, is_signer=target.kind in {"key", "identity"})
    if found.decisions:
        yield ""
        yield f"decisions that counted it: {len(found.decisions)}"
        for decision in found.decisions:
            yield from _decision(decision)
    yield ""
    yield recall_summary(found, exit_code)


def _statement(item: Resting, *, is_signer: bool) -> Iterator[str]:
    word = item.standing.value.upper() if item.standing is Standing.UNPROVED else item.standing.value
    yield f"  {word:<9} {terminal(item.claim or 'unknown')}  {item.payload[:_SHORT]}"
    for name, digest in _some(item.subjects):
        yield f"            covers {terminal(name) or 'something'}  {terminal(digest)[:_SHORT]}"
    yield from _more(len(item.subjects), "things that it covers")
    for place in _some(item.places):
        note = f": {place.note}" if place.note else ""
        yield f"            in {terminal(place.origin + note)}"
    yield from _more(len(item.places), "places")
    for ground in _some(item.because):
        yield f"            {item.why.value} {ground[:_SHORT]}"
    if item.others:
        yield f"            {'stands without it' if is_signer else 'signed'} by {terminal(', '.join(item.others))}"
    elif item.others is not None:
        yield f"            nobody{' else' if is_signer else ''} whom gate.yaml trusts stands behind it"


def _decision(item: RestingDecision) -> Iterator[str]:
    yield terminal(f"  {item.verdict:<9} {item.decided_at}  {item.id}  in {item.place}")
    for name, digest in _some(list(item.artifacts.items())):
        yield f"            judged {terminal(name)}  {terminal(digest or 'no digest')[:_SHORT]}"
    yield from _more(len(item.artifacts), "artifacts")
    counted = ", ".join(payload[:_SHORT] for payload in item.statements[:_SHOWN]) or "the artifact itself"
    by = f" by {', '.join(item.controls)}" if item.controls else ""
    yield terminal(f"            counted {counted}{by}")


def _some(items: Sequence[T]) -> Sequence[T]:
    return items[:_SHOWN]


def _more(count: int, what: str) -> Iterator[str]:
    if count > _SHOWN:
        yield f"            and {count - _SHOWN} more {what}; --format json has all"
