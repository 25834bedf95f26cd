"""CSAF 2.0 and 2.1, profile VEX.

Products are named by the package URLs and SHA-256 of their identification helper; a relationship makes one product a
part of another. A product that is not affected needs a flag with a reason. A draft judges nothing.
Source: OASIS CSAF 2.0, sections 3.1.3, 3.2.2, 3.2.3 and 4.5; CSAF 2.1 for `purls` and the status `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.formats.intoto import StatementError
from gate.formats.members import member, text
from gate.formats.vex.shape import (
    AFFECTED,
    FIXED,
    INVESTIGATED,
    JUSTIFICATIONS,
    NOT_AFFECTED,
    Judgement,
    Product,
    facts,
    list_of,
    names_of,
    product_of,
    texts_of,
    time_at,
)
from gate.model.json import JsonObject, JsonValue

_STATUSES: Final[Mapping[str, str]] = {
    "first_affected": AFFECTED,
    "first_fixed": FIXED,
    "fixed": FIXED,
    "known_affected": AFFECTED,
    "known_not_affected": NOT_AFFECTED,
    "last_affected": AFFECTED,
    "under_investigation": INVESTIGATED,
    "unknown": INVESTIGATED,
}
"""What the lists of products say; `recommended` is advice and says nothing."""
_MAX_DEPTH: Final = 30


def read(document: JsonObject, version: str) -> tuple[JsonObject, int]:
    """The facts of a document and its time; raises `StatementError` for what is no VEX of this version."""
    about = member(document, "document")
    if text(about, "csaf_version") != version or text(about, "category") != "csaf_vex":
        raise StatementError("vex_version", f"the document is no VEX of CSAF {version}")
    if text(about, "tracking", "status") not in {"final", "interim"}:
        raise StatementError("vex_draft", "the document is neither final nor interim")
    at_s = time_at(document, "document", "tracking", "current_release_date")
    tree = _Tree(document.get("product_tree"))
    found = [
        judgement
        for number, item in enumerate(list_of(document.get("vulnerabilities"), "vulnerabilities"))
        for judgement in _judgements(item, f"vulnerabilities[{number}]", tree, at_s)
    ]
    return facts("csaf", version, text(about, "publisher", "name"), found), at_s


class _Tree:
    """The products of a document by id. One id that is given to two products is an error."""

    def __init__(self, tree: JsonValue) -> None:
        self.products: Final[dict[str, Product]] = {}
        for item in (*list_of(member(tree, "full_product_names"), "full_product_names"), *_leaves(tree, 0)):
            self._add(item, _product(item))
        relationships = list_of(member(tree, "relationships"), "relationships")
        for item in relationships:
            part, whole = (
                self.products.get(text(item, key) or "", Product())
                for key in ("product_reference", "relates_to_product_reference")
            )
            self._add(member(item, "full_product_name"), part.within(whole))
        self.groups: Final = {
            text(item, "group_id"): texts_of(item.get("product_ids"), "product_ids")
            for item in list_of(member(tree, "product_groups"), "product_groups")
        }

    def _add(self, item: JsonValue, product: Product) -> None:
        name = text(item, "product_id")
        if name is None or name in self.products:
            raise StatementError("predicate", f"the product id {(name or '')[:80]!r} is missing or given twice")
        self.products[name] = product


def _leaves(branch: JsonValue, depth: int) -> Iterator[JsonObject]:
    if depth > _MAX_DEPTH:
        raise StatementError("predicate", f"branches are nested more than {_MAX_DEPTH} deep")
    for item in list_of(member(branch, "branches"), "branches"):
        product = item.get("product")
        if isinstance(product, Mapping):
            yield product
        yield from _leaves(item, depth + 1)


def _product(item: JsonObject) -> Product:
    helper = member(item, "product_identification_helper")
    files = (
        entry
        for hashes in list_of(member(helper, "hashes"), "hashes")
        for entry in list_of(hashes.get("file_hashes"), "file_hashes")
    )
    digits = [text(entry, "value") for entry in files if text(entry, "algorithm") == "sha256"]
    return product_of([text(helper, "purl"), *texts_of(member(helper, "purls"), "purls")], digits)


def _judgements(item: JsonObject, place: str, tree: _Tree, at_s: int) -> Iterator[Judgement]:
    others = (text(entry, "text") for entry in list_of(item.get("ids"), f"{place}.ids"))
    names = names_of((text(item, "cve"), *others), place)
    reasons = _reasons(item, place, tree)
    listed = member(item, "product_status")
    for word in sorted(listed) if isinstance(listed, Mapping) else ():
        status = _STATUSES.get(word)
        for name in texts_of(member(listed, word), f"{place}.product_status.{word[:40]}") if status else ():
            product = tree.products.get(name)
            if product is None:
                raise StatementError("predicate", f"{place} names a product {name[:80]!r} that is not in the tree")
            yield Judgement(names, str(status), reasons.get(name), at_s, (product,))


def _reasons(item: JsonObject, place: str, tree: _Tree) -> Mapping[str, str]:
    """The reason that a flag gives for each product."""
    found: dict[str, str] = {}
    for flag in list_of(item.get("flags"), f"{place}.flags"):
        groups = texts_of(flag.get("group_ids"), f"{place}.flags.group_ids")
        members = (name for group in groups for name in tree.groups.get(group, ()))
        label = text(flag, "label")
        if label in JUSTIFICATIONS:
            names = (*texts_of(flag.get("product_ids"), f"{place}.flags.product_ids"), *members)
            found.update(dict.fromkeys(names, label))
    return found
