"""`workloads`: what the deployment manifests say that will run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.model.json import JsonObject
from gate.model.workload import Workload, broken


def workloads_section(workloads: Mapping[str, Workload], manifests: Sequence[str]) -> JsonObject:
    """The section, by id of the workload; if manifests are configured, it is never empty."""
    if manifests and not workloads:
        workloads = {manifests[0]: broken(manifests[0], "it was not read")}
    return {
        key: {
            "origin": workload.origin,
            "platform": workload.platform,
            "kind": workload.kind,
            "namespace": workload.namespace,
            "name": workload.name,
            "pod": workload.pod,
            "containers": dict(workload.containers),
            "egress": workload.egress,
            "problems": list(workload.problems),
        }
        for key, workload in workloads.items()
    }
