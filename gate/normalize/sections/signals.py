"""`signals`, each under an id that its content gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gate.formats.canonical_json import dumps
from gate.formats.predicates.runtime_trace import CLAIM
from gate.formats.signals.runtime_trace import observation_of
from gate.model.artifact import Artifact
from gate.model.digest import hex_of, sha256_digest
from gate.model.evidence import Verified
from gate.model.json import JsonObject
from gate.model.scan import Basis
from gate.model.signal import Signal


def attested_signals(verified: Iterable[Verified], artifacts: Mapping[str, Artifact]) -> tuple[Signal, ...]:
    """The runtime traces that verified statements bind to artifacts, one for each artifact that a statement covers."""
    return tuple(
        Signal(
            plugin="runtime-trace",
            basis=Basis.ATTESTED,
            artifact=name,
            digest=artifacts[name].digest,
            origin=item.origin,
            observation=observation_of(item.statement.facts, 1),
            statement=item.payload,
        )
        for item in verified
        if item.statement.claim == CLAIM
        for name in item.artifacts
    )


def signals_section(signals: Sequence[Signal]) -> JsonObject:
    """The section. One that is there twice says nothing twice."""
    values = [_signal(signal) for signal in signals]
    return {f"signal-{hex_of(sha256_digest(dumps(value)))[:16]}": value for value in values}


def _signal(signal: Signal) -> JsonObject:
    seen = signal.observation
    return {
        "plugin": signal.plugin,
        "basis": signal.basis.value,
        "artifact": signal.artifact,
        "digest": signal.digest,
        "origin": signal.origin,
        "report": signal.report,
        "statement": signal.statement,
        "complete": not seen.problems,
        "problem": "; ".join(seen.problems) or None,
        "window": {"started_at_s": seen.started_at_s, "finished_at_s": seen.finished_at_s, "gap_s": seen.gap_s},
        "sightings": seen.sightings,
        "dropped": seen.dropped,
        "events": {
            rule: {
                "severity": events.severity.value,
                "count": events.count,
                "first_at_s": events.first_at_s,
                "last_at_s": events.last_at_s,
            }
            for rule, events in seen.events.items()
        },
    }
