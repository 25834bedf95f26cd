"""S40: images and what is attached to them, read for a webhook from real registries, with and without referrers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gate.collect.admission import Registries
from gate.collect.oci import read_attached
from gate.errors import EvidenceError, UnavailableError
from gate.formats.bundle import MEDIA_TYPE
from gate.formats.oci import INDEX, MANIFEST
from gate.model.admission_settings import AdmissionRegistry, AdmissionSettings, Outage, Tags
from gate.model.digest import sha256_digest
from gate.model.evidence import Evidence
from gate.model.registry import OciEvidence, RegistryAccess
from gate.model.settings import Limits
from tests.support.registries import REPOSITORY, Registry

LIMITS = Limits()
KINDS = {
    "debian": ("debian",),
    "cue": ("cue",),
    "cue without referrers": ("cue", "no-referrers"),
    "cue without digests": ("cue", "no-digest-header"),
    "ggcr": ("ggcr",),
}


class Clock:
    def __init__(self) -> None:
        self.more = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.more


@pytest.fixture(params=list(KINDS))
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path, *KINDS[request.param]) as running:
        yield running


def opened(registry: Registry, clock: Clock, **more: Any) -> Registries:
    access = RegistryAccess(timeout_s=10)
    settings = AdmissionSettings(registries={registry.host: AdmissionRegistry(access)}, **more)
    return Registries(settings, LIMITS, clock)


def contents(items: tuple[Evidence, ...]) -> set[bytes]:
    return {item.data for item in items}


def test_s40_what_is_attached_is_what_a_check_finds(registry: Registry, tmp_path: Path) -> None:
    image = registry.put_image()
    attached = [b'{"bundle":%d}' % number for number in range(5)]
    for data in attached:
        registry.attach(image, data, MEDIA_TYPE)
    registry.attach(image, b"words", "text/plain")
    reference = f"{registry.repository}@{image}"
    items, skipped = read_attached(tmp_path, OciEvidence("app"), reference, LIMITS)
    clock = Clock()
    with opened(registry, clock) as registries:
        resolved = registries.resolve(reference, clock() + 10)
        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(lambda _: registries.fetched(resolved, clock() + 20), range(100)))
        for one in found:
            assert (list(one.items), dict(one.skipped)) == (items, skipped)
        assert contents(found[0].items) == set(attached)
        assert registries.counts()["fetches"] == 1


def test_s41_what_is_attached_later_is_found_when_the_list_is_asked_for_again(registry: Registry) -> None:
    image = registry.put_image()
    clock = Clock()
    with opened(registry, clock, listing_s=30) as registries:
        resolved = registries.resolve(f"{registry.repository}@{image}", clock() + 10)
        assert registries.fetched(resolved, clock() + 10).items == ()
        registry.attach(image, b"1", MEDIA_TYPE)
        assert contents(registries.fetched(resolved, clock() + 10).items) == {b"1"}
        registry.attach(image, b"2", MEDIA_TYPE)
        assert contents(registries.fetched(resolved, clock() + 10).items) == {b"1"}
        clock.more = 31
        assert contents(registries.fetched(resolved, clock() + 10).items) == {b"1", b"2"}
        assert registries.counts()["content_hits"] >= 2


def test_s40_a_tag_is_resolved_once_to_the_digest_of_what_came(registry: Registry) -> None:
    first, clock = registry.put_image("v1"), Clock()
    with opened(registry, clock, tags=Tags.RESOLVE) as registries:
        found = registries.resolve(f"{registry.repository}:v1", clock() + 10)
        assert (found.digest, found.was_tag) == (first, True)
        second = registry.put_image("v1", b"another layer")
        assert registries.resolve(f"{registry.repository}:v1", clock() + 10).digest == second != first
        with pytest.raises(EvidenceError, match="there is no image"):
            registries.resolve(f"{registry.repository}:v2", clock() + 10)


def test_s40_evidence_about_an_index_and_about_its_platforms_is_not_mixed(registry: Registry) -> None:
    platforms = [registry.put_image("a", b"amd64"), registry.put_image("b", b"arm64")]
    entries = []
    for digest in platforms:
        _, _, data = registry.call("GET", f"/v2/{REPOSITORY}/manifests/{digest}", Accept=MANIFEST)
        assert sha256_digest(data) == digest
        entries.append({"mediaType": MANIFEST, "digest": digest, "size": len(data)})
    index = registry.put_manifest(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, reference="all", kind=INDEX
    )
    registry.attach(index, b"about the index", MEDIA_TYPE)
    registry.attach(platforms[0], b"about a platform", MEDIA_TYPE)
    clock = Clock()
    with opened(registry, clock) as registries:
        for digest, about, known in (
            (index, {b"about the index"}, tuple(platforms)),
            (platforms[0], {b"about a platform"}, ()),
            (platforms[1], set(), ()),
        ):
            resolved = registries.resolve(f"{registry.repository}@{digest}", clock() + 10)
            found = registries.fetched(resolved, clock() + 10)
            assert (contents(found.items), found.platforms) == (about, known)


@pytest.mark.parametrize("outage", Outage)
def test_s41_a_registry_that_went_away(tmp_path: Path, outage: Outage) -> None:
    clock = Clock()
    with Registry(tmp_path, "cue") as registry:
        image = registry.put_image()
        registry.attach(image, b"1", MEDIA_TYPE)
        reference = f"{registry.repository}@{image}"
        with opened(registry, clock, outage=outage, last_seen_s=600) as registries:
            resolved = registries.resolve(reference, clock() + 10)
            assert contents(registries.fetched(resolved, clock() + 10).items) == {b"1"}
            registry.close()
            clock.more = 31
            if outage is Outage.REFUSE:
                with pytest.raises(UnavailableError):
                    registries.fetched(resolved, clock() + 10)
            else:
                found = registries.fetched(resolved, clock() + 10)
                assert (contents(found.items), found.is_last_seen) == ({b"1"}, True)
            clock.more = 700
            with pytest.raises(UnavailableError, match=r"nobody listens there|broke off"):
                registries.fetched(resolved, clock() + 10)
