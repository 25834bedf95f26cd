"""What `gate.yaml` says of registries that evidence is read from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """How far the gate goes to reach a registry.

    `insecure` allows plain HTTP, `private` addresses that are not public. `ca` is the PEM text of the only authorities
    that may vouch for the registry. `token_host` is another host that may ask for the credentials. `timeout_s` is for
    everything that is asked of the registry at once.
    """

    insecure: bool = False
    private: bool = False
    ca_path: str | None = None
    ca: bytes | None = None
    token_host: str | None = None
    timeout_s: int = 60


@dataclass(frozen=True, slots=True)
class OciEvidence:
    """Evidence that a registry lists as referring to an artifact's image, maybe in another repository than it."""

    artifact: str
    repository: str | None = None
    access: RegistryAccess = RegistryAccess()
