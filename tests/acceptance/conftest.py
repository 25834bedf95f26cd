"""The good world, made once a worker."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.acceptance.world import ENVIRONMENT, MEASURING, World, good_world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """What holds for this process' environment holds for that of the programs here."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover") is not None:
            for name in MEASURING:
                patch.delitem(ENVIRONMENT, name)
        return (yield)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture
def world(tmp_path: Path, shared: Path) -> World:
    """A model that a change retrains, with all evidence that is asked for: `gate check` allows it."""
    return good_world(tmp_path / "world", shared)
