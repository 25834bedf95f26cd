"""Keys in Azure Key Vault: `azurekms://VAULT.vault.azure.net/keys/NAME`, with `/VERSION` for an older one.

The address is the one of the key, so that other clouds and managed HSMs work too. Credentials are those of the Azure
tools (`DefaultAzureCredential`), and the client sends them to no host outside the service's own domain. The digest
alone is sent. Needs the permissions get and sign on keys (role "Key Vault Crypto User"). The clients are used
themselves: the library's signer knows neither versions nor other clouds, and asks an absent service for minutes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gate.attest.signers import Passphrase
from gate.attest.signers.key import P256, P384, PSS, KeySigner, algorithm_of, hashed, key_signer
from gate.errors import AttestError

_ADDRESS: Final = re.compile(r"//([A-Za-z0-9.-]+)/(?:keys/)?([A-Za-z0-9-]+)(?:/([A-Za-z0-9]+))?/?")
_CONNECT_S: Final = 5
_READ_S: Final = 15
_RETRIES: Final = 2
_LONGEST_WAIT_S: Final = 5
_ALGORITHMS: Final = {P256: "ES256", P384: "ES384", PSS: "PS256"}
_CURVES: Final[dict[str, Callable[[], ec.EllipticCurve]]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}
_STATUS: Final = {
    400: ("the service does not accept the request: it may be no key for signing", "an EC key on P-256"),
    401: ("the credentials are not valid", "az login, or AZURE_CLIENT_ID and what belongs to it"),
    403: ("access is denied, or the key is disabled or expired", 'role "Key Vault Crypto User" on this key'),
    404: ("there is no such key or version", "az keyvault key list-versions"),
    409: ("the key is being changed or deleted", "try again later"),
    429: ("too many requests", "try again later"),
}


class _WebKey(Protocol):
    """The members of `JsonWebKey` that are read; the library declares none."""

    kty: str
    crv: str | None
    n: bytes
    e: bytes
    x: bytes
    y: bytes


def open_key(rest: str, _passphrase: Passphrase) -> KeySigner:
    """The signer of a key; asks the service for the public one. Raises `AttestError`, `ImportError`."""
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.keys import KeyClient
    from azure.keyvault.keys.crypto import SignatureAlgorithm

    match = _ADDRESS.fullmatch(rest)
    if match is None:
        raise AttestError(
            "--key azurekms: is followed by the address of a key", hint="azurekms://VAULT.vault.azure.net/keys/NAME"
        )
    host, name, version = match.groups()
    origin = f"Azure Key Vault, {host}/keys/{name}{f'/{version}' if version else ''}"
    with _told(origin):
        keys = KeyClient(
            f"https://{host}",
            DefaultAzureCredential(),
            retry_total=_RETRIES,
            retry_backoff_max=_LONGEST_WAIT_S,
            connection_timeout=_CONNECT_S,
            read_timeout=_READ_S,
        )
        found = keys.get_key(name, version)
        public = _public_key(cast("_WebKey", found.key), origin)
        algorithm = algorithm_of(public, origin)
        # The version that the public key is of, whichever is the newest when it signs.
        service = keys.get_cryptography_client(name, key_version=found.properties.version)

    def sign(data: bytes) -> bytes:
        with _told(origin):
            made = service.sign(SignatureAlgorithm(_ALGORITHMS[algorithm]), hashed(algorithm, data)).signature
        return made if algorithm == PSS else _der(made)

    return key_signer(public, origin, sign, algorithm)


def _public_key(key: _WebKey, origin: str) -> PublicKeyTypes:
    """RFC 7518, 6.2 and 6.3."""
    kind, name = _text(key.kty).removesuffix("-HSM"), _text(key.crv)
    if kind == "RSA":
        return rsa.RSAPublicNumbers(int.from_bytes(key.e, "big"), int.from_bytes(key.n, "big")).public_key()
    curve = _CURVES.get(name)
    if kind != "EC" or curve is None:
        raise AttestError(f"{origin}: a key of the kind {kind} {name} is not accepted", hint="an EC key on P-256")
    x, y = int.from_bytes(key.x, "big"), int.from_bytes(key.y, "big")
    return ec.EllipticCurvePublicNumbers(x, y, curve()).public_key()


def _text(value: object) -> str:
    """What the library gives as a member of an enumeration where it knows the text, else as the text."""
    return str(getattr(value, "value", value))


def _der(pair: bytes) -> bytes:
    """The two numbers of RFC 7518, 3.4 as an ECDSA signature in DER."""
    half = len(pair) // 2
    return encode_dss_signature(int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big"))


@contextmanager
def _told(origin: str) -> Iterator[None]:
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        status = error.status_code or (401 if isinstance(error, ClientAuthenticationError) else 0)
        what, hint = _STATUS.get(status, (f"the service refused (HTTP {status})", "try again later"))
        raise AttestError(f"{origin}: {what}", hint=hint) from None
    except AzureError as error:
        raise AttestError(
            f"{origin}: the service cannot be asked ({type(error).__name__})", hint="see network, proxy and address"
        ) from None
