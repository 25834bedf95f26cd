"""What the readers of logs share: lines of JSON, and the sum of what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from gate.formats.rfc3339 import parse_time
from gate.formats.signals.answer import MAX_PROBLEMS, MAX_RULES, MAX_TEXT
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Severity
from gate.model.signal import Events, Observation

OVERFLOW: Final = "further rules"
"""Under this name the events of all rules are counted that are too many to be listed."""
_RANK: Final = {severity: number for number, severity in enumerate(Severity)}


class Tally:
    """Sums up the records of one log of one host."""

    def __init__(self) -> None:
        self.dropped = 0
        self._beats: list[int] = []
        self._sightings: list[int] = []
        self._events: dict[str, Events] = {}
        self._problems: dict[str, None] = {}
        self._hosts: set[str] = set()

    def records(self, data: bytes) -> Iterator[JsonObject]:
        """The records of a log, one JSON object a line. A line that is none, or has no end, is a problem."""
        if data and not data.endswith(b"\n"):
            self.problem("the last line has no end: the log may be cut")
        for number, line in enumerate(data.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                yield loads_object(line)
            except StrictJsonError as error:
                self.problem(f"line {number} is no record: {error}")

    def problem(self, text: str) -> None:
        """Something for which the observation is not complete; the first ones are kept."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems[text[:MAX_TEXT]] = None

    def time(self, value: JsonValue) -> int | None:
        """A time of a record; one that cannot be read is a problem."""
        at_s = parse_time(value) if isinstance(value, str) else None
        if at_s is None:
            self.problem("a record has no time")
        return at_s

    def beat(self, at_s: int | None) -> None:
        """The monitor ran at this time."""
        if at_s is not None:
            self._beats.append(at_s)

    def sighting(self, at_s: int | None) -> None:
        """A record named the image's digest at this time. It counts if that was in the window."""
        if at_s is not None:
            self._sightings.append(at_s)

    def host(self, name: JsonValue) -> None:
        """The host that a record is from. What ran while on one host says nothing of another."""
        self._hosts.add(name if isinstance(name, str) else "")
        if len(self._hosts) > 1:
            self.problem("it holds records of several hosts: keep one log for each")

    def event(self, rule: str, severity: Severity, at_s: int | None) -> None:
        """One event that is about the image, or may be."""
        name = rule[:MAX_TEXT] if rule.strip() else "a rule without a name"
        if name not in self._events and len(self._events) >= MAX_RULES - 1:
            name = OVERFLOW
        known = self._events.get(name, Events(severity, 0, at_s, at_s))
        times = [time for time in (known.first_at_s, known.last_at_s, at_s) if time is not None]
        self._events[name] = Events(
            max(known.severity, severity, key=_RANK.__getitem__),
            known.count + 1,
            min(times, default=None),
            max(times, default=None),
        )

    def observation(self) -> Observation:
        """The sum."""
        beats = sorted(self._beats)
        if not beats:
            self.problem("nothing in it shows that the monitor ran")
        return Observation(
            started_at_s=beats[0] if beats else None,
            finished_at_s=beats[-1] if beats else None,
            gap_s=max((later - earlier for earlier, later in pairwise(beats)), default=0),
            sightings=sum(beats[0] <= at_s <= beats[-1] for at_s in self._sightings) if beats else 0,
            dropped=self.dropped,
            events=self._events,
            problems=tuple(self._problems),
        )


def inner(value: JsonValue, *names: str) -> JsonValue:
    """The member at the end of a path of names; `None` when there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def whole(value: JsonValue) -> int | None:
    """A number of things, which some monitors write as text; `None` for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None
