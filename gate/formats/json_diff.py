"""What differs between two JSON values, place by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from gate.formats.canonical_json import dumps
from gate.model.difference import Difference
from gate.model.json import JsonValue
from gate.model.policy import Presence


def differences(old: JsonValue, new: JsonValue, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """The differences of two values, sorted by place; none where both have the same canonical form.

    Objects are compared member by member. Lists are compared as collections: items that only one of them has are
    added or removed, and one that is only in another order is changed as a whole. Raises `CanonicalJsonError` for
    what has no canonical form.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted(old.keys() | new.keys()):
            if name not in new:
                yield Difference((*path, name), Presence.REMOVED, old=old[name])
            elif name not in old:
                yield Difference((*path, name), Presence.ADDED, new=new[name])
            else:
                yield from differences(old[name], new[name], (*path, name))
    elif _is_list(old) and _is_list(new):
        yield from _lists(old, new, path)
    elif dumps(old) != dumps(new):
        yield Difference(path, Presence.CHANGED, old, new)


def _lists(old: JsonValue, new: JsonValue, path: tuple[str, ...]) -> Iterator[Difference]:
    before, after = _items(old), _items(new)
    if [text for text, _ in before] == [text for text, _ in after]:
        return
    counts = Counter(text for text, _ in before), Counter(text for text, _ in after)
    gone, came = counts[0] - counts[1], counts[1] - counts[0]
    yield from (Difference(path, Presence.REMOVED, old=item) for item in _taken(before, gone))
    yield from (Difference(path, Presence.ADDED, new=item) for item in _taken(after, came))
    if not gone and not came:
        yield Difference(path, Presence.CHANGED, old, new)


def _items(value: JsonValue) -> list[tuple[bytes, JsonValue]]:
    return [(dumps(item), item) for item in value] if isinstance(value, Sequence) else []


def _taken(items: Sequence[tuple[bytes, JsonValue]], counts: Counter[bytes]) -> Iterator[JsonValue]:
    """The items that are counted, as often as they are."""
    left = Counter(counts)
    for text, item in items:
        if left[text] > 0:
            left[text] -= 1
            yield item


def _is_list(value: JsonValue) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
