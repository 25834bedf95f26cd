"""The good world, made once a worker, as what a policy compiles to is."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate import _native as binding
from tests.acceptance.world import ENVIRONMENT, MEASURING, World, good_world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """What holds for this process' environment holds for that of the programs here."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover") is not None:
            for name in MEASURING:
                patch.delitem(ENVIRONMENT, name)
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Compiling takes half of a check. What comes of it never changes, so equal policies share it."""
    compiled = functools.lru_cache(8)(
        lambda modules, data, rules: binding.PolicySet.compile(dict(modules), data, list(rules))
    )

    def remembered(modules: Mapping[str, str], data: bytes, rules: Sequence[str]) -> object:
        return compiled(frozenset(modules.items()), data, tuple(rules))

    names = {**vars(binding), "PolicySet": SimpleNamespace(compile=remembered)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gate.evaluate.regorus._native", SimpleNamespace(**names))
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture
def world(tmp_path: Path, shared: Path) -> World:
    """A model that a change retrains, with all evidence that is asked for: `gate check` allows it."""
    return good_world(tmp_path / "world", shared)
