"""A statement of in-toto's runtime trace as a signal: of a file as it lies there, or of facts that were verified.

A trace tells what happened and not how bad that was: connections and accesses to files have no severity, so they are
`critical`. A process had to run, so processes are `none`. A kind of event that was not recorded is a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.intoto import StatementError, parse_statement
from gate.formats.predicates.runtime_trace import READERS
from gate.formats.signals.tally import inner, whole
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Severity
from gate.model.signal import Events, Observation, SignalLog

_SEVERITY: Final[Mapping[str, Severity]] = {
    "process": Severity.NONE,
    "network": Severity.CRITICAL,
    "file_access": Severity.CRITICAL,
}


def read(log: SignalLog) -> Observation:
    """What a trace tells of an image; nothing when it is about others."""
    try:
        raw = parse_statement(log.data, limit=len(log.data))
        reader = READERS.get(raw.predicate_type)
        if reader is None:
            return Observation(problems=("it is no runtime trace",))
        statement = reader(raw)
    except StatementError as error:
        return Observation(problems=(f"it is no runtime trace: {error}"[:200],))
    subjects = sum(subject.digest == log.digest for subject in statement.subjects)
    return observation_of(statement.facts, subjects)


def observation_of(facts: JsonObject, sightings: int) -> Observation:
    """The observation that the facts of the claim `runtime.trace` make."""
    started, finished = _time(facts.get("started_at_s")), _time(facts.get("finished_at_s"))
    problems = []
    if started is None or finished is None or started > finished:
        started = finished = None
        problems.append("it does not tell when it started and finished")
    events = {}
    for kind, severity in _SEVERITY.items():
        count = whole(inner(facts, "counts", kind))
        if count is None:
            problems.append(f"it recorded no events of the kind {kind}")
        elif count:
            events[kind] = Events(severity, count)
    return Observation(started, finished, sightings=sightings, events=events, problems=tuple(problems))


def _time(value: JsonValue) -> int | None:
    return value if isinstance(value, int) else None
