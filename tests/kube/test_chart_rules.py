"""What the chart registers is asked about by a real API server, and what it leaves out changes nothing that runs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.chart import merged, one, rendered
from tests.support.kube import JSON_PATCH, MERGE, PERSON, STRATEGIC, Answer, Kubernetes, until
from tests.support.kube_webhooks import KIND, Liar, at_url, fresh, in_force, only_in, pod, registered

pytestmark = pytest.mark.xdist_group("kube")
IMAGE = "registry.test/app@sha256:" + "a" * 64
OTHER = "registry.test/app@sha256:" + "b" * 64
GROUP = "rules.example"
# Beside the chart that other tests have installed.
BESIDE = {"release": "ruled-gate-webhook", "namespace": "ruled-system"}


@pytest.fixture(scope="module")
def custom(plane: Kubernetes) -> str:
    """A kind without a sub resource for its status, which holds anything."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    plane.made(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"servers.{GROUP}"},
            "spec": {
                "group": GROUP,
                "scope": "Namespaced",
                "names": {"kind": "Server", "plural": "servers"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
            },
        }
    )
    until(lambda: GROUP in str(plane.call("GET", "/apis").document), "the custom group is served")
    until(lambda: plane.call("GET", f"/apis/{GROUP}/v1/servers").status == 200, "the custom kind is served")
    return "servers"


@pytest.fixture(scope="module")
def webhook(plane: Kubernetes, custom: str) -> Iterator[tuple[Liar, str]]:
    """The chart's registration for one namespace, with something in place of the webhook that can be listened to."""
    values = {"webhook": {"custom": [{"group": GROUP, "versions": ["*"], "resources": [custom]}]}}
    document = copy.deepcopy(one(rendered(values, **BESIDE), KIND))
    document["metadata"]["name"] = namespace = plane.namespace(fresh("ruled"))
    with Liar(plane.authority.server("listener"), plane.authority).serving() as liar:
        for hook in document["webhooks"]:
            hook["clientConfig"] = at_url(liar.port, plane.authority.pem)
            hook["namespaceSelector"] = only_in(namespace)
        with registered(plane, document):
            in_force(plane, liar, namespace)
            yield liar, namespace


def template(image: str = IMAGE) -> dict[str, Any]:
    labels = {"app": "tests"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}


def workload(kind: str) -> dict[str, Any]:
    """An object of each kind that holds a template of pods."""
    metadata = {"name": fresh(kind.lower())}
    selector = {"matchLabels": {"app": "tests"}}
    once = {"restartPolicy": "Never"}
    job = {"template": merged(template(), {"spec": once})}
    specs: dict[str, tuple[str, dict[str, Any]]] = {
        "DaemonSet": ("apps/v1", {"selector": selector, "template": template()}),
        "Deployment": ("apps/v1", {"selector": selector, "template": template()}),
        "ReplicaSet": ("apps/v1", {"selector": selector, "template": template()}),
        "StatefulSet": ("apps/v1", {"selector": selector, "template": template(), "serviceName": "tests"}),
        "ReplicationController": ("v1", {"selector": {"app": "tests"}, "template": template()}),
        "CronJob": ("batch/v1", {"schedule": "1 2 3 4 5", "jobTemplate": {"spec": job}}),
        # The template of a job can be changed while it is suspended and was never started, and then not its image.
        "Job": ("batch/v1", {**job, "suspend": True}),
    }
    if kind == "PodTemplate":
        return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "template": template()}
    version, spec = specs[kind]
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


KINDS = (
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
)
Act = Callable[[], Answer]


def asked(liar: Liar, act: Act) -> list[str]:
    """The webhooks' resources that were asked about when something was done that has to be possible."""
    before = len(liar.seen)
    answer = act()
    assert answer.status in {200, 201}, answer
    requests = [item.review["request"] for item in liar.seen[before:]]
    return ["/".join(filter(None, (item["resource"]["resource"], item.get("subResource", "")))) for item in requests]


def changing(plane: Kubernetes, made: dict[str, Any], namespace: str, change: object, sub: str = "") -> Act:
    path = plane.path(made, namespace, made["metadata"]["name"]) + (f"/{sub}" if sub else "")
    kind = JSON_PATCH if isinstance(change, list) else MERGE
    return lambda: plane.call("PATCH", path, change, kind=kind)


