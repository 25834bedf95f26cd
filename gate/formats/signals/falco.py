"""Alerts of Falco with `json_output`, one object a line.

That Falco ran is shown by its metrics snapshots (`metrics` in falco.yaml, with `output_rule`, and
`kernel_event_counters_enabled` for the counters of what was lost): the window is from the first to the last of them.
An alert is about the image when its output has `container.image.digest`; without that field it may be about any image,
but for what ran on the host. Source: falco.org/docs/metrics, falco.org/docs/reference/rules/supported-fields.
"""

from __future__ import annotations

from typing import Final

from gate.formats.signals.tally import Tally, inner, whole
from gate.model.digest import Digest, parse_digest
from gate.model.json import JsonObject
from gate.model.scan import Severity
from gate.model.signal import Observation, SignalLog

INTERNAL: Final = "Falco internal: "
SNAPSHOT: Final = f"{INTERNAL}metrics snapshot"
DROP: Final = f"{INTERNAL}syscall event drop"
_SEVERITY: Final = {
    "emergency": Severity.CRITICAL,
    "alert": Severity.CRITICAL,
    "critical": Severity.CRITICAL,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "notice": Severity.LOW,
    "informational": Severity.LOW,
    "debug": Severity.NONE,
}
_COUNTERS: Final = {"scap.n_drops": "events of the kernel", "falco.outputs_queue_num_drops": "alerts"}
_FIELDS: Final = "output_fields"


def read(log: SignalLog) -> Observation:
    """What Falco saw of an image."""
    tally, snapshots = Tally(), []
    for record in tally.records(log.data):
        tally.host(record.get("hostname"))
        rule = record.get("rule")
        if rule == SNAPSHOT:
            tally.beat(tally.time(record.get("time")))
            snapshots.append(record)
        elif rule == DROP:
            tally.dropped += whole(inner(record, _FIELDS, "n_drops")) or 1
        elif isinstance(rule, str) and rule.startswith(INTERNAL):
            tally.problem(f"Falco says of itself: {rule}")
        else:
            _alert(tally, record, log.digest)
    _counters(tally, snapshots)
    return tally.observation()


def _alert(tally: Tally, record: JsonObject, digest: Digest) -> None:
    rule, priority, at_s = record.get("rule"), record.get("priority"), tally.time(record.get("time"))
    if not isinstance(rule, str):
        tally.problem("a record is no alert of a rule")
    found = inner(record, _FIELDS, "container.image.digest")
    image = parse_digest(found) if isinstance(found, str) else None
    if image == digest:
        tally.sighting(at_s)
    elif image is not None or inner(record, _FIELDS, "container.id") == "host":
        return
    severity = _SEVERITY.get(priority.lower()) if isinstance(priority, str) else None
    tally.event(rule if isinstance(rule, str) else "", severity or Severity.CRITICAL, at_s)


def _counters(tally: Tally, snapshots: list[JsonObject]) -> None:
    """What was lost between the first snapshot and the last, by counters that a start sets to zero."""
    starts = {str(inner(record, _FIELDS, "falco.start_ts") or "") for record in snapshots}
    if "" in starts:
        tally.problem("a snapshot does not tell when Falco was started (falco.start_ts)")
    if len(starts) > 1:
        tally.problem("Falco was started again meanwhile")
    for name, what in _COUNTERS.items():
        counts = [whole(inner(record, _FIELDS, name)) for record in snapshots]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts):
            tally.problem(f"a snapshot does not tell how many {what} were lost ({name})")
        elif known:
            tally.dropped += max(known) - min(known)
