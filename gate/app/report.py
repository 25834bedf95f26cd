"""`gate report`: a saved decision in another form."""

from __future__ import annotations

from gate.errors import EvidenceError
from gate.formats.decision_document import DecisionFormatError, load_decision
from gate.model.decision import Decision


def saved_decision(place: str, data: bytes) -> Decision:
    """The decision in some bytes; raises `EvidenceError` that names their place.

    Nobody proved who wrote it: it is good for being shown, never for being acted upon.
    """
    try:
        return load_decision(data)
    except DecisionFormatError as error:
        raise EvidenceError(
            f"{place} is not a decision: {error}",
            hint="`gate check --output decision.json` writes one",
        ) from None
