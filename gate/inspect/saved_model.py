"""SavedModel of TensorFlow: graphs and functions of operators in Protocol Buffers, beside a checkpoint.

A graph is a program. Operators that only compute are on a list; any other could read, write, call or fetch, or needs a
library of its own, and is a finding. Every SavedModel holds functions that save and restore its variables: that they
are there is told, and not refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.keras import judge_settings
from gate.inspect.protobuf import Message, ProtobufError, Shape, read_messages
from gate.inspect.saved_model_operators import CHECKPOINT, COMPUTING
from gate.inspect.source import Source
from gate.model.path import is_plain_relative
from gate.model.scan import FileInspection, Severity

_MODEL: Final[Mapping[str, Shape]] = {
    "model": Shape({2: "meta"}, {}, frozenset({1})),
    "meta": Shape({2: "graph", 6: "asset", 7: "objects"}, {}, frozenset({1, 3, 4, 5})),
    "graph": Shape({1: "node", 2: "library"}, {}, frozenset({3, 4, 5})),
    "library": Shape({1: "function"}, {}, frozenset({2, 3})),
    "function": Shape({1: "signature", 3: "node"}, {}, frozenset({2, *range(4, 9)})),
    "signature": Shape({}, {1: "name"}, frozenset({*range(2, 9), *range(16, 22)})),
    "node": Shape({}, {2: "operator"}, frozenset({1, *range(3, 8)})),
    "asset": Shape({}, {2: "file"}, frozenset({1})),
    "objects": Shape({1: "object"}, {}, frozenset({2})),
    "object": Shape({4: "user"}, {}, frozenset({1, 2, 3, *range(5, 17)})),
    "user": Shape({}, {3: "metadata"}, frozenset({1, 2})),
}
_METADATA: Final[Mapping[str, Shape]] = {
    "model": Shape({1: "user"}),
    "user": Shape({}, {5: "metadata"}, frozenset({1, 2, 3, 4})),
}
_FINGERPRINT: Final[Mapping[str, Shape]] = {"model": Shape({}, {}, frozenset(range(1, 8)))}
_FUNCTION: Final = re.compile(r"__\w+|[a-z]\w*")
"""Names that functions of a graph have and no operator has."""
_NAMES: Final = 10_000
_TABLE_END: Final = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
_TABLE_BYTES: Final = 48


def inspect_saved_model(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the operators of all graphs, their functions and assets, and the settings that Keras keeps in them."""
    return _inspect("saved_model", _MODEL, source, context)


def inspect_keras_metadata(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the settings of layers that Keras 2 keeps beside the graph."""
    return _inspect("keras_metadata", _METADATA, source, context)


def inspect_fingerprint(_path: str, source: Source, context: Context) -> FileInspection:
    """A few numbers about a SavedModel, and nothing else."""
    return _inspect("fingerprint", _FINGERPRINT, source, context)


def inspect_checkpoint_index(_path: str, source: Source, _context: Context) -> FileInspection:
    """The names of variables, in a sorted table; told by its end."""
    if source.size < _TABLE_BYTES or source.read_at(source.size - 8, 8) != _TABLE_END:
        return FileInspection("checkpoint_index", inspected=False, reason="does not end like a table of variables")
    return FileInspection("checkpoint_index", inspected=True)


def inspect_checkpoint_data(_path: str, _source: Source, _context: Context) -> FileInspection:
    """The numbers of variables: bytes that no loader takes for anything else."""
    return FileInspection("checkpoint_data", inspected=True)


def inspect_graph(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the operators of a graph that stands alone; other messages of the same suffix are not inspected."""
    found = Findings(context.limits.findings)
    used: set[str] = set()
    defined: set[str] = set()
    nodes = 0
    unknown: list[int] = []
    limits = context.limits
    try:
        for message in read_messages(source, "graph", _MODEL, limits.protobuf_fields, limits.json_bytes):
            unknown.extend(message.unknown)
            nodes += message.kind == "node"
            _judge(message, used, defined, context, found)
    except (ProtobufError, CapError) as problem:
        reason = f"no graph of TensorFlow that is read ({problem}): save the model as safetensors or ONNX"
        return FileInspection("protobuf", inspected=False, reason=reason, findings=found.done())
    if not nodes or unknown:
        return FileInspection("protobuf", inspected=False, reason="a message that is no graph of TensorFlow")
    _judge_operators(used - defined, found)
    return FileInspection("graph", inspected=True, findings=found.done())


def _inspect(name: str, shapes: Mapping[str, Shape], source: Source, context: Context) -> FileInspection:
    found = Findings(context.limits.findings)
    limits = context.limits
    unknown: list[str] = []
    used: set[str] = set()
    defined: set[str] = set()
    try:
        for message in read_messages(source, "model", shapes, limits.protobuf_fields, limits.json_bytes):
            unknown.extend(f"field {number} of a {message.kind}" for number in message.unknown[: not unknown])
            _judge(message, used, defined, context, found)
    except ProtobufError as problem:
        found.add("saved_model.structure", Severity.HIGH, f"not readable: {problem}")
        return FileInspection(name, inspected=True, findings=found.done())
    except CapError as problem:
        return FileInspection(name, inspected=False, reason=str(problem), findings=found.done())
    _judge_operators(used - defined, found)
    if unknown:
        reason = f"holds {unknown[0]}, which is not known here"
        return FileInspection(name, inspected=False, reason=reason, findings=found.done())
    return FileInspection(name, inspected=True, findings=found.done())


def _judge(message: Message, used: set[str], defined: set[str], context: Context, found: Findings) -> None:
    if message.kind == "node" and message.text("operator") not in COMPUTING:
        used.add(message.text("operator"))
    elif message.kind == "signature" and _FUNCTION.fullmatch(message.text("name")):
        defined.add(message.text("name"))
    elif message.kind == "asset" and not is_plain_relative(message.text("file")):
        text = f"an asset is not beside the model: {shown(message.text('file'), 60)}"
        found.add("saved_model.path", Severity.HIGH, text)
    elif message.kind == "user" and message.text("metadata"):
        judge_settings("metadata", message.text("metadata").encode(), context, found)
    if len(used) > _NAMES or len(defined) > _NAMES:
        raise CapError("names more operators than the limit")


def _judge_operators(names: set[str], found: Findings) -> None:
    if names & CHECKPOINT:
        found.add("saved_model.checkpoint", Severity.NONE, "holds functions that save and restore variables")
    for name in sorted(names - CHECKPOINT):
        text = f"operator {shown(name, 60)} is not one of those that only compute"
        found.add("saved_model.operator", Severity.HIGH, text)
