"""The chart as Helm puts it into a real API server: installed, changed and removed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.support.chart import CHART, COMBINATIONS, GOOD, IMAGE, Values, merged
from tests.support.kube import Kubernetes, until
from tests.support.kube_objects import CARRIERS, a_pod
from tests.support.kube_webhooks import GROUP, HOOK, KIND, fresh

pytestmark = pytest.mark.xdist_group("kube")
RELEASE = "here-gate-webhook"
ANY = "registry.test/app:1"
REGISTRATION = {"apiVersion": GROUP, "kind": KIND}
SECRET = {"apiVersion": "v1", "kind": "Secret"}


class Release:
    """The chart in a namespace of its own."""

    def __init__(self, plane: Kubernetes, folder: Path) -> None:
        self.plane, self.folder, self.namespace = plane, folder, fresh("here")

    def helm(self, verb: str, *values: Values) -> str:
        path = self.folder / "values.yaml"
        path.write_text(yaml.safe_dump(merged(GOOD, *values)), "utf-8")
        more: dict[str, list[str]] = {
            "install": [str(CHART), "--values", str(path), "--create-namespace"],
            "upgrade": [str(CHART), "--values", str(path)],
            "uninstall": [],
        }
        done = self.plane.helm(verb, RELEASE, *more[verb], "--namespace", self.namespace)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def secret(self, name: str) -> dict[str, bytes]:
        document = self.plane.call("GET", self.plane.path(SECRET, self.namespace, f"{RELEASE}-{name}")).document
        return {key: base64.b64decode(text) for key, text in document["data"].items()}

    @property
    def hooks(self) -> list[dict[str, Any]]:
        document = self.plane.call("GET", self.plane.path(REGISTRATION, name=RELEASE)).document
        return list(document["webhooks"])


@pytest.fixture
def release(plane: Kubernetes, tmp_path: Path) -> Iterator[Release]:
    found = Release(plane, tmp_path)
    yield found
    plane.helm("uninstall", RELEASE, "--namespace", found.namespace)
    until(lambda: plane.create(a_pod(ANY), query="?dryRun=All").status == 201, "nothing is asked any more")


def test_s42_before_its_first_pod_is_ready_nothing_is_let_in_but_its_pods(plane: Kubernetes, release: Release) -> None:
    other = plane.namespace(fresh("other"))
    release.helm("install")
    until(lambda: plane.create(a_pod(ANY), other, "?dryRun=All").status != 201, "the webhook is asked")
    for make in CARRIERS.values():
        answer = plane.create(make(ANY), other)
        assert answer.status == 500
        assert "failed calling webhook" in answer.message
    assert plane.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}, other).status == 201
    assert plane.create(a_pod(IMAGE), release.namespace, "?dryRun=All").status == 201
    until(
        lambda: plane.create(a_pod(ANY), release.namespace, "?dryRun=All").status == 422,
        "nothing else runs in its namespace",
    )
    assert plane.create(a_pod(ANY), "kube-system", "?dryRun=All").status == 201


def test_what_is_removed_leaves_nothing_behind(plane: Kubernetes, release: Release) -> None:
    release.helm("install", {"audit": {"enabled": True}}, {"guard": {"registration": {"enabled": True}}})
    release.helm("uninstall")
    left = []
    for version in (
        "v1",
        "apps/v1",
        "batch/v1",
        "policy/v1",
        "networking.k8s.io/v1",
        "rbac.authorization.k8s.io/v1",
        GROUP,
    ):
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for item in plane.call("GET", base).document["resources"]:
            if "list" in item["verbs"]:
                found = plane.call("GET", f"{base}/{item['name']}").document["items"]
                left += [
                    f"{item['kind']} {one['metadata']['name']}" for one in found if RELEASE in one["metadata"]["name"]
                ]
    assert left == []


def test_an_upgrade_keeps_the_authority_and_renews_the_certificate(release: Release) -> None:
    release.helm("install")
    before = {name: release.secret(name) for name in ("ca", "tls")}
    release.helm("upgrade", {"replicas": 5, "disruption": {"maxUnavailable": 2}})
    after = {name: release.secret(name) for name in ("ca", "tls")}
    assert before["ca"] == after["ca"]
    assert before["tls"]["tls.crt"] != after["tls"]["tls.crt"]
    authority = x509.load_pem_x509_certificate(after["ca"]["tls.crt"])
    for hook in release.hooks:
        assert base64.b64decode(hook["clientConfig"]["caBundle"]) == after["ca"]["tls.crt"]
    for pair in (before["tls"], after["tls"]):
        x509.load_pem_x509_certificate(pair["tls.crt"]).verify_directly_issued_by(authority)


@pytest.mark.parametrize(
    "name", ["one replica", "a sidecar", "a guarded registration", "client certificates", "no log"]
)
def test_choices_can_be_changed_by_an_upgrade_and_back(release: Release, name: str) -> None:
    release.helm("install")
    release.helm("upgrade", *COMBINATIONS[name])
    release.helm("upgrade")
    assert {hook["failurePolicy"] for hook in release.hooks} == {"Fail"}


def test_it_can_be_installed_before_it_is_asked(plane: Kubernetes, release: Release) -> None:
    release.helm("install", COMBINATIONS["not registered"][0])
    assert plane.call("GET", plane.path(REGISTRATION, name=RELEASE)).status == 404
    assert plane.create(a_pod(ANY), query="?dryRun=All").status == 201
    release.helm("upgrade")
    assert HOOK in {hook["name"] for hook in release.hooks}
