"""Settings of Keras models: JSON that names the classes that a loader builds, in `.keras` files and in H5 files.

What runs code that the settings carry or fetch is a finding, and so is each name outside of Keras: whether `safe_mode`
is on is up to whoever loads it, and it was not a boundary (CVE-2024-3660, CVE-2025-1550, CVE-2025-8747, CVE-2025-9906,
CVE-2025-49655, CVE-2026-1462).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from gate.inspect.context import Context, Findings, shown
from gate.inspect.source import BytesSource, Source
from gate.inspect.values import check_values
from gate.model.scan import FileInspection, Severity

_LIBRARIES: Final = frozenset({"keras", "keras_cv", "keras_hub", "keras_nlp", "tf_keras"})
_FAMILIES: Final = frozenset(
    {
        "activations", "constraints", "dtype_policies", "engine", "initializers", "layers", "losses", "metrics",
        "models", "optimizers", "quantizers", "random", "regularizers", "tokenizers",
    }
)  # fmt: skip
"""Modules of Keras whose classes build models; others hold functions that fetch, read and write."""
_FUNCTIONS: Final = frozenset({"activations", "initializers", "losses", "metrics"})
_CODE: Final = frozenset({"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
"""Classes that run code out of the settings, or load a model of another library."""
_VALUES: Final = frozenset(
    {"__bytes__", "__complex__", "__dict__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__tensor__", "__tuple__"}
)
_PATHS: Final = frozenset({"vocabulary", "vocabulary_path", "filepath", "file_path", "merges", "proto", "idf_weights"})
_CLASS: Final = re.compile(r"[A-Z]\w*")


class _Members(tuple[tuple[str, object], ...]):
    """An object with all its members, doubled ones too."""

    __slots__ = ()


def inspect_settings(path: str, source: Source, context: Context) -> FileInspection:
    """Judges the settings of a model in a file of their own."""
    found = Findings(context.limits.findings)
    if source.size > context.limits.json_bytes:
        return FileInspection("json", inspected=False, reason="longer than the limit for JSON")
    judge_settings(path, source.read_at(0, source.size), context, found)
    return FileInspection("json", inspected=True, findings=found.done())


def judge_settings(name: str, data: bytes, context: Context, found: Findings) -> None:
    """Adds what the settings of a model do; they are read as leniently as Keras reads them. Raises `CapError`."""
    check_values(data, context.limits)
    if judge_classes(name, data, found):
        found.extend(context.nested(f"{name}.json", BytesSource(data), context).findings)


def judge_classes(name: str, data: bytes, found: Findings) -> bool:
    """Adds what a loader of Keras would build and read by settings; says whether they are JSON."""
    try:
        root: object = json.loads(data.decode("utf-8"), object_pairs_hook=_Members, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        found.add("keras.invalid", Severity.HIGH, f"{shown(name, 40)} is not JSON")
        return False
    for members in _objects(root):
        if len(dict(members)) != len(members):
            found.add("keras.invalid", Severity.HIGH, "an object has two members of the same name")
        for key, value in members:
            if key in _PATHS and isinstance(value, str) and value:
                message = f"{key} is the path of a file that a loader reads: {shown(value, 60)}"
                found.add("keras.path", Severity.HIGH, message)
        _judge_object(dict(members), found)
    return True


def _objects(root: object) -> Iterator[_Members]:
    """Every object at any depth, without recursion."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, _Members):
            yield value
            waiting.extend(item for _, item in value)
        elif isinstance(value, list):
            waiting.extend(value)


def _judge_object(members: Mapping[str, object], found: Findings) -> None:
    name, module, registered = (members.get(key) for key in ("class_name", "module", "registered_name"))
    if name is None:
        return
    if not isinstance(name, str):
        found.add("keras.class", Severity.HIGH, "a class is not named by a text")
        return
    plain = name.rpartition(">")[2]
    if plain in _CODE:
        found.add("keras.code", Severity.HIGH, f"{shown(name, 60)} runs code that comes with the model, or loads it")
    if module is not None and name not in _VALUES and not is_building_block(module, plain):
        where = shown(module, 60) if isinstance(module, str) else "no module"
        found.add("keras.module", Severity.HIGH, f"{shown(name, 60)} of {where} is no building block of Keras")
    for label in (name, registered):
        if label is not None and not _is_own_name(label, plain):
            shown_label = shown(label, 60) if isinstance(label, str) else "an unreadable name"
            found.add("keras.registered", Severity.HIGH, f"{shown_label} is registered by code outside of Keras")


def is_building_block(module: object, name: str) -> bool:
    """Whether a class or function of a module is one of those of Keras that models are made of."""
    if not isinstance(module, str):
        return False
    library, *rest = [part for part in module.split(".") if part not in {"src", "api"}]
    if library not in _LIBRARIES or not (_CLASS.fullmatch(name) or name == "function"):
        return False
    family = rest[0] if rest else "models"
    return family in (_FUNCTIONS if name == "function" else _FAMILIES)


def _is_own_name(label: object, name: str) -> bool:
    """Whether the name under which a class is looked up is its own, or of a library of Keras."""
    if not isinstance(label, str):
        return False
    package, mark, _ = label.rpartition(">")
    return package in _LIBRARIES if mark else label == name
