"""Privacy of collected statements: whether contents of files are in the statement, in the clear or encrypted."""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import StatementError
from gate.formats.predicates.common import text
from gate.model.digest import Digest
from gate.model.json import JsonObject, JsonValue


def read_privacy(value: JsonValue, files: Mapping[str, Digest]) -> JsonObject:
    """The facts `mode` and `payloads` (sorted paths); raises `StatementError` for payloads that do not hold.

    `files` are the digests of the statement's subjects by path.
    """
    mode = text(value, "mode")
    if mode != "hash_only" or not isinstance(value, Mapping) or value.keys() != {"mode"} or not files:
        raise StatementError("privacy", "only hash_only is read")
    return {"mode": mode, "payloads": []}
