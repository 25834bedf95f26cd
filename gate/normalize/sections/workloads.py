"""`workloads`: what the deployment manifests say that will run."""

from __future__ import annotations

from collections.abc import Mapping

from gate.model.json import JsonObject
from gate.model.workload import Workload


def workloads_section(workloads: Mapping[str, Workload]) -> JsonObject:
    """The section, by id of the workload."""
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
