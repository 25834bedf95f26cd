"""What a deployment manifest says that will run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gate.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was read: `data` is `None` when it could not be, and `problem` says why."""

    origin: str
    data: bytes | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """One pod, or template of pods, that a manifest asks for.

    `pod` and each of `containers` are facts in the shape of the input document. What is wrong with it, so that the
    facts may not be all, is in `problems`; where nothing at all is known of a pod, `pod` is `None`. `loose_labels` are
    those that an operator may add or replace, with the values that it has for them.
    """

    id: str
    origin: str
    kind: str | None
    namespace: str | None
    name: str | None
    platform: str = "kubernetes"
    labels: Mapping[str, str] = field(default_factory=dict)
    loose_labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pod: JsonObject | None = None
    containers: Mapping[str, JsonObject] = field(default_factory=dict)
    egress: JsonObject | None = None
    problems: tuple[str, ...] = ()


def broken(manifest: str, problem: str) -> Workload:
    """The workload that stands for a manifest nobody could judge."""
    return Workload(manifest, manifest, None, None, None, problems=(problem,))


def told_apart(workloads: Sequence[Workload]) -> Mapping[str, Workload]:
    """By id; those of one id are numbered, since each of them may run."""
    found: dict[str, Workload] = {}
    numbers: dict[str, int] = {}
    for workload in workloads:
        key = workload.id
        while key in found:
            numbers[workload.id] = numbers.get(workload.id, 1) + 1
            key = f"{workload.id}#{numbers[workload.id]}"
        found[key] = replace(workload, id=key)
    return found
