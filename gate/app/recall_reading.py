"""What a piece of evidence says to a recall, whoever signed it; of what is not understood, every digest in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gate.formats.bundle import Container
from gate.formats.intoto import RawStatement, StatementError, parse_statement
from gate.formats.predicates import Reading
from gate.model.digest import Digest
from gate.model.evidence import Evidence, Statement, Subject
from gate.normalize.origins import origins_of, subject_digests, wholes_of, words, words_in
from gate.verify.containers import Opened, read_payload
from gate.verify.hints import read_hints


@dataclass(frozen=True, slots=True)
class Said:
    """What a statement is about, and what it names. `problem` tells why it could not be understood in full."""

    claim: str | None
    subjects: tuple[Subject, ...]
    resources: tuple[Subject, ...]
    inputs: frozenset[str]
    depends_on: tuple[Digest, ...]
    statement: Statement | None = None
    problem: str = ""
    is_vague: bool = False

    @property
    def is_manifest(self) -> bool:
        """Whether its subject is made from its resources."""
        return self.statement is not None and self.statement.exhaustive

    def subject_words(self) -> set[str]:
        """The digests of its subjects."""
        return {word for item in self.subjects for word in words(subject_digests(item))}

    def resource_words(self, recipes: Mapping[tuple[str, str], Digest]) -> set[str]:
        """The digests of its files, also of those that only recipes know."""
        found = {word for item in self.resources for word in words(subject_digests(item))}
        given = (pair for item in self.resources for pair in item.other_digests.items())
        return found | {recipes[pair] for pair in given if pair in recipes}

    def wholes(self, among: Collection[str] | None = None) -> Iterator[Digest]:
        """The folders that it covers; with `among`, those that hold one of these."""
        yield from wholes_of(self.subjects, among)
        if self.resources != self.subjects:
            yield from wholes_of(self.resources, among)


def read_said(item: Evidence, container: Opened, limit: int, reading: Reading) -> Said:
    """What an item says; never raises."""
    try:
        statement = read_payload(container, limit, reading)
    except StatementError as error:
        return _guessed(item, container, limit, reading, str(error))
    parts = origins_of(statement).parts.values()
    return Said(
        claim=statement.claim,
        subjects=statement.subjects,
        resources=statement.resources,
        inputs=frozenset(word for part in parts for word in words(part.digests)),
        depends_on=statement.depends_on,
        statement=statement,
        is_vague=statement.claim == "verification.summary" and any("sha256" not in part.digests for part in parts),
    )


def _guessed(item: Evidence, container: Opened, limit: int, reading: Reading, problem: str) -> Said:
    """The subjects of a statement of an unknown type, and all digests that it names."""
    _, hints = read_hints(item.data, limit, reading, item.message)
    raw = _raw(container, limit)
    if raw is None:
        return Said(hints.claim, (), (), frozenset(), hints.depends_on, problem=problem)
    # Of a known type that is malformed nobody can tell what else it means.
    problem = problem if hints.claim is not None and not hints.is_readable else ""
    named = frozenset(words_in(raw.predicate))
    return Said(hints.claim, raw.subjects, raw.subjects, named, hints.depends_on, problem=problem)


def _raw(container: Opened, limit: int) -> RawStatement | None:
    if not isinstance(container, Container):
        return None
    try:
        return parse_statement(container.content.payload, limit=limit)
    except StatementError:
        return None
