"""`admission`: what an API server asks. Without a request there is no such section."""

from __future__ import annotations

from gate.model.admission import AdmissionFacts, admission_json
from gate.model.json import JsonObject


def admission_section(facts: AdmissionFacts | None) -> JsonObject:
    """The section as a member of the document, or none."""
    return {} if facts is None else {"admission": admission_json(facts)}
