"""Reports of scanners: bytes -> `Scan`. Whatever a report does not say clearly is a failure, never a clean scan.

Reports lie unsigned in the workspace, so every scan read here is OBSERVED (SECURITY 33). It counts as coverage only
for files whose bytes it can be tied to (SECURITY 32).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.reports.common import ReportError, failed_scan
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.artifact import Artifact
from gate.model.json import JsonObject
from gate.model.scan import RawReport, Scan
from gate.model.settings import Limits

Reader = Callable[[JsonObject, RawReport, Mapping[str, Artifact]], Scan]
"""Reads the document of one tool. Raises `ReportError` when it does not have the tool's shape."""

TextReader = Callable[[bytes, RawReport, Mapping[str, Artifact]], Scan]
"""Reads a report that is not one JSON object. Raises `ReportError` or `StrictJsonError`."""

TOOLS: Final = (
    "fickling",
    "gate",
    "gitleaks",
    "grype",
    "modelaudit",
    "modelscan",
    "osv-scanner",
    "picklescan",
    "pip-audit",
    "sarif",
    "trivy",
    "trufflehog",
)
"""The tools that `gate.yaml` may name under `reports`; each is a module here, imported when it is used.

A module has `read` for a JSON object, or `read_bytes` for a report of another form."""


def read_report(raw: RawReport, artifacts: Mapping[str, Artifact]) -> Scan:
    """The scan that a report speaks of.

    `artifacts` are those of the configuration, by name; paths in the report are tied to their files. Never raises for
    a bad report: a report that is missing, cannot be read or does not have its tool's shape is a FAILED scan that says
    why. `Scan.report` is the digest of the report's bytes, `None` when there are none.
    """
    if raw.missing:
        return failed_scan(raw, raw.problem or "the report is missing")
    if raw.data is None:
        return failed_scan(raw, raw.problem or "the report could not be read")
    if raw.tool not in TOOLS:
        return failed_scan(raw, f"no reader for reports of {raw.tool}; known are {', '.join(sorted(TOOLS))}")
    if raw.artifact is not None and raw.artifact not in artifacts:
        return failed_scan(raw, "it is said to be about an artifact that is not configured")
    try:
        return _read(raw, raw.data, artifacts)
    except (StrictJsonError, ReportError) as problem:
        return failed_scan(raw, f"the report cannot be read: {problem}")


def _read(raw: RawReport, data: bytes, artifacts: Mapping[str, Artifact]) -> Scan:
    limit = Limits().report_bytes
    module = importlib.import_module(f"gate.formats.reports.{raw.tool.replace('-', '_')}")
    if hasattr(module, "read_bytes"):
        if len(data) > limit:
            raise ReportError(f"{len(data)} bytes, more than the {limit} allowed")
        read_bytes: TextReader = module.read_bytes
        return read_bytes(data, raw, artifacts)
    read: Reader = module.read
    return read(loads_object(data, limit=limit), raw, artifacts)
