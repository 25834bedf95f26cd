"""What signs a policy bundle: `urn:promotion-gate:predicate:policy-bundle:v1`.

It is read where a bundle is opened and nowhere else: a policy is no evidence about an artifact, so no reader of
evidence knows this type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats import schema
from gate.formats.canonical_json import dumps
from gate.formats.intoto import STATEMENT_TYPE, RawStatement, StatementError
from gate.model.digest import Digest, hex_of
from gate.model.json import JsonObject

CLAIM: Final = "policy.bundle"
PREDICATE_TYPE: Final = "urn:promotion-gate:predicate:policy-bundle:v1"


@dataclass(frozen=True, slots=True)
class PolicyBundlePredicate:
    """A bundle's serial, the digest of its policy, what it may define, and all its files."""

    serial: int
    revision: Digest
    roots: tuple[str, ...]
    files: Mapping[str, Digest]

    def statement(self, name: str, archive: Digest) -> bytes:
        """The in-toto statement about an archive, in canonical JSON."""
        subject: JsonObject = {"name": name, "digest": {"sha256": hex_of(archive)}}
        return dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [subject],
                "predicateType": PREDICATE_TYPE,
                "predicate": self.to_json(),
            }
        )

    def to_json(self) -> JsonObject:
        """The predicate."""
        return {
            "serial": self.serial,
            "revision": self.revision,
            "roots": list(self.roots),
            "files": dict(self.files),
        }


def check_statement(raw: RawStatement, expected: PolicyBundlePredicate) -> None:
    """Raises `StatementError` unless a statement says exactly what is expected of a bundle."""
    if raw.predicate_type != PREDICATE_TYPE:
        raise StatementError("predicate_unknown", f"the envelope signs {raw.predicate_type[:200]!r}, no policy bundle")
    problem = schema.problem("predicates/policy-bundle.json", raw.predicate)
    if problem is not None:
        raise StatementError("predicate", f"the predicate is malformed: {problem}")
    wanted = expected.to_json()
    for member in ("serial", "revision", "roots", "files"):
        if raw.predicate[member] != wanted[member]:
            raise StatementError("mismatch", f"the {member} that the envelope signs are not those of the bundle")
