"""skops: an archive whose `schema.json` says which classes and functions a loader builds the object out of.

What a loader trusts by default is on lists here; everything else is a finding, whatever the loader is told to trust.
Nodes for methods and operators look attributes up by name (CVE-2025-54412, CVE-2025-54413), so there is no good one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from gate.formats.strict_json import StrictJsonError, loads
from gate.inspect.context import Context, Findings, shown
from gate.inspect.source import Source
from gate.inspect.values import check_values
from gate.model.json import JsonValue
from gate.model.scan import FileInspection, Severity

_LOADERS: Final = frozenset(
    {
        "BytearrayNode", "BytesNode", "CachedNode", "DTypeNode", "DefaultDictNode", "DictNode", "FunctionNode",
        "JsonNode", "ListNode", "LossNode", "MaskedArrayNode", "NdArrayNode", "ObjectNode", "OrderedDictNode",
        "PartialNode", "RandomGeneratorNode", "RandomStateNode", "ReduceNode", "SetNode", "SGDNode", "SliceNode",
        "SparseMatrixNode", "TreeNode", "TupleNode", "TypeNode", "_DictWithDeprecatedKeysNode",
    }
)  # fmt: skip
_VALUES: Final[Mapping[str, frozenset[str]]] = {
    "builtins": frozenset(
        {
            "NoneType", "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "set",
            "slice", "str", "tuple", "type",
        }
    ),
    "collections": frozenset({"OrderedDict", "defaultdict"}),
    "functools": frozenset({"partial"}),
    "numpy": frozenset(
        {
            "bool", "bool_", "dtype", "float16", "float32", "float64", "generic", "int16", "int32", "int64", "int8",
            "ndarray", "str_", "uint16", "uint32", "uint64", "uint8",
        }
    ),
    "numpy.ma": frozenset({"MaskedArray"}),
    "numpy.random": frozenset({"Generator", "RandomState"}),
    "scipy.sparse": frozenset({"csc_array", "csc_matrix", "csr_array", "csr_matrix"}),
}  # fmt: skip
"""Classes by module; of scikit-learn all classes are."""
_FUNCTIONS: Final[Mapping[str, frozenset[str]]] = {
    "numpy": frozenset(
        {
            "abs", "absolute", "arctan", "cbrt", "ceil", "cos", "exp", "exp2", "expm1", "floor", "log", "log10",
            "log1p", "log2", "negative", "reciprocal", "rint", "sign", "sin", "sqrt", "square", "tan", "tanh",
        }
    ),
    "scipy.special": frozenset({"expit", "gammaln", "log1p", "logit"}),
}  # fmt: skip
_PRIVATE: Final = re.compile(r"\._\w+(?=\.|$)|\.core(?=\.|$)")
_CLASS: Final = re.compile(r"_?[A-Z]\w*")


def inspect_settings(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges the `schema.json` of an archive."""
    found = Findings(context.limits.findings)
    if source.size > context.limits.json_bytes:
        return FileInspection("json", inspected=False, reason="longer than the limit for JSON")
    data = source.read_at(0, source.size)
    check_values(data, context.limits)
    try:
        root = loads(data, limit=source.size)
    except StrictJsonError as problem:
        found.add("skops.schema", Severity.HIGH, f"the schema is not strict JSON: {shown(str(problem))}")
        return FileInspection("json", inspected=True, findings=found.done())
    for node in _nodes(root):
        _judge(node, found)
    return FileInspection("json", inspected=True, findings=found.done())


def _nodes(root: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    """Every object at any depth that says what it is, without recursion."""
    waiting: list[JsonValue] = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            if {"__class__", "__module__", "__loader__"} & value.keys():
                yield value
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)


def _judge(node: Mapping[str, JsonValue], found: Findings) -> None:
    loader, module, name = node.get("__loader__"), node.get("__module__"), node.get("__class__")
    if not (isinstance(loader, str) and isinstance(module, str) and isinstance(name, str)):
        found.add("skops.node", Severity.HIGH, "a node does not say by texts what it is")
    elif loader not in _LOADERS:
        found.add("skops.loader", Severity.HIGH, f"node {shown(loader, 40)} is not one of those that only build data")
    elif not (_is_function(module, name) if loader == "FunctionNode" else _is_class(module, name)):
        found.add("skops.type", Severity.HIGH, f"{shown(module, 60)}.{shown(name, 60)} is not on the list")


def _is_function(module: str, name: str) -> bool:
    return name in _FUNCTIONS.get(module, ())


def _is_class(module: str, name: str) -> bool:
    if module.partition(".")[0] == "sklearn":
        return _CLASS.fullmatch(name) is not None
    return name in _VALUES.get(_PRIVATE.sub("", module), ())
