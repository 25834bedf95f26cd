"""What `gate log` says: records, what verification found, proofs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from gate.formats.rfc3339 import format_time
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.json import JsonObject
from gate.model.record import LogVerification, Record
from gate.report.escape import terminal

FORMATS: Final = ("text", "json")
VERIFICATION_SCHEMA: Final = "urn:gate:log-verification:v1"
_SHOWN: Final = 3


def records_text(records: Sequence[Record], *, more: bool) -> str:
    """A line for each record, the first one first."""
    if not records:
        return "no decision fits\n"
    lines = [_line(record) for record in records]
    if more:
        lines.append(f"and older ones: --limit {2 * len(records)} shows more")
    return "\n".join(lines) + "\n"


def record_json(record: Record) -> JsonObject:
    """A record with what its decision is looked up by."""
    return {
        "seq": record.seq,
        "id": record.id,
        "at_s": record.at_s,
        "decision": record.decision,
        "document": record.document,
        "policy": record.policy,
        "prev": record.prev,
        "hash": record.hash,
        "summary": _summary(record),
    }


def record_text(record: Record) -> str:
    """The place of a decision in the log."""
    lines = [
        f"record    {record.seq}, {format_time(record.at_s)}",
        f"hash      {terminal(record.hash)}",
        f"document  {terminal(record.document)}",
        f"policy    {terminal(record.policy)}",
    ]
    return "\n".join(lines) + "\n"


def verification_text(found: LogVerification, exit_code: int) -> str:
    """What verification found, the worst first."""
    return "\n".join(_verification(found, exit_code)) + "\n"


def verification_json(found: LogVerification, exit_code: int) -> JsonObject:
    """The same as `urn:gate:log-verification:v1`."""
    return {
        "schema": VERIFICATION_SCHEMA,
        "log": found.name,
        "exit_code": exit_code,
        "first": found.first,
        "records": found.records,
        "contents": found.contents,
        "root": found.root,
        "proved": found.proved,
        "findings": [{"code": item.code, "seq": item.seq, "detail": item.detail} for item in found.findings],
        "checkpoints": [
            {"origin": item.origin, "size": item.size, "problem": item.problem} for item in found.checkpoints
        ],
        "unchecked": list(found.unchecked),
    }


def _verification(found: LogVerification, exit_code: int) -> Iterator[str]:
    pruned = f", behind {found.first} that were pruned" if found.first else ""
    yield f"log       {terminal(found.name)}"
    yield f"records   {found.records}{pruned}, {found.contents} contents"
    for item in found.findings:
        place = "" if item.seq is None else f"record {item.seq}: "
        yield f"WRONG     {terminal(item.code)}: {place}{terminal(item.detail)}"
    good = [item for item in found.checkpoints if item.problem is None and item.size >= found.first]
    for note in good[-1:]:
        signed = "" if any(text.startswith("the signatures") for text in found.unchecked) else "signed "
        notes = _many(len(good), f"{signed}checkpoint")
        yield f"proved    the first {note.size} records, by {notes} of {terminal(note.origin)}"
    yield from (f"unchecked {terminal(text)}" for text in found.unchecked)
    if found.root is not None:
        yield f"root      {found.root}"
    number = len(found.findings)
    says = f"{_many(number, 'finding')}: the log is not what was recorded" if number else "intact"
    yield f"{says}.   exit {exit_code}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _line(record: Record) -> str:
    summary = _summary(record)
    controls, artifacts = summary.get("controls"), summary.get("artifacts")
    against = sorted(controls) if isinstance(controls, dict) else []
    about = ", ".join(sorted(artifacts)) if isinstance(artifacts, dict) else ""
    reasons = ", ".join(against[:_SHOWN]) + (f" and {len(against) - _SHOWN} more" if len(against) > _SHOWN else "")
    dry = " (dry run)" if summary.get("dry_run") is True else ""
    verdict = terminal(f"{str(summary.get('verdict')).upper():<5}{dry}")
    time, identity = format_time(record.at_s), terminal(record.id)
    return (
        f"{record.seq:>6}  {time}  {identity}  {verdict}  {terminal(about)}{'  ' if reasons else ''}{terminal(reasons)}"
    )


def _summary(record: Record) -> JsonObject:
    try:
        return loads_object(record.summary.encode())
    except StrictJsonError:
        return {}
