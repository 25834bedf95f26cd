"""in-toto statements of the claims that the gate knows (in-toto attestation spec, v1/statement.md).

The same input gives the same bytes: canonical JSON, sorted subjects, no random ids, no clock. What is made here was
read by the reader that verification uses, so nothing is made that the gate itself would refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.errors import AttestError
from gate.formats.bundle import BundleError, parse_container
from gate.formats.canonical_json import CanonicalJsonError, dumps
from gate.formats.intoto import STATEMENT_TYPE, StatementError, parse_statement
from gate.formats.predicates import (
    Reading,
    claims_of,
    generic,
    model_signature,
    problem_of_type,
    read_statement,
    readers,
    verification_summary,
)
from gate.formats.rfc3339 import format_time, parse_time
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.artifact import ArtifactFile
from gate.model.digest import Digest, hex_of, sha256_digest
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue
from gate.model.path import is_plain_relative

_TYPE_FAMILY: Final = "in-toto.io/Statement"
# One is made from the files themselves, the other is about a Git commit.
_NOT_ABOUT_FILES: Final = frozenset({model_signature.CLAIM, verification_summary.SOURCE_CLAIM})


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a statement is about."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Draft:
    """What a statement is to say. `predicate` is JSON text; `fallback_s` is a time for a predicate without one.

    `created_s` is a time that must be the predicate's, `dependencies` are payload digests.
    """

    claim: str
    predicate: bytes
    subjects: tuple[Named, ...]
    predicate_type: str | None = None
    dependencies: tuple[Digest, ...] = ()
    created_s: int | None = None
    fallback_s: int | None = None


def makeable_claims() -> tuple[str, ...]:
    """The claims that `build_statement` makes, sorted."""
    return tuple(sorted({claim for kind in readers() for claim in claims_of(kind)} - _NOT_ABOUT_FILES))


def build_statement(draft: Draft) -> bytes:
    """The statement in canonical JSON; raises `AttestError`."""
    kind = _predicate_type(draft.claim, draft.predicate_type)
    try:
        predicate = dict(loads_object(draft.predicate))
    except StrictJsonError as error:
        raise AttestError(f"the predicate: {error}") from None
    _add_dependencies(predicate, kind, draft.dependencies)
    _add_time(predicate, kind, draft)
    try:
        payload = dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": _subjects(draft.subjects),
                "predicateType": kind,
                "predicate": predicate,
            }
        )
    except CanonicalJsonError as error:
        raise AttestError(f"the predicate has no canonical form: {error}") from None
    made = check_statement(payload).claim
    if made != draft.claim:
        raise AttestError(f"with this predicate the statement makes the claim {made}, not {draft.claim}")
    return payload


def check_statement(payload: bytes) -> Statement:
    """The statement as verification reads it; raises `AttestError` where verification would refuse."""
    try:
        raw = parse_statement(payload, limit=len(payload))
        # A type of others is read where a signer in gate.yaml lists it: whoever verifies has the say.
        listed = {raw.predicate_type} if problem_of_type(raw.predicate_type) is None else set[str]()
        statement = read_statement(raw, Reading(frozenset(listed)))
        dumps(statement.predicate)
    except StatementError as error:
        raise AttestError(f"the gate itself would refuse this statement: {error}") from None
    except CanonicalJsonError as error:
        raise AttestError(f"the predicate has no canonical form: {error}") from None
    return statement


def is_statement(data: bytes, limit: int) -> bool:
    """Whether a file is an in-toto statement, by its content; raises `AttestError` for a bad one.

    A file that is signed already is refused, and so is JSON that names the statement type and cannot be read: to
    sign it as a model file instead would not be what was meant.
    """
    try:
        value = loads_object(data, limit=limit)
    except StrictJsonError as error:
        if data.lstrip().startswith(b"{") and _TYPE_FAMILY.encode() in data:
            raise AttestError(f"this looks like an in-toto statement, but {error}") from None
        return False
    if "dsseEnvelope" in value or {"payload", "signatures"} <= value.keys():
        raise AttestError("this is an envelope or bundle, signed already", hint="sign the statement or the model")
    kind = value.get("_type")
    return isinstance(kind, str) and _TYPE_FAMILY in kind


def payload_of(data: bytes) -> bytes:
    """The payload of a statement, envelope or bundle; raises `AttestError`."""
    payload = data
    try:
        payload = parse_container(data, limit=len(data)).envelope.payload
    except BundleError as error:
        if error.code != "unknown":
            raise AttestError(f"neither a statement nor an envelope around one: {error}") from None
    return payload


def payload_digest(data: bytes) -> Digest:
    """The payload digest of a statement, envelope or bundle, as `depends_on` names it; raises `AttestError`."""
    payload = payload_of(data)
    check_statement(payload)
    return sha256_digest(payload)


def statement_bytes(files: Mapping[str, Digest], kind: str, predicate: JsonObject) -> bytes:
    """The statement about files by path, in canonical JSON; raises `AttestError` where verification would refuse it."""
    subject: list[JsonValue] = [{"name": path, "digest": {"sha256": hex_of(files[path])}} for path in sorted(files)]
    try:
        payload = dumps({"_type": STATEMENT_TYPE, "subject": subject, "predicateType": kind, "predicate": predicate})
    except CanonicalJsonError as error:
        raise AttestError(f"the predicate has no canonical form: {error}") from None
    check_statement(payload)
    return payload


def named_files(what: str, files: Mapping[str, ArtifactFile], prefix: str = "") -> list[Named]:
    """The files with their digests, in code point order of the names; raises `AttestError` for any but plain files."""
    if not files:
        raise AttestError(f"{what}: there are no files")
    found = []
    for path, file in sorted(files.items()):
        if file.digest is None:
            kind = "a symbolic link" if file.format == "symlink" else "a device, socket or pipe"
            raise AttestError(
                f"{what}: {path!r} is {kind}; only regular files can be signed", hint="replace or remove it"
            )
        if not is_plain_relative(prefix + path):
            raise AttestError(
                f"{what}: the name {path!r} is not plain UTF-8 (undecodable bytes, a backslash or control characters)",
                hint="rename the file",
            )
        found.append(Named(prefix + path, file.digest))
    return found


def _predicate_type(claim: str, wanted: str | None) -> str:
    if claim == model_signature.CLAIM:
        raise AttestError("artifact.signature is made from the files themselves", hint="gate sign PATH --key KEY")
    # The type that usually makes the claim comes first.
    known = sorted(
        (kind for kind in readers() if claim in set(claims_of(kind)) - _NOT_ABOUT_FILES),
        key=lambda kind: claims_of(kind).index(claim),
    )
    if not known:
        raise AttestError(
            f"this version makes no statement for the claim {claim}", hint=f"one of: {', '.join(makeable_claims())}"
        )
    if wanted is not None and wanted not in known:
        raise AttestError(f"{wanted!r} is no predicate type of {claim}", hint=f"one of: {', '.join(known)}")
    return wanted or known[0]


def _add_dependencies(predicate: dict[str, JsonValue], kind: str, dependencies: Iterable[Digest]) -> None:
    added = sorted(set(dependencies))
    if not added:
        return
    if kind not in generic.READERS:
        raise AttestError(f"{kind} has no depends_on; only the gate's own predicate types have")
    present = predicate.get("depends_on", [])
    if not isinstance(present, list):
        raise AttestError("depends_on of the predicate is not a list")
    predicate["depends_on"] = [*present, *(digest for digest in added if digest not in present)]


def _add_time(predicate: dict[str, JsonValue], kind: str, draft: Draft) -> None:
    if kind not in generic.READERS:
        if draft.created_s is not None:
            raise AttestError(f"{kind} has no created_at; its times stand in the predicate")
        return
    present = predicate.get("created_at")
    if present is None:
        seconds = draft.created_s if draft.created_s is not None else draft.fallback_s
        if seconds is not None:
            predicate["created_at"] = format_time(seconds)
    elif draft.created_s is not None and (not isinstance(present, str) or parse_time(present) != draft.created_s):
        raise AttestError(
            f"the predicate says created_at {present!r}, --created-at says {format_time(draft.created_s)}"
        )


def _subjects(subjects: Sequence[Named]) -> list[JsonObject]:
    return [
        {"name": item.name, "digest": {"sha256": hex_of(item.digest)}} for item in sorted(set(subjects), key=_order)
    ]


def _order(item: Named) -> tuple[str, str]:
    return item.name, item.digest
