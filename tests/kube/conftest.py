"""One API server for all tests here: they are one group, so that one worker runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.kube import Kubernetes
from tests.support.kube_release import Site, Team
from tests.support.kube_webhooks import fresh


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:
    with Kubernetes(tmp_path_factory.mktemp("kube")) as running:
        yield running


@pytest.fixture(scope="module")
def site(plane: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The chart as it is installed, with a webhook that answers; only while the tests of one file run."""
    with Site(plane, tmp_path_factory.mktemp("site")) as installed:
        yield installed


@pytest.fixture(scope="module")
def team(plane: Kubernetes, site: Site) -> Team:
    assert site.plane is plane
    return Team(plane, plane.namespace(fresh("team")))


@pytest.fixture(scope="module")
def good(site: Site) -> str:
    return site.with_api.good()


@pytest.fixture(scope="module")
def bad(site: Site) -> str:
    return site.with_api.named(site.with_api.image())
