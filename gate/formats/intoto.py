"""in-toto Statement v1 and v0.1: the verified bytes become a typed statement (in-toto attestation spec, statement.md).

v0.1 is what older tools write: its frame has the same members, and it is read with the same strictness.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest, digest_from_hex
from gate.model.evidence import Revision, Subject
from gate.model.json import JsonObject, JsonValue

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
STATEMENT_TYPES: Final = (STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1")
REVISION_TYPES: Final = frozenset({"https://slsa.dev/verification_summary/v1", "https://scorecard.dev/result/v0.1"})
"""The predicate types whose subject may be a Git commit, and nothing that has a secure digest."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
# The annotation has had these names in the drafts of the source track.
_REFS: Final = ("sourceRefs", "source_refs", "source_branches")
_INDEX: Final = "pypi"
EMPTY_PREDICATE: Final = f"https://docs.{_INDEX}.org/attestations/publish/v1"
"""The one type whose predicate may be `null`, as PyPI writes it (PEP 740): a name, at which nothing is read."""
_HEX_LENGTH: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX: Final = re.compile(r"[0-9a-f]+")


class StatementError(ValueError):
    """The payload is no statement that the gate reads. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class RawStatement:
    """A statement whose frame is right; its predicate is still unread."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: JsonObject
    statement_type: str = STATEMENT_TYPE


def parse_statement(payload: bytes, *, limit: int) -> RawStatement:
    """The statement in a payload; raises `StatementError`.

    The type is exactly Statement v1 or v0.1, there is at least one subject, and each subject has a well-formed sha256,
    sha384 or sha512, or is a Git commit where the predicate type is about commits. Unknown members are ignored, as the
    specification demands.
    """
    try:
        value = loads_object(payload, limit=limit)
    except StrictJsonError as error:
        raise StatementError("json", f"the payload is not strict JSON: {error}") from None
    kind = value.get("_type")
    if not isinstance(kind, str) or kind not in STATEMENT_TYPES:
        raise StatementError("type", f"_type is {_short(kind)}, expected {STATEMENT_TYPE!r}")
    predicate_type = value.get("predicateType")
    if not isinstance(predicate_type, str) or not predicate_type:
        raise StatementError("predicate_type", "predicateType is not a string")
    predicate = value.get("predicate", {})
    if predicate is None and predicate_type == EMPTY_PREDICATE:
        predicate = {}
    if not isinstance(predicate, Mapping):
        raise StatementError("predicate", "predicate is not an object")
    return RawStatement(parse_subjects(value.get("subject"), predicate_type), predicate_type, predicate, kind)


def parse_subjects(value: JsonValue, predicate_type: str) -> tuple[Subject, ...]:
    """The subjects of a statement of a predicate type; raises `StatementError`."""
    if not isinstance(value, list) or not value:
        raise StatementError("no_subject", "the statement names no subject")
    about_revisions = predicate_type in REVISION_TYPES
    return tuple(
        parse_subject(item, f"subject {number}", about_revisions=about_revisions) for number, item in enumerate(value)
    )


def parse_subject(item: JsonValue, what: str, *, about_revisions: bool = False) -> Subject:
    """One resource descriptor with at least one secure digest, or a Git commit; raises `StatementError`."""
    if not isinstance(item, Mapping):
        raise StatementError("subject", f"{what} is not an object")
    name = item.get("name", "")
    if not isinstance(name, str):
        raise StatementError("subject", f"the name of {what} is not a string")
    digests = item.get("digest")
    if not isinstance(digests, Mapping):
        raise StatementError("subject_digest", f"{what} has no digest")
    secure = {key: _hex(digests[key], key, what) for key in _HEX_LENGTH if key in digests}
    if not secure:
        commit = digests.get("gitCommit")
        if about_revisions and isinstance(commit, str) and _COMMIT.fullmatch(commit):
            return Subject(name, None, {}, Revision(commit, _refs(item.get("annotations"))))
        raise StatementError("subject_digest", f"{what} has no sha256, sha384 or sha512 digest")
    sha256 = secure.pop("sha256", None)
    return Subject(name, Digest(f"sha256:{sha256}") if sha256 else None, secure)


def _refs(annotations: JsonValue) -> tuple[str, ...]:
    """The refs that an annotation of a commit names."""
    said = [annotations.get(name) for name in _REFS] if isinstance(annotations, Mapping) else []
    found = [ref for refs in said if isinstance(refs, list) for ref in refs]
    return tuple(dict.fromkeys(ref[:4096] for ref in found if isinstance(ref, str)))


def parse_digest_list(value: JsonValue, what: str) -> tuple[Digest, ...]:
    """A list of `sha256:<hex>`, as `depends_on` holds; raises `StatementError`."""
    if not isinstance(value, list):
        raise StatementError("predicate", f"{what} is not a list")
    found = []
    for item in value:
        digest = digest_from_hex(item.removeprefix("sha256:")) if isinstance(item, str) else None
        if digest is None or digest != item:
            raise StatementError("predicate", f"{what} holds {_short(item)}, expected sha256:<64 lower-case hex>")
        found.append(digest)
    return tuple(found)


def _hex(text: JsonValue, algorithm: str, what: str) -> str:
    if not isinstance(text, str) or len(text) != _HEX_LENGTH[algorithm] or not _HEX.fullmatch(text):
        raise StatementError("subject_digest", f"the {algorithm} of {what} is not lower-case hexadecimal of its length")
    return text


def _short(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
