"""The input document: the only thing that the Rego library sees and that a decision rests on."""

from __future__ import annotations

from dataclasses import dataclass

from gate.model.digest import Digest
from gate.model.json import JsonObject

INPUT_SCHEMA = "urn:gate:input:v1"


@dataclass(frozen=True, slots=True)
class InputDocument:
    """A normalised document that fits its schema, with its canonical bytes and their digest."""

    value: JsonObject
    canonical: bytes
    digest: Digest
