"""SPDX 3.0.1 in JSON-LD as facts (`shape.py`), with its profiles for AI packages and datasets.

The document fits its schema before it comes here, so it has the one context of the version and its short names: no
other context gives them another meaning. Elements are read where they stand, in the graph or inside one another.
Components are packages and files. A licence that is no expression and not on the list of SPDX is named by its address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.formats.bom import shape
from gate.formats.intoto import StatementError
from gate.formats.members import text, time
from gate.model.json import JsonObject, JsonValue

VERSION: Final = "3.0.1"
CONTEXT: Final = f"https://spdx.org/rdf/{VERSION}/spdx-context.jsonld"
_KINDS: Final = {"ai_AIPackage": "model", "dataset_DatasetPackage": "data", "software_File": "file"}
_COMPONENTS: Final = frozenset({"software_Package", *_KINDS})
_COLLECTIONS: Final = frozenset({"SpdxDocument", "Bom", "Bundle", "software_Sbom"})
_TERMS: Final = f"https://spdx.org/rdf/{VERSION}/terms/"
_NONE: Final = frozenset({"NoneElement", f"{_TERMS}Core/NoneElement"})
_NO_LICENSE: Final = frozenset({"expandedlicensing_NoneLicense", f"{_TERMS}ExpandedLicensing/NoneLicense"})
_UNSAID: Final = frozenset(
    {
        "NoAssertionElement",
        f"{_TERMS}Core/NoAssertionElement",
        "expandedlicensing_NoAssertionLicense",
        f"{_TERMS}ExpandedLicensing/NoAssertionLicense",
    }
)
_LISTED: Final = "https://spdx.org/licenses/"
_NEEDS: Final = frozenset(
    {
        "contains",
        "dependsOn",
        "hasDynamicLink",
        "hasOptionalComponent",
        "hasOptionalDependency",
        "hasPrerequisite",
        "hasProvidedDependency",
        "hasStaticLink",
    }
)
# Only a list of all that it contains or depends on is whole; what may be left out makes no list whole.
_WHOLE: Final = frozenset({"contains", "dependsOn"})
_OPTIONAL: Final = frozenset({"hasOptionalComponent", "hasOptionalDependency"})
_SCOPES: Final = frozenset({None, "runtime"})
_DATA: Final = frozenset({"trainedOn", "testedOn"})
_LICENSES: Final = frozenset({"hasConcludedLicense", "hasDeclaredLicense"})
_CONSIDERED: Final = (
    "ai_limitation",
    "ai_modelExplainability",
    "ai_safetyRiskAssessment",
    "ai_standardCompliance",
    "ai_useSensitivePersonalInformation",
)
_Edge = tuple[str, str, str]


def facts(document: JsonObject) -> JsonObject:
    """The facts of a document; raises `StatementError` where it contradicts itself or points nowhere."""
    return _Graph(document["@graph"]).facts()


class _Graph:
    def __init__(self, graph: JsonValue) -> None:
        self._nodes: Final[dict[str, JsonObject]] = {}
        self._all: Final = list(_objects(graph))
        for node in self._all:
            key = _id(node)
            if key is not None and key in self._nodes:
                raise StatementError("duplicate", f"the element {key[:120]!r} is given twice")
            if key is not None:
                self._nodes[key] = node
        self._imported: Final = {text(node, "externalSpdxId") for node in self._of("ExternalMap")}
        self._edges: Final = list(self._relationships())
        self._from: Final[dict[str, list[tuple[str, str]]]] = {}
        for first, relation, to in self._edges:
            self._from.setdefault(first, []).append((relation, to))
        self._components: Final = {
            key: self._component(key, node) for key, node in self._nodes.items() if node["type"] in _COMPONENTS
        }

    def facts(self) -> JsonObject:
        documents = list(self._of("SpdxDocument"))
        if len(documents) > 1:
            raise StatementError("duplicate", f"{len(documents)} SPDX documents in one")
        if any(node["specVersion"] != VERSION for node in self._of("CreationInfo")):
            raise StatementError("version", f"an element was made by another version than {VERSION}")
        document = documents[0] if documents else {}
        root = self._root(documents or [node for kind in ("software_Sbom", "Bom") for node in self._of(kind)])
        created_at_s = time(self._node(document.get("creationInfo")), "created")
        return {
            "format": "spdx",
            "version": VERSION,
            "serial": shape.cut(document.get("spdxId")),
            "created_at_s": created_at_s,
            "root": root,
            "completeness": self._completeness(root, created_at_s),
            "components": self._components,
            "depends": self._grouped((first, to) for first, kind, to in self._edges if kind in _NEEDS),
            "ancestors": self._ancestors(),
            "cards": {key: self._card(key, self._nodes[key]) for key in self._ids("ai_AIPackage")},
            "datasets": {key: self._dataset(key, self._nodes[key]) for key in self._ids("dataset_DatasetPackage")},
        }

    def _of(self, kind: str) -> Iterator[JsonObject]:
        return (node for node in self._all if node["type"] == kind)

    def _ids(self, kind: str) -> list[str]:
        return [key for key, node in self._nodes.items() if node["type"] == kind]

    def _node(self, link: JsonValue) -> JsonObject:
        """What a reference or an element in its place stands for; nothing for one elsewhere."""
        return link if isinstance(link, Mapping) else self._nodes.get(str(link), {})

    def _key(self, link: JsonValue, place: str) -> str:
        """The address of an element that is here or imported; raises `StatementError` for one that is nowhere."""
        key = _id(link) if isinstance(link, Mapping) else str(link)
        special = key in _NONE or key in _NO_LICENSE or key in _UNSAID or str(key).startswith((_LISTED, _TERMS))
        if key is None or not (special or key in self._nodes or key in self._imported):
            raise StatementError("dangling", f"{place[:120]}: no element is {str(key)[:120]!r}")
        return key

    def _relationships(self) -> Iterator[_Edge]:
        for node in self._all:
            if "relationshipType" in node:
                place = str(node["spdxId"])
                first, kind = self._key(node["from"], place), str(node["relationshipType"])
                for link in _list(node["to"]):
                    yield first, kind, self._key(link, place)

    def _component(self, key: str, node: JsonObject) -> JsonObject:
        kind = str(node["type"])
        purpose = {"framework": "library"}.get(found := str(node.get("software_primaryPurpose")), found)
        purpose = purpose if purpose in shape.KINDS else shape.OTHER
        return shape.component(
            text(node, "name") or key,
            node.get("software_packageVersion"),
            _KINDS.get(kind, purpose),
            text(node, "software_packageUrl") or next(self._package_urls(node), None),
            self._licenses(key),
            shape.digests(self._hashes(key, node), key),
        )

    def _package_urls(self, node: JsonObject) -> Iterator[str]:
        for link in _list(node.get("externalIdentifier")):
            found = self._node(link)
            if found.get("externalIdentifierType") == "packageUrl":
                yield str(found["identifier"])

    def _hashes(self, key: str, node: JsonObject) -> Iterator[tuple[str | None, str | None]]:
        for link in _list(node.get("verifiedUsing")):
            found = self._node(link)
            if not found:
                raise StatementError("dangling", f"{key[:120]}: its hash {str(link)[:120]!r} is nowhere")
            if found["type"] == "Hash":
                yield text(found, "algorithm"), text(found, "hashValue")

    def _licenses(self, key: str) -> Iterator[str]:
        for kind, to in self._from.get(key, []):
            if kind in _LICENSES and to not in _UNSAID:
                yield "NONE" if to in _NO_LICENSE | _NONE else self._license(to)

    def _license(self, key: str) -> str:
        expression = text(self._nodes.get(key), "simplelicensing_licenseExpression")
        return expression or (key.removeprefix(_LISTED) if key.startswith(_LISTED) else key)

    def _root(self, starts: list[JsonObject]) -> str | None:
        """The one component that the document, or the bills in it, are about."""
        roots: set[str] = set()
        seen: set[str] = set()
        waiting = [self._key(link, "rootElement") for node in starts for link in _list(node.get("rootElement"))]
        while waiting:
            key = waiting.pop()
            node = self._nodes.get(key, {})
            if key in seen:
                continue
            seen.add(key)
            if node.get("type") in _COLLECTIONS:
                waiting += [self._key(link, "rootElement") for link in _list(node.get("rootElement"))]
            else:
                roots.add(key)
        return roots.pop() if len(roots) == 1 and roots <= self._components.keys() else None

    def _completeness(self, root: str | None, created_at_s: int | None) -> str:
        """What the relationships say that name the parts of the root; one that lacks parts speaks for the whole.

        Those that are optional, of another scope than running, or over when the document was made say no more.
        """
        said = []
        is_whole = False
        for node in self._all:
            kind = str(node.get("relationshipType"))
            if kind not in _NEEDS:
                continue
            whole, word = self._key(node["from"], "from"), node.get("completeness")
            if word == shape.INCOMPLETE and (whole == root or whole in self._components):
                said.append(shape.INCOMPLETE)
            elif whole == root and any(self._key(link, "to") in _UNSAID for link in _list(node["to"])):
                said.append(shape.UNKNOWN)
            elif whole == root and kind not in _OPTIONAL and _is_in_force(node, created_at_s):
                said.append(shape.COMPLETE if word == shape.COMPLETE else shape.UNKNOWN)
                is_whole = is_whole or kind in _WHOLE
        answer = shape.worst(said)
        return answer if is_whole or answer == shape.INCOMPLETE else shape.UNKNOWN

    def _grouped(self, edges: Iterator[tuple[str, str]]) -> JsonObject:
        found: dict[str, set[str]] = {}
        for first, to in edges:
            if first in self._components and (to in self._components or to in self._imported):
                found.setdefault(first, set()).add(to)
        return {key: shape.unique(to) for key, to in sorted(found.items())}

    def _ancestors(self) -> JsonObject:
        edges = [(first, to) for first, kind, to in self._edges if kind in {"descendantOf", "trainedOn"}]
        edges += [(to, first) for first, kind, to in self._edges if kind == "ancestorOf"]
        return {
            key: [shape.ancestor(self._components.get(str(parent)), str(parent)) for parent in shape.texts(parents)]
            for key, parents in self._grouped(iter(edges)).items()
        }

    def _card(self, key: str, node: JsonObject) -> JsonObject:
        return {
            "intended_use": shape.cut(node.get("ai_informationAboutApplication")),
            "limitations": shape.texts(node.get("ai_limitation")),
            "considerations": any(node.get(name) for name in _CONSIDERED),
            "datasets": shape.unique(to for kind, to in self._from.get(key, []) if kind in _DATA),
            "task": shape.joined(str(item) for item in shape.texts(node.get("ai_domain"))),
            "architecture": shape.joined(str(item) for item in shape.texts(node.get("ai_typeOfModel"))),
        }

    def _dataset(self, key: str, node: JsonObject) -> JsonObject:
        owners = _list(node.get("originatedBy")) or _list(node.get("suppliedBy"))
        sensitive = text(node, "dataset_hasSensitivePersonalInformation")
        return {
            "owner": shape.joined(text(self._node(link), "name") or self._key(link, key) for link in owners),
            "classification": shape.cut(node.get("dataset_confidentialityLevel")),
            "personal_data": {"yes": True, "no": False}.get(sensitive or ""),
            "licenses": shape.unique(self._licenses(key)),
        }


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    """All elements, those inside others too; extensions mean nothing here."""
    if isinstance(value, Mapping):
        yield value
        for name, item in value.items():
            if name != "extension":
                yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _is_in_force(node: JsonObject, at_s: int | None) -> bool:
    """Whether a relationship holds for what runs, and held when the document was made."""
    start_s, end_s = time(node, "startTime"), time(node, "endTime")
    is_over = end_s is not None and (at_s is None or end_s <= at_s)
    is_to_come = start_s is not None and (at_s is None or start_s > at_s)
    return node.get("scope") in _SCOPES and not is_over and not is_to_come


def _id(node: JsonObject) -> str | None:
    return text(node, "spdxId") or text(node, "@id")


def _list(value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
