"""`gate lineage`: where the artifacts come from, without judging it."""

from __future__ import annotations

from gate.app.gather import Counting, gather, silent
from gate.app.workspace import Request, open_workspace
from gate.errors import ConfigError
from gate.formats.strict_yaml import suggestion
from gate.model.lineage import Lineage
from gate.normalize.lineage import build_lineage


def lineage(request: Request, only: str | None = None, progress: Counting = silent) -> Lineage:
    """The graph from all artifacts, or from one; raises a `GateError` when something cannot be read."""
    workspace = open_workspace(request)
    names = workspace.settings.artifacts
    if only is not None and only not in names:
        raise ConfigError(f"--artifact: there is no artifact {only[:80]!r}{suggestion(only, list(names))}")
    gathered = gather(workspace, progress)
    with progress("following what comes from what"):
        return build_lineage(gathered.artifacts, gathered.evidence, only)
