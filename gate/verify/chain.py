"""The provenance chain: statements that name others by payload digest (SECURITY 14).

A dependency is found among the verified statements by digest or not at all, so neither file names nor their
order matter. A statement that names itself, one that is not there, or one in a cycle is refused, and so is
every statement that builds on a refused one.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.model.digest import Digest


def resolve_chain(
    depends_on: Mapping[Digest, tuple[Digest, ...]],
) -> tuple[Mapping[Digest, tuple[Digest, ...]], Mapping[Digest, tuple[str, str]]]:
    """The ancestors of each statement that holds, sorted, and `(code, detail)` for each that does not."""
    broken: dict[Digest, tuple[str, str]] = {}
    for digest, needed in depends_on.items():
        if digest in needed:
            broken[digest] = ("self", "the statement depends on itself")
    ancestors: dict[Digest, frozenset[Digest]] = {}
    waiting = {digest: needed for digest, needed in depends_on.items() if digest not in broken}
    while waiting:
        ready = sorted(digest for digest, needed in waiting.items() if all(item in ancestors for item in needed))
        if not ready:
            break
        for digest in ready:
            needed = waiting.pop(digest)
            ancestors[digest] = frozenset(needed).union(*(ancestors[item] for item in needed))
    for digest, needed in waiting.items():
        missing = sorted(item for item in needed if item not in waiting and item not in ancestors)
        if missing:
            broken[digest] = ("dangling", f"depends on {missing[0]}, which is not among the verified statements")
        else:
            broken[digest] = ("unresolved", "depends on a statement that is refused, or that depends on this one")
    return {digest: tuple(sorted(found)) for digest, found in ancestors.items()}, broken
