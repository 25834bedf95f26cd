"""The files of an artifact that a collector's configuration does not name.

An application's folder is admitted whole, so it is attested whole: what lies there and has no role of its own is one of
`others`, and nothing can be added, changed or removed below it without being seen.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from gate.app.collect_files import subjects_of
from gate.app.workspace import WorkTree
from gate.attest.collector import Collected, Collector, Found
from gate.attest.statement import named_files
from gate.collect.directory import collect_artifact
from gate.config.settings import DEFAULT_PATH, load_artifacts
from gate.model.settings import Limits

ROLE: Final = "others"


def with_others(collector: Collector, collected: Collected, root: Path) -> Collected:
    """What was collected and the rest of each artifact of its kind that some of it lies in; raises `GateError`."""
    if collector.kind is None:
        return collected
    files = subjects_of(collected.roles)
    others: dict[str, Found] = {}
    folders = dict(collected.folders)
    for settings in load_artifacts(DEFAULT_PATH, WorkTree(root)).values():
        place = settings.path
        if settings.kind is not collector.kind or place is None:
            continue
        if not any(path.startswith(f"{place}/") for path in files):
            continue
        artifact = collect_artifact(root, settings, Limits())
        found = [Found(item.name, item.digest) for item in named_files(place, artifact.files, f"{place}/")]
        others |= {item.path: item for item in found if item.path not in files}
        folders.setdefault(place, ROLE)
    roles = {**collected.roles, ROLE: [others[path] for path in sorted(others)]}
    return replace(collected, roles=roles, folders=folders)
