"""Values of a JSON document that fits its schema, read as what the schema says they are.

A value that is not what it is read as raises `ValueError`: then the schema and its reader do not agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gate.model.digest import Digest, parse_digest
from gate.model.json import JsonObject, JsonValue


class Checked:
    """An object of such a document."""

    __slots__ = ("_value",)

    def __init__(self, value: JsonValue) -> None:
        """Raises `ValueError` for what is no object."""
        if not isinstance(value, Mapping):
            raise ValueError("not an object")  # noqa: TRY004 - one error for all
        self._value: JsonObject = value

    @property
    def value(self) -> JsonObject:
        """The object itself."""
        return self._value

    def raw(self, key: str) -> JsonValue:
        """Any value."""
        try:
            return self._value[key]
        except KeyError:
            raise ValueError(f"there is no {key}") from None

    def has(self, key: str) -> bool:
        """Whether there is such a member; older documents lack some."""
        return key in self._value

    def text(self, key: str) -> str:
        """A string."""
        return _text(self.raw(key))

    def maybe_text(self, key: str) -> str | None:
        """A string or null."""
        return None if self.raw(key) is None else self.text(key)

    def number(self, key: str) -> int:
        """An integer."""
        found = self.raw(key)
        if isinstance(found, bool) or not isinstance(found, int):
            raise ValueError(f"{key} is no integer")  # noqa: TRY004 - one error for all
        return found

    def maybe_number(self, key: str) -> int | None:
        """An integer or null."""
        return None if self.raw(key) is None else self.number(key)

    def flag(self, key: str) -> bool:
        """A boolean."""
        found = self.raw(key)
        if not isinstance(found, bool):
            raise ValueError(f"{key} is neither true nor false")  # noqa: TRY004 - one error for all
        return found

    def digest(self, key: str) -> Digest:
        """A digest."""
        return _digest(self.raw(key))

    def maybe_digest(self, key: str) -> Digest | None:
        """A digest or null."""
        return None if self.raw(key) is None else self.digest(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(map(_text, self._items(key)))

    def digests(self, key: str) -> tuple[Digest, ...]:
        """A list of digests."""
        return tuple(map(_digest, self._items(key)))

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of integers."""
        return tuple(Checked({"": item}).number("") for item in self._items(key))

    def objects(self, key: str) -> tuple[Checked, ...]:
        """A list of objects."""
        return tuple(map(Checked, self._items(key)))

    def object(self, key: str) -> Checked:
        """An object."""
        return Checked(self.raw(key))

    def maybe_object(self, key: str) -> Checked | None:
        """An object or null."""
        return None if self.raw(key) is None else self.object(key)

    def members(self, key: str) -> Iterator[tuple[str, Checked]]:
        """The objects of an object, sorted by key."""
        return ((name, Checked(value)) for name, value in self._sorted(key))

    def digests_by_name(self, key: str) -> dict[str, Digest]:
        """The digests of an object, sorted by key."""
        return {name: _digest(value) for name, value in self._sorted(key)}

    def texts_by_name(self, key: str) -> dict[str, str]:
        """The strings of an object, sorted by key."""
        return {name: _text(value) for name, value in self._sorted(key)}

    def _sorted(self, key: str) -> list[tuple[str, JsonValue]]:
        return sorted(self.object(key).value.items(), key=lambda pair: pair[0])

    def _items(self, key: str) -> list[JsonValue]:
        found = self.raw(key)
        if not isinstance(found, list):
            raise ValueError(f"{key} is no list")  # noqa: TRY004 - one error for all
        return found


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise ValueError("no text where one has to be")  # noqa: TRY004 - one error for all
    return value


def _digest(value: JsonValue) -> Digest:
    found = parse_digest(_text(value))
    if found is None:
        raise ValueError("no digest where one has to be")
    return found
