"""The JSON export of Tetragon, one event a line.

Each event shows that Tetragon ran. Starts and ends of processes are what it always tells: they have the severity
`none`. What a tracing policy reports has no severity, so it is `critical`, under the name of the policy. An event is
about the image that its pod's container names by digest; without one it may be about any, but for what ran on the host.
Source: tetragon.io/docs/concepts/events, tetragon.io/docs/reference/grpc-api.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.signals.tally import Tally, inner, whole
from gate.model.digest import Digest, parse_digest
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Severity
from gate.model.signal import Observation, SignalLog

LOST: Final = "rate_limit_info"
THROTTLED: Final = "process_throttle"
_USUAL: Final = frozenset({"process_exec", "process_exit"})


def read(log: SignalLog) -> Observation:
    """What Tetragon saw of an image."""
    tally = Tally()
    for record in tally.records(log.data):
        tally.host(record.get("node_name"))
        at_s = tally.time(record.get("time"))
        tally.beat(at_s)
        kinds = [name for name, value in record.items() if isinstance(value, Mapping) and _is_kind(name)]
        if len(kinds) != 1:
            tally.problem("a record is no event of one kind")
            continue
        if kinds[0] == LOST:
            tally.dropped += whole(inner(record, LOST, "number_of_dropped_process_events")) or 1
        elif kinds[0] == THROTTLED:
            tally.dropped += 1
        else:
            _event(tally, record, kinds[0], at_s, log.digest)
    return tally.observation()


def _is_kind(name: str) -> bool:
    return name.startswith("process_") or name == LOST


def _event(tally: Tally, record: JsonObject, kind: str, at_s: int | None, digest: Digest) -> None:
    process = inner(record, kind, "process")
    image = _image(inner(process, "pod", "container", "image", "id"))
    if image == digest:
        tally.sighting(at_s)
    elif image is None:
        on_host = isinstance(process, Mapping) and not process.get("pod") and not process.get("docker")
        if on_host:
            return
    else:
        return
    policy = inner(record, kind, "policy_name")
    rule = policy if isinstance(policy, str) and policy else kind
    tally.event(rule, Severity.NONE if kind in _USUAL else Severity.CRITICAL, at_s)


def _image(name: JsonValue) -> Digest | None:
    """The digest of `repository@sha256:...`. A digest without a repository is that of a configuration, not an image."""
    repository, _, digest = name.rpartition("@") if isinstance(name, str) else ("", "", "")
    return parse_digest(digest) if repository else None
