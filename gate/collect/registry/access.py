"""Where a registry is, and how far the gate may go to reach it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from gate.formats.image_reference import Repository
from gate.model.registry import RegistryAccess

# Docker Hub answers under another name than the one in references, and keeps its credentials under a third.
_DOCKER_HUB: Final = "docker.io"
_SERVED_BY: Final = {_DOCKER_HUB: "registry-1.docker.io"}
_STORED_AS: Final = {_DOCKER_HUB: "https://index.docker.io/v1/"}
_TOKENS_FROM: Final = {_DOCKER_HUB: "auth.docker.io", "registry.gitlab.com": "gitlab.com"}
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what credentials are kept for. `host` has no brackets around an IPv6 address."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True, slots=True)
class Target:
    """A repository and the ways to it that are allowed."""

    repository: Repository
    access: RegistryAccess

    @property
    def origin(self) -> Origin:
        """Plain HTTP only on this machine or where it was configured; an authority to check means HTTPS."""
        host, port = split_host(_SERVED_BY.get(self.repository.registry, self.repository.registry))
        plain = self.access.insecure or (is_this_machine(host) and self.access.ca is None)
        scheme = "http" if plain else "https"
        return Origin(scheme, host, port or PORTS[scheme])

    @property
    def is_local(self) -> bool:
        """Whether the registry was named as one on this machine."""
        return is_this_machine(self.origin.host)

    @property
    def stored_as(self) -> str:
        """The name under which Docker keeps credentials for it."""
        return _STORED_AS.get(self.repository.registry, self.repository.registry)

    @property
    def token_host(self) -> str:
        """The only host, with a port unless it is the default one, that may ask for the credentials to give a token."""
        configured = self.access.token_host or _TOKENS_FROM.get(self.repository.registry)
        return (configured or str(self.origin).partition("://")[2]).lower()


def split_host(text: str) -> tuple[str, int | None]:
    """Host and port of `host`, `host:port`, `[address]` or `[address]:port`."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, int(port[1:]) if port else None
    host, _, port = text.partition(":")
    return host, int(port) if port else None


def is_this_machine(host: str) -> bool:
    """Whether a host is written as one on this machine; a name that resolves to it does not count."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
