"""Prompt: system prompt, templates, tool schemas and safety policy of an application.

Facts: those of every collected statement and `sensitivity_labels`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.formats.intoto import RawStatement
from gate.formats.predicates.collected import reader
from gate.model.digest import Digest
from gate.model.json import JsonObject

CLAIM = "prompt"


def _facts(raw: RawStatement, _: Mapping[str, Digest]) -> JsonObject:
    return {"sensitivity_labels": raw.predicate["sensitivity_labels"]}


READERS = reader(CLAIM, _facts)
