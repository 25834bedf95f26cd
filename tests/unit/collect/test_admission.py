"""What is attached to images, for many who ask at once: one look, nothing believed unhashed, no error remembered."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gate.collect.admission import Fetched, ImageError, Registries, Resolved, TagError, UnknownRegistryError
from gate.collect.oci import read_attached
from gate.collect.registry import addresses
from gate.errors import EvidenceError, LimitError, UnavailableError
from gate.formats.image_reference import Repository
from gate.formats.oci import INDEX, MANIFEST, fallback_tag
from gate.model.admission_settings import AdmissionRegistry, AdmissionSettings, Tags
from gate.model.digest import sha256_digest
from gate.model.registry import OciEvidence, RegistryAccess
from tests.support.asked_registries import LIMITS, OTHER, Clock, fetch, opened, soon
from tests.support.hostile_registry import BUNDLE, REPOSITORY, HostileRegistry, described, encode
from tests.support.webhook import wait_for


@pytest.fixture
def registry() -> Iterator[HostileRegistry]:
    with HostileRegistry() as running:
        yield running


# --- which images ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    [
        "registry.example/app@" + OTHER,
        "nginx@" + OTHER,
        "nginx:1",
        "127.0.0.1:1/app@" + OTHER,
        "localhost/app:v1",
    ],
)
def test_s40_an_image_of_another_registry_is_refused_and_nothing_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, registry: HostileRegistry, reference: str
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("somebody connects")

    # Opened first: what is imported by that would keep what stands for a connection here.
    with opened(registry, tags=Tags.RESOLVE) as registries:
        monkeypatch.setattr(addresses, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        with pytest.raises(UnknownRegistryError, match="may come from"):
            registries.resolve(reference, soon())
    assert registry.requests == []


def test_s40_the_host_counts_with_its_port_and_not_as_a_part_of_another(registry: HostileRegistry) -> None:
    with opened(registry) as registries:
        for host in (f"localhost:{registry.port}", f"{registry.host}0", "127.0.0.1", f"x.{registry.host}"):
            with pytest.raises(EvidenceError):
                registries.resolve(f"{host}/{REPOSITORY}@{registry.image}", soon())
        unknown = Resolved(Repository("127.0.0.1", REPOSITORY), registry.image)
        with pytest.raises(UnknownRegistryError):
            registries.fetched(unknown, soon())
    assert registry.requests == []


@pytest.mark.parametrize("text", ["", "A/b", "a b", "oci-layout:x@" + OTHER, "r.example/a@sha512:" + "0" * 128, "a@b"])
def test_s40_what_is_no_reference_is_refused(registry: HostileRegistry, text: str) -> None:
    with opened(registry, tags=Tags.RESOLVE) as registries, pytest.raises(ImageError):
        registries.resolve(text, soon())


@pytest.mark.parametrize("end", ["", ":v1", ":latest"])
def test_s40_a_tag_is_refused_and_not_looked_up(registry: HostileRegistry, end: str) -> None:
    with opened(registry) as registries, pytest.raises(TagError, match="has no digest, and a tag may change"):
        registries.resolve(f"{registry.host}/{REPOSITORY}{end}", soon())
    assert registry.requests == []


def test_s40_a_digest_counts_and_the_tag_beside_it_says_nothing(registry: HostileRegistry) -> None:
    with opened(registry) as registries:
        found = registries.resolve(f"{registry.host}/{REPOSITORY}:v1@{registry.image}", soon())
    assert (found.digest, found.was_tag, found.reference) == (registry.image, False, registry.reference)
    assert registry.requests == []


def test_s40_a_tag_is_resolved_by_the_bytes_that_came_each_time(registry: HostileRegistry) -> None:
    registry.behave = lambda asked: (
        asked.name == "v1" and asked.say(200, *registry.manifests["v1"], Docker_Content_Digest=OTHER)
    )
    with opened(registry, tags=Tags.RESOLVE) as registries:
        found = registries.resolve(f"{registry.host}/{REPOSITORY}:v1", soon())
        assert (found.digest, found.was_tag) == (registry.image, True)
        assert registries.fetched(found, soon()).items[0].data == BUNDLE
        changed = registry.manifests["v1"][0] + b" "
        registry.manifests["v1"] = changed, MANIFEST
        assert registries.resolve(f"{registry.host}/{REPOSITORY}:v1", soon()).digest == sha256_digest(changed)
        with pytest.raises(EvidenceError, match="there is no image") as caught:
            registries.resolve(f"{registry.host}/{REPOSITORY}", soon())
        assert not isinstance(caught.value, UnavailableError)


# --- what is read ---------------------------------------------------------------------------------------------------


def test_s40_what_is_read_is_what_a_check_reads(registry: HostileRegistry, tmp_path: Any) -> None:
    registry.attach(b'{"another":1}')
    registry.attach(b"text", artifactType="text/plain", layers=[described(b"text", "text/plain")])
    tag = fallback_tag(registry.image) + ".sbom"
    registry.manifests[tag] = registry.manifests["v1"]
    source = OciEvidence("app")
    items, skipped = read_attached(tmp_path, source, registry.reference, LIMITS)
    with opened(registry) as registries:
        for _ in range(3):
            found = fetch(registries, registry)
            assert (list(found.items), dict(found.skipped)) == (items, skipped)
            assert (found.is_last_seen, found.platforms) == (False, ())


def test_s40_evidence_about_a_platform_says_nothing_about_the_index(registry: HostileRegistry) -> None:
    entries: list[dict[str, Any]] = [{**described(registry.manifests[registry.image][0], MANIFEST), "platform": {}}]
    entries.append({"mediaType": MANIFEST, "digest": OTHER, "size": 1})
    annotations = {"vnd.docker.reference.type": "attestation-manifest"}
    entries.append({"mediaType": MANIFEST, "digest": "sha256:" + "8" * 64, "size": 1, "annotations": annotations})
    index = registry.store(encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}), INDEX)
    with opened(registry) as registries:
        found = registries.fetched(registries.resolve(f"{registry.host}/{REPOSITORY}@{index}", soon()), soon())
        assert found.items == ()
        assert found.platforms == (registry.image, OTHER)


def test_evidence_may_lie_in_another_registry(registry: HostileRegistry) -> None:
    with HostileRegistry() as other:
        access = RegistryAccess(timeout_s=5)
        evidence = f"{registry.host}/{REPOSITORY}"
        both = {
            other.host: AdmissionRegistry(access, evidence=evidence),
            registry.host: AdmissionRegistry(access),
        }
        with Registries(AdmissionSettings(registries=both), LIMITS) as registries:
            found = registries.fetched(registries.resolve(f"{other.host}/a/b@{registry.image}", soon()), soon())
            assert [item.origin for item in found.items] == [f"{evidence}@{registry.bundle}"]
        assert other.requests == []


def test_a_limit_that_is_reached_is_told(registry: HostileRegistry) -> None:
    for number in range(51):
        registry.attach(b'{"n":%d}' % number)
    with opened(registry) as registries, pytest.raises(LimitError, match="more than 50 manifests"):
        fetch(registries, registry)


# --- one look for all -----------------------------------------------------------------------------------------------


def test_s41_five_hundred_ask_and_the_registry_is_asked_once(registry: HostileRegistry) -> None:
    with opened(registry) as registries:
        image = registries.resolve(registry.reference, soon())
        begin = threading.Barrier(500)

        def ask(_: int) -> Fetched:
            begin.wait()
            return registries.fetched(image, soon(30))

        with ThreadPoolExecutor(500) as pool:
            found = list(pool.map(ask, range(500)))
        assert {item.items for item in found} == {found[0].items}
        assert found[0].items[0].data == BUNDLE
        assert len([path for _, path in registry.requests if "/referrers/" in path]) == 1
        assert len(registry.requests) == len(set(registry.requests))
        counts = registries.counts()
        assert (counts["fetches"], counts["errors"]) == (1, 0)
        assert counts["hits"] + counts["misses"] == 500


def test_a_list_is_used_for_a_while_and_then_asked_for_again_but_not_what_has_a_digest(
    registry: HostileRegistry,
) -> None:
    clock = Clock()
    with opened(registry, clock=clock, listing_s=30) as registries:
        first = fetch(registries, registry)
        asked = len(registry.requests)
        clock.more = 14
        again = fetch(registries, registry, 100)
        assert len(registry.requests) == asked
        assert again.items == first.items
        assert 13 < again.age_s < 16
        clock.more = 31
        assert registries.fetched(registries.resolve(registry.reference, 0), clock() + 9).items == first.items
        newer = registry.requests[asked:]
        assert any("/referrers/" in path for _, path in newer)
        assert not any(path.endswith(registry.bundle) or "/blobs/" in path for _, path in newer)
        clock.more = 700
        asked = len(registry.requests)
        assert registries.fetched(registries.resolve(registry.reference, 0), clock() + 9).items == first.items
        assert any("/blobs/" in path for _, path in registry.requests[asked:])
        assert registries.counts()["connections_reused"] == 0 or sys.platform == "linux"


def test_s41_nothing_attached_is_not_remembered(registry: HostileRegistry) -> None:
    listed = dict(registry.listed)
    registry.listed.clear()
    with opened(registry) as registries:
        assert fetch(registries, registry).items == ()
        registry.listed.update(listed)
        assert len(fetch(registries, registry).items) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_s41_an_error_is_told_to_all_who_wait_and_never_remembered(registry: HostileRegistry, status: int) -> None:
    held = threading.Event()
    registry.behave = lambda asked: asked.kind == "blobs" and bool(held.wait(20)) and asked.say(status)
    with opened(registry) as registries:
        image = registries.resolve(registry.reference, soon())

        def ask(_: int) -> str:
            with pytest.raises(EvidenceError) as caught:
                registries.fetched(image, soon(20))
            assert isinstance(caught.value, UnavailableError) == (status in {429, 500, 503})
            assert len(str(caught.value.__traceback__)) < 1000
            return str(caught.value)

        with ThreadPoolExecutor(20) as pool:
            asking = [pool.submit(ask, number) for number in range(20)]
            while registries.counts()["shared"] < 19:
                time.sleep(0.01)
            held.set()
            assert len({item.result() for item in asking}) == 1
        assert registries.counts()["fetches"] == 1
        registry.behave = lambda _: False
        assert len(fetch(registries, registry).items) == 1
        assert registries.counts()["fetches"] == 2


def looked(registries: Registries, count: int) -> bool:
    """Whether so many looks were begun, and the last one is over."""
    return registries.counts()["fetches"] == count and not any(
        found._listings._flights for found in registries._registries.values()
    )


def test_a_list_in_use_is_looked_up_again_before_its_time_is_over(registry: HostileRegistry) -> None:
    clock, held = Clock(), threading.Event()
    with opened(registry, clock=clock, listing_s=30) as registries:
        first = fetch(registries, registry)
        clock.more = 14
        assert fetch(registries, registry, 100).age_s > 13
        assert registries.counts()["fetches"] == 1
        registry.behave = lambda asked: asked.kind == "referrers" and not held.wait(20)
        clock.more = 29
        # Nobody waits for it, and it is done once.
        assert all(fetch(registries, registry, 100).age_s > 28 for _ in range(5))
        wait_for(lambda: registries.counts()["fetches"] == 2)
        held.set()
        wait_for(lambda: looked(registries, 2))
        again = fetch(registries, registry, 100)
        assert (again.items, again.age_s < 10) == (first.items, True)
        assert registries.counts()["fetches"] == 2


def test_s41_what_is_looked_up_again_in_vain_is_used_no_longer_than_before(registry: HostileRegistry) -> None:
    clock = Clock()
    with opened(registry, clock=clock, listing_s=30) as registries:
        first = fetch(registries, registry)
        registry.behave = lambda asked: asked.say(503)
        clock.more = 29
        for _ in range(3):
            assert fetch(registries, registry, 100).items == first.items
            wait_for(lambda: looked(registries, 2))
        clock.more = 31
        with pytest.raises(UnavailableError):
            fetch(registries, registry, 60)


def test_s41_what_was_taken_away_is_not_used_when_that_was_seen_early(registry: HostileRegistry) -> None:
    clock = Clock()
    with opened(registry, clock=clock, listing_s=30) as registries:
        assert len(fetch(registries, registry).items) == 1
        registry.listed.clear()
        clock.more = 29
        assert len(fetch(registries, registry, 100).items) == 1
        wait_for(lambda: looked(registries, 2))
        assert fetch(registries, registry, 100).items == ()


def test_s41_a_look_that_took_long_is_not_believed_by_who_came_when_its_time_was_over(
    registry: HostileRegistry,
) -> None:
    clock, held = Clock(), threading.Event()
    with opened(registry, clock=clock, listing_s=30) as registries:
        assert len(fetch(registries, registry).items) == 1
        listed = dict(registry.listed)
        registry.attach(b'{"n":1}')
        registry.behave = lambda asked: asked.kind == "blobs" and not held.wait(20)
        clock.more = 29
        assert len(fetch(registries, registry, 100).items) == 1
        wait_for(lambda: registries.counts()["fetches"] == 2 and registry.requests[-1][1].count("/blobs/"))
        # It has seen the list. Then all of it is taken away, and its time is over.
        registry.listed.clear()
        clock.more = 65
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(lambda: fetch(registries, registry, 200))
            wait_for(lambda: registries.counts()["shared"] == 1)
            held.set()
            assert asking.result().items == ()
        assert len(listed) == 1


def test_lists_that_are_looked_up_again_are_not_all_remembered(
    registry: HostileRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.collect.admission._RENEWED", 1)
    clock = Clock()
    with opened(registry, clock=clock, listing_s=30) as registries:
        fetch(registries, registry)
        registries._renewed["another"] = 1.0
        clock.more = 29
        fetch(registries, registry, 100)
        assert "another" not in registries._renewed
        assert len(registries._renewed) == 1


# --- time -----------------------------------------------------------------------------------------------------------


def test_s42_each_asker_has_its_own_deadline_and_the_look_goes_on(registry: HostileRegistry) -> None:
    held = threading.Event()
    registry.behave = lambda asked: asked.kind == "blobs" and not held.wait(20)
    with opened(registry) as registries:
        image = registries.resolve(registry.reference, soon())

        def ask(patience_s: float) -> float | None:
            began = time.monotonic()
            try:
                registries.fetched(image, began + patience_s)
            except UnavailableError as error:
                assert "did not answer in time" in str(error)  # noqa: PT017
                return time.monotonic() - began
            return None

        # The first who asks has the least time; the others do not inherit that.
        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask, patience_s) for patience_s in (0.0, 0.2, 0.6, 20.0)]
            assert asking[2].result() is not None
            held.set()
            found = [item.result() for item in asking]
        assert found[3] is None
        for took, patience_s in zip(found[:3], (0.0, 0.2, 0.6), strict=True):
            assert took is not None
            assert took < patience_s + 2.0
        assert registries.counts()["fetches"] == 1


def test_s42_a_registry_that_says_nothing_costs_no_more_than_its_own_time(registry: HostileRegistry) -> None:
    registry.behave = lambda asked: asked.kind == "referrers" and not asked.registry.ended.wait(30)
    with opened(registry, timeout_s=1) as registries:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="everything together has 1 seconds"):
            fetch(registries, registry, 20)
        assert time.monotonic() - began < 8
        registry.ended.set()


def test_closing_ends_what_is_under_way(registry: HostileRegistry) -> None:
    registry.behave = lambda asked: asked.kind == "referrers" and not asked.registry.ended.wait(30)
    registries = opened(registry, timeout_s=60)
    image = registries.resolve(registry.reference, soon())
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(registries.fetched, image, soon(60))
        while not registry.requests:
            time.sleep(0.01)
        began = time.monotonic()
        registries.close()
        with pytest.raises(UnavailableError, match="not asked any more"):
            asking.result()
        assert time.monotonic() - began < 10
    with pytest.raises(UnavailableError, match="not asked any more"):
        registries.fetched(image, soon())
    registry.ended.set()
