"""ONNX: a graph of operators in Protocol Buffers, whose weights may lie in files beside it.

What a runtime reaches beyond the file is judged: paths of external data (CVE-2022-25882, CVE-2024-27318,
CVE-2025-51480), operators of domains that a library has to be loaded for, and those that open files or call Python.
Whether external data is there and long enough is not told by this file; that the paths stay beside it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.inspect.context import CapError, Context, Findings, shown
from gate.inspect.protobuf import Message, ProtobufError, Shape, read_messages
from gate.inspect.source import Source
from gate.model.path import is_plain_relative
from gate.model.scan import FileInspection, Severity

_MODEL: Final = Shape({7: "graph", 20: "training", 25: "function"}, {}, frozenset({1, 2, 3, 4, 5, 6, 8, 14, 26}))
_FUNCTION: Final = frozenset({*range(2, 7), 8, 9, 12, 13, 14})
_SHAPES: Final[Mapping[str, Shape]] = {
    "model": Shape({7: "graph", 20: "training", 25: "function"}, {}, frozenset({*range(1, 7), 8, 14, 26})),
    "training": Shape({1: "graph", 2: "graph"}, {}, frozenset({3, 4})),
    "function": Shape({7: "node", 11: "attribute"}, {1: "name", 10: "domain"}, _FUNCTION),
    "graph": Shape({1: "node", 5: "tensor", 15: "sparse"}, {}, frozenset({2, *range(10, 15), 16})),
    "node": Shape({5: "attribute"}, {4: "operator", 7: "domain"}, frozenset({1, 2, 3, 6, 8, 9, 10})),
    "attribute": Shape(
        {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
        {},
        frozenset({1, 2, 3, 4, 7, 8, 9, 13, 14, 15, 20, 21}),
    ),
    "sparse": Shape({1: "tensor", 2: "tensor"}, {}, frozenset({3})),
    "tensor": Shape({13: "external"}, {}, frozenset({*range(1, 13), 14, 16})),
    "external": Shape({}, {1: "key", 2: "value"}),
}  # fmt: skip
_DOMAINS: Final = frozenset(
    {
        "", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "ai.onnx.preview",
        "com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental", "com.ms.internal.nhwc",
    }
)  # fmt: skip
"""Domains whose operators are part of the standard or of the runtime, and need no library of somebody else."""
_UNSAFE: Final = frozenset({"ATen", "EPContext", "PyOp", "PythonOp", "PythonOpGrad"})
"""Operators of the runtime that open a file they name, or call into another one."""
_EXTERNAL_KEYS: Final = frozenset({"location", "offset", "length", "checksum"})
_OPERATORS: Final = 10_000
_OFFSET: Final = re.compile(r"[0-9]{1,18}")


def inspect_onnx(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges operators and external data wherever they are in the model; weights are passed over."""
    found = Findings(context.limits.findings)
    unknown: set[str] = set()
    used: set[tuple[str, str]] = set()
    defined: set[tuple[str, str]] = set()
    graphs = 0
    try:
        for message in read_messages(source, "model", _SHAPES, context.limits.protobuf_fields):
            unknown.update(f"field {number} of a {message.kind}" for number in message.unknown)
            graphs += message.kind == "graph"
            if message.kind == "external":
                _check_external(message, found)
            elif message.kind in {"node", "function"}:
                names = used if message.kind == "node" else defined
                _add_name(names, (message.text("domain"), message.text("operator") or message.text("name")))
    except ProtobufError as problem:
        found.add("onnx.structure", Severity.HIGH, f"not a readable model: {problem}")
        return FileInspection("onnx", inspected=True, findings=found.done())
    except CapError as problem:
        return FileInspection("onnx", inspected=False, reason=str(problem), findings=found.done())
    _check_operators(used - defined, found)
    if not graphs:
        return FileInspection("onnx", inspected=False, reason="holds no graph", findings=found.done())
    if unknown:
        reason = f"holds {min(unknown)}, which is not known here"
        return FileInspection("onnx", inspected=False, reason=reason, findings=found.done())
    return FileInspection("onnx", inspected=True, findings=found.done())


def inspect_external_data(_path: str, _source: Source, _context: Context) -> FileInspection:
    """The weights of a model beside it: bytes that no loader takes for anything else."""
    return FileInspection("onnx_data", inspected=True)


def _add_name(names: set[tuple[str, str]], name: tuple[str, str]) -> None:
    """Keeps the operators that have to be judged, or are defined; raises `CapError` for more than a model has."""
    if name[0] not in _DOMAINS or name[1] in _UNSAFE:
        names.add(name)
    if len(names) > _OPERATORS:
        raise CapError("names more operators than the limit")


def _check_operators(names: set[tuple[str, str]], found: Findings) -> None:
    """`names` are without those that functions of the model itself define."""
    for domain, operator in sorted(names):
        label = f"{shown(domain, 60)}:{shown(operator, 60)}" if domain else shown(operator, 60)
        if domain not in _DOMAINS:
            message = f"operator {label} is neither of the standard nor of the model: it needs a library of its own"
            found.add("onnx.domain", Severity.HIGH, message)
        else:
            found.add("onnx.operator", Severity.HIGH, f"operator {label} reaches beyond the model")


def _check_external(message: Message, found: Findings) -> None:
    """One entry of a tensor's external data. Keys become attributes of an object in one reader, so none is free."""
    key, value = message.text("key"), message.text("value")
    if key not in _EXTERNAL_KEYS:
        found.add("onnx.external_key", Severity.HIGH, f"external data has the key {shown(key, 40)}, which is unknown")
    elif key == "location" and (not is_plain_relative(value) or "*" in value):
        found.add("onnx.external_path", Severity.HIGH, f"external data is not beside the model: {shown(value, 80)}")
    elif key in {"offset", "length"} and not _OFFSET.fullmatch(value):
        found.add("onnx.external_bounds", Severity.HIGH, f"external data is not at a number: {shown(value, 40)}")
