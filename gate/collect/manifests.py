"""The deployment manifests that the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gate.collect.directory import read_reports
from gate.model.settings import Limits, ReportSettings
from gate.model.workload import Manifest

_TOOL: Final = "manifest"


def collect_manifests(root: Path, patterns: Sequence[str], limits: Limits) -> list[Manifest]:
    """The manifests below the root, in the order of the patterns, each file once.

    One that cannot be read, and a pattern that nothing matches, is a manifest with a problem. Raises `EvidenceError`
    for a folder that cannot be read.
    """
    raw = read_reports(root, [ReportSettings(_TOOL, pattern, None) for pattern in patterns], limits)
    found = {item.origin: Manifest(item.origin, item.data, item.problem) for item in raw}
    return list(found.values())
