"""Which objects carry pods and where, and which carry none. What is in neither list could carry one, and is told.

The version of an API is not looked at: each served version of these has the pod at the same place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate.formats.workloads.fields import Fields
from gate.model.json import JsonValue

Path = tuple[str, ...]
_TEMPLATE: Final[tuple[Path, ...]] = (("spec", "template"),)
_CORE: Final = ("", "apps", "batch", "extensions")
_KUBEFLOW: Final = "kubeflow.org"
_KNATIVE: Final = "serving.knative.dev"
_KSERVE: Final = "serving.kserve.io"
_KSERVE_LABELS: Final = frozenset({"app", "component"})
_RAY: Final[tuple[Path, ...]] = (("headGroupSpec", "template"), ("workerGroupSpecs", "*", "template"))


def _ray(*prefix: str) -> tuple[Path, ...]:
    return tuple((*prefix, *path) for path in _RAY)


_TEMPLATED: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job")
_PLACES: Final[Mapping[tuple[str, str], tuple[Path, ...]]] = {
    **{(group, kind): _TEMPLATE for group in _CORE for kind in _TEMPLATED},
    **{(group, "CronJob"): (("spec", "jobTemplate", "spec", "template"),) for group in _CORE},
    ("", "Pod"): ((),),
    ("", "PodTemplate"): (("template",),),
    ("argoproj.io", "Rollout"): _TEMPLATE,
    (_KNATIVE, "Service"): _TEMPLATE,
    (_KNATIVE, "Configuration"): _TEMPLATE,
    (_KNATIVE, "Revision"): ((),),
    ("jobset.x-k8s.io", "JobSet"): (("spec", "replicatedJobs", "*", "template", "spec", "template"),),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): (
        ("spec", "leaderWorkerTemplate", "leaderTemplate?"),
        ("spec", "leaderWorkerTemplate", "workerTemplate"),
    ),
    (_KSERVE, "InferenceService"): (),
    (_KSERVE, "ServingRuntime"): (),
    (_KSERVE, "ClusterServingRuntime"): (),
    ("ray.io", "RayCluster"): _ray("spec"),
    ("ray.io", "RayService"): _ray("spec", "rayClusterConfig"),
    ("ray.io", "RayJob"): (*_ray("spec", "rayClusterSpec"), ("spec", "submitterPodTemplate?")),
    (_KUBEFLOW, "PyTorchJob"): (("spec", "pytorchReplicaSpecs", "*", "template"),),
    (_KUBEFLOW, "TFJob"): (("spec", "tfReplicaSpecs", "*", "template"),),
    (_KUBEFLOW, "MPIJob"): (("spec", "mpiReplicaSpecs", "*", "template"),),
}
"""Group and kind to the places of what has `metadata` and `spec` of a pod. `*` is each item, `?` may be absent."""

COMPONENTS: Final = ("predictor", "transformer", "explainer")
"""Parts of an inference service, each with pods of its own."""
FRAMEWORKS: Final = (
    "huggingface",
    "lightgbm",
    "onnx",
    "paddle",
    "pmml",
    "pytorch",
    "sklearn",
    "tensorflow",
    "triton",
    "xgboost",
)
"""Keys below a predictor that ask for a server of that framework."""

_WITHOUT_PODS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset(
        {
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Namespace",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        }
    ),
    "networking.k8s.io": frozenset({"Ingress", "IngressClass"}),
    "extensions": frozenset({"Ingress"}),
    "rbac.authorization.k8s.io": frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}),
    "policy": frozenset({"PodDisruptionBudget"}),
    "autoscaling": frozenset({"HorizontalPodAutoscaler"}),
    "scheduling.k8s.io": frozenset({"PriorityClass"}),
    "storage.k8s.io": frozenset({"StorageClass", "CSIDriver", "VolumeAttributesClass"}),
    "apiextensions.k8s.io": frozenset({"CustomResourceDefinition"}),
    "node.k8s.io": frozenset({"RuntimeClass"}),
    "coordination.k8s.io": frozenset({"Lease"}),
    "discovery.k8s.io": frozenset({"EndpointSlice"}),
    "gateway.networking.k8s.io": frozenset({"Gateway", "HTTPRoute", "GRPCRoute", "GatewayClass", "ReferenceGrant"}),
    "cert-manager.io": frozenset({"Certificate", "Issuer", "ClusterIssuer"}),
    "monitoring.coreos.com": frozenset({"ServiceMonitor", "PodMonitor", "PrometheusRule"}),
    "external-secrets.io": frozenset({"ExternalSecret", "SecretStore", "ClusterSecretStore"}),
    "keda.sh": frozenset({"ScaledObject", "TriggerAuthentication"}),
    # What mutates is not here: it could put containers into pods of others.
    "admissionregistration.k8s.io": frozenset(
        {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"}
    ),
}


def group_of(api_version: str) -> str:
    """The group of an API version; the core group is empty."""
    group, slash, _ = api_version.rpartition("/")
    return group if slash else ""


def carries_none(group: str, kind: str) -> bool:
    """Whether objects of this kind are known to bring no pod with them."""
    return kind in _WITHOUT_PODS.get(group, frozenset())


def places_of(group: str, kind: str) -> tuple[Path, ...] | None:
    """Where the pods of such an object stand; `None` for a kind that is not known."""
    return _PLACES.get((group, kind))


def with_names(group: str, spec: Fields) -> Fields:
    """A pod in which containers have the names that Knative gives them; elsewhere it is the same."""
    containers = spec.value.get("containers")
    if group != _KNATIVE or not isinstance(containers, list):
        return spec
    named: list[JsonValue] = [
        {"name": f"user-container-{number}", **item} if isinstance(item, Mapping) else item
        for number, item in enumerate(containers)
    ]
    return Fields({**spec.value, "containers": named}, spec.place, spec.problems)


def host_volumes(kind: str, fields: Fields) -> tuple[str, ...]:
    """Why pods that claim a volume of a cluster get a path of their host."""
    spec = fields.part("spec")
    sources = [name for name in ("hostPath", "local") if kind == "PersistentVolume" and spec.has(name)]
    return tuple(f"spec.{name} makes claims of it a path of the host" for name in sources)


def added_containers(group: str, fields: Fields) -> list[str]:
    """Why an operator starts a container that the object does not show."""
    if group != "ray.io":
        return []
    spec = fields.part("spec")
    clusters = [spec, spec.part("rayClusterConfig"), spec.part("rayClusterSpec")]
    return [
        f"{name} adds a container that is not shown"
        for name in ("autoscalerOptions", "enableInTreeAutoscaling")
        if any(cluster.value.get(name) not in (None, False) for cluster in clusters)
    ]


def loose_labels(group: str, value: JsonValue, templates: Sequence[Fields]) -> Mapping[str, frozenset[str]]:
    """Labels that an operator may give pods, or replace, with their values: those that stand outside of templates.

    The controllers of Kubernetes itself hand none of them down.
    """
    if group in _CORE:
        return {}
    found: dict[str, frozenset[str]] = {}
    inside = {id(template.value) for template in templates}
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping) and id(item) not in inside:
            labels = item.get("labels")
            for key, label in labels.items() if isinstance(labels, Mapping) else ():
                found[key] = found.get(key, frozenset()) | {str(label)}
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return found | (dict.fromkeys(_KSERVE_LABELS, frozenset()) if group == _KSERVE else {})


def at(fields: Fields, path: Path) -> Iterator[Fields]:
    """What stands at a path; what must be there and is not is empty, and so has no containers."""
    if not path:
        yield fields
    elif path[0] == "*":
        mapped = [(name, fields.part(name)) for name in fields.value]
        for _, part in mapped:
            yield from at(part, path[1:])
    elif len(path) > 1 and path[1] == "*" and isinstance(fields.value.get(path[0]), list):
        for part in fields.parts(path[0]):
            yield from at(part, path[2:])
    elif not path[0].endswith("?"):
        yield from at(fields.part(path[0]), path[1:])
    elif fields.has(path[0][:-1]):
        yield fields.part(path[0][:-1])


def inline_pods(group: str, kind: str, fields: Fields) -> list[Fields]:
    """Pods of KServe: what they are made of stands among other fields, without `metadata` and `spec` of their own."""
    if group != _KSERVE:
        return []
    return _inference_pods(fields) if kind == "InferenceService" else _runtime_pods(fields)


def _runtime_pods(runtime: Fields) -> list[Fields]:
    """The pods of a runtime of KServe: one that serves, and one that helps where there are several nodes."""
    spec = runtime.part("spec")
    parts = [spec, spec.part("workerSpec")] if spec.has("workerSpec") else [spec]
    return [
        Fields(
            {"metadata": {key: part.value.get(key) for key in ("annotations", "labels")}, "spec": part.value},
            part.place,
            runtime.problems,
        )
        for part in parts
    ]


def _inference_pods(service: Fields) -> list[Fields]:
    """The pods of an inference service of KServe: its model stands beside containers and runs as one of them."""
    found = []
    handed_down = service.part("metadata").part("annotations").value
    for component in COMPONENTS:
        spec = service.part("spec").part(component)
        if not spec.value and component != "predictor":
            continue
        for name in ("model", *FRAMEWORKS):
            if spec.part(name).has("runtimeVersion"):
                place = f"spec.{component}.{name}.runtimeVersion"
                service.problems.append(f"{place} replaces the tag or digest of the image")
        models = [
            {"name": "kserve-container", **item.value, "framework": name}
            for name in ("model", *FRAMEWORKS)
            if (item := spec.part(name)).value
        ]
        listed = [dict(item.value) for item in spec.parts("containers")]
        annotations = {**handed_down, **spec.part("annotations").value}
        metadata: dict[str, JsonValue] = {"annotations": annotations, "labels": spec.value.get("labels")}
        pod = {"metadata": metadata, "spec": {**spec.value, "containers": [*listed, *models]}}
        found.append(Fields(pod, f"spec.{component}", service.problems))
        if spec.has("workerSpec"):
            worker = {"metadata": metadata, "spec": spec.value["workerSpec"]}
            found.append(Fields(worker, f"spec.{component}.workerSpec", service.problems))
    return found
