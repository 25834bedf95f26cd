"""An `Observation` as JSON, on its way out of the process of a plugin. What comes back is checked in every part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Severity
from gate.model.signal import Events, Observation

ANSWER_BYTES: Final = 1 << 20
MAX_RULES: Final = 1000
MAX_PROBLEMS: Final = 20
MAX_TEXT: Final = 200
"""Characters of a rule's name or a problem."""
_LAST_S: Final = 253402300799
_MEMBERS: Final = frozenset({"started_at_s", "finished_at_s", "gap_s", "sightings", "dropped", "events", "problems"})
_OF_EVENTS: Final = frozenset({"severity", "count", "first_at_s", "last_at_s"})


class AnswerError(ValueError):
    """A plugin answered something else than an observation. The text says what."""


def to_json(observation: Observation) -> JsonObject:
    """The JSON form; whoever gave what is no `Observation` gets the exception of the first member that is not there."""
    return {
        "started_at_s": observation.started_at_s,
        "finished_at_s": observation.finished_at_s,
        "gap_s": observation.gap_s,
        "sightings": observation.sightings,
        "dropped": observation.dropped,
        "events": {
            rule: {
                "severity": events.severity.value,
                "count": events.count,
                "first_at_s": events.first_at_s,
                "last_at_s": events.last_at_s,
            }
            for rule, events in observation.events.items()
        },
        "problems": list(observation.problems),
    }


def from_json(data: bytes) -> Observation:
    """The observation in some bytes; raises `AnswerError`."""
    try:
        value = loads_object(data, limit=ANSWER_BYTES)
    except StrictJsonError as error:
        raise AnswerError(f"the answer is no JSON: {error}") from None
    if value.keys() != _MEMBERS:
        raise AnswerError(f"the answer does not hold exactly {', '.join(sorted(_MEMBERS))}")
    events, problems = value["events"], value["problems"]
    if not isinstance(events, Mapping) or len(events) > MAX_RULES:
        raise AnswerError(f"events is no object of at most {MAX_RULES} rules")
    if not isinstance(problems, list) or len(problems) > MAX_PROBLEMS:
        raise AnswerError(f"problems is no list of at most {MAX_PROBLEMS} texts")
    found = Observation(
        started_at_s=_time(value, "started_at_s"),
        finished_at_s=_time(value, "finished_at_s"),
        gap_s=_count(value, "gap_s", 0),
        sightings=_count(value, "sightings", 0),
        dropped=_count(value, "dropped", 0),
        events={_text(rule, "a rule"): _events(item) for rule, item in events.items()},
        problems=tuple(_text(item, "a problem") for item in problems),
    )
    if (found.started_at_s is None) != (found.finished_at_s is None):
        raise AnswerError("a window has a start and an end, or neither")
    if (found.started_at_s or 0) > (found.finished_at_s or 0):
        raise AnswerError("the window ends before it starts")
    return found


def _events(item: JsonValue) -> Events:
    if not isinstance(item, Mapping) or item.keys() != _OF_EVENTS:
        raise AnswerError(f"the events of a rule do not hold exactly {', '.join(sorted(_OF_EVENTS))}")
    try:
        severity = Severity(item["severity"])
    except ValueError:
        raise AnswerError("a severity is none of the scale") from None
    return Events(severity, _count(item, "count", 1), _time(item, "first_at_s"), _time(item, "last_at_s"))


def _text(value: JsonValue, what: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise AnswerError(f"{what} is no text of at most {MAX_TEXT} characters")
    return value


def _count(parent: JsonObject, name: str, least: int) -> int:
    value = parent[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 1 << 53:
        raise AnswerError(f"{name} is no number of at least {least}")
    return value


def _time(parent: JsonObject, name: str) -> int | None:
    if parent[name] is None:
        return None
    value = _count(parent, name, 0)
    if value > _LAST_S:
        raise AnswerError(f"{name} is no time before the year 10000")
    return value
