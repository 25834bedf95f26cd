"""in-toto runtime trace v0.1: what a monitor saw while a process ran.

Facts: `monitor` (`type`), `process` (`host`, `type`), `started_at_s`, `finished_at_s`, and `counts` of the events of
each kind: `process`, `network`, `file_access`, null for a kind that was not recorded. The events themselves have no
common form. Source: in-toto/attestation, spec/predicates/runtime-trace.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.common import check_schema, make_statement, member, short, time
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM: Final = "runtime.trace"
_KINDS: Final = {"process": "process", "network": "network", "file_access": "fileAccess"}


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/runtime-trace-v0.1.json")
    events = {word: member(raw.predicate, "monitorLog", name) for word, name in _KINDS.items()}
    counts = {word: len(found) if isinstance(found, list) else None for word, found in events.items()}
    if set(counts.values()) == {None}:
        raise StatementError("predicate", "the log of the monitor has none of process, network and fileAccess")
    started = time(raw.predicate, "metadata", "buildStartedOn")
    finished = time(raw.predicate, "metadata", "buildFinishedOn")
    facts: JsonObject = {
        "monitor": {"type": short(raw.predicate, "monitor", "type")},
        "process": {
            "host": short(raw.predicate, "monitoredProcess", "hostID"),
            "type": short(raw.predicate, "monitoredProcess", "type"),
        },
        "started_at_s": started,
        "finished_at_s": finished,
        "counts": dict(counts),
    }
    return make_statement(raw, CLAIM, facts, stated_at_s=finished if finished is not None else started)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {
    "https://in-toto.io/attestation/runtime-trace/v0.1": _read
}
