"""TorchServe archives (`.mar`): a manifest that names the program which serves the model, and what it needs.

The programs inside are findings of their own, as files of code are anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.formats.strict_json import StrictJsonError, loads_object
from gate.inspect.context import Context, Findings, shown
from gate.inspect.source import Source
from gate.inspect.values import check_values
from gate.model.path import is_plain_relative
from gate.model.scan import FileInspection, Severity

_HANDLERS: Final = frozenset({"image_classifier", "image_segmenter", "object_detector", "text_classifier"})
"""Programs that are part of the server."""
_FILES: Final = ("modelFile", "serializedFile", "configFile")


def inspect_settings(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the `MANIFEST.json` of an archive."""
    found = Findings(context.limits.findings)
    data = source.read_at(0, min(source.size, context.limits.json_bytes + 1))
    check_values(data, context.limits)
    try:
        model = loads_object(data, limit=context.limits.json_bytes).get("model")
    except StrictJsonError as problem:
        found.add("mar.manifest", Severity.HIGH, f"the manifest is not strict JSON: {shown(str(problem))}")
        return FileInspection("json", inspected=True, findings=found.done())
    if not isinstance(model, Mapping):
        found.add("mar.manifest", Severity.HIGH, "the manifest names no model")
        return FileInspection("json", inspected=True, findings=found.done())
    handler = model.get("handler")
    if not isinstance(handler, str) or handler not in _HANDLERS:
        label = shown(handler, 60) if isinstance(handler, str) else "no handler"
        found.add("mar.handler", Severity.HIGH, f"{label} is a program that comes with the model")
    if model.get("requirementsFile") is not None:
        found.add("mar.requirements", Severity.HIGH, "the server installs packages that the model asks for")
    for key in _FILES:
        value = model.get(key)
        if value is not None and not (isinstance(value, str) and is_plain_relative(value)):
            found.add("mar.path", Severity.HIGH, f"{key} is not a file of the archive")
    return FileInspection("json", inspected=True, findings=found.done())
