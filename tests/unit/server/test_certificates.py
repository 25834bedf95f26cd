"""Certificates are used anew when they are whole; until then the one before is used, and it is said why."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gate.errors import ConfigError
from gate.server.certificates import Certificates
from tests.support.certificates import Authority, Pair

HOUR = 3600


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.server("server")


def opened(pair: Pair, client_ca: Path | None = None) -> Certificates:
    return Certificates(pair.certificate, pair.key, client_ca)


def test_the_same_files_are_not_read_into_a_new_context(pair: Pair) -> None:
    certificates = opened(pair)
    before = certificates.context
    found = certificates.look()
    assert (found.changed, found.problem) == (False, None)
    assert certificates.context is before
    assert certificates.is_valid()


def test_a_new_pair_is_used(authority: Authority, pair: Pair) -> None:
    certificates = opened(pair)
    before, end = certificates.context, certificates.ends_at_s
    authority.server("server", hours=99)
    found = certificates.look()
    assert (found.changed, found.problem) == (True, None)
    assert certificates.context is not before
    assert certificates.ends_at_s > end


def encrypted(key: bytes) -> bytes:
    private = load_pem_private_key(key, None)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"of tests"))


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


OTHER = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
# What lies where the certificate and the key should be, made from those of another pair; `None` for nothing.
Damage = Callable[[bytes, bytes], tuple[bytes | None, bytes | None]]
DAMAGES: dict[str, tuple[str, Damage]] = {
    "half a certificate": ("no whole PEM file", lambda certificate, key: (half(certificate), key)),
    "half a key": ("no whole PEM file", lambda certificate, key: (certificate, half(key))),
    "no key yet": ("no whole PEM file", lambda certificate, _: (certificate, b"")),
    "no key": ("cannot be read", lambda certificate, _: (certificate, None)),
    "no certificate": ("cannot be read", lambda _, key: (None, key)),
    "key of another": ("values mismatch", lambda certificate, _: (certificate, OTHER)),
    "encrypted key": ("encrypted|cannot be used", lambda certificate, key: (certificate, encrypted(key))),
    "garbage": (
        "cannot be used|holds no certificate",
        lambda _, key: (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key),
    ),
    "key as certificate": ("holds no certificate", lambda _, key: (key, key)),
    "large": ("no whole PEM file", lambda certificate, key: (certificate + b"\n" * (1 << 20), key)),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_s42_a_pair_that_is_not_whole_leaves_the_old_one_in_use(authority: Authority, pair: Pair, name: str) -> None:
    certificates = opened(pair)
    before, new = certificates.context, authority.server("new")
    says, damage = DAMAGES[name]
    laid = damage(new.certificate.read_bytes(), new.key.read_bytes())
    for path, data in zip((pair.certificate, pair.key), laid, strict=True):
        path.unlink()
        if data is not None:
            path.write_bytes(data)
    found = certificates.look()
    assert not found.changed
    assert re.search(says, str(found.problem)), found.problem
    assert certificates.context is before
    with pytest.raises(ConfigError):
        opened(pair)
    authority.server("server")
    assert certificates.look().changed


def test_a_certificate_that_has_ended_is_not_used(authority: Authority, pair: Pair) -> None:
    certificates = opened(pair)
    authority.server("server", hours=-0.5)
    found = certificates.look()
    assert not found.changed
    assert "not valid now" in str(found.problem)
    with pytest.raises(ConfigError, match="not valid now"):
        opened(pair)


def test_a_file_that_changes_while_it_is_read_is_not_used_yet(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, pair: Pair
) -> None:
    certificates = opened(pair)
    authority.server("server")
    load = ssl.SSLContext.load_cert_chain

    def and_change(self: ssl.SSLContext, *arguments: object, **options: object) -> None:
        load(self, *arguments, **options)  # type: ignore[arg-type]
        pair.certificate.write_bytes(pair.certificate.read_bytes() + b"\n")

    with monkeypatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_cert_chain", and_change)
        found = certificates.look()
        assert not found.changed
        assert "changed while they were read" in str(found.problem)
    assert certificates.look().changed


def test_a_certificate_that_ends_is_seen(pair: Pair) -> None:
    now = [time.time()]
    certificates = Certificates(pair.certificate, pair.key, None, lambda: now[0])
    now[0] += 47 * HOUR
    assert certificates.is_valid()
    now[0] += 2 * HOUR
    assert not certificates.is_valid()
    # It is still what there is.
    assert certificates.look().problem is None


def test_clients_have_to_show_a_certificate_where_an_authority_is_given(tmp_path: Path, pair: Pair) -> None:
    clients = Authority(tmp_path / "clients", "clients")
    certificates = opened(pair, clients.path)
    assert certificates.context.verify_mode is ssl.CERT_REQUIRED
    clients.path.write_bytes(Authority(tmp_path / "others", "others").pem)
    assert certificates.look().changed
    assert "others" in str(certificates.context.get_ca_certs())
    assert "clients" not in str(certificates.context.get_ca_certs())
    clients.path.write_bytes(b"-----BEGIN X-----\n-----END X-----\n")
    looked = certificates.look()
    assert not looked.changed
    assert looked.problem is not None
    assert certificates.context.verify_mode is ssl.CERT_REQUIRED


def test_old_protocols_tickets_and_http_2_are_not_offered(pair: Pair) -> None:
    context = opened(pair).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_TICKET
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.num_tickets == 0
    assert all("GCM" in found["name"] or "CHACHA20" in found["name"] for found in context.get_ciphers())
