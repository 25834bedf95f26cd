"""What verification found, as `gate verify` reports it."""

from __future__ import annotations

from dataclasses import dataclass

from gate.model.digest import Digest
from gate.model.evidence import VerifiedSet


@dataclass(frozen=True, slots=True)
class Verification:
    """All evidence and the exit code: 0 when something is verified and nothing rejected.

    `configuration` and `trust` are the digests of what it was verified with, `now_s` is the time it was verified for.
    """

    evidence: VerifiedSet
    exit_code: int
    now_s: int
    configuration: Digest
    trust: Digest
    gate_version: str

    def __bool__(self) -> bool:
        """Refuses, as a decision does: `if verification:` would take each for a yes."""
        raise TypeError("a verification is neither true nor false; look at its exit_code")
