"""`change` and `gates`: what changed, which gates that triggers, and which statements cover it.

Covering is a fact and computed here; whether it is enough is judged in Rego (DOCUMENTS 6, "Covers").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.formats.glob import Glob, compile_glob
from gate.model.change import ChangeSet, FileSide
from gate.model.digest import Digest
from gate.model.evidence import Verified
from gate.model.json import JsonObject, JsonValue
from gate.model.settings import GateSettings

_APPROVAL = "approval"


class Coverage:
    """Which statements cover a changed file: those that name its bytes, and those that build on one that does."""

    def __init__(self, verified: Sequence[Verified]) -> None:
        self._claims = {item.payload: item.statement.claim for item in verified}
        self._lines = {item.payload: (item.payload, *item.ancestors) for item in verified}
        self._names = {item.payload: _digests_by_name(item) for item in verified}
        self._own = {payload: frozenset[Digest]().union(*names.values()) for payload, names in self._names.items()}
        self._by_digest: dict[Digest, list[Digest]] = {}
        for payload, line in sorted(self._lines.items()):
            for digest in frozenset[Digest]().union(*(self._own[item] for item in line)):
                self._by_digest.setdefault(digest, []).append(payload)

    def of_file(self, path: str, digest: Digest | None, claim: str) -> list[Digest]:
        """The statements of a claim that cover a file as it is now, sorted."""
        return [
            payload
            for payload in (self._by_digest.get(digest, []) if digest is not None else [])
            if self._claims[payload] == claim
            and any(digest in self._own[item] and not self._denies(item, path, digest) for item in self._lines[payload])
        ]

    def of_deletion(self, path: str, old: Digest | None, folder: frozenset[Digest], claim: str) -> list[Digest]:
        """The statements of a claim that cover all that the folder of a deleted file now holds; sorted.

        One that still names the deleted file was made before, and says nothing about the folder as it is now.
        """
        return [
            payload
            for payload in (self._by_digest.get(min(folder), []) if folder else [])
            if self._claims[payload] == claim
            and folder <= frozenset[Digest]().union(*(self._own[item] for item in self._lines[payload]))
            and not any(self._remembers(item, path, old, folder) for item in self._lines[payload])
        ]

    def _denies(self, payload: Digest, path: str, digest: Digest) -> bool:
        """Whether a statement gives the file's own name to other bytes only, so that the file is not where it was."""
        about = frozenset[Digest]().union(*self._named(payload, path))
        return bool(about) and digest not in about

    def _remembers(self, payload: Digest, path: str, old: Digest | None, folder: frozenset[Digest]) -> bool:
        if old in folder:
            return any(old in digests for digests in self._named(payload, path))
        return old in self._own[payload]

    def _named(self, payload: Digest, path: str) -> list[frozenset[Digest]]:
        """The digests under each name that may stand for a path: itself, or what it is relative to a folder."""
        segments = path.split("/")
        names = ("/".join(segments[start:]) for start in range(len(segments)))
        return [self._names[payload][name] for name in names if name in self._names[payload]]


def _digests_by_name(item: Verified) -> Mapping[str, frozenset[Digest]]:
    found: dict[str, set[Digest]] = {}
    for resource in item.statement.resources:
        if resource.digest is not None:
            found.setdefault(resource.name, set()).add(resource.digest)
    return {name: frozenset(digests) for name, digests in found.items()}


def change_sections(
    change: ChangeSet, gates: Mapping[str, GateSettings], roles: Mapping[str, str], verified: Sequence[Verified]
) -> tuple[JsonObject, JsonObject]:
    """The sections `change` and `gates`. `roles` are the files that steer the gate, by path."""
    globs = {name: [compile_glob(text) for text in gate.trigger_paths] for name, gate in gates.items()}
    matched = {path: triggered_gates(path, globs) for path in change.files}
    coverage = Coverage(verified)
    files: dict[str, JsonValue] = {}
    for path, entry in change.files.items():
        role = roles.get(path)
        claims = {claim for name in matched[path] for claim in gates[name].required_attestations}
        if role is not None:
            claims.add(_APPROVAL)
        files[path] = {
            "status": entry.status.value,
            "old": _side(entry.old),
            "new": _side(entry.new),
            "role": role,
            "gates": list(matched[path]),
            "covered_by": {claim: list(_covered_by(path, claim, change, coverage)) for claim in sorted(claims)},
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


def triggered_gates(path: str, globs: Mapping[str, Sequence[Glob]]) -> tuple[str, ...]:
    """The gates whose trigger paths match a path, sorted."""
    return tuple(sorted(name for name, patterns in globs.items() if any(glob.matches(path) for glob in patterns)))


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


def _covered_by(path: str, claim: str, change: ChangeSet, coverage: Coverage) -> list[Digest]:
    """The statements about the file as it is now, or about all that the folder of a deleted file now holds."""
    entry = change.files[path]
    if entry.new is not None:
        return coverage.of_file(path, entry.new.digest, claim)
    old = entry.old.digest if entry.old is not None else None
    return coverage.of_deletion(path, old, change.folders.get(path, frozenset()), claim)


def _side(side: FileSide | None) -> JsonValue:
    return None if side is None else {"mode": side.mode, "digest": side.digest}
