"""Dry runs and exceptions: what would be refused is let in, is told of, and is on record."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.kube import Kubernetes
from tests.support.kube_objects import CARRIERS, a_pod
from tests.support.kube_release import Site, now, refused
from tests.support.kube_webhooks import fresh
from tools.scenario_evidence import bundle, key, statement

pytestmark = pytest.mark.xdist_group("kube")
BREAK_GLASS = "urn:promotion-gate:predicate:break-glass:v1"
ANNOTATION = "gate/break-glass"


@pytest.fixture(scope="module")
def namespace(plane: Kubernetes) -> str:
    return plane.namespace(fresh("mode"))


@pytest.fixture(scope="module")
def bad(site: Site) -> str:
    return site.with_api.named(site.with_api.image())


@pytest.fixture(scope="class")
def _dry(site: Site) -> Iterator[None]:
    site.upgrade(mode="dry-run")
    yield
    site.upgrade()


@pytest.fixture(scope="class")
def _with_exceptions(site: Site) -> Iterator[None]:
    site.upgrade(break_glass={"signers": ["approver"], "max": "2h"})
    yield
    site.upgrade()


@pytest.mark.usefixtures("_dry")
class TestDryRun:
    def test_a_refusal_is_a_warning_and_a_note_in_the_audit_log(
        self, plane: Kubernetes, site: Site, namespace: str, bad: str
    ) -> None:
        pod = a_pod(bad)
        answer = plane.create(pod, namespace)
        assert answer.status == 201, answer.message
        assert any("would be refused" in text for text in answer.warnings), answer.warnings
        found = site.audited(pod, namespace)
        assert found["verdict"] == "deny"
        assert found["cause"] == "dry_run"
        assert "signed" in found["would-refuse"]

    def test_a_good_pod_has_no_warning(self, plane: Kubernetes, site: Site, namespace: str) -> None:
        answer = plane.create(a_pod(site.with_api.good()), namespace)
        assert (answer.status, answer.warnings) == (201, ())

    def test_what_names_no_image_that_can_be_found_is_told_of_too(self, plane: Kubernetes, namespace: str) -> None:
        answer = plane.create(a_pod("nginx:latest"), namespace)
        assert answer.status == 201, answer.message
        assert any("would be refused" in text for text in answer.warnings), answer.warnings


@pytest.mark.usefixtures("_with_exceptions")
class TestBreakGlass:
    def exception(
        self, image: str, where: str, signer: str = "approver", changes: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        digest = image.partition("@")[2]
        predicate = {
            "depends_on": [],
            "roles": {"images": [digest]},
            "folders": {},
            "privacy": {"mode": "hash_only"},
            "namespace": where,
            "reason": "the checkout is down",
            "ticket": "OPS-1",
            "approver": None,
            "created": now(minutes=-1),
            "expires": now(hours=1),
            **(changes or {}),
        }
        subject = {"name": digest, "digest": {"sha256": digest.partition(":")[2]}}
        payload = statement(BREAK_GLASS, [subject], predicate)
        return {ANNOTATION: base64.b64encode(bundle(payload, key(signer))).decode()}

    def test_an_exception_lets_in_and_is_told_and_recorded(
        self, plane: Kubernetes, site: Site, namespace: str, bad: str
    ) -> None:
        refused(plane.create(a_pod(bad), namespace))
        pod = a_pod(bad, annotations=self.exception(bad, namespace))
        answer = plane.create(pod, namespace)
        assert answer.status == 201, answer.message
        assert any("OPS-1" in text for text in answer.warnings), answer.warnings
        found = site.audited(pod, namespace)
        assert (found["verdict"], found["cause"]) == ("deny", "break_glass")
        assert "OPS-1" in found["break-glass"]

    @pytest.mark.parametrize(
        ("signer", "changes"),
        [
            ("release", {}),
            ("stranger", {}),
            ("approver", {"namespace": "another"}),
            ("approver", {"expires": now(minutes=-2), "created": now(minutes=-30)}),
            ("approver", {"expires": now(hours=5)}),
        ],
        ids=["no approver", "a stranger", "another namespace", "over", "too long"],
    )
    def test_an_exception_that_does_not_hold_excuses_nothing(
        self, plane: Kubernetes, namespace: str, bad: str, signer: str, changes: dict[str, Any]
    ) -> None:
        annotations = self.exception(bad, namespace, signer, changes)
        refused(plane.create(a_pod(bad, annotations=annotations), namespace), "exception does not hold")

    def test_an_exception_for_another_image_excuses_nothing(
        self, plane: Kubernetes, site: Site, namespace: str, bad: str
    ) -> None:
        other = site.with_api.named(site.with_api.image())
        annotations = self.exception(other, namespace)
        refused(plane.create(a_pod(bad, annotations=annotations), namespace), "exception does not hold")
        refused(plane.create(a_pod(other, bad, annotations=annotations), namespace), "exception does not hold")

    def test_an_exception_of_a_controller_is_asked_for_again_for_its_pods(
        self, plane: Kubernetes, namespace: str, bad: str
    ) -> None:
        """The template hands its annotations down to the Pods that are made of it."""
        deployment, exception = CARRIERS["Deployment"](bad), self.exception(bad, namespace)
        deployment["metadata"]["annotations"] = exception
        answer = plane.create(deployment, namespace)
        assert answer.status == 201, answer.message
        made = {"apiVersion": "v1", "kind": "Pod", **deployment["spec"]["template"]}
        made["metadata"] = {"generateName": "of-deployment-"}
        refused(plane.create(made, namespace))
        made["metadata"]["annotations"] = exception
        answer = plane.create(made, namespace)
        assert answer.status == 201, answer.message

    def test_an_exception_that_is_no_bundle_excuses_nothing(self, plane: Kubernetes, namespace: str, bad: str) -> None:
        good = self.exception(bad, namespace)[ANNOTATION]
        for text in ("", "please", "e30=", good[:-4], f" {good}", "A" * 200_000):
            refused(plane.create(a_pod(bad, annotations={ANNOTATION: text}), namespace))
