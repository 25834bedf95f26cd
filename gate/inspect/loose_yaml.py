"""YAML as loaders read it that are less strict than the gate: every member of every object, nothing built or expanded.

What an alias stands for was seen where its anchor is, so that no document grows while it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import yaml

from gate.inspect.values import Pairs

_DEPTH: Final = 100
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
    """A list or mapping that has not ended; a mapping's keys and values alternate."""

    is_mapping: bool
    items: list[object] = field(default_factory=list)

    def value(self) -> object:
        """What it is, now that it has ended."""
        if not self.is_mapping:
            return self.items
        pairs = zip(self.items[::2], self.items[1::2], strict=True)
        return Pairs(tuple((key, value) if isinstance(key, str) else ("?", [key, value]) for key, value in pairs))


def read(text: str) -> tuple[list[object], tuple[str, ...]]:
    """All documents of a text, and the tags in it that stand for objects of some program's own.

    Raises `LooseYamlError`.
    """
    documents: list[object] = []
    waiting: list[_Open] = []
    tags: dict[str, None] = {}
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            tag = getattr(event, "tag", None)
            if tag not in {None, "!"} and tag not in _PLAIN_TAGS:
                tags.setdefault(str(tag))
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                waiting.append(_Open(isinstance(event, yaml.MappingStartEvent)))
                if len(waiting) > _DEPTH:
                    raise LooseYamlError(f"more than {_DEPTH} levels")
                continue
            if isinstance(event, yaml.ScalarEvent):
                value = _scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                value = None
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                value = waiting.pop().value()
            else:
                continue
            (waiting[-1].items if waiting else documents).append(value)
    except yaml.YAMLError as problem:
        raise LooseYamlError(str(problem).partition("\n")[0]) from None
    return documents, tuple(tags)


def _scalar(event: yaml.ScalarEvent) -> object:
    """A text, or what is empty or false; a key is its text in any case."""
    if not event.implicit[0]:
        return event.value
    return None if event.value in _NOTHING else False if event.value in _FALSE else event.value
