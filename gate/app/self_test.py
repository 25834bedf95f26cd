"""Whether what judges can say yes and no: asked before a policy is used, and again while it is."""

from __future__ import annotations

from gate.app.workspace import Workspace
from gate.evaluate.interface import Engine


def self_test(workspace: Workspace, engine: Engine) -> None:
    """Judges an image that is as bad as can be, which has to be refused, and a good one, which has to be let in.

    The real policy, profile and engine judge them; nothing is recorded. Raises `PolicyError`.
    """
    raise NotImplementedError
