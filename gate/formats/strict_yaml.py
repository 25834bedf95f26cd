"""YAML for configuration: a safe subset with places (SECURITY 18).

One document, mappings with unique string keys, sequences and scalars of the YAML 1.2 core schema. No anchors,
aliases, tags, directives, merge keys, NaN or infinity; at most 256 KiB and 20 levels. What YAML 1.1 and 1.2 read
differently as a number (`010`) or as the end of a line (and of a comment) is refused, so that the file says to a
reader what it says to the gate. Each node knows its line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

import yaml

from gate.model.json import JsonValue

MAX_BYTES: Final = 256 << 10
MAX_DEPTH: Final = 20
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL: Final = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,14})")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,20}")
_NUMBER_LIKE: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")
_NOT_A_NUMBER: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAYBE_NO_TEXT: Final = frozenset("0123456789+-.~nNtTfF")
"""What begins every plain scalar that is a number, true, false or nothing."""
_DIRECTIVE: Final = re.compile(r"(?:[ \t]*+(?:#[^\r\n]*+)?\r?\n)*+%")
_ODD_LINE_BREAK: Final = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Mark(Protocol):
    line: int
    column: int


class YamlError(ValueError):
    """Something is wrong at a line and column, both counted from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands."""

    value: Mapping[str, Node] | tuple[Node, ...] | str | int | bool | Decimal | None
    line: int
    column: int
    keys: Mapping[str, tuple[int, int]]

    def error(self, message: str) -> YamlError:
        """An error at this place."""
        return YamlError(message, self.line, self.column)

    def fields(self, *known: str) -> Mapping[str, Node]:
        """The members of a mapping; an unknown key is an error that names the nearest known one."""
        members = self.members()
        for key in members:
            if key not in known:
                line, column = self.keys[key]
                raise YamlError(f"unknown key {_short(key)}{suggestion(key, known)}", line, column)
        return members

    def members(self) -> Mapping[str, Node]:
        """The members of a mapping with keys of the user's choice."""
        if not isinstance(self.value, Mapping):
            raise self.error(f"expected a mapping, found {_kind(self.value)}")
        return self.value

    def items(self) -> Sequence[Node]:
        """The items of a sequence."""
        if not isinstance(self.value, tuple):
            raise self.error(f"expected a list, found {_kind(self.value)}")
        return self.value

    def text(self) -> str:
        """A string that is not blank."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.error(f"expected text, found {_kind(self.value)}")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A sequence of strings that are not blank."""
        return tuple(item.text() for item in self.items())

    def choice(self, *words: str) -> str:
        """One of some words."""
        text = self.text()
        if text not in words:
            raise self.error(f"{_short(text)} is not one of {', '.join(words)}{suggestion(text, words)}")
        return text

    def is_integer(self, number: int) -> bool:
        """Whether this is exactly that integer; `true` is not 1."""
        return type(self.value) is int and self.value == number

    def json(self) -> JsonValue:
        """The plain value."""
        if isinstance(self.value, Mapping):
            return {key: node.json() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.json() for node in self.value]
        return str(self.value) if isinstance(self.value, Decimal) else self.value

    def number(self) -> Decimal:
        """A number, with the value that was written."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | Decimal):
            raise self.error(f"expected a number, found {_kind(self.value)}")
        return Decimal(self.value)


def suggestion(word: str, known: Sequence[str]) -> str:
    """`; did you mean ...?` for the nearest known word, or what is known."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(sorted(known))}" if len(known) <= 24 else ""


def loads(data: bytes, *, decimals: bool = False, limit: int = MAX_BYTES) -> Node:
    """The root node of a document; raises `YamlError`. With `decimals`, a plain `0.25` is a number."""
    if len(data) > limit:
        raise YamlError(f"{len(data)} bytes, more than the {limit} allowed", 1, 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(f"not UTF-8 at byte {error.start}", data[: error.start].count(b"\n") + 1, 1) from None
    if text.startswith("\ufeff"):
        raise YamlError("starts with a byte order mark", 1, 1)
    if odd := _ODD_LINE_BREAK.search(text):
        raise YamlError(f"a line break that not every reader sees: {odd[0]!r}", *_position(text, odd.start()))
    if directive := _DIRECTIVE.match(text):
        raise YamlError("directives are not allowed", *_position(text, directive.end() - 1))
    try:
        return _document(yaml.parse(text, Loader=_LOADER), _Scalars(decimals))
    except yaml.reader.ReaderError as error:
        what = f"the character #x{error.character:04x} is not allowed"
        raise YamlError(f"not YAML: {what}", *_position(text, text.index(chr(error.character)))) from None
    except yaml.MarkedYAMLError as error:
        raise YamlError(f"not YAML: {error.problem}", *_place(error.problem_mark)) from None


def _position(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


@dataclass(frozen=True, slots=True)
class _Scalars:
    decimals: bool

    def value(self, event: yaml.ScalarEvent) -> str | int | bool | Decimal | None:
        if event.style:
            return _text(event)
        if self.decimals and _DECIMAL.fullmatch(event.value):
            return Decimal(event.value)
        return _plain(event)


def _document(events: Iterator[yaml.Event], scalars: _Scalars) -> Node:
    root: Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                raise YamlError("more than one document", *_place(event.start_mark))
            root = _node(next(events), events, 0, scalars)
    if root is None or root.value is None:
        raise YamlError("the document is empty", 1, 1)
    return root


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int, scalars: _Scalars) -> Node:
    place = _place(event.start_mark)
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise YamlError("anchors and aliases are not allowed", *place)
    if getattr(event, "tag", None) is not None:
        raise YamlError("tags are not allowed", *place)
    if depth > MAX_DEPTH:
        raise YamlError(f"more than {MAX_DEPTH} levels", *place)
    if isinstance(event, yaml.ScalarEvent):
        return Node(scalars.value(event), *place, {})
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            items.append(_node(item, events, depth + 1, scalars))
        return Node(tuple(items), *place, {})
    members: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    while not isinstance(key_event := next(events), yaml.MappingEndEvent):
        key = _node(key_event, events, depth + 1, scalars)
        if not isinstance(key.value, str):
            raise key.error(f"a key must be text, found {_kind(key.value)}; quote it if it is meant as text")
        if key.value == "<<":
            raise key.error("merge keys are not allowed")
        if key.value in members:
            raise key.error(f"duplicate key {_short(key.value)}")
        keys[key.value] = (key.line, key.column)
        members[key.value] = _node(next(events), events, depth + 1, scalars)
    return Node(members, *place, keys)


def _text(event: yaml.ScalarEvent) -> str:
    text: str = event.value
    if _SURROGATE.search(text):
        raise YamlError("a lone surrogate is no character", *_place(event.start_mark))
    return text


def _plain(event: yaml.ScalarEvent) -> str | int | bool | None:
    text: str = event.value
    if text and text[0] not in _MAYBE_NO_TEXT:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _NUMBER_LIKE.fullmatch(text) or _NOT_A_NUMBER.fullmatch(text):
        raise YamlError(
            f"{text[:40]} is no number the gate reads; write an integer, or quote it", *_place(event.start_mark)
        )
    return text


def _place(mark: _Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, str):
        return "text" if value.strip() else "empty text"
    return "a list" if isinstance(value, tuple) else f"{value!r}".lower()