def stored(plane: Kubernetes, document: dict[str, Any], namespace: str) -> dict[str, Any]:
    return plane.made(document, namespace)


METADATA: dict[str, Any] = {
    "labels": {"labels": {"seen": "yes"}},
    "annotations": {"annotations": {"seen": "yes"}},
    "finalizers": {"finalizers": [f"{GROUP}/held"]},
    "owners": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1-2-3"}]},
}


@pytest.mark.parametrize("name", METADATA)
@pytest.mark.parametrize("kind", ["Pod", *KINDS])
def test_metadata_changes_without_being_asked_about(
    plane: Kubernetes, webhook: tuple[Liar, str], kind: str, name: str
) -> None:
    liar, namespace = webhook
    document = pod(IMAGE) if kind == "Pod" else workload(kind)
    made = stored(plane, document, namespace)
    assert asked(liar, changing(plane, made, namespace, {"metadata": METADATA[name]})) == []
    plane.call(
        "PATCH", plane.path(made, namespace, made["metadata"]["name"]), {"metadata": {"finalizers": []}}, kind=MERGE
    )


@pytest.mark.parametrize("kind", ["Pod", *KINDS])
def test_s39_what_is_made_is_asked_about(plane: Kubernetes, webhook: tuple[Liar, str], kind: str) -> None:
    liar, namespace = webhook
    document = pod(IMAGE) if kind == "Pod" else workload(kind)
    (resource,) = asked(liar, lambda: plane.create(document, namespace))
    assert resource == plane.path(document, namespace).rpartition("/")[2]


# Jobs keep their image for ever; all others take a new one.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "Job"])
def test_s39_another_image_in_a_template_is_asked_about(
    plane: Kubernetes, webhook: tuple[Liar, str], kind: str
) -> None:
    liar, namespace = webhook
    made = stored(plane, workload(kind), namespace)
    inner: dict[str, Any] = {"spec": {"containers": [{"name": "main", "image": OTHER}]}}
    change = {"template": inner} if kind == "PodTemplate" else {"spec": {"template": inner}}
    if kind == "CronJob":
        change = {"spec": {"jobTemplate": {"spec": {"template": inner}}}}
    path = plane.path(made, namespace, made["metadata"]["name"])
    assert len(asked(liar, lambda: plane.call("PATCH", path, change, kind=STRATEGIC))) == 1


def test_s39_labels_of_a_template_are_asked_about(plane: Kubernetes, webhook: tuple[Liar, str]) -> None:
    """A label can change which network policies hold, and an annotation how a container is confined."""
    liar, namespace = webhook
    made = stored(plane, workload("Deployment"), namespace)
    change = {"spec": {"template": {"metadata": {"annotations": {"confined": "less"}}}}}
    assert asked(liar, changing(plane, made, namespace, change)) == ["deployments"]


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"])
def test_fewer_and_more_pods_of_one_template_are_not_asked_about(
    plane: Kubernetes, webhook: tuple[Liar, str], kind: str
) -> None:
    """A workload that is refused by now can be scaled down; each pod of a bigger one is judged itself."""
    liar, namespace = webhook
    made = stored(plane, workload(kind), namespace)
    assert asked(liar, changing(plane, made, namespace, {"spec": {"replicas": 3}})) == []
    assert asked(liar, changing(plane, made, namespace, {"spec": {"replicas": 0}}, "scale")) == []


@pytest.mark.parametrize("kind", ["CronJob", "Job"])
def test_what_is_suspended_goes_on_without_being_asked_about(
    plane: Kubernetes, webhook: tuple[Liar, str], kind: str
) -> None:
    liar, namespace = webhook
    made = stored(plane, workload(kind), namespace)
    assert asked(liar, changing(plane, made, namespace, {"spec": {"suspend": kind == "CronJob"}})) == []


