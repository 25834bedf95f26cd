"""CycloneDX 1.4 to 1.7 in JSON, ML-BOM included, as facts (`shape.py`).

The document fits its schema before it comes here. Components are those below `metadata.component` and `components`,
nested ones too, which their parents then contain. Services, tools and formulas are no components. `sensitiveData` that
names something is personal data, an empty list of it says that there is none. An owner is one of `governance.owners`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gate.formats.bom import shape
from gate.formats.intoto import StatementError
from gate.formats.members import member, text, time
from gate.model.json import JsonObject, JsonValue

VERSIONS: Final = ("1.4", "1.5", "1.6", "1.7")
_KINDS: Final = {"machine-learning-model": "model", "framework": "library", **{kind: kind for kind in shape.KINDS}}
_ELSEWHERE: Final = "urn:cdx:"
_ROOT: Final = "metadata/component"
_NAMES: Final = ("assemblies", "dependencies", "vulnerabilities")


def facts(document: JsonObject) -> JsonObject:
    """The facts of a document; raises `StatementError` where it contradicts itself or points nowhere."""
    return _Reader(document).facts()


class _Reader:
    def __init__(self, document: JsonObject) -> None:
        self._document: Final = document
        self._known: Final = _references(document)
        self._components: dict[str, JsonObject] = {}
        self._depends: dict[str, set[str]] = {}
        self._ancestors: dict[str, list[JsonObject]] = {}
        self._cards: dict[str, JsonObject] = {}
        self._datasets: dict[str, JsonObject] = {}

    def facts(self) -> JsonObject:
        main = member(self._document, "metadata", "component")
        root = self._add(main, _ROOT) if isinstance(main, Mapping) else None
        for number, item in enumerate(shape.objects(self._document.get("components"))):
            self._add(item, f"components/{number}")
        self._read_dependencies()
        return {
            "format": "cyclonedx",
            "version": text(self._document, "specVersion"),
            "serial": shape.cut(self._document.get("serialNumber")),
            "created_at_s": time(self._document, "metadata", "timestamp"),
            "root": root,
            "completeness": self._completeness(root),
            "components": self._components,
            "depends": {ref: shape.unique(targets) for ref, targets in sorted(self._depends.items()) if targets},
            "ancestors": self._ancestors,
            "cards": self._cards,
            "datasets": self._datasets,
        }

    def _add(self, item: JsonObject, place: str) -> str:
        ref = text(item, "bom-ref")
        if ref is None:
            ref = place
            if place in self._known:
                raise StatementError("duplicate", f"the bom-ref {place!r} is the place of another component")
        self._components[ref] = part = _component(item, ref)
        lineage = list(_ancestors(item))
        if lineage:
            self._ancestors[ref] = lineage
        self._add_data(item, ref, part["licenses"])
        self._add_card(item, ref)
        children = [
            self._add(child, f"{place}/components/{number}")
            for number, child in enumerate(shape.objects(item.get("components")))
        ]
        self._depends.setdefault(ref, set()).update(children)
        return ref

    def _add_data(self, item: JsonObject, ref: str, licenses: JsonValue) -> None:
        entries = shape.objects(item.get("data"))
        if not entries and item["type"] != "data":
            return
        self._datasets[ref] = _governance(entries, licenses)
        for entry in entries:
            inner = text(entry, "bom-ref")
            if inner is not None:
                self._datasets[inner] = _governance([entry], licenses)

    def _add_card(self, item: JsonObject, ref: str) -> None:
        card = item.get("modelCard")
        if not isinstance(card, Mapping):
            return
        considered = member(card, "considerations")
        named = [
            self._dataset(entry, f"{ref}/datasets/{number}")
            for number, entry in enumerate(shape.objects(member(card, "modelParameters", "datasets")))
        ]
        architecture = [text(card, "modelParameters", name) for name in ("architectureFamily", "modelArchitecture")]
        self._cards[ref] = {
            "intended_use": shape.joined([str(use) for use in shape.texts(member(considered, "useCases"))], "; "),
            "limitations": shape.texts(member(considered, "technicalLimitations")),
            "considerations": isinstance(considered, Mapping) and any(considered.values()),
            "datasets": shape.unique(named),
            "task": shape.cut(text(card, "modelParameters", "task")),
            "architecture": shape.joined(architecture),
        }

    def _dataset(self, entry: JsonObject, place: str) -> str:
        """The key of a dataset of a model card: the component it refers to, or the one it describes on the spot."""
        ref = text(entry, "ref")
        if ref is not None:
            self._check(ref, place)
            return ref
        key = text(entry, "bom-ref") or text(entry, "name") or place
        found = _governance([entry], [])
        if (key in self._known and "bom-ref" not in entry) or self._datasets.setdefault(key, found) != found:
            raise StatementError("duplicate", f"the dataset {key[:120]!r} is described in two ways")
        return key

    def _read_dependencies(self) -> None:
        """Edges between components; those to and from services are left out."""
        for number, item in enumerate(shape.objects(self._document.get("dependencies"))):
            ref, targets = str(item["ref"]), [str(target) for target in shape.texts(item.get("dependsOn"))]
            for name in (ref, *targets):
                self._check(name, f"dependencies/{number}", elsewhere=False)
            if ref in self._components:
                self._depends[ref].update(target for target in targets if target in self._components)

    def _completeness(self, root: str | None) -> str:
        """What the compositions say that name the root, or name nothing and so mean everything.

        One that says of any other component that not all is known speaks for the whole.
        """
        said = []
        for number, item in enumerate(shape.objects(self._document.get("compositions"))):
            named = [str(ref) for name in _NAMES for ref in shape.texts(item.get(name))]
            for ref in named:
                self._check(ref, f"compositions/{number}")
            parts = {str(ref) for name in _NAMES[:2] for ref in shape.texts(item.get(name))}
            answer = _aggregate(str(item["aggregate"]))
            is_of_all = not any(name in item for name in _NAMES)
            is_of_parts = any(name in item for name in _NAMES[:2])
            if root in parts or is_of_all or (is_of_parts and answer != shape.COMPLETE):
                said.append(answer)
        return shape.UNKNOWN if root is None else shape.worst(said)

    def _check(self, ref: str, place: str, *, elsewhere: bool = True) -> None:
        if ref not in self._known and not (elsewhere and ref.startswith(_ELSEWHERE)):
            raise StatementError("dangling", f"{place[:120]}: nothing has the bom-ref {ref[:120]!r}")


def _references(document: JsonObject) -> frozenset[str]:
    """Every bom-ref. What becomes facts, and services, have one each that nothing else of these has."""
    found: set[str] = set()
    for part in (member(document, "metadata", "component"), document.get("components"), document.get("services")):
        for ref in _all_references(part):
            if ref in found:
                raise StatementError("duplicate", f"the bom-ref {ref[:120]!r} is given twice")
            found.add(ref)
    return frozenset(found.union(_all_references(document)))


def _all_references(value: JsonValue) -> Iterator[str]:
    if isinstance(value, Mapping):
        ref = value.get("bom-ref")
        if isinstance(ref, str):
            yield ref
        for item in value.values():
            yield from _all_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _all_references(item)


def _component(item: JsonObject, what: str) -> JsonObject:
    hashes = [(text(entry, "alg"), text(entry, "content")) for entry in shape.objects(item.get("hashes"))]
    return shape.component(
        str(item["name"]),
        item.get("version"),
        _KINDS.get(str(item["type"]), shape.OTHER),
        text(item, "purl"),
        _licenses(item),
        shape.digests(hashes, what),
    )


def _licenses(item: JsonObject) -> Iterator[str]:
    """Every licence that is declared, concluded, or found in the files; one without a name is one that nobody knows."""
    for choice in (*shape.objects(item.get("licenses")), *shape.objects(member(item, "evidence", "licenses"))):
        found = text(choice, "expression") or text(choice, "license", "id") or text(choice, "license", "name")
        yield found or "NOASSERTION"


def _ancestors(item: JsonObject) -> Iterator[JsonObject]:
    """What it was made from, and what that was made from."""
    for parent in shape.objects(member(item, "pedigree", "ancestors")):
        yield shape.ancestor(_component(parent, f"an ancestor of {item['name']}"), "")
        yield from _ancestors(parent)


def _governance(entries: list[JsonObject], licenses: JsonValue) -> JsonObject:
    """What is said of a dataset. Of several descriptions each must say it; personal data in one is enough."""
    owners = [_owner(entry) for entry in entries]
    classes = [text(entry, "classification") for entry in entries]
    personal = [None if entry.get("sensitiveData") is None else bool(entry["sensitiveData"]) for entry in entries]
    return {
        "owner": shape.joined(owners) if all(owners) else None,
        "classification": shape.joined(classes) if all(classes) else None,
        "personal_data": True if True in personal else None if None in personal or not personal else False,
        "licenses": licenses,
    }


def _owner(entry: JsonObject) -> str | None:
    owners = shape.objects(member(entry, "governance", "owners"))
    return shape.joined(
        text(owner, "organization", "name") or text(owner, "contact", "name") or text(owner, "contact", "email")
        for owner in owners
    )


def _aggregate(word: str) -> str:
    if word == shape.COMPLETE:
        return shape.COMPLETE
    return shape.INCOMPLETE if word.startswith(shape.INCOMPLETE) else shape.UNKNOWN
