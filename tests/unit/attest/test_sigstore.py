"""Keyless signing against a Sigstore instance: what is signed, by whom, and what stops it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.attest.envelope import signed_bundle
from gate.attest.signer import BundleSigner, open_any_signer
from gate.attest.signers.sigstore import KeylessSigner, open_keyless
from gate.errors import AttestError
from tests.support.evidence import LIMIT, encode, only_verified, trust, verify
from tests.support.keyless import PAYLOAD, changed, keyless, keyless_trust
from tests.support.sigstore_server import Served, served
from tests.support.virtual_sigstore import Person


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    for name in [name for name in os.environ if name.startswith(("GITHUB", "ACTIONS", "GITLAB", "CI", "BUILDKITE"))]:
        monkeypatch.delenv(name)
    with served() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


def signer(place: Path, config: Any) -> BundleSigner:
    (place / "trust.json").write_bytes(encode(config))
    found = open_any_signer("sigstore:?trust_config=trust.json", place, lambda _: "")
    assert isinstance(found, BundleSigner)
    return found


def refused(signer: BundleSigner, payload: bytes = PAYLOAD) -> AttestError:
    with pytest.raises(AttestError) as caught:
        signed_bundle(payload, signer)
    return caught.value


@pytest.mark.parametrize(("rekor", "stamped"), [(1, False), (1, True), (2, True)])
def test_what_an_identity_signs_is_verified_here(instance: Served, tmp_path: Path, rekor: int, stamped: bool) -> None:
    bundle = signed_bundle(PAYLOAD, signer(tmp_path, instance.trust_config(rekor, stamped=stamped)))
    root = encode(instance.sigstore.trusted_root())
    found = only_verified(verify(bundle, store=keyless_trust(keyless(), root=root, now_s=int(time.time()))))
    assert found.signers[0].subject == instance.person.subject
    assert json.loads(bundle)["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert len(bundle) < LIMIT


def test_nothing_is_asked_before_something_is_signed(instance: Served, tmp_path: Path) -> None:
    opened = signer(tmp_path, instance.trust_config())
    assert instance.asked == []
    signed_bundle(PAYLOAD, opened)
    assert instance.asked == ["/token", "/api/v2/signingCert", "/ts", "/api/v1/log/entries"]


def test_one_certificate_serves_for_some_minutes(
    instance: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, now = signer(tmp_path, instance.trust_config(stamped=False)), [0.0]
    monkeypatch.setattr("gate.attest.signers.sigstore.monotonic", lambda: now[0])
    for at in (0.0, 299.0, 301.0, 302.0):
        now[0] = at
        signed_bundle(PAYLOAD, opened)
    assert instance.asked.count("/api/v2/signingCert") == 2
    assert instance.asked.count("/api/v1/log/entries") == 4


def test_without_a_file_the_public_good_instance_is_meant(instance: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from sigstore.models import ClientTrustConfig

    found = ClientTrustConfig.from_json(json.dumps(instance.trust_config()))
    monkeypatch.setattr(ClientTrustConfig, "production", lambda: found)
    signed_bundle(PAYLOAD, open_any_signer("sigstore:", Path(), lambda _: ""))


@pytest.mark.parametrize(
    "rest", ["x", "?x=1", "?trust_config=", "?trust_config", "?trust_config=a&trust_config=b", "?"]
)
def test_what_follows_the_scheme_is_known(rest: str) -> None:
    with pytest.raises(AttestError) as caught:
        open_keyless(rest, Path())
    assert "trust_config=FILE" in caught.value.hint


@pytest.mark.parametrize(
    ("path", "status"),
    [("/token", 403), ("/api/v2/signingCert", 400), ("/api/v1/log/entries", 500)],
)
def test_a_service_that_does_not_answer_is_an_error(instance: Served, tmp_path: Path, path: str, status: int) -> None:
    instance.fails[path] = status
    error = refused(signer(tmp_path, instance.trust_config()))
    assert str(error).startswith("--key sigstore: cannot sign: ")
    assert instance.token() not in str(error)


@pytest.mark.parametrize(("rekor", "expected"), [(1, "log entry"), (2, "log entry")])
def test_an_entry_that_does_not_hold_is_noticed(instance: Served, tmp_path: Path, rekor: int, expected: str) -> None:
    instance.damage = lambda entry: changed(entry, "inclusionProof.hashes.0", "A" * 43 + "=")
    assert expected in str(refused(signer(tmp_path, instance.trust_config(rekor))))


def test_an_authority_that_names_somebody_of_another_root_is_noticed(instance: Served, tmp_path: Path) -> None:
    with served() as other:
        config = {**instance.trust_config(), "trustedRoot": other.sigstore.trusted_root()}
        refused(signer(tmp_path, config))


def test_what_is_no_statement_is_not_signed(instance: Served, tmp_path: Path) -> None:
    assert "malformed" in str(refused(signer(tmp_path, instance.trust_config()), b"{}"))
    assert instance.asked == []


def test_a_signature_over_other_bytes_is_not_given_out(
    instance: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sigstore.verify import Verifier

    monkeypatch.setattr(Verifier, "verify_dsse", lambda *_: ("", b""))
    assert "over other bytes" in str(refused(signer(tmp_path, instance.trust_config())))


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b"[" * 100])
def test_a_trust_configuration_that_is_none_is_named(instance: Served, tmp_path: Path, text: bytes) -> None:
    assert instance.person == Person()
    (tmp_path / "trust.json").write_bytes(text)
    error = refused(open_keyless("?trust_config=trust.json", tmp_path))
    assert "trust.json is not the client trust configuration" in str(error)


def test_a_trust_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "trust.json" in str(refused(open_keyless("?trust_config=trust.json", tmp_path)))


def test_without_a_job_and_without_a_terminal_there_is_no_identity(
    instance: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    (tmp_path / "trust.json").write_bytes(encode(instance.trust_config()))
    error = refused(KeylessSigner(tmp_path / "trust.json", lambda: False))
    assert "no terminal to log in from" in str(error)
    assert "id-token: write" in error.hint


def test_on_a_terminal_a_person_logs_in_with_a_browser(
    instance: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sigstore.oidc

    asked: list[str] = []

    class Browser:
        def __init__(self, url: str) -> None:
            asked.append(url)

        def identity_token(self, client_id: str) -> sigstore.oidc.IdentityToken:
            return sigstore.oidc.IdentityToken(instance.token(), client_id)

    monkeypatch.delenv("GITHUB_ACTIONS")
    monkeypatch.setattr(sigstore.oidc, "Issuer", Browser)
    (tmp_path / "trust.json").write_bytes(encode(instance.trust_config()))
    signed_bundle(PAYLOAD, KeylessSigner(tmp_path / "trust.json", lambda: True))
    assert asked == [f"{instance.url}/oidc"]


def test_a_missing_extra_says_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sigstore.sign", None)
    with pytest.raises(AttestError, match="needs the extra sigstore ") as caught:
        open_any_signer("sigstore:", Path(), lambda _: "")
    assert caught.value.hint == "pip install 'gate[sigstore]'"


def test_a_key_store_does_not_accept_it(instance: Served, tmp_path: Path) -> None:
    bundle = signed_bundle(PAYLOAD, signer(tmp_path, instance.trust_config()))
    assert verify(bundle, store=trust()).rejected[0].code == "signature.keyless_unconfigured"
