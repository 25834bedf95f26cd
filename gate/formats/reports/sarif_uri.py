"""Where a SARIF location points: relative and file URIs, base ids, indices into the list of artifacts (3.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from gate.formats.reports.common import Locator, Place, optional_object, optional_text
from gate.model.json import JsonObject

_POSITION: Final = re.compile(r" \(pos [0-9]+\)\Z")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+://")
_FILE: Final = re.compile(r"file:(?://(?:localhost)?)?(?=/)", re.IGNORECASE)
_BASE_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Uris:
    """The locations of one run. `listed` is its list of artifacts."""

    locator: Locator
    bases: JsonObject
    listed: tuple[JsonObject, ...]

    def places(self, locations: Sequence[JsonObject]) -> tuple[Place, ...]:
        """The files of artifacts that locations name, each once, in their order."""
        found: dict[Place, None] = {}
        for location in locations:
            physical = optional_object(location, "physicalLocation")
            place = self.place(optional_object(physical, "artifactLocation"))
            if place is not None:
                found[place] = None
        return tuple(found)

    def place(self, location: JsonObject) -> Place | None:
        """The file of an artifact that an artifactLocation names."""
        index = location.get("index")
        if "uri" not in location and isinstance(index, int) and 0 <= index < len(self.listed):
            location = optional_object(self.listed[index], "location")
        uri = optional_text(location, "uri")
        if not uri:
            return None
        base = self._base(optional_text(location, "uriBaseId"))
        # modelaudit writes the position in a pickle behind the path; not every tool escapes what it must.
        for text in (uri, _POSITION.sub("", uri), uri.partition("?")[0].partition("#")[0]):
            place = self._find(base, text)
            if place is not None:
                return place
        return None

    def _find(self, base: str, text: str) -> Place | None:
        path = _path(text)
        if path is None:
            return None
        for candidate in dict.fromkeys((unquote_to_bytes(path).decode("utf-8", "surrogateescape"), path)):
            joined = candidate if candidate.startswith("/") or not base else f"{base}/{candidate}"
            place = self.locator.find(joined)
            if place is not None:
                return place
        return None

    def _base(self, name: str) -> str:
        """The folder that a base id stands for; an unknown one (usually the checkout) is the root."""
        parts: list[str] = []
        for _ in range(_BASE_DEPTH):
            entry = optional_object(self.bases, name)
            path = _path(optional_text(entry, "uri")) or ""
            parts.append(unquote_to_bytes(path).decode("utf-8", "surrogateescape").rstrip("/"))
            name = optional_text(entry, "uriBaseId")
            if not name or path.startswith("/"):
                break
        return "/".join(part for part in reversed(parts) if part)


def _path(uri: str) -> str | None:
    """The path of a relative or file URI; `None` for a URI of another scheme."""
    path = _FILE.sub("", uri, count=1) if _FILE.match(uri) else uri
    return None if _SCHEME.match(path) else path
