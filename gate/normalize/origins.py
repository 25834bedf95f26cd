"""What a statement says about where things come from, in one shape for all claims.

A claim that is not in `ORIGIN_CLAIMS` says nothing of the kind: a signature or a scan does not tell how something was
made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gate.formats.predicates.common import member, names_in, text
from gate.formats.predicates.composition import files_of
from gate.formats.predicates.model_signature import root_digest
from gate.model.artifact import ArtifactFile, tree_digest
from gate.model.digest import Digest
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonObject, JsonValue

ORIGIN_CLAIMS: Final = frozenset(
    {
        "build.provenance",
        "training.provenance",
        "dataset",
        "corpus",
        "prompt",
        "plugin",
        "eval",
        "route",
        "slo",
        "link",
        "sbom",
        "source.summary",
        "composition",
    }
)
"""Claims that say where what they are about comes from, or that are its origin."""
_LENGTHS: Final[Mapping[str, tuple[int, ...]]] = {
    "sha256": (64,),
    "sha512": (128,),
    "sha384": (96,),
    "gitCommit": (40, 64),
}
ALGORITHMS: Final = tuple(_LENGTHS)
"""Digests that say which thing is meant, the one first that a thing is called by when it has several."""
COMMIT: Final = "gitCommit"
MAX_DEPTH: Final = 32
"""Folders in folders that a name is taken to name."""
_HEX: Final = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a statement names. `digests` holds those of `ALGORITHMS` alone, and may be empty."""

    name: str
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Link:
    """Who comes from what: keys of `parts`, `None` for what the statement is about."""

    derived: str | None
    relation: str
    origin: str


@dataclass(slots=True)
class Origins:
    """All that one statement says. `states_base` tells that it says from which base, also where there is none."""

    parts: dict[str, Part] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    states_base: bool = False

    def add(self, relation: str, name: str, digests: JsonValue, derived: str | None = None) -> None:
        """One more origin with a key of its own."""
        key = f"{len(self.parts)}"
        self.parts[key] = Part(name, known_digests(name, digests))
        self.links.append(Link(derived, relation, key))


def known_digests(name: str, digests: JsonValue) -> Mapping[str, str]:
    """The digests that say which thing is meant. A SHA-1 does so for a commit alone: a `git+` name says it is one."""
    found: dict[str, str] = {}
    for algorithm, value in digests.items() if isinstance(digests, Mapping) else ():
        is_commit = algorithm == "sha1" and name.startswith("git+")
        known = COMMIT if is_commit else algorithm
        if isinstance(value, str) and len(value) in _LENGTHS.get(known, ()) and _HEX.fullmatch(value):
            found[known] = value
    return {algorithm: found[algorithm] for algorithm in ALGORITHMS if algorithm in found}


def subject_digests(subject: Subject) -> Mapping[str, str]:
    """The digests of a subject, which are well-formed."""
    own = {} if subject.digest is None else {"sha256": subject.digest.removeprefix("sha256:")}
    commit = {} if subject.revision is None else {COMMIT: subject.revision.commit}
    return {**own, **subject.other_digests, **commit}


def words(digests: Mapping[str, str]) -> tuple[str, ...]:
    """`algorithm:hex` for each digest, the one first that a thing is called by."""
    return tuple(f"{algorithm}:{digests[algorithm]}" for algorithm in ALGORITHMS if algorithm in digests)


def words_about(statement: Statement) -> Iterator[str]:
    """The digests of what a statement is about: its subjects, and folders that it covers whole."""
    for subject in statement.subjects:
        yield from words(subject_digests(subject))
    files = {item.name: item.digest for item in statement.subjects if item.digest is not None}
    for folder in statement.folders:
        below = {name.removeprefix(f"{folder}/"): files[name] for name in files_of(folder, files)}
        digest = tree_digest({name: ArtifactFile(value, 0) for name, value in below.items()})
        if digest is not None:
            yield digest
            yield root_digest([below[name] for name in sorted(below)])


def wholes_of(items: Iterable[Subject], among: Collection[str] | None = None) -> Iterator[Digest]:
    """The digests of all folders that the names of some files make, the one above all too, in both kinds.

    With `among`, those alone that hold a file of these digests.
    """
    folders: dict[str, dict[str, Digest]] = {}
    for item in items:
        parts = item.name.removeprefix("./").split("/", MAX_DEPTH) if item.digest is not None else []
        for depth in range(len(parts)):
            below = folders.setdefault("/".join(parts[:depth]), {})
            below["/".join(parts[depth:])] = item.digest or Digest("")
    for below in folders.values():
        if among is None or any(digest in among for digest in below.values()):
            digest = tree_digest({name: ArtifactFile(value, 0) for name, value in below.items()})
            yield digest or Digest("")
            yield root_digest([below[name] for name in sorted(below)])


