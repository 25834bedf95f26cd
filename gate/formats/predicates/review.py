"""Review: somebody looked at files or statements, and says whether they are good. Facts are those of an approval."""

from __future__ import annotations

from gate.formats.predicates.approval import decision_facts
from gate.formats.predicates.collected import reader

CLAIM = "review"

READERS = reader(CLAIM, decision_facts)
