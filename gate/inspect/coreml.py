"""Core ML: a message of Protocol Buffers that is one of several kinds of model, some of which call code.

The kinds that only hold numbers and layers are passed over. Custom models and layers are classes of an application;
a linked model is another file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.protobuf import Message, ProtobufError, Shape, read_messages
from gate.inspect.source import Source
from gate.model.scan import FileInspection, Severity

_PLAIN: Final = frozenset(
    {1, 2, 10, *range(300, 303), 304, *range(400, 403), 404, 501, 560, *range(600, 605), 606, 607, 609, 610, 900}
) | frozenset(range(2000, 2007))
"""Kinds of models that are numbers, and what all models have."""
_MODEL: Final[Mapping[str, Shape]] = {
    "model": Shape(
        {
            200: "wrapped",
            201: "wrapped",
            202: "pipeline",
            303: "network",
            403: "network",
            500: "network",
            502: "program",
        },
        {},
        _PLAIN,
        {555: "custom", 556: "linked"},
    ),
    "wrapped": Shape({1: "pipeline"}),
    "pipeline": Shape({1: "model"}, {}, frozenset({2})),
    "network": Shape({1: "layer"}, {}, frozenset({2, 5, 6, 10, 100, 101, 200})),
    "layer": Shape(
        {605: "branch", 615: "loop"},
        {1: "name"},
        frozenset({*range(2, 6), 10, *range(100, 2000)}) - {500, 605, 615},
        {500: "custom"},
    ),
    "branch": Shape({1: "network", 2: "network"}),
    "loop": Shape({3: "network", 4: "network"}, {}, frozenset({1, 2})),
    "program": Shape({2: "named function"}, {}, frozenset({1, 3, 4})),
    "named function": Shape({2: "function"}, {}, frozenset({1})),
    "function": Shape({3: "named block"}, {}, frozenset({1, 2, 4})),
    "named block": Shape({2: "block"}, {}, frozenset({1})),
    "block": Shape({3: "operation"}, {}, frozenset({1, 2, 4})),
    "operation": Shape({4: "block"}, {1: "operator"}, frozenset({2, 3, 5})),
}
_HEAD_BYTES: Final = 64
_VERSION: Final = 2
_RULES: Final[Mapping[str, str]] = {
    "custom": "is a class of an application, which a loader must bring",
    "linked": "is another file, which a loader opens",
}


def inspect_coreml(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the kind of a model, its layers, and the names of the operations of a program."""
    found = Findings(context.limits.findings)
    unknown: str | None = None
    try:
        for message in read_messages(source, "model", _MODEL, context.limits.protobuf_fields):
            if message.unknown:
                unknown = f"holds field {message.unknown[0]} of a {message.kind}, which is not known here"
            _judge(message, found)
    except (ProtobufError, CapError) as problem:
        return FileInspection("coreml", inspected=False, reason=f"not inspected: {problem}", findings=found.done())
    if unknown is not None:
        return FileInspection("coreml", inspected=False, reason=unknown, findings=found.done())
    return FileInspection("coreml", inspected=True, findings=found.done())


def _judge(message: Message, found: Findings) -> None:
    for part, what in _RULES.items():
        if part in message.spans:
            label = shown(message.text("name"), 60) or "the model"
            found.add("coreml.custom", Severity.HIGH, f"{label} {what}")
    if "custom" in message.text("operator"):
        label = shown(message.text("operator"), 60)
        found.add("coreml.custom", Severity.HIGH, f"operation {label} {_RULES['custom']}")


def inspect_weights(_path: str, source: Source, _context: Context) -> FileInspection:
    """Numbers beside a program, behind a head that says how many arrays there are, in the second version."""
    if source.size < _HEAD_BYTES or int.from_bytes(source.read_at(4, 4), "little") != _VERSION:
        return FileInspection("coreml_weights", inspected=False, reason="does not begin like weights of Core ML")
    return FileInspection("coreml_weights", inspected=True)
