"""`change` and `gates`: what changed, which gates that triggers, and which statements cover it.

Covering is a fact and computed here; whether it is enough is judged in Rego (DOCUMENTS 6, "Covers").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from gate.formats.glob import Glob, compile_glob
from gate.model.change import ChangeSet, FileChange, FileSide
from gate.model.digest import Digest
from gate.model.evidence import Subject, Verified
from gate.model.json import JsonObject, JsonValue
from gate.model.path import path_tails, plain_name
from gate.model.settings import GateSettings, Steering

_APPROVAL: Final = "approval"
# What the modes of regular files begin with, executable or not.
_REGULAR: Final = "100"


class Coverage:
    """Which statements cover a changed file: those that name its bytes, and those that build on one that does."""

    def __init__(self, verified: Sequence[Verified]) -> None:
        self._claims = {item.payload: item.statement.claim for item in verified}
        self._lines = {item.payload: (item.payload, *item.ancestors) for item in verified}
        self._names = {item.payload: _Names(item) for item in verified}
        self._located = {item.payload: item.statement.located for item in verified}
        self._folders = {item.payload: item.statement.folders for item in verified}
        self._own = {payload: names.digests for payload, names in self._names.items()}
        self._by_digest: dict[Digest, list[Digest]] = {}
        for payload, line in sorted(self._lines.items()):
            for digest in frozenset[Digest]().union(*(self._own[item] for item in line)):
                self._by_digest.setdefault(digest, []).append(payload)

    def of_file(self, path: str, digest: Digest | None, claim: str) -> list[Digest]:
        """The statements of a claim that cover a file as it is now, sorted."""
        return [
            payload
            for payload in (self._by_digest.get(digest, []) if digest is not None else [])
            if self._claims[payload] == claim and any(self._has(item, path, digest) for item in self._lines[payload])
        ]

    def of_policy(self, path: str, digest: Digest) -> list[Digest]:
        """The approvals of a file that steers the gate, sorted: they have it as a subject under its own full path.

        What is approved here decides about everything else, so that neither another name nor a chain will do.
        """
        return [
            payload
            for payload in self._by_digest.get(digest, [])
            if self._claims[payload] == _APPROVAL and digest in self._names[payload].subjects.get(path, ())
        ]

    def of_deletion(self, path: str, old: Digest | None, folder: frozenset[Digest], claim: str) -> list[Digest]:
        """The statements of a claim that cover all that the folder of a deleted file now holds; sorted.

        One that still names the deleted file was made before, and says nothing about the folder as it is now. One that
        names paths says something about what is no longer there only if it attests a folder around it whole.
        """
        return [
            payload
            for payload in (self._by_digest.get(min(folder), []) if folder else [])
            if self._claims[payload] == claim
            and folder <= frozenset[Digest]().union(*(self._own[item] for item in self._lines[payload]))
            and not any(self._remembers(item, path, old, folder) for item in self._lines[payload])
            and (not self._located[payload] or any(self._attests_around(item, path) for item in self._lines[payload]))
        ]

    def of_policy_deletion(self, path: str) -> list[Digest]:
        """The approvals that attest whole a folder in which a file that steers the gate is no longer; sorted.

        A decision that names other files of the folder is not one about the deletion.
        """
        return sorted(
            payload
            for payload, claim in self._claims.items()
            if claim == _APPROVAL and self._attests_around(payload, path) and not any(self._names[payload].of(path))
        )

    def _has(self, payload: Digest, path: str, digest: Digest | None) -> bool:
        """Whether a statement is about a file: its bytes, and where it names paths, this very path."""
        if digest is None or self._located[payload]:
            return digest in self._names[payload].of(path)[0]
        return digest in self._own[payload] and not self._denies(payload, path, digest)

    def _attests_around(self, payload: Digest, path: str) -> bool:
        return any(path.startswith(f"{folder}/") for folder in self._folders[payload])

    def _denies(self, payload: Digest, path: str, digest: Digest) -> bool:
        """Whether a statement gives the file's own name to other bytes only, so that the file is not where it was.

        Where it has the path itself, that decides. Names from other roots may be those of other files too.
        """
        exact, *others = self._names[payload].of(path)
        return digest not in exact if exact else any(about and digest not in about for about in others)

    def _remembers(self, payload: Digest, path: str, old: Digest | None, folder: frozenset[Digest]) -> bool:
        if old in folder:
            return any(old in digests for digests in self._names[payload].of(path))
        return old in self._own[payload]


class _Names:
    """The digests that a statement gives to names, found by whatever the root is that its names start from."""

    def __init__(self, item: Verified) -> None:
        self.subjects: Final = _digests_by_name(item.statement.subjects)
        self._exact: Final = _digests_by_name(item.statement.resources)
        self.digests: Final = frozenset[Digest]().union(*self._exact.values())
        self._ending: Final[dict[str, set[Digest]]] = {}
        for name, digests in self._exact.items():
            for tail in path_tails(name):
                self._ending.setdefault(tail, set()).update(digests)

    def of(self, path: str) -> tuple[AbstractSet[Digest], AbstractSet[Digest], AbstractSet[Digest]]:
        """What it says of a path, of names that end in it, and of names that it ends in."""
        _, *shorter = path_tails(path)
        below = frozenset[Digest]().union(*(self._exact.get(name, frozenset()) for name in shorter))
        return self._exact.get(path, frozenset()), self._ending.get(path, frozenset()), below


def _digests_by_name(resources: Sequence[Subject]) -> Mapping[str, AbstractSet[Digest]]:
    found: dict[str, set[Digest]] = {}
    for resource in resources:
        if resource.digest is not None:
            found.setdefault(plain_name(resource.name), set()).add(resource.digest)
    return found


def change_sections(
    change: ChangeSet, gates: Mapping[str, GateSettings], steering: Steering, verified: Sequence[Verified]
) -> tuple[JsonObject, JsonObject]:
    """The sections `change` and `gates`. `steering` says which files steer the gate."""
    globs = {name: [compile_glob(text) for text in gate.trigger_paths] for name, gate in gates.items()}
    matched = {path: triggered_gates(path, entry, globs) for path, entry in change.files.items()}
    coverage = Coverage(verified)
    files: dict[str, JsonValue] = {}
    for path, entry in change.files.items():
        role = steering.role(path)
        claims = {claim for name in matched[path] for claim in gates[name].required_attestations}
        if role is not None:
            claims.add(_APPROVAL)
        files[path] = {
            "status": entry.status.value,
            "old": _side(entry.old),
            "new": _side(entry.new),
            "role": role,
            "gates": list(matched[path]),
            "covered_by": {claim: list(_covered_by(path, claim, role, change, coverage)) for claim in sorted(claims)},
        }
    section: JsonObject = {
        "status": change.source.value,
        "repository": None,
        "base": change.base,
        "merge_base": change.merge_base,
        "head": change.head,
        "tree": change.tree,
        "dirty": change.dirty,
        "files": files,
    }
    return section, _gates_section(gates, matched)


def triggered_gates(path: str, entry: FileChange, globs: Mapping[str, Sequence[Glob]]) -> tuple[str, ...]:
    """The gates whose trigger paths match a changed path, or one that looks like it; sorted.

    A link or submodule, on either side, stands for files below it that nothing here sees: it triggers what they could.
    """
    is_plain = all(side is None or side.mode.startswith(_REGULAR) for side in (entry.old, entry.new))
    return tuple(
        sorted(
            name for name, patterns in globs.items() if any(glob.triggers(path, is_plain=is_plain) for glob in patterns)
        )
    )


def _gates_section(gates: Mapping[str, GateSettings], matched: Mapping[str, tuple[str, ...]]) -> JsonObject:
    found: dict[str, JsonValue] = {}
    for name, gate in gates.items():
        files = sorted(path for path, names in matched.items() if name in names)
        found[name] = {
            "trigger_paths": list(gate.trigger_paths),
            "required_attestations": list(gate.required_attestations),
            "message": gate.message,
            "triggered": bool(files),
            "files": list(files),
        }
    return found


def _covered_by(path: str, claim: str, role: str | None, change: ChangeSet, coverage: Coverage) -> list[Digest]:
    """The statements about the file as it is now, or about all that the folder of a deleted file now holds."""
    entry = change.files[path]
    if entry.new is not None:
        digest = entry.new.digest
        if role is not None and claim == _APPROVAL and digest is not None:
            return coverage.of_policy(path, digest)
        return coverage.of_file(path, digest, claim)
    old = entry.old.digest if entry.old is not None else None
    if role is not None and claim == _APPROVAL:
        return coverage.of_policy_deletion(path)
    return coverage.of_deletion(path, old, change.folders.get(path, frozenset()), claim)


def _side(side: FileSide | None) -> JsonValue:
    return None if side is None else {"mode": side.mode, "digest": side.digest}
