"""What files were digested to the last time, by what the file system says of them: a hint, for signing only.

Device, inode, size, modification and change time must all be what they were. Whoever can set the clock, or write the
file of the cache, can make it lie, so no verification reads it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats import canonical_json
from gate.formats.hashes import HEX_LENGTH, Recipe
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.json import JsonValue

MAX_BYTES: Final = 256 << 20
_REST_NS: Final = 2_000_000_000
"""A file that changed less than this before it was read could change again within the same tick of its clock."""
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class _Known:
    state: str
    digests: Mapping[str, str]


class CacheError(Exception):
    """The bytes are no hash cache that can be believed."""


class HashCache:
    """Texts of recipes by file; what was looked up or kept is written again, and so is what nobody asked for."""

    def __init__(self, files: Mapping[str, _Known] | None = None) -> None:
        self._files = dict(files or {})
        self.found = 0

    @classmethod
    def loads(cls, data: bytes) -> HashCache:
        """The cache that `dumps` wrote; raises `CacheError` for anything else."""
        try:
            value = loads_object(data, limit=MAX_BYTES)
        except StrictJsonError as error:
            raise CacheError(str(error)) from None
        files = value.get("files")
        if value.get("version") != _VERSION or not isinstance(files, Mapping):
            raise CacheError("it is no hash cache of this version")
        found = {}
        for name, item in files.items():
            state = item.get("state") if isinstance(item, Mapping) else None
            digests = item.get("digests") if isinstance(item, Mapping) else None
            if not isinstance(state, str) or not isinstance(digests, Mapping):
                raise CacheError("an entry is malformed")
            found[name] = _Known(state, {word: str(text) for word, text in digests.items()})
        return cls(found)

    def dumps(self) -> bytes:
        """The cache as canonical JSON."""
        files: dict[str, JsonValue] = {
            name: {"state": item.state, "digests": dict(item.digests)} for name, item in self._files.items()
        }
        return canonical_json.dumps({"version": _VERSION, "files": files})

    def find(self, status: os.stat_result, recipe: Recipe) -> str | None:
        """What a recipe gave for a file that looks unchanged since."""
        known = self._files.get(_name(status))
        if known is None or known.state != _state(status):
            return None
        text = known.digests.get(recipe.word)
        if text is None or len(text) != recipe.shards(status.st_size) * HEX_LENGTH[recipe.algorithm]:
            return None
        self.found += 1
        return text

    def keep(self, status: os.stat_result, recipe: Recipe, text: str, now_ns: int) -> None:
        """Remembers what a recipe gave at a time, for a file that had been at rest."""
        if now_ns - max(status.st_mtime_ns, status.st_ctime_ns) < _REST_NS:
            return
        known = self._files.get(_name(status))
        digests = known.digests if known is not None and known.state == _state(status) else {}
        self._files[_name(status)] = _Known(_state(status), {**digests, recipe.word: text})


def _name(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}"


def _state(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
