"""The provenance chain: statements that name others by payload digest (SECURITY 14).

What a claim may build on is settled (`gate.model.claim.EDGES`), and nothing builds on what was stated later. A
dependency is found among the verified statements by digest or not at all, so neither file names nor their order
matter. A statement that names itself, one that is not there, or one in a cycle is refused, and so is every statement
that builds on a refused one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from gate.model.claim import NEEDS_PREDECESSOR, may_build_on
from gate.model.digest import Digest
from gate.model.evidence import Statement


def broken_edges(statements: Mapping[Digest, Statement]) -> Mapping[Digest, tuple[str, str]]:
    """`(code, detail)` for each statement that builds on what its claim may not, on something later, or on nothing.

    Looks at edges between statements that are there; what is not there is for `resolve_chain` to say.
    """
    found = {}
    for digest, statement in statements.items():
        problem = _edge_problem(statement, statements)
        if problem is not None:
            found[digest] = problem
    return found


def _edge_problem(statement: Statement, statements: Mapping[Digest, Statement]) -> tuple[str, str] | None:
    claim, stated = statement.claim, statement.stated_at_s
    if statement.facts.get("collected") and claim in NEEDS_PREDECESSOR and not statement.depends_on:
        return "no_predecessor", f"{claim} names no statement that it builds on"
    for needed in statement.depends_on:
        before = statements.get(needed)
        if before is None or before is statement:
            continue
        if not may_build_on(claim, before.claim):
            return "edge", f"{claim} does not build on {before.claim} ({needed})"
        if stated is not None and before.stated_at_s is not None and before.stated_at_s > stated:
            return "order", f"the {before.claim} that it builds on was stated later ({needed})"
    return None


def resolve_chain(
    depends_on: Mapping[Digest, tuple[Digest, ...]],
) -> tuple[Mapping[Digest, tuple[Digest, ...]], Mapping[Digest, tuple[str, str]]]:
    """The ancestors of each statement that holds, sorted, and `(code, detail)` for each that does not."""
    users = _users(depends_on)
    open_ones = {digest: len(set(needed)) for digest, needed in depends_on.items()}
    ready = deque(digest for digest, number in open_ones.items() if number == 0)
    ancestors: dict[Digest, frozenset[Digest]] = {}
    while ready:
        digest = ready.popleft()
        needed = depends_on[digest]
        ancestors[digest] = frozenset(needed).union(*(ancestors[item] for item in needed))
        for user in users.get(digest, ()):
            open_ones[user] -= 1
            if open_ones[user] == 0:
                ready.append(user)
    broken = {digest: _why(digest, depends_on) for digest in depends_on if digest not in ancestors}
    return {digest: tuple(sorted(found)) for digest, found in ancestors.items()}, broken


def building_on(old: AbstractSet[Digest], depends_on: Mapping[Digest, tuple[Digest, ...]]) -> AbstractSet[Digest]:
    """The statements that build on one of `old`, directly or not."""
    users, found, waiting = _users(depends_on), set[Digest](), deque(old)
    while waiting:
        for user in users.get(waiting.popleft(), ()):
            if user not in found:
                found.add(user)
                waiting.append(user)
    return found


def inherited(
    own: Mapping[Digest, frozenset[str]], depends_on: Mapping[Digest, tuple[Digest, ...]]
) -> Mapping[Digest, frozenset[str]]:
    """What each statement has itself, and what all that it builds on have, in whatever shape the chain is."""
    users = _users(depends_on)
    found = dict(own)
    waiting = deque(digest for digest, words in own.items() if words)
    while waiting:
        digest = waiting.popleft()
        for user in users.get(digest, ()):
            if not found[digest] <= found[user]:
                found[user] |= found[digest]
                waiting.append(user)
    return found


def _users(depends_on: Mapping[Digest, tuple[Digest, ...]]) -> Mapping[Digest, list[Digest]]:
    found: dict[Digest, list[Digest]] = {}
    for digest, needed in depends_on.items():
        for item in set(needed):
            found.setdefault(item, []).append(digest)
    return found


def _why(digest: Digest, depends_on: Mapping[Digest, tuple[Digest, ...]]) -> tuple[str, str]:
    needed = depends_on[digest]
    if digest in needed:
        return "self", "the statement depends on itself"
    missing = sorted(item for item in needed if item not in depends_on)
    if missing:
        return "dangling", f"depends on {missing[0]}, which is not among the verified statements"
    return "unresolved", "depends on a statement that is refused, or that depends on this one"
