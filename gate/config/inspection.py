"""The section `inspection` of `gate.yaml`: what the look at model files may find harmless beyond its list."""

from __future__ import annotations

from gate.formats.pickle_names import problem_of_allowed
from gate.formats.strict_yaml import Node


def read_allowed_globals(node: Node | None) -> frozenset[str]:
    """The globals that pickles may name; what runs code is refused whoever lists it."""
    if node is None:
        return frozenset()
    fields = node.fields("allow_globals")
    if "allow_globals" not in fields:
        raise node.error("expected allow_globals; remove the key if nothing is allowed")
    for item in fields["allow_globals"].items():
        problem = problem_of_allowed(item.text())
        if problem is not None:
            raise item.error(f"{item.text()[:200]!r} {problem}")
    return frozenset(fields["allow_globals"].texts())
