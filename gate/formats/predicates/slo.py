"""Service level: what was promised, and the window in which it was observed.

Facts: those of every collected statement, `profile`, `window` in seconds since 1970, and `objectives` in millionths.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.collected import millionths, reader
from gate.formats.predicates.common import time
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "slo"


def _facts(raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
    start, end = time(raw.predicate, "window", "start"), time(raw.predicate, "window", "end")
    if start is None or end is None or end <= start:
        raise StatementError("window", "the window of observation ends before it starts")
    objectives = raw.predicate["objectives"]
    names = sorted(objectives) if isinstance(objectives, Mapping) else []
    return {
        "profile": raw.predicate["profile"],
        "window": {"start_s": start, "end_s": end},
        "objectives": {name: millionths(raw.predicate, "objectives", name) for name in names},
    }


READERS = reader(CLAIM, _facts)
