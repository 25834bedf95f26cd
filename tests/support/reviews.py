"""Reviews of admission as an API server writes them, and objects of every kind that carries pods."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from gate.formats.admission_review import read_review
from gate.model.admission import Review

DIGEST: Final = "sha256:" + "a" * 64
IMAGE: Final = f"registry.example/server@{DIGEST}"
UID: Final = "705ab4f5-6393-11e8-b7cc-42010a800002"
LIMIT: Final = 3 << 20


def container(image: str | None = IMAGE, name: str = "main", **more: Any) -> dict[str, Any]:
    return {"name": name, **({} if image is None else {"image": image}), **more}


def pod_spec(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"containers": list(containers or [container()]), **more}


def template(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "server"}, **metadata}, "spec": spec}


def thing(version: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "team"}, **more}


def _templated(version: str, kind: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda spec: thing(version, kind, spec={"template": template(spec)})


BUILT_IN: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "Pod": lambda spec: thing("v1", "Pod", spec=spec),
    "PodTemplate": lambda spec: thing("v1", "PodTemplate", template=template(spec)),
    "ReplicationController": _templated("v1", "ReplicationController"),
    **{kind: _templated("apps/v1", kind) for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")},
    "Job": _templated("batch/v1", "Job"),
    "CronJob": lambda spec: thing("batch/v1", "CronJob", spec={"jobTemplate": {"spec": {"template": template(spec)}}}),
}
"""Each built-in kind that carries pods, made around the spec of a pod."""


def _ray(spec: dict[str, Any]) -> dict[str, Any]:
    return {"headGroupSpec": {"template": template(spec)}, "workerGroupSpecs": []}


OTHERS: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "Rollout": _templated("argoproj.io/v1alpha1", "Rollout"),
    "Service": _templated("serving.knative.dev/v1", "Service"),
    "Configuration": _templated("serving.knative.dev/v1", "Configuration"),
    "Revision": lambda spec: thing("serving.knative.dev/v1", "Revision", spec=spec),
    "JobSet": lambda spec: thing(
        "jobset.x-k8s.io/v1alpha2",
        "JobSet",
        spec={"replicatedJobs": [{"template": {"spec": {"template": template(spec)}}}]},
    ),
    "LeaderWorkerSet": lambda spec: thing(
        "leaderworkerset.x-k8s.io/v1",
        "LeaderWorkerSet",
        spec={"leaderWorkerTemplate": {"workerTemplate": template(spec)}},
    ),
    "RayCluster": lambda spec: thing("ray.io/v1", "RayCluster", spec=_ray(spec)),
    "RayService": lambda spec: thing("ray.io/v1", "RayService", spec={"rayClusterConfig": _ray(spec)}),
    "RayJob": lambda spec: thing("ray.io/v1", "RayJob", spec={"rayClusterSpec": _ray(spec)}),
    "PyTorchJob": lambda spec: thing(
        "kubeflow.org/v1", "PyTorchJob", spec={"pytorchReplicaSpecs": {"Worker": {"template": template(spec)}}}
    ),
    "TFJob": lambda spec: thing(
        "kubeflow.org/v1", "TFJob", spec={"tfReplicaSpecs": {"Worker": {"template": template(spec)}}}
    ),
    "MPIJob": lambda spec: thing(
        "kubeflow.org/v2beta1", "MPIJob", spec={"mpiReplicaSpecs": {"Worker": {"template": template(spec)}}}
    ),
    "InferenceService": lambda spec: thing("serving.kserve.io/v1beta1", "InferenceService", spec={"predictor": spec}),
    "ServingRuntime": lambda spec: thing("serving.kserve.io/v1alpha1", "ServingRuntime", spec=spec),
    "ClusterServingRuntime": lambda spec: thing("serving.kserve.io/v1alpha1", "ClusterServingRuntime", spec=spec),
}
"""The same for kinds of operators that the gate knows."""


def request(item: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The request for an object, in the order of an API server; `None` in `changes` takes a member out."""
    group, _, version = item["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": item["kind"]}
    resource = {"group": group, "version": version, "resource": f"{item['kind'].lower()}s"}
    members = {
        "uid": UID,
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": item["metadata"].get("name", ""),
        "namespace": item["metadata"].get("namespace", ""),
        "operation": "CREATE",
        "userInfo": {"username": "someone", "groups": ["system:authenticated"]},
        "object": item,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        **changes,
    }
    return {name: value for name, value in members.items() if name not in changes or value is not None}


def body(item: Mapping[str, Any], **changes: Any) -> bytes:
    """What an API server sends for an object."""
    review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request(item, **changes)}
    return json.dumps(review, separators=(",", ":")).encode()


def asked(item: Mapping[str, Any], **changes: Any) -> Review:
    """The review as the gate reads it."""
    return read_review(body(item, **changes), LIMIT)