def test_s39_pods_are_asked_about_whenever_their_spec_changes(plane: Kubernetes, webhook: tuple[Liar, str]) -> None:
    liar, namespace = webhook
    made = stored(plane, pod(IMAGE), namespace)
    image = [{"op": "replace", "path": "/spec/containers/0/image", "value": OTHER}]
    assert asked(liar, changing(plane, made, namespace, image)) == ["pods"]
    assert asked(liar, changing(plane, made, namespace, {"spec": {"activeDeadlineSeconds": 60}})) == ["pods"]
    debugger = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": OTHER}]}}
    path = plane.path(made, namespace, made["metadata"]["name"])
    added = asked(liar, lambda: plane.call("PATCH", f"{path}/ephemeralcontainers", debugger, kind=STRATEGIC))
    assert added == ["pods/ephemeralcontainers"]
    more = {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}]}}
    resized = stored(
        plane,
        pod(
            IMAGE,
            containers=[
                {"name": "main", "image": IMAGE, "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}}
            ],
        ),
        namespace,
    )
    path = plane.path(resized, namespace, resized["metadata"]["name"])
    assert asked(liar, lambda: plane.call("PATCH", f"{path}/resize", more, kind=STRATEGIC)) == ["pods/resize"]


def test_the_state_of_a_pod_is_not_asked_about(plane: Kubernetes, webhook: tuple[Liar, str]) -> None:
    liar, namespace = webhook
    made = stored(plane, pod(IMAGE), namespace)
    assert asked(liar, changing(plane, made, namespace, {"status": {"phase": "Running"}}, "status")) == []


def test_what_is_refused_by_now_can_still_be_removed(plane: Kubernetes, webhook: tuple[Liar, str]) -> None:
    liar, namespace = webhook
    held = merged(pod(IMAGE), {"metadata": {"finalizers": [f"{GROUP}/held"]}})
    made = stored(plane, held, namespace)
    liar.change = {"allowed": False, "status": {"code": 403, "message": "no"}}
    try:
        image = [{"op": "replace", "path": "/spec/containers/0/image", "value": OTHER}]
        assert changing(plane, made, namespace, image)().status == 403
        path = plane.path(made, namespace, made["metadata"]["name"])
        assert plane.call("DELETE", path, {"gracePeriodSeconds": 0}).status == 200
        assert plane.call("GET", path).status == 200, "held by its finalizer"
        assert changing(plane, made, namespace, {"metadata": {"finalizers": None}})().status == 200
        assert plane.call("GET", path).status == 404
    finally:
        liar.change = {}


SERVER: dict[str, Any] = {
    "apiVersion": f"{GROUP}/v1",
    "kind": "Server",
    "spec": {"image": IMAGE, "list": [{"a": 1}]},
    "data": {"image": IMAGE},
    "status": {"phase": "new"},
}
CUSTOM: dict[str, tuple[dict[str, Any], bool]] = {
    "spec": ({"spec": {"image": OTHER}}, True),
    "deep in spec": ({"spec": {"list": [{"a": 2}]}}, True),
    "beside spec": ({"data": {"image": OTHER}}, True),
    "something new": ({"more": {"image": OTHER}}, True),
    "something less": ({"data": None}, True),
    "no spec": ({"spec": None}, True),
    "labels": ({"metadata": {"labels": {"a": "c"}}}, True),
    "no labels": ({"metadata": {"labels": None}}, True),
    "annotations": ({"metadata": {"annotations": {"a": "b"}}}, True),
    "status": ({"status": {"phase": "old"}}, False),
    "no status": ({"status": None}, False),
    "finalizers": ({"metadata": {"finalizers": [f"{GROUP}/held"]}}, False),
    "no finalizers": ({"metadata": {"finalizers": None}}, False),
}


@pytest.mark.parametrize("name", CUSTOM)
def test_s39_custom_kinds_are_asked_about_but_for_their_status(
    plane: Kubernetes, webhook: tuple[Liar, str], name: str
) -> None:
    liar, namespace = webhook
    change, is_asked = CUSTOM[name]
    metadata = {"name": fresh("server"), "labels": {"a": "b"}}
    made = stored(plane, {**SERVER, "metadata": metadata}, namespace)
    assert asked(liar, changing(plane, made, namespace, change)) == (["servers"] if is_asked else [])


# --- what the API server enforces itself ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(plane: Kubernetes) -> Iterator[str]:
    """The chart's admission policies, and a person who may do everything but what they forbid."""
    values = {"guard": {"registration": {"enabled": True}}, "webhook": {"excludedNamespaces": ["left-out"]}}
    documents = [
        item
        for item in rendered(values, **BESIDE)
        if item["kind"] in {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    ]
    namespace = BESIDE["namespace"]
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "person"}
    plane.made(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "person-of-guard"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [subject],
        }
    )
    plane.namespace(namespace)
    for item in documents:
        plane.made(item)
    left_out = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "left-out"}}
    try:
        until(lambda: plane.create(pod(OTHER), namespace, "?dryRun=All").status == 422, "the policy of the namespace")
        path = plane.path(left_out) + "?dryRun=All"
        until(lambda: plane.call("POST", path, left_out, token=PERSON).status == 422, "the policy of namespaces")
        yield namespace
    finally:
        for item in documents:
            plane.call("DELETE", plane.path(item, name=item["metadata"]["name"]))
        plane.call("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/person-of-guard")


