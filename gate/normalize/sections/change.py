"""`change` and `gates`: what changed, which gates that triggers, and which statements cover it.

Covering is a fact and computed here; whether it is enough is judged in Rego (DOCUMENTS 6, "Covers").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.formats.glob import Glob, compile_glob
from gate.model.change import ChangeSet, FileChange, FileSide
from gate.model.digest import Digest
from gate.model.evidence import Verified
from gate.model.json import JsonObject, JsonValue
from gate.model.settings import GateSettings

_APPROVAL = "approval"


class Coverage:
    """Which statements cover a digest: those that name it, and those that build on one that does."""

    def __init__(self, verified: Sequence[Verified]) -> None:
        own = {
            item.payload: frozenset(r.digest for r in item.statement.resources if r.digest is not None)
            for item in verified
        }
        self._claims = {item.payload: item.statement.claim for item in verified}
        self._digests = {
            item.payload: own[item.payload].union(*(own[parent] for parent in item.ancestors)) for item in verified
        }
        self._by_digest: dict[Digest, list[Digest]] = {}
        for payload, digests in sorted(self._digests.items()):
            for digest in digests:
                self._by_digest.setdefault(digest, []).append(payload)

    def of(self, digests: frozenset[Digest], claim: str) -> list[Digest]:
        """The statements of a claim that cover all of these digests, of which there is at least one; sorted."""
        if not digests:
            return []
        first = min(digests)
        return [
            payload
            for payload in self._by_digest.get(first, [])
            if self._claims[payload] == claim and digests <= self._digests[payload]
        ]


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
        digests = _covered_digests(path, entry, change)
        files[path] = {
            "status": entry.status.value,
            "old": _side(entry.old),
            "new": _side(entry.new),
            "role": role,
            "gates": list(matched[path]),
            "covered_by": {claim: list(coverage.of(digests, claim)) for claim in sorted(claims)},
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


def _covered_digests(path: str, entry: FileChange, change: ChangeSet) -> frozenset[Digest]:
    """What a statement has to name: the file as it is now, or all that the folder of a deleted file now holds."""
    if entry.new is None:
        return change.folders.get(path, frozenset())
    return frozenset() if entry.new.digest is None else frozenset({entry.new.digest})


def _side(side: FileSide | None) -> JsonValue:
    return None if side is None else {"mode": side.mode, "digest": side.digest}
