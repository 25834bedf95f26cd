"""Approvals: a decision about files, named by `paths`, or about statements, named by their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found
from gate.attest.predicates.values import items, optional_text, trees
from gate.attest.statement import payload_digest
from gate.errors import AttestError
from gate.formats.predicates.approval import CLAIM
from gate.formats.strict_yaml import Node
from gate.model.digest import Digest


def statements(fields: Mapping[str, Node], key: str, files: Files) -> list[Digest]:
    """The payload digests of statements, or of envelopes and bundles around them."""
    found = []
    for node in items(fields, key):
        file, data = files.content(node)
        try:
            found.append(payload_digest(data))
        except AttestError as error:
            raise node.error(f"{file.path}: {error}") from None
    return sorted(set(found))


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    digests = statements(fields, "statements", files)
    found, folders = trees(items(fields, "paths"), files)
    if not digests and not found:
        raise AttestError("nothing is decided upon", hint="name files with paths, statements with statements, or both")
    return Collected(
        roles={"files": found, "statements": [Found(digest, digest) for digest in digests]},
        members={
            "decision": fields["decision"].choice("approved", "rejected"),
            "scope": optional_text(fields, "scope"),
            "comment": optional_text(fields, "comment"),
        },
        folders=folders,
        depends_on=tuple(digests),
    )


_REQUIRED: Final = ("decision",)
_KEYS: Final = ("decision", "scope", "comment", "paths", "statements")
COLLECTOR = Collector(claim=CLAIM, keys=_KEYS, required=_REQUIRED, collect=_collect)
