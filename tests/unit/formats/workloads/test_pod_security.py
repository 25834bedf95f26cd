"""The table of Pod Security: what upstream allows, the control allows at that level, and nothing else."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from gate._native import PolicySet
from gate.formats.workloads.interface import read_workloads
from gate.model.workload import Manifest
from gate.normalize.sections.workloads import workloads_section
from tests.property import rego_library as library

ROWS = json.loads((Path(__file__).resolve().parents[3] / "vectors/workloads/pod_security.json").read_text("utf-8"))
STATUS = "data.gate.controls.deploy.restricted.status"
CONTAINER = {
    "image": "registry.example/server:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
CONTEXT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


@pytest.fixture(scope="module")
def control() -> PolicySet:
    return PolicySet.compile(library.modules("rego/gate/lib", "rego/gate/controls/deploy"), "{}", [STATUS])


def merged(value: Any, change: Any) -> Any:
    if not isinstance(change, dict) or not isinstance(value, dict):
        return copy.deepcopy(change)
    found = {key: merged(value.get(key), item) for key, item in change.items() if item is not None}
    return {key: item for key, item in value.items() if key not in change} | found


def pod_of(row: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "securityContext": CONTEXT,
        "containers": [merged({"name": "main", **CONTAINER}, row.get("container", {}))],
    }
    for key, field in {"init": "initContainers", "ephemeral": "ephemeralContainers"}.items():
        if key in row:
            spec[field] = [merged({"name": key, **CONTAINER}, row[key])]
    metadata = {"name": "pod", "annotations": row.get("annotations", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": merged(spec, row.get("pod", {}))}


def answer(control: PolicySet, pod: dict[str, Any], level: str) -> str:
    workloads = read_workloads([Manifest("pod.yaml", json.dumps(pod).encode())])
    document = {
        "parameters": {"deploy.restricted": {"level": level, "besides": []}},
        "workloads": workloads_section(workloads, ["pod.yaml"]),
    }
    return str(json.loads(control.evaluate(STATUS, json.dumps(document), time_limit_s=10.0).json or "null"))


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 120
    assert len({row["name"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_each_pod_is_judged_as_upstream_does(row: dict[str, Any], level: str, control: PolicySet) -> None:
    assert answer(control, pod_of(row), level) == ("pass" if row[level] else "fail")
