"""Inspectors of other packages, by the entry points `gate.inspectors`.

They are asked only about files of formats that no inspector of the gate judges, and can neither replace one nor take
back what the gate found: names, polyglots and hidden pickles are looked at all the same.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from gate.inspect.context import CapError, Context, Findings
from gate.inspect.source import Source, SourceError
from gate.model.scan import FileInspection

GROUP: Final = "gate.inspectors"


class PluginInspector(Protocol):
    """What an entry point of the group refers to: an object with these two methods, or a module with such functions."""

    def recognises(self, path: str, head: bytes, /) -> bool:
        """Whether a file is of the format, by its name and its first bytes (4 KiB)."""

    def inspect(self, path: str, source: Source, context: Context, /) -> FileInspection:
        """The judgement on one file; see `gate.inspect.interface.Inspector`."""


@functools.cache
def installed() -> Sequence[tuple[str, PluginInspector]]:
    """The inspectors of all installed packages with the names of their formats, sorted. Raises what they raise."""
    points = importlib.metadata.entry_points(group=GROUP)
    return tuple((point.name, point.load()) for point in sorted(points, key=lambda point: (point.name, point.value)))


def inspect_by_plugins(path: str, head: bytes, source: Source, context: Context) -> FileInspection | None:
    """What the inspectors that recognise a file say; `None` if none does.

    The file is inspected when all of them inspected it, and has the findings and templates of each. One that fails
    makes it "not inspected".
    """
    judged = [
        (name, _inspect(name, plugin, path, source, context))
        for name, plugin in installed()
        if plugin.recognises(path, head)
    ]
    if not judged:
        return None
    found = Findings(context.limits.findings)
    for _, inspection in judged:
        found.extend(inspection.findings)
        for place, template in inspection.templates.items():
            found.add_template(place, template)
    reason = next((f"{name}: {inspection.reason}" for name, inspection in judged if not inspection.inspected), None)
    return FileInspection("+".join(name for name, _ in judged), reason is None, reason, found.done(), found.templates)


def _inspect(name: str, plugin: PluginInspector, path: str, source: Source, context: Context) -> FileInspection:
    try:
        answer: object = plugin.inspect(path, source, context)
    except (CapError, SourceError):
        raise
    except Exception as problem:  # noqa: BLE001 - a fault of a plugin must not pass for a clean file
        return FileInspection(name, inspected=False, reason=f"the inspection failed ({type(problem).__name__})")
    if not isinstance(answer, FileInspection):
        return FileInspection(name, inspected=False, reason="it gave no judgement")
    if answer.inspected is True:
        return answer
    return replace(answer, inspected=False, reason=answer.reason or "no reason was given")
