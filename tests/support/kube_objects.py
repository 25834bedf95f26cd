"""Objects of Kubernetes that carry Pods, images or neither, for tests of admission."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.support.kube_webhooks import fresh

_APP: Final = {"app": "tests"}
_RESOURCES: Final = {
    "requests": {"cpu": "100m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}


def container(image: str, name: str = "main", **more: Any) -> dict[str, Any]:
    """A container with as few rights as possible."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {"name": name, "image": image, "securityContext": security, "resources": _RESOURCES, **more}


def pod_spec(*images: str, **more: Any) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container(image, f"c{number}") for number, image in enumerate(images)],
        **more,
    }


def of(kind: str, version: str, spec: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    value = {"apiVersion": version, "kind": kind, "metadata": {"name": fresh(kind.lower())}, **more}
    return value if spec is None else {**value, "spec": dict(spec)}


def a_pod(*images: str, annotations: Mapping[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    value = of("Pod", "v1", pod_spec(*images, **spec))
    if annotations is not None:
        value["metadata"]["annotations"] = dict(annotations)
    return value


def template(image: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"labels": _APP}, "spec": pod_spec(image, **more)}


def _controller(kind: str, **more: Any) -> Callable[[str], dict[str, Any]]:
    return lambda image: of(kind, "apps/v1", {"selector": {"matchLabels": _APP}, "template": template(image), **more})


def _job(image: str) -> dict[str, Any]:
    return {"template": template(image, restartPolicy="Never")}


CARRIERS: Final[Mapping[str, Callable[[str], dict[str, Any]]]] = {
    "Pod": a_pod,
    "PodTemplate": lambda image: of("PodTemplate", "v1", template=template(image)),
    "ReplicationController": lambda image: of(
        "ReplicationController", "v1", {"selector": _APP, "template": template(image)}
    ),
    "Deployment": _controller("Deployment"),
    "ReplicaSet": _controller("ReplicaSet"),
    "StatefulSet": _controller("StatefulSet", serviceName="tests"),
    "DaemonSet": _controller("DaemonSet"),
    "Job": lambda image: of("Job", "batch/v1", _job(image)),
    "CronJob": lambda image: of("CronJob", "batch/v1", {"schedule": "0 0 * * *", "jobTemplate": {"spec": _job(image)}}),
}
"""Every built-in kind that carries Pods, by the image that runs in it."""


def custom_kind(group: str, kind: str, version_name: str = "v1") -> dict[str, Any]:
    """A kind whose objects may hold anything."""
    name = kind.lower() + "s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": version_name,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": name, "singular": kind.lower()},
            "versions": [version],
        },
    }
