"""S30: only addresses that were looked at are connected to, and nothing outlives the time limit."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from gate.collect.registry.access import Origin, Target, split_host
from gate.collect.registry.addresses import Deadline, Reach, connect, shut_down
from gate.errors import EvidenceError
from gate.formats.image_reference import parse_repository
from gate.model.registry import RegistryAccess

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "2002:5db8:d822::1"]
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fec0::1", "::ffff:10.0.0.1"]
LINK_LOCAL = ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]
NEVER = ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255"]
OPEN = Reach(loopback=True, private=True, link_local=True)


@pytest.mark.parametrize(
    ("addresses", "reach"),
    [
        (PUBLIC, Reach()),
        (LOOPBACK, Reach(loopback=True)),
        (PRIVATE, Reach(private=True)),
        (LINK_LOCAL, Reach(link_local=True)),
    ],
    ids=["public", "loopback", "private", "link-local"],
)
def test_each_kind_of_address_has_its_permission(addresses: list[str], reach: Reach) -> None:
    for text in addresses:
        address = ipaddress.ip_address(text)
        assert reach.allows(address), text
        assert Reach().allows(address) == (text in PUBLIC), text
    for text in NEVER:
        assert not OPEN.allows(ipaddress.ip_address(text)), text


def answers(*addresses: str) -> Callable[..., Any]:
    def look_up(_host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return look_up


def test_a_name_with_one_address_that_is_not_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("93.184.216.34", "127.0.0.1"))
    with closing(Deadline(5)) as deadline, pytest.raises(EvidenceError, match="not a public one"):
        connect("registry.example", 443, Reach(), deadline)


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, closing(Deadline(5)) as deadline:
        monkeypatch.setattr(socket, "getaddrinfo", answers("127.0.0.2", "127.0.0.1"))
        connect("here", listener.getsockname()[1], OPEN, deadline).close()
        monkeypatch.setattr(socket, "getaddrinfo", answers())
        with pytest.raises(OSError, match="no address"):
            connect("here", 1, OPEN, deadline)


def test_looking_up_a_name_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(20))
    with closing(Deadline(0.2)) as deadline, pytest.raises(TimeoutError):
        connect("slow.example", 443, OPEN, deadline)
    ended.set()


def test_the_end_of_the_time_shuts_down_what_is_watched() -> None:
    one, other = socket.socketpair()
    with one, other, closing(Deadline(0.2)) as deadline:
        deadline.watch("a", one)
        assert other.recv(1) == b""
        assert deadline.is_over
        with pytest.raises(TimeoutError):
            deadline.left()
        third, fourth = socket.socketpair()
        with third, fourth:
            deadline.watch("b", third)
            assert fourth.recv(1) == b""
            shut_down(third)
            deadline.unwatch("b")
            deadline.unwatch("b")


def test_a_pause_ends_with_the_time() -> None:
    began = time.monotonic()
    with closing(Deadline(0.2)) as deadline, pytest.raises(TimeoutError):
        deadline.pause(20)
    assert time.monotonic() - began < 5


def test_shutting_down_what_is_gone() -> None:
    gone = socket.socket()
    gone.close()
    shut_down(gone)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.example", ("a.example", None)),
        ("a.example:5000", ("a.example", 5000)),
        ("[::1]", ("::1", None)),
        ("[::1]:5000", ("::1", 5000)),
    ],
)
def test_hosts_are_split(text: str, parts: tuple[str, int | None]) -> None:
    assert split_host(text) == parts


@pytest.mark.parametrize(
    ("repository", "access", "origin"),
    [
        ("ghcr.io/a/b", {}, "https://ghcr.io"),
        ("GHCR.io:443/a/b", {}, "https://ghcr.io"),
        ("alpine", {}, "https://registry-1.docker.io"),
        ("registry.example:5000/a", {}, "https://registry.example:5000"),
        ("registry.example/a", {"insecure": True}, "http://registry.example"),
        ("localhost/a", {}, "http://localhost"),
        ("127.0.0.1:5000/a", {}, "http://127.0.0.1:5000"),
        ("[::1]:5000/a", {}, "http://[::1]:5000"),
        ("localhost:5000/a", {"ca": b"x"}, "https://localhost:5000"),
        ("localhost.example/a", {}, "https://localhost.example"),
    ],
)
def test_plain_http_only_here_or_where_it_is_configured(repository: str, access: Any, origin: str) -> None:
    assert str(Target(parse_repository(repository), RegistryAccess(**access)).origin) == origin


@pytest.mark.parametrize(
    ("repository", "access", "stored_as", "token_host"),
    [
        ("ghcr.io/a/b", {}, "ghcr.io", "ghcr.io"),
        ("alpine", {}, "https://index.docker.io/v1/", "auth.docker.io"),
        ("registry.gitlab.com/a/b", {}, "registry.gitlab.com", "gitlab.com"),
        ("r.example:5000/a", {"token_host": "Auth.example"}, "r.example:5000", "auth.example"),
        ("r.example:5000/a", {}, "r.example:5000", "r.example:5000"),
    ],
)
def test_names_of_credentials_and_token_servers(repository: str, access: Any, stored_as: str, token_host: str) -> None:
    target = Target(parse_repository(repository), RegistryAccess(**access))
    assert (target.stored_as, target.token_host) == (stored_as, token_host)


def test_an_origin_is_written_as_in_an_address() -> None:
    assert str(Origin("https", "::1", 443)) == "https://[::1]"
