"""The real webhook, gone, hanging, restarted and with another certificate: nothing gets in unjudged."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.kube import MERGE, Kubernetes, until
from tests.support.kube_objects import a_pod
from tests.support.kube_release import RELEASE, Site, refused
from tests.support.kube_webhooks import HOOK, fresh

pytestmark = pytest.mark.xdist_group("kube")


@pytest.fixture(scope="module")
def namespace(plane: Kubernetes) -> str:
    return plane.namespace(fresh("outage"))


@pytest.fixture(scope="module")
def good(site: Site) -> str:
    return site.with_api.good()


def fails(plane: Kubernetes, namespace: str, image: str) -> None:
    answer = plane.create(a_pod(image), namespace)
    assert answer.status == 500, answer
    assert f'failed calling webhook "{HOOK}"' in answer.message
    assert not plane.call("GET", plane.path(a_pod(image), namespace)).document["items"]


def works(plane: Kubernetes, namespace: str, good: str) -> None:
    answer = plane.create(a_pod(good), namespace, "?dryRun=All")
    assert answer.status == 201, answer.message


def test_s42_a_webhook_that_was_killed_lets_nothing_in_until_it_is_back(
    plane: Kubernetes, site: Site, namespace: str, good: str
) -> None:
    works(plane, namespace, good)
    site.pod.kill()
    try:
        fails(plane, namespace, good)
        made = plane.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": fresh("other")}}, namespace)
        assert made.status == 201, "what is not judged still works"
    finally:
        site.pod.start()
    works(plane, namespace, good)


def test_s42_a_webhook_that_hangs_lets_nothing_in_until_it_goes_on(
    plane: Kubernetes, site: Site, namespace: str, good: str
) -> None:
    site.pod.started.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        fails(plane, namespace, good)
        assert time.monotonic() - began > 4
    finally:
        site.pod.started.signal(signal.SIGCONT)
    works(plane, namespace, good)


def test_a_webhook_that_is_asked_to_end_is_not_ready_at_once_and_ends(
    plane: Kubernetes, site: Site, namespace: str, good: str
) -> None:
    process = site.pod.started.process
    process.send_signal(signal.SIGTERM)
    try:
        until(lambda: site.pod.asks("/readyz")[0] != 200, "it says that it is not ready")
        works(plane, namespace, good)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        site.pod.stop()
        site.pod.start()
    works(plane, namespace, good)


@contextmanager
def asking(plane: Kubernetes, namespace: str, good: str) -> Iterator[list[int]]:
    """Has good Pods judged all the while, by two who ask at a time."""
    answers: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            answers.append(plane.create(a_pod(good), namespace, "?dryRun=All").status)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_certificate_is_exchanged_while_the_api_server_asks(
    plane: Kubernetes, site: Site, namespace: str, good: str
) -> None:
    """Each upgrade of the chart issues a new one, by the same authority."""
    kind = {"apiVersion": "v1", "kind": "Secret"}

    def certificates() -> list[str]:
        paths = (plane.path(kind, site.namespace, f"{RELEASE}-{name}") for name in ("ca", "tls"))
        return [plane.call("GET", path).document["data"]["tls.crt"] for path in paths]

    before = certificates()
    with asking(plane, namespace, good) as answers:
        site.upgrade(listing="1s")
        until(lambda: is_exchanged(site), "the new certificate is used")
        seen = len(answers)
        until(lambda: len(answers) > seen + 20, "it goes on answering")
    assert set(answers) == {201}
    after = certificates()
    assert before[0] == after[0]
    assert before[1] != after[1]
    site.upgrade()


def is_exchanged(site: Site) -> bool:
    return any(item["event"] == "reloaded" and item["what"] == "certificate" for item in site.pod.logged())


@contextmanager
def other_clients(site: Site, pem: bytes) -> Iterator[None]:
    """The webhook takes only clients that another authority vouches for."""
    config = {"apiVersion": "v1", "kind": "ConfigMap"}
    path = site.plane.path(config, site.namespace, "api-server")

    def put(text: bytes) -> None:
        assert site.plane.call("PATCH", path, {"data": {"ca.crt": text.decode()}}, kind=MERGE).status == 200
        site.pod.stop()
        site.pod.start()

    put(pem)
    try:
        yield
    finally:
        put(site.plane.authority.pem)


def test_s42_a_client_without_the_right_certificate_is_not_answered(
    plane: Kubernetes, site: Site, namespace: str, good: str, tmp_path: Path
) -> None:
    """That the API server shows one is what all other tests rest on."""
    with other_clients(site, Authority(tmp_path).pem):
        fails(plane, namespace, good)
    works(plane, namespace, good)


def test_s42_a_log_that_cannot_be_written_lets_nothing_in_until_it_can(
    plane: Kubernetes, site: Site, namespace: str, good: str
) -> None:
    aside = site.log.parent.with_name("aside")
    site.pod.stop()
    site.log.parent.rename(aside)
    site.log.parent.write_text("no folder")
    try:
        site.pod.start(probe="/livez")
        assert site.pod.asks("/readyz")[0] == 503
        assert "decision log" in plane.create(a_pod(good), namespace).message
    finally:
        site.log.parent.unlink()
        aside.rename(site.log.parent)
    until(lambda: site.pod.asks("/readyz")[0] == 200, "it is ready without having been started again")
    works(plane, namespace, good)


def test_s42_the_webhook_does_not_wait_for_a_registry_as_long_as_the_api_server_would(
    plane: Kubernetes, namespace: str, site: Site
) -> None:
    began = time.monotonic()
    refused(plane.create(a_pod(f"{site.silent}/team/app@sha256:" + "3" * 64), namespace))
    assert time.monotonic() - began < 5
