"""Corpus: the documents that a model may look up, and the index over them.

Facts: those of every collected statement and `documents` (`count`, `root`). The root is computed again from the
subjects: a manifest whose documents are other ones is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.merkle import files_root
from gate.formats.predicates.collected import reader
from gate.formats.predicates.common import member
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "corpus"


def _facts(raw: RawStatement, files: Mapping[str, Digest]) -> JsonObject:
    paths = member(raw.predicate, "roles", "documents")
    documents = {path: files[path] for path in paths if isinstance(path, str)} if isinstance(paths, list) else {}
    expected: JsonObject = {"count": len(documents), "root": files_root(documents)}
    if raw.predicate["documents"] != expected:
        raise StatementError("documents", "count and root are not those of the documents among the subjects")
    return {"documents": expected}


READERS = reader(CLAIM, _facts)
