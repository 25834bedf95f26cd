"""Short ways to inspect bytes and to state what must be seen in them."""

from __future__ import annotations

import io

from gate.inspect.interface import inspect_file
from gate.inspect.limits import InspectLimits
from gate.model.scan import FileInspection, Severity


def look(name: str, data: bytes, **limits: int) -> FileInspection:
    """What inspection says about a file of some bytes."""
    return inspect_file(name, io.BytesIO(data), len(data), InspectLimits(**limits))


def rules(inspection: FileInspection) -> set[str]:
    return {finding.rule for finding in inspection.findings}


def is_clean(inspection: FileInspection) -> bool:
    """Whether a file passes for harmless."""
    return inspection.inspected and all(finding.severity is Severity.NONE for finding in inspection.findings)
