"""What runs already is judged again, with no more rights than the chart gives to the audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.world import Done, inside
from tests.support.kube import Kubernetes, until
from tests.support.kube_objects import CARRIERS, a_pod, custom_kind
from tests.support.kube_release import GROUP, RELEASE, Site, Team

pytestmark = pytest.mark.xdist_group("kube")
NAME = f"{RELEASE}-audit"
UNJUDGED = "kube-system"


@pytest.fixture(scope="module")
def token(plane: Kubernetes, site: Site) -> Iterator[str]:
    """Of the audit's account, in a cluster that has the kind whose places are configured."""
    kind = plane.made(custom_kind(GROUP, "Agent"))
    until(lambda: plane.call("GET", f"/apis/{GROUP}/v1/agents").status == 200, "the kind is served")
    yield plane.token(NAME, site.namespace)
    plane.call("DELETE", plane.path(kind, name=kind["metadata"]["name"]))


LEAVING_OUT = "--exclude-namespace="


def audit(site: Site, token: str, *namespaces: str, everywhere: bool = False) -> Done:
    """Runs what the chart's CronJob says, or the same without leaving out a namespace."""
    kind = {"apiVersion": "batch/v1", "kind": "CronJob"}
    job = site.plane.call("GET", site.plane.path(kind, site.namespace, NAME)).document
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    arguments = [text.replace("/etc/gate", f"{site.pod.folder}/volumes/configuration") for text in container["args"]]
    left_out = {text.removeprefix(LEAVING_OUT) for text in arguments if text.startswith(LEAVING_OUT)}
    assert left_out == {UNJUDGED, site.namespace}
    if everywhere:
        arguments = [text for text in arguments if not text.startswith(LEAVING_OUT)]
    arguments += ["--kubeconfig", str(site.plane.kubeconfig(token)), "--format", "json"]
    return inside(*arguments, *(f"--namespace={name}" for name in namespaces))


def standing(done: Done) -> dict[str, str]:
    return {f"{item['kind']['kind']} {item['name']}": item["standing"] for item in json.loads(done.out)["objects"]}


def named(document: dict[str, Any]) -> str:
    return f"{document['kind']} {document['metadata']['name']}"


def test_the_audit_finds_what_was_never_judged(
    plane: Kubernetes, site: Site, team: Team, good: str, bad: str, token: str
) -> None:
    judged = [a_pod(good), *(make(good) for make in CARRIERS.values())]
    for document in judged:
        team.admitted(document)
    done = audit(site, token, team.namespace)
    assert done.code == 0, done.text
    missed = a_pod(bad)
    plane.made(missed, UNJUDGED)
    assert audit(site, token, team.namespace).code == 0
    done = audit(site, token, team.namespace, UNJUDGED, everywhere=True)
    assert done.code == 13, done.text
    found = standing(done)
    assert {found[named(document)] for document in judged} == {"allowed"}
    assert found[named(missed)] == "refused"


def test_the_audit_may_read_workloads_and_nothing_else(plane: Kubernetes, site: Site, token: str) -> None:
    for path in ("/api/v1/pods", "/apis/apps/v1/deployments", "/apis/batch/v1/namespaces/default/cronjobs"):
        assert plane.call("GET", path, token=token).status == 200
    for path in (
        "/api/v1/secrets",
        "/api/v1/configmaps",
        f"/api/v1/namespaces/{site.namespace}/secrets",
        "/api/v1/nodes",
    ):
        assert plane.call("GET", path, token=token).status == 403
    for verb, path in (("POST", plane.path(a_pod("x"))), ("DELETE", plane.path(a_pod("x"), name="x"))):
        assert plane.call(verb, path, a_pod("x"), token=token).status == 403


def test_without_the_right_to_list_the_audit_says_so(plane: Kubernetes, site: Site, team: Team) -> None:
    done = audit(site, plane.token(RELEASE, site.namespace), team.namespace)
    assert done.code not in {0, 13}
    assert "list" in done.text
