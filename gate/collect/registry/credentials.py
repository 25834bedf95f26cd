"""Credentials from Docker's configuration and its helpers, for exactly one registry.

They are looked for only when the registry asks. Nothing of them is ever part of a message.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gate.errors import EvidenceError
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.json import JsonObject, JsonValue

_CONFIG_BYTES: Final = 1 << 20
_HELPER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HELPER_S: Final = 30
_HELPER_BYTES: Final = 1 << 16
_NOT_FOUND: Final = b"credentials not found"
_TOKEN_USER: Final = "<token>"
_PLACES: Final = ("", "/", "/v1", "/v1/", "/v2", "/v2/")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password, or a token with which tokens can be had."""

    user: str = field(repr=False)
    secret: str = field(repr=False)
    is_identity_token: bool = False

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode("ascii")


def docker_configuration() -> Path:
    """Where Docker keeps its configuration: `$DOCKER_CONFIG`, else `.docker` in the home directory."""
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def find_credentials(registry: str) -> Credentials | None:
    """What Docker knows for exactly this registry, `None` if nothing; raises `EvidenceError` for what is broken.

    A helper for the registry goes before the common helper, and that before what the file itself holds.
    """
    value = _configuration(docker_configuration())
    helper = _mapping(value, "credHelpers").get(registry, value.get("credsStore", ""))
    if helper:
        found = _ask_helper(helper, registry)
        if found is not None:
            return found
    stored = [item for key, item in _mapping(value, "auths").items() if _is_for(key, registry)]
    return _stored(stored[0], registry) if stored else None


def _configuration(path: Path) -> JsonObject:
    try:
        with path.open("rb") as file:
            data = file.read(_CONFIG_BYTES + 1)
        return loads_object(data, limit=_CONFIG_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise EvidenceError(f"Docker's configuration {path} cannot be read: {error.strerror}") from None
    except StrictJsonError:
        # What is wrong with it is not said: the text around it may be a secret.
        raise EvidenceError(f"Docker's configuration {path} is not strict JSON") from None


def _mapping(value: JsonObject, name: str) -> JsonObject:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _is_for(key: str, registry: str) -> bool:
    """Whether an entry is for exactly this host and port; old ones are written as an address over HTTPS."""
    if key == registry:
        return True
    return key.startswith("https://") and any(key == f"https://{registry}{place}" for place in _PLACES)


def _stored(entry: JsonValue, registry: str) -> Credentials | None:
    broken = EvidenceError(f"Docker's configuration holds broken credentials for {registry}", hint="docker login again")
    if not isinstance(entry, Mapping):
        raise broken
    user, secret = entry.get("username", ""), entry.get("password", "")
    token, auth = entry.get("identitytoken", ""), entry.get("auth", "")
    if not all(isinstance(item, str) for item in (user, secret, token, auth)):
        raise broken
    if token:
        return Credentials("", str(token), is_identity_token=True)
    if auth:
        try:
            user, _, secret = base64.b64decode(str(auth), validate=True).decode().rstrip("\0").partition(":")
        except (binascii.Error, ValueError):
            raise broken from None
    return Credentials(str(user), str(secret)) if user and secret else None


def _ask_helper(helper: JsonValue, registry: str) -> Credentials | None:
    if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
        raise EvidenceError("Docker's configuration names a credential helper that is no plain name")
    name = f"docker-credential-{helper}"
    program = shutil.which(name)
    if program is None:
        raise EvidenceError(f"the credential helper {name} is not on the PATH", hint="install it, or docker login")
    try:
        done = subprocess.run(
            [program, "get"], input=registry.encode(), capture_output=True, timeout=_HELPER_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise EvidenceError(f"the credential helper {name} did not answer within {_HELPER_S} seconds") from None
    except OSError as error:
        raise EvidenceError(f"the credential helper {name} cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        if _NOT_FOUND in done.stdout or _NOT_FOUND in done.stderr:
            return None
        raise EvidenceError(f"the credential helper {name} failed with exit status {done.returncode}")
    try:
        value = loads_object(done.stdout, limit=_HELPER_BYTES)
    except StrictJsonError:
        value = {}
    user, secret = value.get("Username"), value.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        raise EvidenceError(f"the credential helper {name} did not answer with a name and a secret")
    return Credentials(user, secret, is_identity_token=user == _TOKEN_USER)
