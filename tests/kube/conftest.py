"""One API server for all tests here: they are one group, so that one worker runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.kube import Kubernetes


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:
    with Kubernetes(tmp_path_factory.mktemp("kube")) as running:
        yield running
