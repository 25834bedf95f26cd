"""Somebody changes by hand what the chart registered: Helm stops and says so, as the runbook tells, and mends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from tests.support.chart import CHART, GOOD, merged
from tests.support.kube import JSON_PATCH, Kubernetes
from tests.support.kube_webhooks import GROUP, KIND, fresh

pytestmark = pytest.mark.xdist_group("kube")
RELEASE = "edited-gate-webhook"
# The guard would be in the way of nothing, and of no use.
VALUES = merged(GOOD, {"guard": {"ownNamespace": False}})


class Installed:
    """The release. Its webhooks select a namespace that nobody uses."""

    def __init__(self, plane: Kubernetes, folder: Path) -> None:
        self.plane, self.namespace = plane, plane.namespace(fresh("edited"))
        self.values = folder / "values.yaml"
        everywhere = [item["metadata"]["name"] for item in plane.call("GET", "/api/v1/namespaces").document["items"]]
        values = merged(VALUES, {"webhook": {"excludedNamespaces": sorted(everywhere)}})
        self.values.write_text(yaml.safe_dump(values))

    def helm(self, command: str, *options: str) -> CompletedProcess[str]:
        what = [str(CHART), "--values", str(self.values)] if command != "uninstall" else []
        return self.plane.helm(command, RELEASE, *what, "--namespace", self.namespace, *options)

    @property
    def path(self) -> str:
        return self.plane.path({"apiVersion": GROUP, "kind": KIND}, name=RELEASE)

    @property
    def policies(self) -> set[str]:
        return {hook["failurePolicy"] for hook in self.plane.call("GET", self.path).document["webhooks"]}


@pytest.fixture
def installed(plane: Kubernetes, tmp_path: Path) -> Iterator[Installed]:
    release = Installed(plane, tmp_path)
    done = release.helm("install")
    assert done.returncode == 0, done.stderr
    try:
        yield release
    finally:
        assert release.helm("uninstall").returncode == 0


def test_s42_helm_stops_at_what_another_hand_has_weakened_and_takes_it_back(
    plane: Kubernetes, installed: Installed
) -> None:
    weaker = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    edited = plane.call("PATCH", f"{installed.path}?fieldManager=kubectl-edit", weaker, kind=JSON_PATCH)
    assert edited.status == 200
    done = installed.helm("upgrade")
    assert done.returncode != 0
    assert 'conflict with "kubectl-edit"' in done.stderr
    assert ".failurePolicy" in done.stderr
    assert installed.policies == {"Fail", "Ignore"}, "nothing is taken back silently"
    done = installed.helm("upgrade", "--force-conflicts")
    assert done.returncode == 0, done.stderr
    assert installed.policies == {"Fail"}


def test_what_was_removed_by_hand_is_there_again_after_an_upgrade(plane: Kubernetes, installed: Installed) -> None:
    """As the runbook takes the webhook away and puts it back."""
    assert plane.call("DELETE", installed.path).status == 200
    done = installed.helm("upgrade", "--reuse-values")
    assert done.returncode == 0, done.stderr
    assert installed.policies == {"Fail"}
