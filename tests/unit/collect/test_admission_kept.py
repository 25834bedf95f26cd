"""What is kept of registries: nothing unhashed, nothing that an answer overrules, within bounds, for many threads."""

from __future__ import annotations

import ctypes
import dataclasses
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gate.collect import looking
from gate.collect.admission import Fetched, Registries, Resolved
from gate.errors import ConfigError, EvidenceError, UnavailableError
from gate.formats.image_reference import Repository
from gate.formats.oci import INDEX, MANIFEST
from gate.model.admission_settings import AdmissionRegistry, AdmissionSettings, Outage
from gate.model.digest import Digest
from gate.model.registry import RegistryAccess
from tests.support.asked_registries import ANSWERS, DOWN, LIMITS, OTHER, Clock, fetch, opened, settings_for, soon
from tests.support.hostile_registry import BUNDLE, REPOSITORY, Handler, HostileRegistry, described, encode


@pytest.fixture
def registry() -> Iterator[HostileRegistry]:
    with HostileRegistry() as running:
        yield running


# --- outages --------------------------------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def test_s41_a_registry_that_is_down_refuses() -> None:
    host = f"127.0.0.1:{closed_port()}"
    settings = AdmissionSettings(registries={host: AdmissionRegistry(RegistryAccess(timeout_s=5))})
    with Registries(settings, LIMITS) as registries:
        with pytest.raises(UnavailableError, match="nobody listens there"):
            registries.fetched(registries.resolve(f"{host}/a/b@{OTHER}", soon()), soon())
        counts = registries.counts()
        assert (counts["unavailable"], counts["errors"], counts["last_seen"]) == (1, 0, 0)


@pytest.mark.parametrize("name", DOWN)
@pytest.mark.parametrize("outage", Outage)
def test_s41_the_list_seen_last_stands_for_a_registry_that_cannot_be_reached_if_that_is_configured(
    registry: HostileRegistry, name: str, outage: Outage
) -> None:
    clock = Clock()
    with opened(registry, clock=clock, outage=outage, last_seen_s=600, timeout_s=1) as registries:
        first = fetch(registries, registry)
        registry.behave = DOWN[name]
        clock.more = 60
        image = registries.resolve(registry.reference, 0)
        if outage is Outage.REFUSE:
            with pytest.raises(UnavailableError):
                registries.fetched(image, clock() + 20)
        else:
            found = registries.fetched(image, clock() + 20)
            assert (found.items, found.is_last_seen) == (first.items, True)
            assert 59 < found.age_s < 90
            assert registries.counts()["last_seen"] == 1
        clock.more = 601
        with pytest.raises(UnavailableError):
            registries.fetched(image, clock() + 20)


@pytest.mark.parametrize("name", ANSWERS)
def test_s41_what_a_registry_answers_is_never_overruled_by_what_was_seen_last(
    registry: HostileRegistry, name: str
) -> None:
    clock = Clock()
    with opened(registry, clock=clock, outage=Outage.LAST_SEEN) as registries:
        assert len(fetch(registries, registry).items) == 1
        registry.behave = ANSWERS[name]
        clock.more = 60
        image = registries.resolve(registry.reference, 0)
        try:
            assert registries.fetched(image, clock() + 20).items == ()
        except EvidenceError as error:
            assert not isinstance(error, UnavailableError)  # noqa: PT017
        # And not later either, when it is down after that.
        registry.behave = DOWN["503"]
        with pytest.raises(UnavailableError):
            registries.fetched(image, clock() + 20)
        assert registries.counts()["last_seen"] == 0


def test_who_can_fall_back_does_not_wait_to_the_end(registry: HostileRegistry) -> None:
    clock, ended = Clock(), threading.Event()
    with opened(registry, clock=clock, outage=Outage.LAST_SEEN) as registries:
        fetch(registries, registry)
        registry.behave = lambda asked: asked.kind == "referrers" and not ended.wait(20)
        clock.more = 60
        image = registries.resolve(registry.reference, 0)
        began = time.monotonic()
        assert registries.fetched(image, clock() + 4).is_last_seen
        assert time.monotonic() - began < 3.5
        ended.set()
        # The look went on, and what it found is there now.
        until = soon()
        while (found := registries.fetched(image, clock() + 4)).is_last_seen:
            assert time.monotonic() < until
        assert found.age_s < 20


# --- memory ---------------------------------------------------------------------------------------------------------


def flip(data: bytes, place: int = 3) -> None:
    """One bit, where the bytes lie."""
    address = id(data) + bytes.__basicsize__ - 1 + place
    ctypes.memset(address, data[place] ^ 0x10, 1)


