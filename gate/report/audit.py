"""An audit of what runs, as text and as `urn:gate:audit:v1`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from gate.formats.canonical_json import pretty
from gate.formats.rfc3339 import format_time
from gate.model.audit import Audit, AuditedObject, AuditReason, Ground, Standing
from gate.model.json import JsonObject, JsonValue
from gate.report.escape import terminal

T = TypeVar("T")
FORMATS: Final = ("text", "json")
AUDIT_SCHEMA: Final = "urn:gate:audit:v1"
_SHOWN: Final = 10
_GROUNDS: Final[Mapping[Ground, str]] = {
    Ground.REVOKED: "what it rests on is revoked now",
    Ground.EXPIRED: "what it rests on has expired",
    Ground.MISSED: "admission missed it",
}
_ORDER: Final = (Standing.REFUSED, Standing.UNJUDGED, Standing.EXCUSED, Standing.ALLOWED, Standing.EMPTY)
"""The worst first."""


def render_audit(form: str, found: Audit) -> str:
    """The report in one of `FORMATS`."""
    return pretty(audit_json(found)) if form == "json" else "\n".join(_text(found))


def audit_summary(found: Audit) -> str:
    """The line that ends the text, alone: what is said where the report goes into a file."""
    counts = ", ".join(f"{found.count(one)} {one.value}" for one in _ORDER if found.count(one))
    missing = f"; {_many(len(found.problems), 'gap')} in the listing" if found.problems else ""
    return f"{_many(len(found.objects), 'object')}: {counts or 'nothing judged'}{missing}.   exit {found.exit_code}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


# -- JSON --------------------------------------------------------------------------------------------------------------


def audit_json(found: Audit) -> JsonObject:
    """The document; nothing is left out of it or shortened."""
    return {
        "schema": AUDIT_SCHEMA,
        "exit_code": found.exit_code,
        "source": found.source,
        "audited_at": format_time(found.at_s),
        "mode": found.mode,
        "profile": found.profile,
        "policy": found.policy,
        "counts": {standing.value: found.count(standing) for standing in Standing},
        "left_out": found.left_out,
        "problems": [{"place": item.place, "problem": item.problem} for item in found.problems],
        "objects": [_json_object(item) for item in found.objects],
        "images": _json_images(found),
    }


def _json_object(item: AuditedObject) -> JsonObject:
    kind = item.kind
    return {
        "place": item.place,
        "kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "namespace": item.namespace,
        "name": item.name,
        "standing": item.standing.value,
        "cause": None if item.cause is None else item.cause.value,
        "message": item.message,
        "images": [
            {"place": image.place, "reference": image.reference, "role": image.role.value, "digest": image.digest}
            for image in item.images
        ],
        "grounds": [ground.value for ground in item.grounds],
        "reasons": [
            {
                "code": reason.code,
                "control": reason.control,
                "message": reason.message,
                "artifact": reason.artifact,
                "fix": reason.fix,
            }
            for reason in item.reasons
        ],
        "decision": item.decision,
        "notes": list(item.notes),
    }


def _json_images(found: Audit) -> list[JsonValue]:
    """Each image once, by its digest where it has one, with the worst standing of an object that it is in."""
    objects: dict[str, list[AuditedObject]] = {}
    references: dict[str, set[str]] = {}
    for item in found.objects:
        for image in item.images:
            key = image.digest or image.reference
            references.setdefault(key, set()).add(image.reference)
            held = objects.setdefault(key, [])
            if not held or held[-1] is not item:
                held.append(item)
    return [
        {
            "image": key,
            "references": sorted(references[key]),
            "standing": min((item.standing for item in objects[key]), key=_ORDER.index).value,
            "objects": [item.place for item in objects[key]],
        }
        for key in sorted(objects)
    ]


# -- text --------------------------------------------------------------------------------------------------------------


def _text(found: Audit) -> Iterator[str]:
    yield f"AUDIT  {terminal(found.source)}"
    yield terminal(f"{format_time(found.at_s)}, profile {found.profile}, policy {found.policy[:19]}")
    if found.mode != "enforce":
        yield f"NOTE  the webhook runs in the mode {terminal(found.mode)}: what is refused here, it lets in"
    if found.left_out:
        yield f"NOTE  {_many(found.left_out, 'object')} of other namespaces were left out"
    for problem in _some(found.problems):
        yield terminal(f"NOT LISTED  {problem.place or 'the listing'}: {problem.problem}")
    yield from _more(len(found.problems), "gaps")
    for ground in Ground:
        refused = [item for item in found.objects if item.grounds[:1] == (ground,)]
        yield from _section(f"REFUSED, {_GROUNDS[ground]}", refused)
    yield from _section("NOT JUDGED", [item for item in found.objects if item.standing is Standing.UNJUDGED])
    yield from _section("EXCUSED", [item for item in found.objects if item.standing is Standing.EXCUSED])
    yield ""
    yield audit_summary(found)


def _section(head: str, items: Sequence[AuditedObject]) -> Iterator[str]:
    """Objects that have the same reasons together: pods of one template are many."""
    if not items:
        return
    yield ""
    yield f"{head}: {_many(len(items), 'object')}"
    grouped: dict[tuple[str, ...], list[AuditedObject]] = {}
    for item in items:
        grouped.setdefault(_why(item), []).append(item)
    for why, same in grouped.items():
        yield from (f"  {terminal(line)}" for line in why[:_SHOWN])
        yield from _more(len(why), "reasons")
        for item in _some(same):
            yield f"    {terminal(item.label)}"
        yield from _more(len(same), "objects like these")


def _why(item: AuditedObject) -> tuple[str, ...]:
    """The reasons, or what else is to be said; the images where no reason names them."""
    also = [f"also: {_GROUNDS[ground]}" for ground in item.grounds[1:]]
    if item.reasons:
        return (*(_line(reason) for reason in item.reasons), *also)
    images = ", ".join(dict.fromkeys(image.reference for image in item.images))
    return (f"{item.cause.value if item.cause else 'gate'}: {item.message}", *([images] if images else []), *also)


def _line(reason: AuditReason) -> str:
    about = f" ({reason.artifact})" if reason.artifact else ""
    return f"{reason.code}: {reason.message}{about}{f'; fix: {reason.fix}' if reason.fix else ''}"


def _some(items: Sequence[T]) -> Sequence[T]:
    return items[:_SHOWN]


def _more(count: int, what: str) -> Iterator[str]:
    if count > _SHOWN:
        yield f"    and {count - _SHOWN} more {what}; --format json has all"
