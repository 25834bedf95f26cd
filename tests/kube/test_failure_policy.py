"""A webhook that is down, slow, lying or untrusted lets nothing in: the API server refuses, and stores nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.kube import Answer, Kubernetes
from tests.support.kube_webhooks import HOOK, Liar, at_url, configuration, fresh, in_force, pod, registered
from tests.support.registries import free_port

pytestmark = pytest.mark.xdist_group("kube")
IMAGE = "registry.test/app@sha256:" + "a" * 64
PATCH = "W3sib3AiOiJyZW1vdmUiLCJwYXRoIjoiL3NwZWMifV0="
BETA = "admission.k8s.io/v1beta1"


@pytest.fixture
def namespace(plane: Kubernetes) -> str:
    return plane.namespace(fresh("failing"))


@pytest.fixture
def liar(plane: Kubernetes) -> Iterator[Liar]:
    with Liar(plane.authority.server("liar"), plane.authority).serving() as running:
        yield running


def is_empty(plane: Kubernetes, namespace: str) -> bool:
    return not plane.call("GET", plane.path(pod(IMAGE), namespace)).document["items"]


def fails(plane: Kubernetes, namespace: str, word: str = "") -> Answer:
    answer = plane.create(pod(IMAGE), namespace)
    assert answer.status in {400, 403, 500}, answer
    assert HOOK in answer.message
    assert word in answer.message
    assert is_empty(plane, namespace)
    made = plane.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": fresh("other")}}, namespace)
    assert made.status == 201, "what is not judged still works"
    return answer


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "an error": ({"status": 500}, "an error on the server"),
    "no content": ({"status": 204, "body": b""}, ""),
    "elsewhere": ({"status": 302}, ""),
    "the uid of another request": (
        {"change": {"uid": "11111111-2222-3333-4444-555555555555"}},
        "expected response.uid",
    ),
    "no uid": ({"dropped": "uid"}, "expected response.uid"),
    "not whether": ({"dropped": "allowed"}, "denied the request without explanation"),
    "yes as text": ({"change": {"allowed": "true"}}, "unmarshal"),
    "an old version": ({"more": {"apiVersion": BETA}}, "unknown conversion"),
    "another kind": ({"more": {"kind": "Status"}}, ""),
    "no response": ({"more": {"response": None}}, ""),
    "no JSON": ({"body": b"<html>"}, ""),
    "half of it": (
        {"body": b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"allowed":true'},
        "",
    ),
    "nothing": ({"body": b""}, ""),
    "a change of the object": ({"change": {"patch": PATCH, "patchType": "JSONPatch"}}, ""),
}


@pytest.mark.parametrize("name", LIES)
def test_s42_a_lying_webhook_lets_nothing_in(plane: Kubernetes, namespace: str, liar: Liar, name: str) -> None:
    with registered(plane, configuration(at_url(liar.port, plane.authority.pem), namespace)):
        in_force(plane, liar, namespace)
        assert plane.create(pod(IMAGE), namespace, "?dryRun=All").status == 201, "so far it tells no lies"
        spoilt, word = LIES[name]
        for member, value in spoilt.items():
            setattr(liar, member, value)
        fails(plane, namespace, word)


def test_s42_a_slow_webhook_lets_nothing_in(plane: Kubernetes, namespace: str, liar: Liar) -> None:
    client = at_url(liar.port, plane.authority.pem)
    with registered(plane, configuration(client, namespace, timeoutSeconds=1)):
        in_force(plane, liar, namespace)
        assert liar.seen[-1].path == "/validate?timeout=1s", "the time that there is is told"
        liar.delay_s = 60.0
        began = time.monotonic()
        fails(plane, namespace, "failed calling webhook")
        assert 0.9 < time.monotonic() - began < 30


def test_s42_a_webhook_that_is_down_lets_nothing_in(plane: Kubernetes, namespace: str, liar: Liar) -> None:
    with registered(plane, configuration(at_url(free_port(), plane.authority.pem), namespace)):
        in_force(plane, liar, namespace)
        fails(plane, namespace, "connection refused")


def test_s42_a_service_without_pods_lets_nothing_in(plane: Kubernetes, namespace: str, liar: Liar) -> None:
    """As between the installation of a chart and its first Pod."""
    client = {"service": {"name": "gate", "namespace": namespace, "path": "/validate"}}
    with registered(plane, configuration(client, namespace)):
        in_force(plane, liar, namespace)
        fails(plane, namespace, "not found")
        ports = [{"port": 443}]
        plane.made(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gate"}, "spec": {"ports": ports}}, namespace
        )
        fails(plane, namespace, "failed calling webhook")


def test_s42_a_webhook_that_another_authority_vouches_for_is_not_asked(
    plane: Kubernetes, namespace: str, liar: Liar, tmp_path: Path
) -> None:
    with registered(plane, configuration(at_url(liar.port, Authority(tmp_path).pem), namespace)):
        in_force(plane, liar, namespace)
        fails(plane, namespace, "certificate signed by unknown authority")
    assert liar.seen == []


@pytest.mark.parametrize(
    ("names", "hours", "word"),
    [(("webhook.example",), 48.0, "doesn't contain any IP SANs"), (("127.0.0.1",), -0.5, "has expired")],
)
def test_s42_a_webhook_with_a_certificate_that_is_not_for_it_is_not_asked(
    plane: Kubernetes, namespace: str, names: tuple[str, ...], hours: float, word: str
) -> None:
    pair = plane.authority.server("other", names, hours=hours)
    with (
        Liar(pair, plane.authority).serving() as liar,
        registered(plane, configuration(at_url(liar.port, plane.authority.pem), namespace)),
    ):
        in_force(plane, liar, namespace)
        fails(plane, namespace, word)
        assert liar.seen == []


def test_an_api_server_shows_the_certificate_that_it_is_configured_with(
    plane: Kubernetes, namespace: str, liar: Liar
) -> None:
    with registered(plane, configuration(at_url(liar.port, plane.authority.pem), namespace)):
        in_force(plane, liar, namespace)
    assert {asked.client for asked in liar.seen} == {"CN=api-server"}
    request = liar.seen[-1].review["request"]
    assert (request["dryRun"], request["operation"], request["namespace"]) == (True, "CREATE", namespace)
