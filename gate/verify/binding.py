"""What a statement is about: its resources against the bytes that ask for admission (SECURITY 11, 12).

Digests decide. A name alone never makes a statement count; it only tells a statement about *other bytes of the
same thing* (refused, exit 12) from one about something else (kept, but it covers nothing here).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gate.formats.predicates.model_signature import SINGLE_FILE
from gate.model.artifact import Artifact
from gate.model.digest import Digest
from gate.model.evidence import Statement, Subject
from gate.model.path import path_tails, plain_name
from gate.verify.hints import Hints
from gate.verify.located import Place, Places
from gate.verify.recipes import compare_recipes

UNREADABLE: Final = "unreadable"
_ARTIFACT: Final = "artifact:"
_FILE: Final = "file:"
OtherDigest = Callable[[Digest, str], str | None]
"""The hexadecimal `algorithm` digest of the file whose SHA-256 this is; `None` if no such file is at hand."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something at stake: an artifact, or a single changed file.

    `path` says what it is, for people. `files` are its digests by the name that a statement may use, `None` for what
    is not a regular file. What is deleted has neither digest nor files: it can be mentioned, but not covered.
    """

    key: str
    path: str
    digest: Digest | None
    files: Mapping[str, Digest | None]
    root: str
    names: frozenset[str]
    is_single_file: bool = False
    is_path: bool = True

    @property
    def place(self) -> Place:
        """Where it lies below the root, if it is a path."""
        files = {f"{self.root}/{path}" if self.root else path: digest for path, digest in self.files.items()}
        return Place(self.path, self.key.startswith(_ARTIFACT) and not self.is_single_file, files)


@dataclass(frozen=True, slots=True)
class Relation:
    """A statement's relation to all targets: those it covers, and those whose other bytes it is about.

    `files` are the SHA-256 of the files that a manifest of other digests was found to be about, by its own names.
    `problems` is all that does not fit, where more than the first is known. `resources` are those of the statement with
    their SHA-256, where it gave other digests of what is at stake alone.
    """

    covers: tuple[str, ...]
    mismatches: Mapping[str, str]
    conflict: str | None = None
    files: Mapping[str, Digest] | None = None
    problems: tuple[str, ...] = ()
    resources: tuple[Subject, ...] | None = None


def build_targets(artifacts: Mapping[str, Artifact], changed: Mapping[str, Digest | None]) -> tuple[Target, ...]:
    """The targets of a decision: the artifacts, and the changed files by path."""
    found = [_artifact_target(artifact) for artifact in artifacts.values()]
    for path, digest in changed.items():
        files = {} if digest is None else {path: digest}
        found.append(Target(f"{_FILE}{path}", path, digest, files, "", frozenset({path})))
    return tuple(found)


def _artifact_target(artifact: Artifact) -> Target:
    files = {path: file.digest for path, file in artifact.files.items()}
    if artifact.path is None:
        reference = (artifact.reference or "").partition("@")[0]
        names = frozenset({reference})
        return Target(f"{_ARTIFACT}{artifact.name}", reference, artifact.digest, {}, "", names, is_path=False)
    root = artifact.path if artifact.is_folder else posixpath.dirname(artifact.path)
    names = frozenset({artifact.path, posixpath.basename(artifact.path)})
    single = not artifact.is_folder
    return Target(f"{_ARTIFACT}{artifact.name}", artifact.path, artifact.digest, files, root, names, single)


class Binder:
    """Relates statements to targets through indexes, so that many statements and files stay cheap."""

    def __init__(
        self, targets: Sequence[Target], other_digest: OtherDigest, named: Mapping[str, Place] | None = None
    ) -> None:
        """`named` are places that statements name and that are not at stake by themselves."""
        self._targets = {target.key: target for target in targets}
        self._other_digest = other_digest
        self._by_digest: dict[Digest, set[str]] = {}
        self._by_name: dict[str, set[str]] = {}
        self._places = Places({target.key: target.place for target in targets if target.is_path}, named)
        for target in targets:
            for digest in {target.digest, *target.files.values()} - {None}:
                self._by_digest.setdefault(Digest(str(digest)), set()).add(target.key)
            for name in _all_names(target):
                self._by_name.setdefault(name, set()).add(target.key)

    def relate(self, statement: Statement) -> Relation:
        """How a statement stands to what is at stake."""
        if statement.exhaustive and any(item.digest is None for item in statement.resources):
            return self._relate_recipes(statement)
        if statement.located:
            fitting, problems = self._places.relate(statement)
            first = {key: found[0] for key, found in problems.items()}
            every = tuple(dict.fromkeys(problem for _, found in sorted(problems.items()) for problem in found))
            return Relation(tuple(fitting), first, problems=every)
        resources, conflict = self._settled(statement.resources)
        if conflict is not None:
            return Relation((), {}, conflict)
        digests = {item.digest for item in resources if item.digest is not None}
        said = _Said(resources)
        covers, mismatches = [], {}
        for key in sorted(self._candidates(statement, resources)):
            target = self._targets[key]
            if statement.exhaustive and key.startswith(_ARTIFACT):
                covered, problem = _compare_manifest(target, resources)
            else:
                covered, problem = _compare_digests(target, said, digests)
            if covered:
                covers.append(key)
            elif problem is not None:
                mismatches[key] = problem
        return Relation(tuple(covers), mismatches, resources=None if resources == statement.resources else resources)

    def _relate_recipes(self, statement: Statement) -> Relation:
        """A manifest of shards or of other hashes: digests are asked for only where a name and the files agree."""
        covers, mismatches = [], {}
        files: Mapping[str, Digest] | None = None
        for key, target in sorted(self._targets.items()):
            if key.startswith(_ARTIFACT) and target.files:
                found, problem = compare_recipes(
                    target.files, statement.resources, self._other_digest, is_single_file=target.is_single_file
                )
                if found is not None:
                    covers.append(key)
                    files = found
                elif problem is not None or not target.names.isdisjoint(item.name for item in statement.subjects):
                    mismatches[key] = problem or "its files are not those that were signed"
        return Relation(tuple(covers), mismatches, files=files)

    def mentioned(self, hints: Hints) -> frozenset[str]:
        """The keys of what unproved hints name, or `UNREADABLE`, which stands for anything at stake."""
        if not hints.is_readable:
            return frozenset({UNREADABLE})
        keys = {key for name in hints.names for key in self._by_name.get(name, ())}
        return frozenset(keys.union(*(self._by_digest.get(digest, set()) for digest in hints.digests)))

    def _candidates(self, statement: Statement, resources: Sequence[Subject]) -> set[str]:
        found: set[str] = set()
        for item in resources:
            found |= self._by_digest.get(item.digest, set()) if item.digest is not None else set()
            found |= self._by_name.get(plain_name(item.name), set()) if not statement.exhaustive else set()
        if statement.exhaustive:
            for item in statement.subjects:
                found |= self._by_name.get(item.name, set())
        return found

    def _settled(self, resources: Sequence[Subject]) -> tuple[tuple[Subject, ...], str | None]:
        """Resources with a SHA-256 each; a secure digest of another algorithm that disagrees is a conflict."""
        found = []
        for item in resources:
            if item.other_digests and item.digest is not None and item.digest in self._by_digest:
                for algorithm, text in item.other_digests.items():
                    if self._other_digest(item.digest, algorithm) != text:
                        return (), f"{item.name!r}: its {algorithm} does not agree with its sha256"
            digest = item.digest if item.digest is not None else self._find(item.other_digests)
            found.append(item if digest == item.digest else replace(item, digest=digest))
        return tuple(found), None

    def _find(self, others: Mapping[str, str]) -> Digest | None:
        """The digest at stake whose other algorithms give exactly these values."""
        for digest in sorted(self._by_digest) if others else ():
            if all(self._other_digest(digest, algorithm) == text for algorithm, text in others.items()):
                return digest
        return None


def artifacts_among(keys: Iterable[str]) -> tuple[str, ...]:
    """The names of the artifacts among some targets' keys, sorted."""
    return tuple(sorted(key.removeprefix(_ARTIFACT) for key in keys if key.startswith(_ARTIFACT)))


