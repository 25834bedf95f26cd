"""The shape of facts that every format of bills of materials is turned into.

| fact | what it is |
|---|---|
| `format`, `version` | `cyclonedx` or `spdx`, and which of them |
| `serial`, `created_at_s` | the name of the document, and its time |
| `root` | the reference of the component that the document is about; null when there is none, or several |
| `completeness` | `complete`, `incomplete` or `unknown`: what the document says of the parts of its root |
| `components` | by reference: `name`, `version`, `kind`, `purl`, `licenses`, `digests` |
| `depends` | by reference: the references of what it needs or contains, sorted |
| `ancestors` | by reference: what it was made from, each with `name`, `purl`, `digests` |
| `cards` | of models: `intended_use`, `limitations`, `considerations`, `datasets`, `task`, `architecture` |
| `datasets` | by reference or name: `owner`, `classification`, `personal_data`, `licenses` |

References are those of the document; a component without one is named by its place in it. Nothing here is a number
with a fraction. What contradicts itself (a reference given twice, two values of one hash) and what points nowhere is
refused, since a rule would see a part of it only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from gate.formats.intoto import StatementError
from gate.model.json import JsonObject, JsonValue

COMPLETE: Final = "complete"
INCOMPLETE: Final = "incomplete"
UNKNOWN: Final = "unknown"
KINDS: Final = frozenset({"model", "data", "application", "library", "container", "file"})
OTHER: Final = "other"
_TEXT: Final = 4096
_HEX: Final = re.compile(r"[0-9a-f]+")
_HEX_LENGTH: Final = {
    "md5": 32,
    "sha1": 40,
    "sha224": 56,
    "sha256": 64,
    "sha384": 96,
    "sha512": 128,
    "sha3_224": 56,
    "sha3_256": 64,
    "sha3_384": 96,
    "sha3_512": 128,
    "blake2b256": 64,
    "blake2b384": 96,
    "blake2b512": 128,
    "blake3": 64,
}


def cut(text: JsonValue) -> str | None:
    """A text, but no longer than facts are; `None` for what is none."""
    return text[:_TEXT] if isinstance(text, str) else None


def joined(texts: Iterable[str | None], by: str = ", ") -> str | None:
    """Texts in one, each once; `None` when there is none."""
    return cut(by.join(dict.fromkeys(text for text in texts if text))) or None


def texts(value: JsonValue) -> list[JsonValue]:
    """The texts of a list, or the one text."""
    items = value if isinstance(value, list) else [value]
    return [item[:_TEXT] for item in items if isinstance(item, str) and item]


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects in a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def unique(values: Iterable[str]) -> list[JsonValue]:
    """Texts, sorted, each once."""
    return [*sorted(set(values))]


def digests(pairs: Iterable[tuple[str | None, str | None]], what: str) -> JsonObject:
    """Hashes by algorithm, as in-toto writes it; raises `StatementError`.

    Every known algorithm has its length, and one value. Unknown algorithms are left out.
    """
    found: dict[str, JsonValue] = {}
    for name, value in pairs:
        algorithm, text = _algorithm(name or ""), (value or "").lower()
        if algorithm not in _HEX_LENGTH:
            continue
        if len(text) != _HEX_LENGTH[algorithm] or not _HEX.fullmatch(text):
            raise StatementError("digest", f"the {algorithm} of {what[:120]!r} is not hexadecimal of its length")
        if found.setdefault(algorithm, text) != text:
            raise StatementError("digest", f"{what[:120]!r} has two different values of {algorithm}")
    return found


def _algorithm(word: str) -> str:
    """`SHA-256`, `SHA256` and `sha256` are one; `SHA3-256` is `sha3_256`."""
    word = word.lower()
    return word.replace("-", "_") if word.startswith("sha3-") else word.replace("-", "")


def component(
    name: str, version: JsonValue, kind: str, purl: str | None, licenses: Iterable[str], hashes: JsonObject
) -> JsonObject:
    """One part of what a document is about."""
    return {
        "name": cut(name),
        "version": cut(version),
        "kind": kind,
        "purl": cut(purl),
        "licenses": unique(text[:_TEXT] for text in licenses),
        "digests": hashes,
    }


def ancestor(part: JsonObject | None, ref: str) -> JsonObject:
    """What is said of a component that another was made from, or of a reference to another document."""
    if part is None:
        return {"name": cut(ref), "purl": None, "digests": {}}
    return {name: part[name] for name in ("name", "purl", "digests")}


def worst(said: Iterable[str]) -> str:
    """One answer of several about completeness: nothing is complete unless all of them say so."""
    found = set(said)
    if INCOMPLETE in found:
        return INCOMPLETE
    return COMPLETE if found == {COMPLETE} else UNKNOWN
