"""Plain text, JSON and YAML: read strictly, so that what the gate sees is what a loader sees."""

from __future__ import annotations

import codecs
import json
import tomllib
from collections.abc import Mapping
from typing import Final

from gate.formats.strict_json import StrictJsonError, loads
from gate.inspect.context import Context, Findings, shown
from gate.inspect.remote_code import scan_settings
from gate.inspect.source import Source, chunks
from gate.inspect.templates import is_template_name, judge_template
from gate.inspect.tokenizer import judge_tokenizer
from gate.inspect.values import Pairs, check_values, members
from gate.model.scan import FileInspection, Severity

_DIGITS: Final = 20
_LARGE: Final = 1 << 63
_KERAS_KEYS: Final = frozenset({"build_config", "compile_config", "keras_version", "module", "registered_name"})
_TOML_DOTS: Final = 200
"""Dots in one line: the parser takes the square of the parts of a key."""
_CONTROL: Final = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\r")


def text_problem(source: Source) -> str | None:
    """Why bytes are not plain text; `None` for UTF-8 without control characters other than tab and line ends."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks(source):
            decoder.decode(chunk)
            if len(chunk.translate(None, _CONTROL)) != len(chunk):
                return "holds control characters"
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "is not UTF-8"
    return None


def inspect_text(path: str, source: Source, context: Context) -> FileInspection:
    """Judges a file whose name says that it is text."""
    problem = text_problem(source)
    if problem is not None:
        return FileInspection("unknown", inspected=False, reason=f"named like text, but {problem}")
    return _template("text", source, context) if is_template_name(path) else FileInspection("text", inspected=True)


def inspect_template(_path: str, source: Source, context: Context) -> FileInspection:
    """Judges a file whose suffix says that it is a template."""
    problem = text_problem(source)
    if problem is not None:
        return FileInspection("jinja", inspected=False, reason=f"a template, but {problem}")
    return _template("jinja", source, context)


def _template(name: str, source: Source, context: Context) -> FileInspection:
    if source.size > context.limits.json_bytes:
        return FileInspection(name, inspected=False, reason="longer than the limit for templates")
    found = Findings(context.limits.findings)
    judge_template(source.read_at(0, source.size).decode(), found)
    return FileInspection(name, inspected=True, findings=found.done(), templates=found.templates)


def inspect_json(path: str, source: Source, context: Context) -> FileInspection:
    """Judges settings in JSON: what does not parse strictly is a finding, and read as leniently as loaders do."""
    found = Findings(context.limits.findings)
    if source.size > context.limits.json_bytes:
        return FileInspection("json", inspected=False, reason="longer than the limit for JSON")
    data = source.read_at(0, source.size)
    check_values(data, context.limits)
    try:
        root: object = loads(data, limit=len(data))
    except StrictJsonError as problem:
        root = _loose_json(data, str(problem), found)
    _scan_json(path, root, found)
    if _is_of_keras(root):
        from gate.inspect.keras import judge_classes

        judge_classes("the file", data, found)
    return FileInspection("json", True, None, found.done(), found.templates, found.base)


def _scan_json(path: str, root: object, found: Findings) -> None:
    scan_settings(path, root, found)
    judge_tokenizer(path, root, found)


def _is_of_keras(root: object) -> bool:
    """Whether settings are those of a model of Keras, which is loaded from a folder too."""
    keys = {key for key, _ in members(root)}
    return keys >= {"class_name", "config"} and not keys.isdisjoint(_KERAS_KEYS)


def _loose_json(data: bytes, problem: str, found: Findings) -> object:
    """What Python's own reader accepts is still scanned: duplicate keys all count.

    Numbers beyond int64 alone are common (`model_max_length` of tokenizers) and do not mislead anybody.
    """
    doubled: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> Pairs:
        if len({key for key, _ in items}) != len(items):
            doubled.append("duplicate keys")
        return Pairs(tuple(items))

    def constant(text: str) -> None:
        doubled.append(text)

    try:
        value: object = json.loads(data, object_pairs_hook=pairs, parse_int=_number, parse_constant=constant)
    except (ValueError, RecursionError):
        found.add("json.invalid", Severity.MEDIUM, f"does not parse: {shown(problem)}")
        return None
    if doubled or not ("int64" in problem or "too large" in problem):
        found.add("json.invalid", Severity.MEDIUM, f"parsers may differ about it: {shown(problem)}")
    else:
        found.add("json.number", Severity.NONE, shown(problem))
    return value


def _number(digits: str) -> int:
    """An integer; one of very many digits is none that anybody looks at."""
    return int(digits) if len(digits) < _DIGITS else _LARGE


def inspect_yaml(path: str, source: Source, context: Context) -> FileInspection:
    """Judges settings in YAML, as the gate reads it or else as lenient loaders do."""
    from gate.formats import strict_yaml

    if source.size > strict_yaml.MAX_BYTES:
        return FileInspection("yaml", inspected=False, reason="longer than the limit for YAML")
    found = Findings(context.limits.findings)
    try:
        scan_settings(path, _plain(strict_yaml.loads(source.read_at(0, source.size))), found)
    except strict_yaml.YamlError:
        problem = _inspect_loose_yaml(path, source, found)
        if problem is not None:
            return FileInspection("yaml", inspected=False, reason=problem)
    return FileInspection("yaml", inspected=True, findings=found.done(), templates=found.templates)


def inspect_toml(path: str, source: Source, context: Context) -> FileInspection:
    """Judges settings in TOML."""
    found = Findings(context.limits.findings)
    if source.size > context.limits.toml_bytes:
        return FileInspection("toml", inspected=False, reason="longer than the limit for TOML")
    try:
        text = source.read_at(0, source.size).decode()
        if max(line.count(".") for line in text.split("\n")) > _TOML_DOTS:
            return FileInspection("toml", inspected=False, reason="has a line of more dots than the limit for TOML")
        scan_settings(path, tomllib.loads(text), found)
    except (ValueError, RecursionError) as problem:
        return FileInspection("toml", inspected=False, reason=f"does not parse: {shown(str(problem))}")
    return FileInspection("toml", inspected=True, findings=found.done(), templates=found.templates)


def _inspect_loose_yaml(path: str, source: Source, found: Findings) -> str | None:
    """Why YAML outside of the strict subset was not inspected; `None` if it was."""
    from gate.inspect import loose_yaml

    try:
        documents, tags = loose_yaml.read(source.read_at(0, source.size).decode())
    except (UnicodeDecodeError, loose_yaml.LooseYamlError) as problem:
        return f"not YAML that is inspected: {shown(str(problem))}"
    for tag in tags:
        found.add("yaml.tag", Severity.HIGH, f"a tag makes a loader build an object: {shown(tag, 60)}")
    for document in documents:
        scan_settings(path, document, found)
    return None


def _plain(node: object) -> object:
    value = getattr(node, "value", None)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