def test_s41_a_bit_that_flipped_in_memory_is_a_miss(registry: HostileRegistry) -> None:
    with opened(registry) as registries:
        first = fetch(registries, registry)
        flip(first.items[0].data)
        assert first.items[0].data != BUNDLE
        found = fetch(registries, registry)
        assert found.items[0].data == BUNDLE
        # The list, and the content under its digest, which was the same memory.
        assert registries.counts()["corrupted"] == 2
        assert fetch(registries, registry).items == found.items
        assert registries.counts()["corrupted"] == 2


CHANGES: dict[str, Callable[[Any], Any]] = {
    "data": lambda kept: {"items": (dataclasses.replace(kept.items[0], data=b"x"),)},
    "origin": lambda kept: {"items": (dataclasses.replace(kept.items[0], origin="x"),)},
    "kind": lambda kept: {"items": (dataclasses.replace(kept.items[0], is_legacy=True),)},
    "message": lambda kept: {"items": (dataclasses.replace(kept.items[0], message=b""),)},
    "one less": lambda _: {"items": ()},
    "twice": lambda kept: {"items": kept.items * 2},
    "no evidence": lambda _: {"items": (None,)},
    "skipped": lambda _: {"skipped": (("a", "b"),)},
    "platforms": lambda _: {"platforms": (Digest(OTHER),)},
    "newer": lambda kept: {"seen_at": kept.seen_at + 1e-6},
    "seal": lambda kept: {"seal": bytes(len(kept.seal))},
}


@pytest.mark.parametrize("name", CHANGES)
def test_s41_a_list_that_changed_in_memory_is_none(registry: HostileRegistry, name: str) -> None:
    with opened(registry, outage=Outage.LAST_SEEN) as registries:
        first = fetch(registries, registry)
        ((key, entry),) = registries._listings._entries.items()
        entry.value = dataclasses.replace(entry.value, **CHANGES[name](entry.value))
        assert fetch(registries, registry).items == first.items
        assert registries.counts()["corrupted"] == 1
        assert registries.counts()["fetches"] == 2
        # And it does not stand for another image, or for a registry that is down.
        (entry,) = registries._listings._entries.values()
        registries._listings._entries[key.replace(registry.image, OTHER)] = entry
        registry.behave = DOWN["503"]
        other = Resolved(Repository(registry.host, REPOSITORY), Digest(OTHER))
        with pytest.raises(UnavailableError):
            registries.fetched(other, soon())


@pytest.mark.parametrize("change", [{"kind": INDEX}, {"read_at": 1e12}, {"data": b"{}"}, {"seal": b""}])
def test_s41_content_that_changed_in_memory_is_read_again(registry: HostileRegistry, change: dict[str, Any]) -> None:
    clock = Clock()
    with opened(registry, clock=clock) as registries:
        first = fetch(registries, registry)
        for entry in registries._contents.kept._entries.values():
            entry.value = dataclasses.replace(entry.value, **change)
        clock.more = 60
        image = registries.resolve(registry.reference, 0)
        assert registries.fetched(image, clock() + 9).items == first.items
        assert registries.counts()["corrupted"] == 3


def test_memory_is_bounded_and_what_is_not_kept_is_read_again(registry: HostileRegistry) -> None:
    references = []
    for number in range(40):
        config = encode({"n": number})
        image = encode({"schemaVersion": 2, "mediaType": MANIFEST, "config": described(config, "x"), "layers": []})
        digest = registry.store(image)
        registry.attach(b"x" * 30_000 + b"%d" % number, subject=described(image, MANIFEST))
        references.append(f"{registry.host}/{REPOSITORY}@{digest}")
    with opened(registry, cache_bytes=400_000) as registries:
        for reference in references * 2:
            found = registries.fetched(registries.resolve(reference, soon()), soon())
            assert len(found.items[0].data) > 30_000
        assert registries._listings.bytes <= 200_000
        assert registries._contents.kept.bytes <= 200_000
        assert registries.counts()["fetches"] == 80


def test_another_configuration_takes_over_what_has_a_digest(registry: HostileRegistry) -> None:
    with opened(registry) as before:
        fetch(before, registry)
        with Registries(settings_for(registry, cache_bytes=1 << 20), LIMITS, before=before) as after:
            asked = len(registry.requests)
            assert len(fetch(after, registry).items) == 1
            assert not any("/blobs/" in path for _, path in registry.requests[asked:])
            assert after.counts()["fetches"] == 1


# --- threads and connections ----------------------------------------------------------------------------------------


