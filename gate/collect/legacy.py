"""Bundles of llmsa as they lie on disk, in folders that the configuration names for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from gate.collect.directory import read_evidence
from gate.formats.llmsa import NOTE
from gate.model.evidence import Evidence
from gate.model.settings import Limits

_SUFFIX: Final = ".bundle.json"


def read_bundles(root: Path, directory: str, limits: Limits) -> tuple[list[Evidence], dict[str, str]]:
    """All bundles below a folder, marked in their origin, and what was left out, with the reason.

    Only `*.bundle.json` are bundles: llmsa leaves unsigned statements beside them. Raises what `read_evidence` does.
    """
    found, skipped = read_evidence(root, directory, limits)
    bundles = []
    for item in found:
        if item.origin.endswith(_SUFFIX):
            bundles.append(replace(item, origin=f"{item.origin} ({NOTE})", is_legacy=True))
        else:
            skipped[item.origin] = f"not named like a bundle of llmsa (*{_SUFFIX})"
    return bundles, skipped
