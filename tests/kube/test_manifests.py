"""What the chart renders, and the plain manifests, are what a real API server takes: known fields and good values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.support.chart import COMBINATIONS, RELEASE, ROOT, rendered
from tests.support.kube import Kubernetes, until
from tests.support.kube_objects import CARRIERS, custom_kind
from tests.support.kube_webhooks import fresh

pytestmark = pytest.mark.xdist_group("kube")
RESTRICTED = {f"pod-security.kubernetes.io/{what}": "restricted" for what in ("enforce", "warn")}
PLAIN = ROOT / "deploy/manifests"
OF_OTHERS = {
    "cert-manager.io": ("Certificate", "Issuer"),
    "monitoring.coreos.com": ("ServiceMonitor", "PrometheusRule"),
}
"""Kinds of operators that the chart works with. Their schemas are not here: any field is known."""


@pytest.fixture(scope="module", name="namespace")
def _namespace(plane: Kubernetes) -> str:
    return plane.namespace(fresh("tried"), RESTRICTED)


@pytest.fixture(scope="module", autouse=True)
def _kinds_of_others(plane: Kubernetes) -> Iterator[None]:
    made = [plane.made(custom_kind(group, kind)) for group, kinds in OF_OTHERS.items() for kind in kinds]

    def are_served() -> bool:
        return all(
            set(kinds)
            <= {item["kind"] for item in plane.call("GET", f"/apis/{group}/v1").document.get("resources", [])}
            for group, kinds in OF_OTHERS.items()
        )

    until(are_served, "the kinds are served")
    yield
    for document in made:
        plane.call("DELETE", plane.path(document, name=document["metadata"]["name"]))


@pytest.fixture(scope="module")
def passed() -> set[str]:
    """What was tried before: many choices change one object of twelve."""
    return set()


def tried(plane: Kubernetes, document: dict[str, Any]) -> None:
    """It would be created, also as the Pods that it makes, with nothing to be said about it."""
    objects = [document]
    if document["kind"] in {"Deployment", "CronJob"}:
        spec = document["spec"]
        template = spec["jobTemplate"]["spec"]["template"] if document["kind"] == "CronJob" else spec["template"]
        metadata = {"name": "one", "namespace": document["metadata"]["namespace"]}
        objects.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    for item in objects:
        answer = plane.strict(item)
        assert (answer.status, answer.warnings) == (201, ()), (answer.message, answer.warnings, item)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_object_of_every_choice_passes_a_strict_dry_run(
    plane: Kubernetes, namespace: str, passed: set[str], name: str
) -> None:
    for document in rendered(*COMBINATIONS[name], release=RELEASE, namespace=namespace):
        if document["kind"] == "Namespace":
            document["metadata"]["name"] = fresh("made")
        text = json.dumps(document, sort_keys=True)
        if text not in passed:
            tried(plane, document)
            passed.add(text)


def test_every_plain_manifest_passes_a_strict_dry_run(plane: Kubernetes) -> None:
    paths = [path for path in sorted(PLAIN.glob("*.yaml")) if path.name != "values.yaml"]
    objects = [item for path in paths for item in yaml.safe_load_all(path.read_text("utf-8")) if item]
    spaces = {item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"}
    assert {"Namespace", "Deployment", "ValidatingWebhookConfiguration"} <= {item["kind"] for item in objects}
    namespace = plane.namespace(fresh("plain"), RESTRICTED)
    for item in objects:
        if item["kind"] == "Namespace":
            assert RESTRICTED.items() & item["metadata"]["labels"].items()
            item["metadata"]["name"] = fresh("plain")
        if "namespace" in item["metadata"]:
            assert item["metadata"]["namespace"] in spaces, "no manifest needs another namespace"
            item["metadata"]["namespace"] = namespace
        tried(plane, item)


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a misspelt field": (lambda spec: spec["containers"][0].update(imagePullPolcy="Always"), "unknown field"),
    "a bad value": (lambda spec: spec["containers"][0].update(imagePullPolicy="Sometimes"), "Unsupported value"),
    "a wrong type": (lambda spec: spec.update(automountServiceAccountToken="no"), "cannot unmarshal"),
    "a volume of nothing": (
        lambda spec: spec["containers"][0].update(volumeMounts=[{"name": "x", "mountPath": "/x"}]),
        "Not found",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(plane: Kubernetes, namespace: str, name: str) -> None:
    change, word = MISTAKES[name]
    document = CARRIERS["Deployment"]("registry.test/app:1")
    assert plane.strict(document, namespace).status == 201
    change(document["spec"]["template"]["spec"])
    answer = plane.strict(document, namespace)
    assert answer.status in {400, 422}
    assert word in answer.message


def test_a_pod_with_more_rights_than_it_needs_is_found(plane: Kubernetes, namespace: str) -> None:
    document = CARRIERS["Deployment"]("registry.test/app:1")
    document["spec"]["template"]["spec"]["hostNetwork"] = True
    document["metadata"]["namespace"] = namespace
    assert any("host namespaces" in text for text in plane.strict(document).warnings)
    with pytest.raises(AssertionError):
        tried(plane, document)
