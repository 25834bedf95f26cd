"""OpenVEX v0.2.0.

A statement's time is its own, else that of the document. Products are named by `identifiers.purl`, else by an `@id`
that is a package URL, and by `hashes`. A statement without products applies to nothing: the subject of the signed
statement tells which bytes it is about, and never what in them. Source: openvex/spec, OPENVEX-SPEC.md.
"""

from __future__ import annotations

from typing import Final

from gate.formats.intoto import StatementError
from gate.formats.members import member, text
from gate.formats.vex.shape import (
    JUSTIFICATIONS,
    STATUSES,
    Judgement,
    Product,
    facts,
    list_of,
    names_of,
    product_of,
    texts_of,
    time_at,
)
from gate.model.json import JsonObject

CONTEXT: Final = "https://openvex.dev/ns/v0.2.0"
_TIMES: Final = ("last_updated", "timestamp")


def read(document: JsonObject) -> tuple[JsonObject, int]:
    """The facts of a document and its time; raises `StatementError` for what is no such document."""
    if document.get("@context") != CONTEXT:
        raise StatementError("vex_version", f"@context is not {CONTEXT}")
    at_s = _time(document, time_at(document, "timestamp"))
    found = [
        _judgement(item, f"statements[{number}]", at_s)
        for number, item in enumerate(list_of(document.get("statements"), "statements"))
    ]
    return facts("openvex", "0.2.0", text(document, "author"), found), at_s


def _time(item: JsonObject, default: int) -> int:
    return next((time_at(item, key) for key in _TIMES if key in item), default)


def _judgement(item: JsonObject, place: str, at_s: int) -> Judgement:
    status, reason = text(item, "status") or "", text(item, "justification")
    if status not in STATUSES:
        raise StatementError("predicate", f"{place}.status is {status[:40]!r}")
    aliases = texts_of(member(item, "vulnerability", "aliases"), f"{place}.vulnerability.aliases")
    return Judgement(
        names=names_of((text(item, "vulnerability", "name"), *aliases), f"{place}.vulnerability"),
        status=status,
        justification=reason if reason in JUSTIFICATIONS else None,
        at_s=_time(item, at_s),
        products=tuple(
            product
            for number, entry in enumerate(list_of(item.get("products"), f"{place}.products"))
            for product in _products(entry, f"{place}.products[{number}]")
        ),
    )


def _products(entry: JsonObject, place: str) -> tuple[Product, ...]:
    whole = _product(entry)
    if "subcomponents" not in entry:
        return (whole,)
    parts = list_of(entry["subcomponents"], f"{place}.subcomponents")
    return tuple(_product(part).within(whole) for part in parts)


def _product(entry: JsonObject) -> Product:
    purl = text(entry, "identifiers", "purl")
    return product_of([purl or text(entry, "@id")], [text(entry, "hashes", "sha-256")])
