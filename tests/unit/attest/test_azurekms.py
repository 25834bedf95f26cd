"""Keys in Azure Key Vault: the real clients against a service on this machine.

Not run here: the cloud itself, its sign-in and its TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gate.verify.keys import load_key
from tests.support.fake_keepers import TOKEN, AzureVault, Private, serving
from tests.support.keeper_tests import NEWER, P256, P384, P521, RSA, opened, refused, refuses, signs, without_settings

AZURE = f"azurekms://{AzureVault.HOST}/keys"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


class Credential:
    """What `DefaultAzureCredential` is after it has signed in."""

    def get_token(self, *_: str, **__: object) -> object:
        from azure.core.credentials import AccessToken

        return AccessToken(TOKEN, 4_000_000_000)

    def get_token_info(self, *_: str, **__: object) -> object:
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo(TOKEN, 4_000_000_000)


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureVault]:
    """The clients as they are, with their sign-in done, and their requests sent to this machine."""
    from azure.core.pipeline.transport import RequestsTransport

    send = RequestsTransport.send
    keys: dict[str, list[Private]] = {"p256": [P256, NEWER], "p384": [P384], "rsa": [RSA], "p521": [P521]}
    with serving(AzureVault(keys)) as service:

        def here(transport: Any, request: Any, **more: Any) -> Any:
            asked = request.url
            request.url = asked.replace(f"https://{AzureVault.HOST}", service.url)
            try:
                return send(transport, request, **more)
            finally:
                request.url = asked

        monkeypatch.setattr(RequestsTransport, "send", here)
        monkeypatch.setattr(RequestsTransport, "sleep", lambda *_: None)
        monkeypatch.setattr("azure.identity.DefaultAzureCredential", Credential)
        yield service


@pytest.mark.usefixtures("azure")
@pytest.mark.parametrize(
    ("uri", "private", "algorithm"),
    [
        (f"{AZURE}/p256", NEWER, "ecdsa-p256-sha256"),
        (f"{AZURE}/p256/v1", P256, "ecdsa-p256-sha256"),
        (f"{AZURE}/p384/", P384, "ecdsa-p384-sha384"),
        (f"azurekms://{AzureVault.HOST}/rsa", RSA, "rsa-pss-sha256"),
    ],
)
def test_keys_in_azure_key_vault_sign(uri: str, private: Private, algorithm: str) -> None:
    signs(uri, private, algorithm)


def test_an_azure_key_stays_the_version_it_was(azure: AzureVault) -> None:
    signer = opened(f"{AZURE}/p256")
    key = load_key(signer.public_key_pem)
    azure.keys = {"p256": [P256, NEWER, ec.generate_private_key(ec.SECP256R1())]}
    assert key.verifies(signer.sign(b"x"), b"x")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "does not accept the request"),
        (403, "access is denied, or the key is disabled"),
        (409, "being changed or deleted"),
        (429, "too many requests"),
        (418, "the service refused (HTTP 418)"),
    ],
)
def test_what_azure_key_vault_refuses_is_told(azure: AzureVault, status: int, words: str) -> None:
    signer = opened(f"{AZURE}/p256")
    answer = status, {"error": {"code": "X", "message": "y"}}, {"Retry-After": "0"}
    azure.failures = [answer] * 9
    refuses(signer, words)
    azure.failures = [answer] * 9
    refused(f"{AZURE}/p256", f"Azure Key Vault, {AzureVault.HOST}/keys/p256", words)


@pytest.mark.usefixtures("azure")
def test_an_azure_key_or_version_that_is_not_there_is_told() -> None:
    refused(f"{AZURE}/none", "there is no such key or version")
    refused(f"{AZURE}/p256/v9", "/keys/p256/v9: there is no such key or version")


@pytest.mark.usefixtures("azure")
def test_azure_keys_of_other_kinds_are_refused() -> None:
    refused(f"{AZURE}/p521", "a key of the kind EC P-521 is not accepted")


@pytest.mark.usefixtures("azure")
def test_azure_without_network_or_sign_in_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refused("azurekms://127.0.0.1/keys/k", "the service cannot be asked (ServiceRequestError)")

    def fails(*_: object, **__: object) -> object:
        from azure.core.exceptions import ClientAuthenticationError

        raise ClientAuthenticationError(f"no sign-in with {TOKEN}")

    monkeypatch.setattr(Credential, "get_token", fails)
    monkeypatch.setattr(Credential, "get_token_info", fails)
    refused(f"{AZURE}/p256", "the credentials are not valid")


@pytest.mark.parametrize("rest", ["", "team/keys/k", "//team.vault.azure.net", "//u:p@h/keys/k", "//h/keys/k/1/2"])
def test_references_to_no_azure_key_are_refused(rest: str) -> None:
    refused(f"azurekms:{rest}", "the address of a key")