OWN = "registry.example/gate/webhook@sha256:" + "1" * 64
BESIDES: dict[str, dict[str, Any]] = {
    "another image": {"containers": [{"name": "main", "image": OTHER}]},
    "by tag": {"containers": [{"name": "main", "image": "registry.example/gate/webhook:latest"}]},
    "one more": {"containers": [{"name": "main", "image": OWN}, {"name": "more", "image": OTHER}]},
    "before it": {"initContainers": [{"name": "init", "image": OTHER}]},
    "a volume": {"volumes": [{"name": "model", "image": {"reference": OTHER}}]},
}


@pytest.mark.parametrize("name", BESIDES)
def test_in_the_webhooks_namespace_nothing_else_runs(plane: Kubernetes, guarded: str, name: str) -> None:
    assert plane.create(pod(OWN), guarded, "?dryRun=All").status == 201
    answer = plane.create(pod(OWN, **BESIDES[name]), guarded, "?dryRun=All")
    assert answer.status == 422
    assert "guard.images" in answer.message


def test_no_debugger_comes_into_the_webhooks_pods(plane: Kubernetes, guarded: str) -> None:
    made = plane.made(pod(OWN), guarded)
    debugger = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": OWN}]}}
    path = plane.path(made, guarded, made["metadata"]["name"])
    assert plane.call("PATCH", f"{path}/ephemeralcontainers", debugger, kind=STRATEGIC).status == 422
    image = [{"op": "replace", "path": "/spec/containers/0/image", "value": OTHER}]
    assert plane.call("PATCH", path, image, kind=JSON_PATCH).status == 422
    assert plane.call("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, kind=MERGE).status == 200


@pytest.mark.usefixtures("guarded")
def test_the_registration_is_changed_and_removed_by_those_who_are_named(plane: Kubernetes) -> None:
    document = copy.deepcopy(one(rendered(**BESIDE), KIND))
    for hook in document["webhooks"]:
        hook["namespaceSelector"] = only_in("nowhere")
    path = plane.path(document, name=BESIDE["release"])
    with registered(plane, document):
        weaker = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]

        def refused() -> bool:
            return plane.call("PATCH", f"{path}?dryRun=All", weaker, kind=JSON_PATCH, token=PERSON).status == 422

        until(refused, "the policy of the registration")
        assert "guard.registration" in plane.call("DELETE", path, token=PERSON).message
        many = f"{path.rpartition('/')[0]}?fieldSelector=metadata.name={BESIDE['release']}"
        assert plane.call("DELETE", many, token=PERSON).status == 422
        assert plane.call("GET", path).status == 200, "nor is it removed with all others"
        assert plane.call("PATCH", f"{path}?dryRun=All", weaker, kind=JSON_PATCH).status == 200


@pytest.mark.usefixtures("guarded")
def test_a_namespace_that_is_left_out_is_made_by_those_who_are_named(plane: Kubernetes) -> None:
    left_out = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "left-out"}}
    path = plane.path(left_out) + "?dryRun=All"
    assert plane.call("POST", path, left_out, token=PERSON).status == 422
    assert plane.call("POST", path, left_out).status == 201
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fresh("other")}}
    assert plane.call("POST", path, other, token=PERSON).status == 201
