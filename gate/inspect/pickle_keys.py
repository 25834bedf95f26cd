"""Keys of dictionaries and members of sets, which an unpickler hashes as soon as it meets them.

Tuples in tuples are hashed by recursion in C, and each as often as it occurs: a chain of them ends the process, and one
that holds another twice, and that one a third, and so on, takes for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gate.inspect.pickle_values import Items, Value

_LIMIT: Final = 1000
"""Parts of one key, those of its parts included."""


def holds_costly_key(values: Iterable[Value]) -> bool:
    """Whether one of some keys has more parts than keys have."""
    return any(value.__class__ is Items and _is_costly(value) for value in values)


def _is_costly(key: Value) -> bool:
    waiting, left = [key], _LIMIT
    while waiting:
        item = waiting.pop()
        if isinstance(item, Items) and item.kind == "tuple":
            left -= 1 + len(item.items)
            if left < 0:
                return True
            waiting.extend(item.items)
    return False
