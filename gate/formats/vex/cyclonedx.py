"""CycloneDX as VEX: a document with `vulnerabilities` and without components of its own.

What a vulnerability `affects` is the main component, or an element of another document (BOM-Link) that has a package
URL as its reference. A range of versions is none of the gate's business: such an entry never takes anything away.
Source: CycloneDX 1.4 to 1.7, `vulnerabilities`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from gate.formats.members import member, text
from gate.formats.vex.shape import (
    AFFECTED,
    FIXED,
    INVESTIGATED,
    NOT_AFFECTED,
    Judgement,
    Product,
    facts,
    list_of,
    names_of,
    product_of,
    time_at,
)
from gate.model.json import JsonObject, JsonValue

_STATES: Final[Mapping[str | None, str]] = {
    "exploitable": AFFECTED,
    "false_positive": NOT_AFFECTED,
    "in_triage": INVESTIGATED,
    "not_affected": NOT_AFFECTED,
    "resolved": FIXED,
    "resolved_with_pedigree": FIXED,
}
_TAKES_AWAY: Final = frozenset({FIXED, NOT_AFFECTED})
_LINK: Final = "urn:cdx:"


def is_vex(document: JsonValue) -> bool:
    """Whether a CycloneDX document judges vulnerabilities, and lists no components."""
    return bool(member(document, "vulnerabilities")) and not member(document, "components")


def read(document: JsonObject) -> tuple[JsonObject, int]:
    """The facts of a document, which fits its schema, and its time; raises `StatementError` for one without a time."""
    at_s = time_at(document, "metadata", "timestamp")
    main = member(document, "metadata", "component")
    found = [
        judgement
        for number, item in enumerate(list_of(document.get("vulnerabilities"), "vulnerabilities"))
        for judgement in _judgements(item, f"vulnerabilities[{number}]", main, at_s)
    ]
    author = next((text(item, "name") for item in list_of(member(document, "metadata", "authors"), "authors")), None)
    return facts("cyclonedx", text(document, "specVersion") or "", author, found), at_s


def _judgements(item: JsonObject, place: str, main: JsonValue, document_at_s: int) -> Iterator[Judgement]:
    status = _STATES.get(text(item, "analysis", "state"), INVESTIGATED)
    at_s = document_at_s
    if member(item, "analysis", "lastUpdated") is not None:
        at_s = time_at(item, "analysis", "lastUpdated")
    same = (text(entry, "id") for entry in list_of(item.get("references"), f"{place}.references"))
    affects = list_of(item.get("affects"), f"{place}.affects")
    yield Judgement(
        names=names_of((text(item, "id"), *same), place),
        status=status,
        justification=text(item, "analysis", "justification"),
        at_s=at_s,
        products=tuple(
            _product(text(entry, "ref") or "", main)
            for entry in affects
            if not entry.get("versions") or status not in _TAKES_AWAY
        ),
    )


def _product(ref: str, main: JsonValue) -> Product:
    """What a reference means: the main component, else the element of another document that the reference names."""
    if ref and ref == text(main, "bom-ref"):
        listed = list_of(member(main, "hashes"), "metadata.component.hashes")
        hashes = (text(entry, "content") for entry in listed if text(entry, "alg") == "SHA-256")
        return product_of([text(main, "purl")], hashes)
    return product_of([unquote(ref.partition("#")[2]) if ref.startswith(_LINK) else ref], [])
