"""Targets: deployment manifests. What asks for too much is told, wherever in a manifest it stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from gate.formats.canonical_json import dumps
from gate.formats.workloads.interface import read_workloads
from gate.model.workload import Manifest, Workload
from tests.fuzz.mutation import HOSTILE_TEXTS, JSONS, edited, mutated, scaled
from tests.fuzz.target import Sample, Target

_DIGEST: Final = "sha256:" + "a" * 64
_NAMES: Final = st.sampled_from(("a", "server", "x", *HOSTILE_TEXTS))


def look_at(sample: Sample) -> Mapping[str, Workload]:
    return read_workloads([Manifest(sample.name, sample.data)])


def judge(sample: Sample, answer: object) -> None:
    assert isinstance(answer, Mapping)
    assert answer, "a manifest without any workload"
    for key, workload in answer.items():
        assert isinstance(workload, Workload)
        assert workload.id == key
        assert workload.pod is not None or workload.problems
        dumps({"pod": workload.pod, "containers": dict(workload.containers), "egress": workload.egress})
    if sample.dangerous:
        told = [item for item in answer.values() if item.problems or any(map(_is_privileged, item.containers.values()))]
        assert told, "a privileged container is not told"


def _is_privileged(container: Mapping[str, Any]) -> bool:
    return container["security"]["privileged"] is True


def _container(privileged: bool) -> dict[str, Any]:
    context = {"securityContext": {"privileged": True}} if privileged else {}
    return {
        "name": "main",
        "image": f"registry.example/a@{_DIGEST}",
        "args": ["--load-format", "safetensors"],
        **context,
    }


_ROLES: Final = st.sampled_from(("containers", "initContainers", "ephemeralContainers"))
_TEMPLATED: Final = (
    ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"), ("argoproj.io/v1alpha1", "Rollout"), ("serving.knative.dev/v1", "Service"),
    ("apps/v9", "Deployment"),
)  # fmt: skip


@st.composite
def _pods(draw: st.DrawFn) -> dict[str, Any]:
    """A pod with a privileged container in one of its roles."""
    role = draw(_ROLES)
    spec: dict[str, Any] = {"containers": [_container(privileged=False)]}
    bad = _container(privileged=True) | {"name": draw(_NAMES)}
    items = spec.setdefault(role, [])
    items.insert(draw(st.integers(0, len(items))), bad)
    if draw(st.booleans()):
        spec[draw(st.sampled_from(("volumes", "securityContext", "os", "x")))] = draw(JSONS)
    return {"metadata": {"name": draw(_NAMES), "labels": {"app": "a"}}, "spec": spec}


@st.composite
def _objects(draw: st.DrawFn) -> dict[str, Any]:
    """An object of any kind with such a pod inside."""
    pod = draw(_pods())
    head = {"metadata": {"name": draw(_NAMES)}}
    match draw(st.integers(0, 6)):
        case 0:
            return {"apiVersion": "v1", "kind": "Pod", **pod}
        case 1:
            job = {"spec": {"template": pod}}
            return {"apiVersion": "batch/v1", "kind": "CronJob", **head, "spec": {"jobTemplate": job}}
        case 2:
            spec = {"predictor": pod["spec"]}
            return {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", **head, "spec": spec}
        case 3:
            workers = [{"template": {"spec": {"containers": [_container(privileged=False)]}}}, {"template": pod}]
            spec = {"headGroupSpec": workers[0], "workerGroupSpecs": workers}
            return {"apiVersion": "ray.io/v1", "kind": "RayCluster", **head, "spec": spec}
        case 4:
            return {"apiVersion": "evil.example/v1", "kind": draw(st.sampled_from(("Pod", "X"))), **head, "spec": pod}
        case _:
            version, kind = draw(st.sampled_from(_TEMPLATED))
            return {"apiVersion": version, "kind": kind, **head, "spec": {"template": pod, "replicas": draw(JSONS)}}


_POLICY: Final = {
    "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"},
    "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
}  # fmt: skip
_OTHERS: Final = (
    {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "kind: Pod"}},
    {"apiVersion": "v1", "kind": "Service", "spec": {}},
    _POLICY,
)


@st.composite
def _manifests(draw: st.DrawFn) -> Sample:
    """Documents in the styles of YAML, with anchors where values are shared, in lists of lists."""
    item = draw(_objects())
    for _ in range(draw(st.integers(0, 3))):
        around = [*draw(st.lists(st.sampled_from(_OTHERS), max_size=2)), item]
        item = {"apiVersion": "v1", "kind": "List", "items": around * draw(st.sampled_from((1, 1, 2)))}
    documents = draw(st.lists(st.sampled_from(_OTHERS), max_size=2))
    documents.insert(draw(st.integers(0, len(documents))), item)
    if draw(st.booleans()):
        data = "\n---\n".join(json.dumps(document) for document in documents).encode()
    else:
        flow = draw(st.sampled_from((True, False, None)))
        data = yaml.safe_dump_all(documents, default_flow_style=flow, sort_keys=draw(st.booleans())).encode()
    return Sample("app.yaml", data, dangerous=True)


@st.composite
def _compose(draw: st.DrawFn) -> Sample:
    bad = {"image": "a", "privileged": True, draw(_NAMES): draw(JSONS)}
    services = {"good": {"image": "a"}, draw(st.sampled_from(("web", "x.y"))): bad}
    return Sample("compose.yaml", yaml.safe_dump({"services": services}).encode(), dangerous=True)


@st.composite
def _laughs(draw: st.DrawFn) -> Sample:
    """Anchors that are the same value many times over, level by level."""
    width, levels = draw(st.integers(2, 30)), draw(st.integers(1, 12))
    pod = "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: b}]}}"
    kind = draw(st.integers(0, 2))
    lines = [f"a0: &a0 {pod if kind == 0 else '[x]'}"]
    for level in range(1, levels + 1):
        same = ", ".join([f"*a{level - 1}"] * width)
        inner = f"{{apiVersion: v1, kind: List, items: [{same}]}}" if kind == 0 else f"[{same}]"
        lines.append(f"a{level}: &a{level} {inner}")
    last = f"*a{levels}"
    lines += ["apiVersion: v1", "kind: List", f"items: [{last}]"] if kind == 0 else [
        "apiVersion: v1", "kind: Pod",
        f"spec: {{containers: {last}, volumes: {last}}}" if kind == 1 else
        f"spec: {{containers: [{{name: a, command: {last}, env: {last}, resources: {{limits: {last}}}}}]}}",
    ]  # fmt: skip
    return Sample("app.yaml", "\n".join(lines).encode())


def _edits() -> st.SearchStrategy[Sample]:
    documents = _objects() | st.sampled_from(_OTHERS)
    changed = documents.flatmap(lambda item: edited(item).map(lambda pair: pair[0]) | scaled(item))
    return changed.map(lambda item: Sample("app.json", json.dumps(item).encode()))


_POD: Final = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [_container(privileged=False)]}}
_SEEDS: Final = (
    Sample("app.yaml", yaml.safe_dump(_POD).encode()),
    Sample(
        "app.yaml", b"a: &x [1]\nkind: Pod\napiVersion: v1\nspec:\n  containers:\n  - {name: a, args: *x}\n---\n- b\n"
    ),
    Sample("app.yaml", yaml.safe_dump(_POLICY).encode()),
    Sample("compose.yaml", b"services:\n  a:\n    image: x\n    volumes: [/:/host, x:/y]\n    ports: ['1:2']\n"),
)
_CHANGED: Final = mutated(st.sampled_from(_SEEDS) | _manifests(), _SEEDS)
WORKLOADS: Final = {
    "workloads": Target(
        "workloads",
        frozenset({"format:workloads"}),
        _SEEDS,
        st.one_of(_manifests(), _compose(), _laughs(), _edits(), _CHANGED),
        look_at,
        judge,
    )
}
