"""Waivers: a named person's decision to accept one violation for a limited time (DOCUMENTS 5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from gate.model.digest import Digest

MAX_WAIVER_S: Final = 90 * 24 * 3600
EXPIRING_S: Final = 14 * 24 * 3600


class WaiverState(Enum):
    """Where a waiver stands at the time of the decision; only ACTIVE and EXPIRING ones count."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver.

    `artifact` is the digest of the artifact or file that the violation is about; `finding`, when given, is the
    violation's code. There are no wildcards.
    """

    id: str
    control: str
    artifact: Digest
    finding: str | None
    reason: str
    ticket: str
    owner: str
    approver: str
    created_s: int
    expires_s: int

    def state(self, now_s: int) -> WaiverState:
        """Where it stands at a time in seconds since 1970."""
        if now_s < self.created_s:
            return WaiverState.PENDING
        if now_s >= self.expires_s:
            return WaiverState.EXPIRED
        return WaiverState.EXPIRING if self.expires_s - now_s <= EXPIRING_S else WaiverState.ACTIVE
