"""How a registry is told who asks: a name and password, or a token from its token server.

Credentials go to the registry's own host, or to the one token server that is known for it, and nowhere else; never over
plain HTTP to another machine. Tokens are asked for only as much as is needed, whatever the registry demands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode, urlsplit

from gate.collect.registry.access import PORTS, Origin, Target, split_host
from gate.collect.registry.credentials import Credentials, find_credentials
from gate.collect.registry.transport import UNAVAILABLE, Answer, Request, Transport
from gate.errors import EvidenceError, UnavailableError
from gate.formats.strict_json import StrictJsonError, loads_object

_CHALLENGE_CHARACTERS: Final = 4096
_BEARER: Final = re.compile(r"(?:^|, *)bearer ", re.IGNORECASE)
_PARAMETER: Final = re.compile(r'([a-z_]+)="([^"\\\x00-\x1f\x7f]*)"')
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,16384}")
_TOKEN_BYTES: Final = 1 << 16
_FORM: Final = "application/x-www-form-urlencoded"

Finder = Callable[[str], Credentials | None]


class Authorizer:
    """Answers a registry's challenges for one repository, with one set of rights."""

    def __init__(self, target: Target, rights: str, transport: Transport, find: Finder = find_credentials) -> None:
        self._target, self._transport, self._find = target, transport, find
        self._scope = f"repository:{target.repository.name}:{rights}"

    def answer(self, refusal: Answer) -> str:
        """The `Authorization` header that a refused request lacked; raises `EvidenceError` when there is none."""
        challenge = refusal.headers.get("www-authenticate", "")[:_CHALLENGE_CHARACTERS]
        origin = self._target.origin
        found = self._find(self._target.stored_as)
        if found is not None and origin.scheme != "https" and not self._target.is_local:
            raise EvidenceError(
                f"{origin} asks for credentials over plain HTTP, and they are not sent over the network like that",
                hint="serve the registry over HTTPS",
            )
        bearer = _BEARER.search(challenge)
        if bearer is not None:
            return f"Bearer {self._token(challenge[bearer.end() :], found)}"
        if not challenge.lower().startswith("basic"):
            raise EvidenceError(f"{origin} refuses, and asks for no authorization that the gate knows")
        if found is None or found.is_identity_token:
            raise EvidenceError(
                f"{origin} asks for credentials, and Docker's configuration has none for it",
                hint=f"docker login {self._target.repository.registry}",
            )
        return found.basic

    def _token(self, challenge: str, credentials: Credentials | None) -> str:
        parameters = _PARAMETER.findall(challenge)
        realms = [value for name, value in parameters if name == "realm"]
        services = [value for name, value in parameters if name == "service"]
        if len(realms) != 1 or len(services) > 1:
            raise EvidenceError(f"{self._target.origin} does not say where a token is to be had")
        origin, path = self._realm(realms[0])
        wanted = {"scope": self._scope} | ({"service": services[0]} if services else {})
        if credentials is not None and credentials.is_identity_token:
            form = {**wanted, "grant_type": "refresh_token", "refresh_token": credentials.secret, "client_id": "gate"}
            body = urlencode(form).encode("ascii")
            headers = {"Content-Type": _FORM}
            request = Request("POST", origin, path, headers, body, limit=_TOKEN_BYTES)
        else:
            headers = {} if credentials is None else {"Authorization": credentials.basic}
            request = Request("GET", origin, f"{path}?{urlencode(wanted)}", headers, limit=_TOKEN_BYTES)
        return _token_of(request, self._transport.send(request))

    def _realm(self, text: str) -> tuple[Origin, str]:
        """Where the token is to be had, if that is the registry's own host or the one that is known for it."""
        registry = self._target.origin
        try:
            parts = urlsplit(text)
            scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        except ValueError:
            raise EvidenceError(f"{registry} names a token server that is no address") from None
        # The known host has its port written only if it is not the default one.
        known_host, known_port = split_host(self._target.token_host)
        default = PORTS.get(scheme)
        is_known = (host, port or default) == (known_host, known_port or default)
        is_plain = parts.username is None and parts.password is None and not parts.query and not parts.fragment
        if scheme not in {registry.scheme, "https"} or not is_known or not is_plain or not text.isascii():
            raise EvidenceError(
                f"{registry} sends for a token to {f'{scheme}://{host}'[:100]!r}, which is not known to belong to it",
                hint="if it does, name it: token_host in evidence.oci of gate.yaml, or --token-host",
            )
        return Origin(scheme, host, port or PORTS[scheme]), parts.path or "/"


def _token_of(request: Request, answer: Answer) -> str:
    if answer.status != 200:
        raised = UnavailableError if answer.status in UNAVAILABLE else EvidenceError
        raise raised(
            f"{request.place} gives no token (HTTP status {answer.status})",
            hint="are the credentials right, and good for this repository?",
        )
    try:
        value = loads_object(answer.body, limit=_TOKEN_BYTES)
    except StrictJsonError:
        value = {}
    token = value.get("token") or value.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise EvidenceError(f"{request.place} answered without a token")
    return token
