"""A decision with everything that it was made from, in one file: `urn:gate:case:v1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats import schema
from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.checked import Checked
from gate.formats.decision_document import DecisionFormatError, read_decision
from gate.formats.input_document import InputDocumentError, read_input_document
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.decision import Decision
from gate.model.document import InputDocument
from gate.model.json import JsonObject

CASE_SCHEMA: Final = "urn:gate:case:v1"
MAX_BYTES: Final = 256 << 20


class CaseFileError(ValueError):
    """The bytes are no case, or hold what is no decision, input document or policy."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A decision, its canonical JSON as it was recorded, the input document, and the policy's files by path.

    Nothing says that these belong together; replaying it does.
    """

    decision: Decision
    recorded: bytes
    document: InputDocument
    files: Mapping[str, bytes]


def make_case(decision: JsonObject, document: bytes, files: Mapping[str, bytes]) -> CaseFile:
    """The case of a recorded decision; raises `CaseFileError` where a part of it cannot be read."""
    try:
        return CaseFile(
            read_decision(decision), dumps(decision), read_input_document(document, limit=MAX_BYTES), dict(files)
        )
    except DecisionFormatError as error:
        raise CaseFileError(f"the decision: {error}") from None
    except InputDocumentError as error:
        raise CaseFileError(f"the input document: {error}") from None


def read_case(data: bytes) -> CaseFile:
    """The case in some bytes; raises `CaseFileError`."""
    try:
        value = loads_object(data, limit=MAX_BYTES)
        problem = schema.problem("case.json", value)
        if problem is not None:
            raise CaseFileError(f"it does not fit its schema: {problem}")
        root = Checked(value)
        files = {path: text.encode("utf-8") for path, text in root.texts_by_name("policy").items()}
        return make_case(root.object("decision").value, dumps(root.raw("input")), files)
    except StrictJsonError as error:
        raise CaseFileError(f"no JSON: {error}") from None
    except CanonicalJsonError as error:
        raise CaseFileError(f"the input document has no canonical form: {error}") from None


def case_json(case: CaseFile) -> JsonObject:
    """The case as a document; raises `CaseFileError` for a file of the policy that is no text."""
    try:
        policy = {path: data.decode("utf-8") for path, data in sorted(case.files.items())}
    except UnicodeDecodeError as error:
        raise CaseFileError(f"a file of the policy is not UTF-8: {error.reason}") from None
    return {
        "schema": CASE_SCHEMA,
        "decision": loads_object(case.recorded, limit=MAX_BYTES),
        "input": case.document.value,
        "policy": policy,
    }
