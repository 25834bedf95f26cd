"""`gate verify`: what the evidence is worth, without judging it."""

from __future__ import annotations

from dataclasses import dataclass

from gate.app.gather import Progress, gather, silent
from gate.app.workspace import Request, open_workspace
from gate.decide import EXIT_ALLOW, EXIT_MISSING, PRECEDENCE
from gate.model.evidence import VerifiedSet


@dataclass(frozen=True, slots=True)
class Verification:
    """All evidence and the exit code: 0 when something is verified and nothing rejected."""

    evidence: VerifiedSet
    exit_code: int


def verify(request: Request, progress: Progress = silent) -> Verification:
    """Verifies the evidence against the artifacts and the change; raises a `GateError` when it cannot be read."""
    evidence = gather(open_workspace(request), progress).evidence
    return Verification(evidence, _exit_code(evidence))


def _exit_code(evidence: VerifiedSet) -> int:
    codes = {item.stage.exit_code for item in evidence.rejected}
    for code in PRECEDENCE:
        if code in codes:
            return code
    return EXIT_ALLOW if evidence.verified else EXIT_MISSING
