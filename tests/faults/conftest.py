"""A registry, an authority and a site for each test here; the figures of all faults are told at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.site import Told
from tests.support.certificates import Authority, Pair
from tests.support.registries import Registry

_TOLD: list[tuple[str, dict[str, Any]]] = []


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def pair(authority: Authority, tmp_path: Path) -> Pair:
    return authority.server(tmp_path.name)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), "cue") as running:
        yield running


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """Takes the figures of a fault."""

    def take(figures: dict[str, Any]) -> None:
        _TOLD.append((request.node.name, figures))

    return take


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("faults")
    for name, figures in _TOLD:
        terminalreporter.write_line(f"{name}: {json.dumps(figures)}")
