"""The good world, made once a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.world import World, good_world


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture
def world(tmp_path: Path, shared: Path) -> World:
    """A model that a change retrains, with all evidence that is asked for: `gate check` allows it."""
    return good_world(tmp_path / "world", shared)
