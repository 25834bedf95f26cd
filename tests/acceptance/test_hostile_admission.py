"""S30, S41: whatever a registry does to a webhook, the answer is an error in bounded time, and it is not remembered."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.collect import looking
from gate.collect.admission import Registries
from gate.collect.registry.client import Bounds
from gate.errors import EvidenceError
from gate.model.admission_settings import AdmissionRegistry, AdmissionSettings, Outage
from gate.model.registry import RegistryAccess
from tests.acceptance.test_hostile_registry import CASES, LIMITS, SECONDS, SECRET, Case
from tests.support.hostile_registry import BUNDLE, HostileRegistry, docker_config


@pytest.fixture
def thief() -> Iterator[HostileRegistry]:
    with HostileRegistry() as running:
        yield running


@pytest.mark.parametrize("hostile", CASES, ids=lambda item: item.name)
def test_s30_a_hostile_registry_is_an_error_that_is_not_remembered(
    hostile: Case, thief: HostileRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HostileRegistry() as registry:
        registry.behave = hostile.behave(registry, thief)
        (tmp_path / "config.json").write_bytes(docker_config({registry.host: SECRET}))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        access = RegistryAccess(timeout_s=2)
        settings = AdmissionSettings(
            registries={registry.host: AdmissionRegistry(access)}, outage=Outage.LAST_SEEN, listing_s=600
        )
        monkeypatch.setattr(looking, "Bounds", functools.partial(Bounds, pages=20))
        with Registries(settings, LIMITS) as registries:
            began = time.monotonic()
            image = registries.resolve(registry.reference, began + SECONDS)
            with pytest.raises(EvidenceError, match=hostile.message) as caught:
                registries.fetched(image, began + SECONDS)
            assert time.monotonic() - began < SECONDS
            assert caught.value.exit_code == 3
            assert "password" not in f"{caught.value}{caught.value.hint}"
            counts = registries.counts()
            assert (counts["hits"], counts["last_seen"]) == (0, 0)
            assert counts["errors"] + counts["unavailable"] == 1
            registry.behave = lambda _: False
            registry.replace()
            found = registries.fetched(image, time.monotonic() + SECONDS)
            assert [item.data for item in found.items] == [BUNDLE]
    assert set(thief.seen) <= {None}
