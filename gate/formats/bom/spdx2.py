"""SPDX 2.3 in JSON as facts (`shape.py`).

The document fits its schema before it comes here. Components are packages and files. The format knows neither model
cards nor datasets, and says that its parts are complete in one way only: the root depends on or contains `NONE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gate.formats.bom import shape
from gate.formats.intoto import StatementError
from gate.formats.members import text, time
from gate.model.json import JsonObject

VERSION: Final = "2.3"
NAME: Final = f"SPDX-{VERSION}"
_OTHER_DOCUMENT: Final = "DocumentRef-"
_NONE: Final = "NONE"
_NO_ASSERTION: Final = "NOASSERTION"
_NEEDS: Final = frozenset({"DEPENDS_ON", "CONTAINS", "HAS_PREREQUISITE", "STATIC_LINK", "DYNAMIC_LINK"})
_NEEDED_BY: Final = frozenset({"CONTAINED_BY", "PREREQUISITE_FOR", "DEPENDENCY_OF"})
_FOUND: Final = ("licenseInfoFromFiles", "licenseInfoInFiles")
_ELEMENTS: Final = ("packages", "files", "snippets")
_Edge = tuple[str, str, str]


def facts(document: JsonObject) -> JsonObject:
    """The facts of a document; raises `StatementError` where it contradicts itself or points nowhere."""
    known = _elements(document)
    edges = list(_edges(document, known))
    components = {
        str(item["SPDXID"]): _component(item, is_file=name == "files")
        for name in _ELEMENTS[:2]
        for item in shape.objects(document.get(name))
    }
    root = _root(document, edges, components)
    return {
        "format": "spdx",
        "version": VERSION,
        "serial": shape.cut(document.get("documentNamespace")),
        "created_at_s": time(document, "creationInfo", "created"),
        "root": root,
        "completeness": _completeness(root, edges),
        "components": components,
        "depends": _depends(edges, components),
        "ancestors": _ancestors(edges, components),
        "cards": {},
        "datasets": {},
    }


def _elements(document: JsonObject) -> frozenset[str]:
    found = {str(document["SPDXID"])}
    for name in _ELEMENTS:
        for item in shape.objects(document.get(name)):
            ref = str(item["SPDXID"])
            if ref in found:
                raise StatementError("duplicate", f"the SPDXID {ref[:120]!r} is given twice")
            found.add(ref)
    return frozenset(found)


def _edges(document: JsonObject, known: frozenset[str]) -> Iterator[_Edge]:
    """All relationships, those that are members of their own too; raises `StatementError` for one to nowhere."""
    for number, item in enumerate(shape.objects(document.get("relationships"))):
        ends = [str(item["spdxElementId"]), str(item["relatedSpdxElement"])]
        for ref in ends:
            if ref not in {*known, _NONE, _NO_ASSERTION} and not ref.startswith(_OTHER_DOCUMENT):
                raise StatementError("dangling", f"relationships/{number}: nothing has the SPDXID {ref[:120]!r}")
        yield ends[0], str(item["relationshipType"]), ends[1]
    for described in shape.texts(document.get("documentDescribes")):
        yield str(document["SPDXID"]), "DESCRIBES", _known(str(described), known)
    for item in shape.objects(document.get("packages")):
        for file in shape.texts(item.get("hasFiles")):
            yield str(item["SPDXID"]), "CONTAINS", _known(str(file), known)


def _known(ref: str, known: frozenset[str]) -> str:
    if ref not in known:
        raise StatementError("dangling", f"nothing has the SPDXID {ref[:120]!r}")
    return ref


def _component(item: JsonObject, *, is_file: bool) -> JsonObject:
    hashes = [
        (text(entry, "algorithm"), text(entry, "checksumValue")) for entry in shape.objects(item.get("checksums"))
    ]
    licenses = [text(item, name) for name in ("licenseConcluded", "licenseDeclared")]
    # What was found in the files is there, whatever was declared or concluded; NONE says that nothing was found.
    licenses += [str(one) for name in _FOUND for one in shape.texts(item.get(name)) if one != _NONE]
    kind = {"framework": "library"}.get(purpose := str(item.get("primaryPackagePurpose", "")).lower(), purpose)
    purl = next(
        (text(ref, "referenceLocator") for ref in shape.objects(item.get("externalRefs")) if _is_purl(ref)),
        None,
    )
    return shape.component(
        str(item["fileName"] if is_file else item["name"]),
        item.get("versionInfo"),
        "file" if is_file else kind if kind in shape.KINDS else shape.OTHER,
        purl,
        [found for found in licenses if found and found != _NO_ASSERTION],
        shape.digests(hashes, str(item["SPDXID"])),
    )


def _is_purl(reference: JsonObject) -> bool:
    return reference.get("referenceType") == "purl"


def _root(document: JsonObject, edges: list[_Edge], components: JsonObject) -> str | None:
    """The one component that the document describes."""
    name = str(document["SPDXID"])
    found = {b for a, kind, b in edges if kind == "DESCRIBES" and a == name}
    found |= {a for a, kind, b in edges if kind == "DESCRIBED_BY" and b == name}
    return found.pop() if len(found) == 1 and found <= components.keys() else None


def _needs(edges: list[_Edge]) -> Iterator[tuple[str, str]]:
    for first, kind, second in edges:
        if kind in _NEEDS:
            yield first, second
        elif kind in _NEEDED_BY or kind.endswith("_DEPENDENCY_OF"):
            yield second, first


def _depends(edges: list[_Edge], components: JsonObject) -> JsonObject:
    found: dict[str, set[str]] = {}
    for whole, part in _needs(edges):
        if whole in components and (part in components or part.startswith(_OTHER_DOCUMENT)):
            found.setdefault(whole, set()).add(part)
    return {ref: shape.unique(parts) for ref, parts in sorted(found.items())}


def _completeness(root: str | None, edges: list[_Edge]) -> str:
    parts = {part for whole, part in _needs(edges) if root is not None and whole == root}
    return shape.COMPLETE if parts == {_NONE} else shape.UNKNOWN


def _ancestors(edges: list[_Edge], components: dict[str, JsonObject]) -> JsonObject:
    found: dict[str, set[str]] = {}
    for first, kind, second in edges:
        pair = {"DESCENDANT_OF": (first, second), "ANCESTOR_OF": (second, first)}.get(kind)
        if pair is not None and pair[0] in components and pair[1] not in {_NONE, _NO_ASSERTION}:
            found.setdefault(pair[0], set()).add(pair[1])
    return {
        ref: [shape.ancestor(components.get(parent), parent) for parent in sorted(parents)]
        for ref, parents in sorted(found.items())
    }
