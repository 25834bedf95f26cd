"""All manifests together, since a network policy in one of them is about pods in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gate.formats.workloads.egress import NetworkPolicy, settled, with_egress
from gate.formats.workloads.kubernetes import read_manifest
from gate.model.workload import Manifest, Workload, broken, told_apart

_COMPARED: Final = 500_000
"""Workloads times network policies; each pair is compared."""


def read_workloads(manifests: Sequence[Manifest]) -> Mapping[str, Workload]:
    """What will run, by id. Manifests that ask for no pod at all are a problem. Never raises."""
    read = [item for manifest in manifests for item in read_manifest(manifest)]
    policies = settled([item for item in read if isinstance(item, NetworkPolicy)])
    found = [item for item in read if isinstance(item, Workload)]
    if len(found) * len(policies) > _COMPARED:
        found.append(broken(manifests[0].origin, f"{len(policies)} network policies are too many to be compared"))
    else:
        found = [with_egress(item, policies) for item in found]
    if manifests and not found:
        found = [broken(manifests[0].origin, "no manifest has a workload")]
    return told_apart(found)
