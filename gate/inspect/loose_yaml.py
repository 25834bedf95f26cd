"""YAML as loaders read it that are less strict than the gate: every member of every object, and nothing is built.

An alias is what it stands for, so that keys and values are seen that are written somewhere else. How much all aliases
together stand for has a limit, so that no document grows without bounds while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from gate.inspect.values import Pairs

_DEPTH: Final = 100
_ALIASED: Final = 100_000
"""Values that all aliases of a text may stand for; a long text counts as several."""
_TEXT: Final = 100
_MERGED: Final = "<<"
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FALSE: Final = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_CORE: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = frozenset(
    _CORE + name for name in ("binary", "bool", "float", "int", "map", "null", "omap", "seq", "set", "str", "timestamp")
)


class LooseYamlError(Exception):
    """The text is not YAML; the text of the error says where."""


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended; a mapping's keys and values alternate. `size` counts what is inside."""

    is_mapping: bool
    anchor: str | None
    items: list[object] = field(default_factory=list)
    size: int = 1

    def value(self) -> object:
        """What it is, now that it has ended."""
        if not self.is_mapping:
            return self.items
        pairs = zip(self.items[::2], self.items[1::2], strict=True)
        return Pairs(tuple(member for key, value in pairs for member in _members(key, value)))


def _members(key: object, value: object) -> Iterator[tuple[str, object]]:
    """A member of a mapping, or those of other mappings that are merged into it."""
    merged = value if isinstance(value, list) else [value]
    if key == _MERGED and all(isinstance(item, Pairs) for item in merged):
        yield from (member for item in merged if isinstance(item, Pairs) for member in item.items)
    else:
        yield (key, value) if isinstance(key, str) else ("?", [key, value])


@dataclass(slots=True)
class _Reading:
    """One text on its way: what is open, and what anchors stand for, with its size."""

    documents: list[object] = field(default_factory=list)
    waiting: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[object, int]] = field(default_factory=dict)
    aliased: int = 0

    def open(self, event: yaml.CollectionStartEvent) -> None:
        """A list or mapping begins. What its anchor stood for before is not meant inside of it."""
        self.anchors.pop(event.anchor or "", None)
        self.waiting.append(_Open(isinstance(event, yaml.MappingStartEvent), event.anchor))
        if len(self.waiting) > _DEPTH:
            raise LooseYamlError(f"more than {_DEPTH} levels")

    def close(self) -> None:
        """A list or mapping ends. Its anchor was written before one of the same name that is inside of it."""
        ended = self.waiting.pop()
        inside = ended.anchor in self.anchors
        self.add(ended.value(), ended.size, None if inside else ended.anchor)

    def repeat(self, name: str) -> None:
        """An alias."""
        if name not in self.anchors:
            raise LooseYamlError("an alias stands for nothing that has ended before it")
        value, size = self.anchors[name]
        self.aliased += size
        if self.aliased > _ALIASED:
            raise LooseYamlError(f"aliases stand for more than {_ALIASED} values")
        self.add(value, size, None)

    def add(self, value: object, size: int, anchor: str | None) -> None:
        """A value that is complete."""
        if anchor is not None:
            self.anchors[anchor] = value, size
        if self.waiting:
            self.waiting[-1].items.append(value)
            self.waiting[-1].size += size
        else:
            self.documents.append(value)
            self.anchors.clear()


def read(text: str) -> tuple[list[object], tuple[str, ...]]:
    """All documents of a text, and the tags in it that stand for objects of some program's own.

    Raises `LooseYamlError`.
    """
    reading = _Reading()
    tags: dict[str, None] = {}
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            tag = getattr(event, "tag", None)
            if tag not in {None, "!"} and tag not in _PLAIN_TAGS:
                tags.setdefault(str(tag))
            if isinstance(event, yaml.CollectionStartEvent):
                reading.open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                reading.close()
            elif isinstance(event, yaml.AliasEvent):
                reading.repeat(event.anchor or "")
            elif isinstance(event, yaml.ScalarEvent):
                reading.add(_scalar(event), 1 + len(event.value) // _TEXT, event.anchor)
    except yaml.YAMLError as problem:
        raise LooseYamlError(str(problem).partition("\n")[0]) from None
    return reading.documents, tuple(tags)


def _scalar(event: yaml.ScalarEvent) -> object:
    """A text, or what is empty or false; a key is its text in any case."""
    if not event.implicit[0]:
        return event.value
    return None if event.value in _NOTHING else False if event.value in _FALSE else event.value
