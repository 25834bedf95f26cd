"""`gate verify`: what the evidence is worth, without judging it."""

from __future__ import annotations

from gate import __version__
from gate.app.gather import Counting, gather, silent
from gate.app.workspace import Request, open_workspace
from gate.decide import EXIT_ALLOW, EXIT_MISSING, PRECEDENCE
from gate.model.evidence import VerifiedSet
from gate.model.verification import Verification

__all__ = ["Verification", "verify"]


def verify(request: Request, progress: Counting = silent) -> Verification:
    """Verifies the evidence against the artifacts and the change; raises a `GateError` when it cannot be read."""
    workspace = open_workspace(request)
    evidence = gather(workspace, progress).evidence
    settings = workspace.settings
    return Verification(
        evidence, _exit_code(evidence), workspace.now_s, settings.digest, settings.trust.digest, __version__
    )


def _exit_code(evidence: VerifiedSet) -> int:
    codes = {item.stage.exit_code for item in evidence.rejected}
    for code in PRECEDENCE:
        if code in codes:
            return code
    return EXIT_ALLOW if evidence.verified else EXIT_MISSING
