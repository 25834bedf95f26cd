"""TLS with an OPA server: only who the given authority vouches for is asked, and only under that name (SECURITY 30)."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from gate.errors import ConfigError, PolicyTimeout
from gate.evaluate.opa import OpaEngine
from gate.model.settings import EngineSettings
from tests.support.liar import Authority, Liar, says, server_context
from tests.unit.evaluate.test_opa import DOCUMENT, engine, good, policy, refused


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def secure(authority: Authority, host: str = "127.0.0.1", days: int = 1) -> ssl.SSLContext:
    return server_context(*authority.issue(f"{host}-{days}", host, days=days))


def test_s30_a_server_that_the_ca_vouches_for_is_asked(authority: Authority) -> None:
    with Liar(says(good()), secure(authority)) as server:
        assert engine(server.url, ca=authority.pem).report(DOCUMENT)


@pytest.mark.parametrize("wrong", ["another name", "expired", "another authority"])
def test_s30_a_wrong_certificate_is_exit_4_and_the_token_stays_here(
    authority: Authority, tmp_path: Path, wrong: str
) -> None:
    host, days = ("opa.example" if wrong == "another name" else "127.0.0.1"), (-1 if wrong == "expired" else 1)
    ca = Authority(tmp_path).pem if wrong == "another authority" else authority.pem
    with Liar(says(good()), secure(authority, host, days)) as server:
        assert "is not trusted" in str(refused(server.url, ca=ca))
        assert server.requests == []


def test_s30_old_tls_is_exit_4(authority: Authority) -> None:
    context = secure(authority)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Liar(says(good()), context) as server:
        assert "no TLS connection with" in str(refused(server.url, ca=authority.pem))


def test_s30_a_server_without_tls_is_exit_4(authority: Authority) -> None:
    with Liar(lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        server_url = server.url.replace("http:", "https:")
        error = refused(server_url, ca=authority.pem)
        assert "TLS" in str(error) or isinstance(error, PolicyTimeout)


def test_s26_a_slow_handshake_ends_at_the_time_limit(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        assert isinstance(refused(url, ca=authority.pem), PolicyTimeout)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (EngineSettings("opa", url="https://a.example"), "needs a ca"),
        (EngineSettings("opa", url="http://127.0.0.1", ca=b"x"), "needs https"),
        (EngineSettings("opa", url="https://a.example", ca=b"x"), "no certificate in PEM"),
        (EngineSettings("opa", url="https://a.example", ca="ä".encode()), "no certificate in PEM"),
    ],
)
def test_s30_settings_that_are_not_safe_are_exit_2(settings: EngineSettings, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        OpaEngine(policy(), settings, None)


def test_an_address_that_is_none_is_exit_2(authority: Authority) -> None:
    with pytest.raises(ConfigError, match="no address of a server"):
        engine("https://*:1", ca=authority.pem).report(DOCUMENT)
