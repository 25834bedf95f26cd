"""Fields of a manifest with the types that the platform gives them: anything else is a problem, never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gate.model.json import JsonValue

_NOTHING: Final = re.compile(r"[+-]?[0.]*([eE][+-]?[0-9]+|[A-Za-z]*)")


def is_amount(value: JsonValue) -> bool:
    """Whether a quantity is more than nothing, which for a limit means none."""
    return value is not None and not _NOTHING.fullmatch(str(value))


class Fields:
    """A mapping. A field that is absent or null is not set; one of another type is a problem, and not set either."""

    def __init__(self, value: JsonValue, place: str, problems: list[str]) -> None:
        if value is not None and not isinstance(value, Mapping):
            problems.append(f"{place or 'the document'} is not a mapping")
        self.value: Mapping[str, JsonValue] = value if isinstance(value, Mapping) else {}
        self.place = place
        self.problems = problems

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self.value.get(name)
        if isinstance(value, bool):
            return value
        self._wrong(name, value, "true or false")
        return None

    def number(self, name: str) -> int | None:
        """A whole number."""
        value = self.value.get(name)
        if type(value) is int:
            return value
        self._wrong(name, value, "a whole number")
        return None

    def text(self, name: str) -> str | None:
        """A text, which may be empty."""
        value = self.value.get(name)
        if isinstance(value, str):
            return value
        self._wrong(name, value, "text")
        return None

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        items = self._list(name)
        found = [item for item in items if isinstance(item, str)]
        if len(found) < len(items):
            self._wrong(name, items, "a list of texts")
        return found

    def part(self, name: str) -> Fields:
        """A mapping in it."""
        return Fields(self.value.get(name), self._below(name), self.problems)

    def parts(self, name: str) -> list[Fields]:
        """A list of mappings in it."""
        return [
            Fields({} if item is None else item, f"{self._below(name)}[{number}]", self.problems)
            for number, item in enumerate(self._list(name))
        ]

    def has(self, name: str) -> bool:
        """Whether it is set at all."""
        return self.value.get(name) is not None

    def _list(self, name: str) -> Sequence[JsonValue]:
        value = self.value.get(name)
        if isinstance(value, list):
            return value
        self._wrong(name, value, "a list")
        return []

    def _wrong(self, name: str, value: JsonValue, wanted: str) -> None:
        if value is not None:
            self.problems.append(f"{self._below(name)} is not {wanted}")

    def _below(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name