def words_in(value: JsonValue) -> Iterator[str]:
    """All digests that stand anywhere in a value, as digest sets or as `algorithm:hex`."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield from words(known_digests("", item))
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str):
            algorithm, _, hexadecimal = item.partition(":")
            yield from words(known_digests("", {algorithm: hexadecimal}))


def origins_of(statement: Statement) -> Origins:
    """What a statement says, whatever its claim; nothing for most."""
    found = Origins()
    facts = statement.facts
    if statement.claim == "build.provenance":
        _build(found, facts)
    elif statement.claim == "training.provenance":
        _training(found, facts)
    elif statement.claim == "composition":
        _named(found, "base", facts.get("base"))
        _named(found, "adapter", facts.get("adapters"))
    elif statement.claim == "dataset":
        _named(found, "source", facts.get("sources"))
    elif statement.claim == "link":
        for uri in names_in(facts.get("materials")):
            found.add("material", uri, member(facts, "materials", uri))
    elif statement.claim == "sbom":
        _bom(found, facts)
    elif statement.claim == "verification.summary":
        _listed(found, "attestation", statement.predicate.get("inputAttestations"))
    elif statement.claim == "references":
        _listed(found, "reference", statement.predicate.get("references"))
    return found


def _listed(found: Origins, relation: str, value: JsonValue) -> None:
    """Documents that a statement rests on, as resource descriptors. Many may lie at one address, so it names none."""
    for item in _objects(value):
        digests = member(item, "digest")
        found.add(relation, "@".join((text(item, "uri") or relation, *words(known_digests("", digests))[:1])), digests)


def _named(found: Origins, relation: str, value: JsonValue) -> None:
    """`{name: sha256:<hex> or null}`."""
    for name in names_in(value):
        digest = text(value, name)
        found.add(relation, name, {} if digest is None else {"sha256": digest.removeprefix("sha256:")})


def _build(found: Origins, facts: JsonObject) -> None:
    source = facts.get("source")
    uri, digests = text(source, "uri"), member(source, "digests")
    known = set(words(known_digests(uri or "", digests)))
    if uri is not None or known:
        found.add("source", uri or "source", digests)
    for name in names_in(facts.get("dependencies")):
        listed = member(facts, "dependencies", name)
        if known.isdisjoint(words(known_digests(name, listed))):
            found.add("dependency", name, listed)


def _training(found: Origins, facts: JsonObject) -> None:
    found.states_base = True
    _named(found, "base", facts.get("base"))
    _named(found, "dataset", facts.get("datasets"))
    repository, commit = text(facts, "code", "repository"), text(facts, "code", "commit")
    if repository is not None or commit is not None:
        dirty = member(facts, "code", "dirty") is True
        name = (repository or "code") + (" with changes that are in no commit" if dirty else "")
        # What was trained with is not what lies at the commit when files differed from it.
        found.add("code", name, {} if commit is None or dirty else {COMMIT: commit})


# -- bills of materials ------------------------------------------------------------------------------------------------


def _bom(found: Origins, facts: JsonObject) -> None:
    components, root = facts.get("components"), text(facts, "root")
    # A number is never the key of a component, so no reference names what is added below.
    keys = {ref: f"ref:{ref}" for ref in names_in(components)}
    for ref, key in keys.items():
        entry = member(components, ref)
        name = text(entry, "purl") or text(entry, "name") or ref
        found.parts[key] = Part(name, known_digests(name, member(entry, "digests")))
    derived = {**keys, root: None} if root is not None else keys
    for of, relation, ref in _bom_links(facts):
        if of in derived and ref in keys:
            found.links.append(Link(derived[of], relation, keys[ref]))
        elif of in derived:
            found.add(relation, ref, {}, derived[of])
    for of in names_in(facts.get("ancestors")):
        for item in _objects(member(facts, "ancestors", of)) if of in derived else ():
            name = text(item, "purl") or text(item, "name") or "unnamed"
            found.add("ancestor", name, member(item, "digests"), derived[of])


def _bom_links(facts: JsonObject) -> Iterator[tuple[str, str, str]]:
    """Whoever has datasets or components, as what, and their references."""
    for section, relation, below in (("cards", "dataset", ("datasets",)), ("depends", "component", ())):
        for of in names_in(facts.get(section)):
            for ref in names_in(member(facts, section, of, *below)):
                yield of, relation, ref


def _objects(value: JsonValue) -> Iterable[JsonObject]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
