"""Where a decision that is replayed comes from: an exported case, a saved decision, or the decision log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gate.app.log import LogPlace, is_identity, log_of, log_place, recorded_decision
from gate.app.policy import load_policy
from gate.app.workspace import Request, configured_trust
from gate.attest.files import read_file
from gate.errors import AttestError, ConfigError, EvidenceError
from gate.evaluate.bundle import PolicyBundle, packaged_bundle
from gate.formats.canonical_json import dumps
from gate.formats.case_file import CASE_SCHEMA, MAX_BYTES, CaseFile, CaseFileError, case_json, make_case, read_case
from gate.formats.secrets import redact, redacted
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import parse_digest
from gate.model.json import JsonObject
from gate.model.record import Recorded
from gate.record.interface import DecisionLog, input_document, policy_files
from gate.report.json import DECISION_SCHEMA

_HINT: Final = "name an exported case, a decision (`gate check --output FILE`), or the id of one in the log"
_NO_POLICY: Final = "the decision was made by the policy {}, which is neither the installed one nor that of gate.yaml"


def open_case(request: Request, decision: str, document: Path | None, sqlite: Path | None = None) -> CaseFile:
    """The case of a decision: what the log holds under that id, else the file of that name.

    What can be an id is one: a file that somebody laid into the folder does not take the place of a record.
    The log is that of `gate.yaml`, or the file `sqlite`. With `document` the decision is a file, and its policy the
    installed one or that of `gate.yaml`, whichever has the digest that the decision names. Raises `ConfigError` where
    no log is configured, `EvidenceError` for what cannot be read or is not there.
    """
    if is_identity(decision):
        if document is not None:
            raise ConfigError("--input belongs to a decision in a file", hint=f"a file of that name is ./{decision}")
        return _logged(decision, log_place(request, sqlite))
    path = Path(decision)
    data = _bytes(path)
    try:
        value = loads_object(data, limit=MAX_BYTES)
        kind = value.get("schema")
        if kind == CASE_SCHEMA:
            if document is not None:
                raise ConfigError(f"{path} holds its input document", hint="leave out --input")
            return read_case(data)
        if kind != DECISION_SCHEMA:
            raise EvidenceError(f"{path} is neither a case nor a decision", hint=_HINT)
        if document is not None:
            return make_case(value, _bytes(document), _policy(request, value).files)
        logged = _logged(str(value.get("id")), log_place(request, sqlite))
        return make_case(value, logged.document.canonical, logged.files)
    except (StrictJsonError, CaseFileError) as error:
        raise EvidenceError(f"{path} cannot be replayed: {error}", hint=_HINT) from None


def exported(case: CaseFile) -> JsonObject:
    """The case as a document that can be replayed anywhere.

    Raises `EvidenceError` for a policy that is no text, and for what looks like a secret: no file shows one (SECURITY
    35), and without it the case would be another one.
    """
    try:
        value = case_json(case)
    except CaseFileError as error:
        raise EvidenceError(str(error)) from None
    if redacted(value) != value:
        found = (path for path, data in sorted(case.files.items()) if redact(text := data.decode()) != text)
        where = next((f"the policy file {path}" for path in found), "the record")
        hint = "replay it by its id, from the log; and take the secret out of what is judged by"
        raise EvidenceError(f"{where} holds what looks like a secret, so it is not exported", hint=hint)
    return value


def recorded_case(log: DecisionLog, found: Recorded) -> CaseFile:
    """The case of a recorded decision; raises `EvidenceError` where it is not what was recorded."""
    document = dumps(input_document(log, found))
    try:
        return make_case(found.decision, document, policy_files(log, found))
    except CaseFileError as error:
        raise EvidenceError(f"record {found.seq} cannot be replayed: {error}", hint="gate log verify") from None


def _logged(identity: str, place: LogPlace) -> CaseFile:
    with log_of(place) as log:
        return recorded_case(log, recorded_decision(log, identity)[0])


def _policy(request: Request, decision: JsonObject) -> PolicyBundle:
    """The policy that has the digest which a decision names."""
    digests = decision.get("digests")
    wanted = parse_digest(str(digests.get("policy"))) if isinstance(digests, Mapping) else None
    for bundle in _policies(request):
        if bundle.digest == wanted:
            return bundle
    raise EvidenceError(
        _NO_POLICY.format(wanted or "nobody knows"), hint="check out the commit with that policy, or export the case"
    )


def _policies(request: Request) -> Iterator[PolicyBundle]:
    yield packaged_bundle()
    settings, trust = configured_trust(request)
    yield load_policy(settings.policy, trust)


def _bytes(path: Path) -> bytes:
    try:
        return read_file(path, MAX_BYTES)
    except AttestError as error:
        raise EvidenceError(str(error)) from None
