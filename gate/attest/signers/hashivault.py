"""Keys in the transit engine of HashiCorp Vault or OpenBao: `hashivault:NAME`, `hashivault:NAME/VERSION`.

`?mount=PATH` names another mount than `transit`. The address and the token are those of Vault's command line
(`VAULT_ADDR`, `VAULT_TOKEN` or ~/.vault-token, `VAULT_NAMESPACE`, `VAULT_CACERT`); the token goes over TLS, or to this
machine. Needs `read` on `transit/keys/NAME` and `update` on `transit/sign/NAME`, and nothing else. The client is used
itself: the library's signer knows Ed25519 and the newest version only.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gate.attest.signers import Passphrase
from gate.attest.signers.key import ED25519, P384, KeySigner, algorithm_of, hashed, key_signer
from gate.errors import AttestError
from gate.model.json import JsonObject

_REFERENCE: Final = re.compile(r"(?://)?([A-Za-z0-9._-]+)(?:/([0-9]{1,9}))?(?:\?mount=([A-Za-z0-9._/-]+))?")
_SIGNATURE: Final = re.compile(r"vault:v[0-9]+:([A-Za-z0-9+/]+={0,2})")
_TIMEOUT_S: Final = 15
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_KINDS: Final = "ed25519, ecdsa-p256, ecdsa-p384 or RSA"
_STATUS: Final = {
    "Unauthorized": ("the token is not valid", "vault login"),
    "Forbidden": ("access is denied", "read on MOUNT/keys/NAME, update on MOUNT/sign/NAME; vault token lookup"),
    "InvalidPath": ("there is no such key or mount", "vault list transit/keys; ?mount=PATH for another mount"),
    "InvalidRequest": (
        "the server does not accept the request: the version may be too old, or the key cannot sign",
        "vault read transit/keys/NAME",
    ),
    "RateLimitExceeded": ("too many requests", "try again later"),
    "VaultDown": ("the server is sealed or down for maintenance", "vault status"),
    "VaultNotInitialized": ("the server is not initialised", "vault status"),
}


def open_key(rest: str, _passphrase: Passphrase) -> KeySigner:
    """The signer of a key version; asks the server for the public key. Raises `AttestError`, `ImportError`."""
    import hvac

    match = _REFERENCE.fullmatch(rest)
    if match is None:
        raise AttestError(
            "--key hashivault: is followed by the name of a key",
            hint="hashivault:NAME, hashivault:NAME/3?mount=transit",
        )
    name, wanted, mount = match[1], match[2], match[3] or "transit"
    origin = f"Vault, {mount}/keys/{name}"
    client = hvac.Client(url=_address(origin), timeout=_TIMEOUT_S, namespace=os.environ.get("VAULT_NAMESPACE") or None)
    if not client.token:
        raise AttestError(f"{origin}: there is no token", hint="VAULT_TOKEN, or vault login")
    with _told(origin):
        answer = client.secrets.transit.read_key(name, mount_point=mount)
        version, public = _public_key(answer, wanted, origin)
    origin = f"{origin}, version {version}"
    algorithm = algorithm_of(public, origin)

    def sign(data: bytes) -> bytes:
        digest = algorithm != ED25519
        with _told(origin):
            made = client.secrets.transit.sign_data(
                name,
                hash_input=base64.b64encode(hashed(algorithm, data) if digest else data).decode("ascii"),
                key_version=version,
                prehashed=digest,
                hash_algorithm="sha2-384" if algorithm == P384 else "sha2-256",
                signature_algorithm="pss",
                marshaling_algorithm="asn1",
                salt_length="hash",
                mount_point=mount,
            )
            return _signature(made)

    return key_signer(public, origin, sign)


def _signature(answer: JsonObject) -> bytes:
    match = _SIGNATURE.fullmatch(str(_member(answer, "data")["signature"]))
    if match is None:
        raise ValueError("signature")
    return base64.b64decode(match[1], validate=True)


def _address(origin: str) -> str:
    address = os.environ.get("VAULT_ADDR", "")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AttestError(f"{origin}: VAULT_ADDR is not the address of a server", hint="VAULT_ADDR=https://HOST:8200")
    if parts.scheme == "http" and parts.hostname not in _HERE:
        raise AttestError(
            f"{origin}: VAULT_ADDR is no https address, and the token would be sent in the clear",
            hint="VAULT_ADDR=https://...",
        )
    return address


def _public_key(answer: JsonObject, wanted: str | None, origin: str) -> tuple[int, PublicKeyTypes]:
    """The wanted version, else the newest, and its public key; raises `AttestError` where there is none."""
    data = _member(answer, "data")
    versions = _member(data, "keys")
    version = wanted or str(data.get("latest_version"))
    if version not in versions:
        raise AttestError(
            f"{origin}: there is no version {version}; there are {', '.join(sorted(versions, key=int))}",
            hint=f"vault read {origin.removeprefix('Vault, ')}",
        )
    found = versions[version]
    text = found.get("public_key") if isinstance(found, Mapping) else None
    if not isinstance(text, str) or not text:
        raise AttestError(f"{origin}: a key of the type {data.get('type')} does not sign", hint=f"use {_KINDS}")
    if data.get("type") == "ed25519":
        return int(version), Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    return int(version), load_pem_public_key(text.encode())


def _member(value: JsonObject, name: str) -> JsonObject:
    found = value[name]
    if not isinstance(found, Mapping):
        raise TypeError(name)
    return found


@contextmanager
def _told(origin: str) -> Iterator[None]:
    from hvac.exceptions import VaultError
    from requests import RequestException

    try:
        yield
    except VaultError as error:
        name = type(error).__name__
        what, hint = _STATUS.get(name, (f"the server refused ({name})", "see the server's log"))
        raise AttestError(f"{origin}: {what}", hint=hint) from None
    except RequestException as error:
        raise AttestError(
            f"{origin}: the server cannot be asked ({type(error).__name__})",
            hint="see VAULT_ADDR, VAULT_CACERT, network and proxy",
        ) from None
    except (KeyError, TypeError, ValueError):
        raise AttestError(
            f"{origin}: the server's answer cannot be understood", hint="is this the transit engine?"
        ) from None