def test_thirty_two_threads_and_a_registry_that_fails_now_and_then(registry: HostileRegistry) -> None:
    references = [registry.reference]
    for number in range(7):
        image = encode(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": described(b"%d" % number, "x"), "layers": []}
        )
        digest = registry.store(image)
        registry.attach(b'{"n":%d}' % number, subject=described(image, MANIFEST))
        references.append(f"{registry.host}/{REPOSITORY}@{digest}")
    turns = iter(range(10**9))
    registry.behave = lambda asked: next(turns) % 50 == 49 and asked.say(403)
    with opened(registry, listing_s=0) as registries:

        def ask(number: int) -> tuple[int, Fetched | None]:
            place = number % len(references)
            try:
                return place, registries.fetched(registries.resolve(references[place], soon()), soon(30))
            except EvidenceError as error:
                assert "refused" in str(error)  # noqa: PT017
                return place, None

        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(ask, range(600)))
        good: dict[int, set[Any]] = {}
        for place, one in found:
            if one is not None:
                good.setdefault(place, set()).add(one.items)
        assert all(len(items) == 1 for items in good.values())
        assert len(good) == len(references)
        assert sum(one is None for _, one in found) > 0
        counts = registries.counts()
        assert counts["connections_reused"] > counts["fetches"] / 2
        assert counts["misses"] == 600


def test_connections_are_kept_and_all_are_ended(registry: HostileRegistry) -> None:
    connections = set()

    def remember(asked: Handler) -> bool:
        connections.add(asked.client_address)
        return False

    registry.behave = remember
    with opened(registry, listing_s=0) as registries:
        for _ in range(10):
            fetch(registries, registry)
        assert len(connections) == 1
        assert registries.counts()["connections_reused"] == 9


def test_a_token_is_asked_for_once_in_a_while(registry: HostileRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = iter(f"t-{number}" for number in range(100))
    good = set()

    def behave(asked: Handler) -> bool:
        if asked.path.startswith("/token"):
            token = next(tokens)
            good.add(f"Bearer {token}")
            return asked.say(200, encode({"token": token}))
        if asked.headers.get("Authorization") in good:
            return False
        return asked.say(401, WWW_Authenticate=f'Bearer realm="{asked.registry.url}/token",service="s"')

    monkeypatch.setattr("gate.collect.registry.credentials.docker_configuration", lambda: Path("/x"))
    registry.behave = behave
    clock = Clock()
    with opened(registry, clock=clock, listing_s=0) as registries:
        for _ in range(5):
            fetch(registries, registry)
        assert len(good) == 1
        clock.more = 60
        registries.fetched(registries.resolve(registry.reference, 0), clock() + 9)
        assert len(good) == 2
        good.clear()
        registries.fetched(registries.resolve(registry.reference, 0), clock() + 9)
        assert len(good) == 1


def test_without_the_extra_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(ConfigError, match="extra `oci`"):
        Registries(AdmissionSettings(), LIMITS)


def test_an_authority_that_is_none_is_found_when_registries_are_opened() -> None:
    access = RegistryAccess(ca=b"none", ca_path="ca.pem")
    with pytest.raises(ConfigError, match="no certificate in PEM"):
        Registries(AdmissionSettings(registries={"r.example": AdmissionRegistry(access)}), LIMITS)


# --- what threads do to one another -----------------------------------------------------------------------------------


def test_who_begins_a_look_after_another_has_ended_does_not_look_again(registry: HostileRegistry) -> None:
    with opened(registry) as registries:
        first = fetch(registries, registry)
        asked = len(registry.requests)
        image = registries.resolve(registry.reference, soon())
        place, repository = registries._place(image)
        kept = registries._look(f"{repository}@{image.digest}", place, repository, image.digest, 0.0)
        assert kept.items == first.items
        assert len(registry.requests) == asked


def test_a_look_that_begins_after_the_end_is_none(registry: HostileRegistry) -> None:
    registries = opened(registry)
    place, repository = registries._place(registries.resolve(registry.reference, soon()))
    registries.close()
    with pytest.raises(UnavailableError, match="not asked any more"):
        place.look(repository, registry.image)
    assert registry.requests == []


def test_tokens_are_bounded(registry: HostileRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_TOKENS", 1)
    monkeypatch.setattr("gate.collect.registry.credentials.docker_configuration", lambda: Path("/x"))

    def behave(asked: Handler) -> bool:
        if asked.path.startswith("/token"):
            return asked.say(200, encode({"token": "t"}))
        if asked.headers.get("Authorization"):
            return False
        return asked.say(401, WWW_Authenticate=f'Bearer realm="{asked.registry.url}/token",service="s"')

    registry.behave = behave
    with opened(registry) as registries:
        for name in ("a/b", REPOSITORY):
            registries.fetched(registries.resolve(f"{registry.host}/{name}@{registry.image}", soon()), soon())
        (place,) = registries._registries.values()
        assert list(place._tokens) == [Repository(registry.host, REPOSITORY)]
