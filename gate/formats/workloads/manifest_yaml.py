"""YAML of deployment manifests: several documents, with anchors, and nothing that two readers read differently.

Unlike `strict_yaml`, which is for the gate's own files, this reads what Helm, Kustomize and people write: many
documents, anchors and aliases, any scalar. It never builds objects, follows no tag, and refuses duplicate keys and
merge keys. A scalar is a boolean, null or a plain decimal integer where YAML 1.1 and 1.2 agree about it, and text
otherwise, so `yes` or `0777` where a field wants a boolean or a number is a wrong type and not a guess. Bounded: bytes,
documents, levels and nodes; an alias is the value again, not a copy, and counts as all nodes of it, so that whoever
walks a document meets no more of them. None may stand inside of its own anchor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import yaml

from gate.formats.strict_yaml import YamlError
from gate.model.json import JsonValue

MAX_BYTES: Final = 8 << 20
MAX_DOCUMENTS: Final = 5000
MAX_NODES: Final = 500_000
MAX_DEPTH: Final = 60
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL: Final = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_PLAIN_TAGS: Final = frozenset({None, "!"})
_ODD_BREAK: Final = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
"""Ends of lines for YAML 1.1 alone: some split a file into documents at `\n---`, and some end a remark at `\n`."""


def load_documents(data: bytes) -> list[JsonValue]:
    """The documents, empty ones left out; raises `YamlError` with the place of what is wrong."""
    if len(data) > MAX_BYTES:
        raise YamlError(f"{len(data)} bytes, more than the {MAX_BYTES} allowed", 1, 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(f"not UTF-8 at byte {error.start}", data[: error.start].count(b"\n") + 1, 1) from None
    odd = _ODD_BREAK.search(text)
    if odd is not None:
        raise YamlError("a line break that not every reader knows", text.count("\n", 0, odd.start()) + 1, 1)
    try:
        return _Composer(yaml.parse(text.removeprefix("\ufeff"), Loader=_LOADER)).documents()
    except yaml.MarkedYAMLError as error:
        raise YamlError(f"not YAML: {error.problem}", *_place(error.problem_mark)) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {str(error).splitlines()[0]}", 1, 1) from None


class _Composer:
    """Plain values from the events of a parser."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str | None, tuple[JsonValue, int]] = {}
        """By name: the value, and how many nodes it has."""
        self._nodes = 0

    def documents(self) -> list[JsonValue]:
        found: list[JsonValue] = []
        for count, event in enumerate(event for event in self._events if isinstance(event, yaml.DocumentStartEvent)):
            if count >= MAX_DOCUMENTS:
                raise YamlError(f"more than {MAX_DOCUMENTS} documents", *_place(event.start_mark))
            self._anchors = {}
            first = next(self._events)
            same_line = _place(first.start_mark)[0] == _place(event.start_mark)[0]
            if event.explicit and same_line and not _is_nothing(first):
                raise YamlError("a document that starts in the line of its ---", *_place(first.start_mark))
            value = self._value(first, 0)
            if value is not None:
                found.append(value)
        return found

    def _value(self, event: yaml.Event, depth: int) -> JsonValue:
        place = _place(event.start_mark)
        self._spend(1, place)
        if depth > MAX_DEPTH:
            raise YamlError(f"more than {MAX_DEPTH} levels", *place)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise YamlError("an alias of no anchor that stands before it", *place)
            known, nodes = self._anchors[event.anchor]
            self._spend(nodes, place)
            return known
        if getattr(event, "tag", None) not in _PLAIN_TAGS:
            raise YamlError("tags are not read", *place)
        anchor = getattr(event, "anchor", None)
        self._anchors.pop(anchor, None)
        before = self._nodes
        value = self._inner(event, depth)
        if anchor is not None:
            self._anchors[anchor] = (value, self._nodes - before)
        return value

    def _spend(self, nodes: int, place: tuple[int, int]) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise YamlError(f"more than {MAX_NODES} values", *place)

    def _inner(self, event: yaml.Event, depth: int) -> JsonValue:
        if isinstance(event, yaml.ScalarEvent):
            return _plain(event.value) if not event.style and event.tag is None else str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[JsonValue] = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(item, depth + 1))
            return items
        members: dict[str, JsonValue] = {}
        while not isinstance(key_event := next(self._events), yaml.MappingEndEvent):
            key, place = self._value(key_event, depth + 1), _place(key_event.start_mark)
            if not isinstance(key, str):
                raise YamlError("a key that is not text", *place)
            if key == "<<":
                raise YamlError("merge keys are not read", *place)
            if key in members:
                raise YamlError(f"duplicate key {key[:80]!r}", *place)
            members[key] = self._value(next(self._events), depth + 1)
        return members


def _is_nothing(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.style and not event.value


def _plain(text: str) -> JsonValue:
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    return int(text) if _INTEGER.fullmatch(text) else text


def _place(mark: object) -> tuple[int, int]:
    return getattr(mark, "line", 0) + 1, getattr(mark, "column", 0) + 1