def _all_names(target: Target) -> Iterator[str]:
    yield from target.names
    for path in target.files:
        yield path
        if target.root:
            yield f"{target.root}/{path}"


def _compare_manifest(target: Target, resources: Sequence[Subject]) -> tuple[bool, str | None]:
    """A model signature: names and digests must be those of the artifact's files, no more and no fewer."""
    if not target.files:
        return False, None
    signed = {item.name: item.digest for item in resources}
    if target.is_single_file and list(signed) == [SINGLE_FILE]:
        signed = {next(iter(target.files)): signed[SINGLE_FILE]}
    for path in sorted(signed.keys() | target.files.keys()):
        if path not in target.files:
            return False, f"{path!r} is signed, but it is not there"
        if path not in signed:
            return False, f"{path!r} is there, but it is not signed"
        if target.files[path] is None:
            return False, f"{path!r} is a link or a device, not a file"
        if target.files[path] != signed[path]:
            return False, f"{path!r} is {target.files[path]}, signed was {signed[path]}"
    return True, None


class _Said:
    """The digests that a statement gives to names: exactly, and to the paths that its names end in.

    Names are written from many roots (`prompts/a.txt`, `./prompts/a.txt`, `app/prompts/a.txt`), so a path of the
    repository at the end of a name speaks of that path. Only against a statement: a name never makes it count.
    """

    def __init__(self, resources: Sequence[Subject]) -> None:
        self._exactly: dict[str, set[Digest | None]] = {}
        self._ending: dict[str, set[Digest | None]] = {}
        for item in resources:
            self._exactly.setdefault(plain_name(item.name), set()).add(item.digest)
            for tail in path_tails(item.name):
                self._ending.setdefault(tail, set()).add(item.digest)

    def of(self, target: Target, path: str) -> set[Digest | None]:
        """What it says of one of a target's files."""
        whole = f"{target.root}/{path}" if target.root else path
        return self._exactly.get(path, set()) | self._ending.get(whole, set())

    def of_whole(self, target: Target) -> set[Digest | None]:
        """What it says of the target itself."""
        return set().union(*(self._exactly.get(name, set()) for name in target.names))


def _compare_digests(target: Target, said: _Said, digests: set[Digest]) -> tuple[bool, str | None]:
    """Any other statement: it names the whole artifact, or each of its files.

    A file whose own name it gives to other bytes is not covered, though its bytes stand under another name: two
    files that changed places are not what was attested.
    """
    if target.digest in digests and target.digest not in target.files.values():
        return True, None
    problem = None
    for path in sorted(target.files):
        about = said.of(target, path)
        if about and target.files[path] not in about:
            problem = _differs(path, target.files[path], about)
            break
    if problem is None and target.files and all(digest in digests for digest in target.files.values()):
        return True, None
    whole = said.of_whole(target)
    if problem is None and whole and target.digest not in {None, *whole}:
        problem = _differs(target.path, target.digest, whole)
    return False, problem


def _differs(name: str, actual: Digest | None, about: Iterable[Digest | None]) -> str:
    stated = ", ".join(sorted(digest or "another digest" for digest in about))
    return f"{name!r} is {actual or 'no regular file'}, the statement is about {stated}"
