"""A quick look over a whole JSON value for texts that were found to be harmless before.

Nearly all texts of a document are those of the documents before it: names of members, titles of controls, digests. They
are taken out of its JSON text together and compared with the ones that are known; only others are looked at. A text is
known by itself, all of it, and nothing is remembered of one that is not harmless.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from typing import Final

from gate._native import canonical_json
from gate.model.json import JsonValue

_KEPT: Final = 4 << 20
"""Characters that are remembered, twice, each text counting for some more."""
_MORE: Final = 100
_LONGEST: Final = 4096
"""Of the texts that are remembered."""
_LARGEST: Final = 4 << 20
"""Of the JSON texts that are looked at in this way, in characters: taking all texts out of more costs much memory."""
_STRING: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"')
_FEW: Final = 32
"""Texts that each are looked for in all of it."""
Test = Callable[[str], bool]


class CleanTexts:
    """The texts that a test was true for, as many as are worth remembering. May be shared by threads."""

    def __init__(self, is_clean: Test, is_name: Test, kept: int = _KEPT) -> None:
        """`is_name` tells a text that makes a secret of what it names, where it names a text."""
        self._is_clean, self._is_name = is_clean, is_name
        self._most, self._kept = kept, 0
        self._young: set[str] = set()
        self._old: set[str] = set()
        self._lock = threading.Lock()

    def text(self, value: JsonValue) -> str | None:
        """The canonical form of the value; `None` unless all texts in it are clean, and none is named so.

        `None` also for what is too large to be looked at, and for what has no canonical form.
        """
        try:
            text = canonical_json(value)
        except (TypeError, ValueError):
            return None
        return text if len(text) <= _LARGEST and self._holds(text) else None

    def _holds(self, text: str) -> bool:
        """Whether the texts in a JSON text are clean, and none of them that is a name makes a secret of a text."""
        found = set(_STRING.findall(text) if "\\" in text else text.split('"')[1::2])
        left = found - self._young
        known = left & self._old
        left -= known
        names = [raw for raw in left if self._is_name(_read(raw))]
        if len(names) > _FEW or any(f'"{raw}":"' in text for raw in names):
            return False
        if not all(self._is_clean(_read(raw)) for raw in left):
            return False
        self._remember(known)
        self._remember(left.difference(names))
        return True

    def _remember(self, texts: Iterable[str]) -> None:
        """When there is no more room, the texts that nobody asked for since the last time are forgotten."""
        wanted = {raw for raw in texts if len(raw) <= _LONGEST}
        if not wanted:
            return
        with self._lock:
            self._kept += sum(len(raw) + _MORE for raw in wanted - self._young)
            self._young |= wanted
            if self._kept > self._most:
                self._old, self._young, self._kept = self._young, set(), 0


def _read(raw: str) -> str:
    """The text that stands between two quotes of JSON."""
    if "\\" not in raw:
        return raw
    text: str = json.loads(f'"{raw}"')
    return text
