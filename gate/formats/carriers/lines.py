"""One text from a folder of evidence as the pieces of evidence in it.

Most are a bundle or an envelope, and stay the bytes that they are. The lists of GitHub and npm, and the objects of PEP
740, become one bundle for each attestation. What claims to be such a list and is none stays whole, and an entry that
is no attestation stays that entry: both are refused by whoever reads bundles, and nothing is forgotten. The canonical
form of equal facts is equal, so the same attestation from two carriers is found to be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.carriers import listed, pypi
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.evidence import Evidence
from gate.model.json import JsonObject, JsonValue

# What each carrier has in its text. One that is written otherwise (`\u0061`) is no carrier, and so it is refused.
_MARKS: Final = (b'"attestations"', b'"attestation_bundles"', b'"verification_material"')
_Bundle = Callable[[JsonValue], JsonObject | None]


def pieces(data: bytes, origin: str) -> Iterator[Evidence]:
    """The evidence in a text. `origin` is where it lies; to it is added where an attestation stands in a list."""
    value = _carrier(data)
    if value is None:
        yield Evidence(origin, data)
    elif pypi.is_attestation(value):
        yield Evidence(origin, _converted(value, pypi.bundle_of, data))
    elif pypi.is_provenance(value):
        yield from _entries(pypi.attestations_of(value), pypi.bundle_of, data, origin)
    else:
        yield from _entries(listed.attestations_of(value), listed.bundle_of, data, origin)


def _carrier(data: bytes) -> JsonObject | None:
    if not any(mark in data for mark in _MARKS):
        return None
    try:
        value = loads(data, limit=len(data))
    except StrictJsonError:
        return None  # the text is refused as it is
    if not isinstance(value, Mapping):
        return None
    is_carrier = pypi.is_attestation(value) or pypi.is_provenance(value) or listed.is_list(value)
    return value if is_carrier else None


def _entries(
    found: Iterator[tuple[str, JsonValue]] | None, bundle: _Bundle, data: bytes, origin: str
) -> Iterator[Evidence]:
    if found is None:
        yield Evidence(origin, data)
        return
    for place, item in found:
        yield Evidence(f"{origin}#{place}", _converted(item, bundle, data))


def _converted(item: JsonValue, bundle: _Bundle, data: bytes) -> bytes:
    """The bundle of an item, or what is no bundle: the item itself, or the text where it has no canonical form."""
    found = bundle(item)
    try:
        return dumps(item if found is None else found)
    except CanonicalJsonError:
        return data
