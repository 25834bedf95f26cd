"""What a policy engine is to the gate: bytes in, the text of one rule's value out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from gate.model.document import InputDocument

ENTRYPOINT: Final = "data.gate.main.report"
"""The one rule that is ever asked for (SECURITY 25)."""
TIME_LIMIT_S: Final = 10.0
REPORT_BYTES: Final = 16 << 20
"""The longest report that is read, whichever engine gives it."""


class Modules(Protocol):
    """What an engine loads of a policy bundle."""

    @property
    def modules(self) -> Mapping[str, str]:
        """The Rego source by path."""


class Engine(Protocol):
    """A loaded policy that can be asked many times."""

    @property
    def name(self) -> str:
        """`regorus` or `opa`."""

    @property
    def version(self) -> str:
        """The engine's version."""

    def report(self, document: InputDocument) -> bytes:
        """The value of `ENTRYPOINT` as JSON.

        Raises `PolicyError` when it is undefined or fails, and `PolicyTimeout` when it takes too long.
        """
