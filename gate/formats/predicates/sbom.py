"""Bills of materials: CycloneDX 1.4 to 1.7, SPDX 2.3 and 3.0.1, all in JSON and in one shape of facts.

The predicate is the document. It fits the schema that its project publishes for its version, and where the predicate
type names a version it is that one. Facts: those of `gate.formats.bom.shape`, and `enveloped_signature`, which tells
that the document came without a statement and that the signature inside it is the one that was verified.
Source: in-toto attestation spec, predicates/cyclonedx.md and spdx.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.bom import cyclonedx, spdx2, spdx3
from gate.formats.bom.shape import objects
from gate.formats.intoto import RawStatement, StatementError, parse_subject
from gate.formats.predicates.common import check_schema, make_statement, member, text
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonObject, JsonValue

CLAIM: Final = "sbom"
CYCLONEDX: Final = "https://cyclonedx.org/bom"
SPDX: Final = "https://spdx.dev/Document"


@dataclass(frozen=True, slots=True)
class Format:
    """A version of a format: its name, the schema it has to fit, and what makes its facts."""

    name: str
    schema: str
    facts: Callable[[JsonObject], JsonObject]


_CYCLONEDX: Final = {
    version: Format(f"CycloneDX {version}", f"vendor/bom-{version}.schema.json", cyclonedx.facts)
    for version in cyclonedx.VERSIONS
}
_SPDX2: Final = Format("SPDX 2.3", "vendor/spdx-2.3.schema.json", spdx2.facts)
_SPDX3: Final = Format("SPDX 3.0.1", "vendor/spdx-3.0.1.schema.json", spdx3.facts)
_READ: Final[Mapping[str, tuple[Format, ...]]] = {
    CYCLONEDX: tuple(_CYCLONEDX.values()),
    **{f"{CYCLONEDX}/v{version}": (found,) for version, found in _CYCLONEDX.items()},
    SPDX: (_SPDX2, _SPDX3),
    f"{SPDX}/v2.3": (_SPDX2,),
    f"{SPDX}/v3": (_SPDX3,),
    f"{SPDX}/v3.0.1": (_SPDX3,),
}
"""What the document of a predicate type may be."""


def is_bill(document: JsonObject) -> bool:
    """Whether a JSON object says that it is a document of one of these formats, in whatever version."""
    return "bomFormat" in document or "spdxVersion" in document or "spdx.org" in str(document.get("@context"))


def read_enveloped(document: JsonObject) -> Statement:
    """The statement that a CycloneDX document makes which was signed by itself; raises `StatementError`.

    It is about the bytes whose hashes its main component has, and about nothing where that has none.
    """
    main = member(document, "metadata", "component")
    hashes = {
        (text(item, "alg") or "").lower().replace("-", ""): (text(item, "content") or "").lower()
        for item in objects(member(main, "hashes"))
    }
    secure: JsonObject = {name: hashes[name] for name in ("sha256", "sha384", "sha512") if name in hashes}
    subjects: tuple[Subject, ...] = ()
    if secure:
        subjects = (parse_subject({"name": text(main, "name") or "", "digest": secure}, "metadata.component"),)
    return _statement(RawStatement(subjects, CYCLONEDX, document), enveloped=True)


def _read(raw: RawStatement) -> Statement:
    return _statement(raw, enveloped=False)


def _statement(raw: RawStatement, *, enveloped: bool) -> Statement:
    facts = {**check(raw).facts(raw.predicate), "enveloped_signature": enveloped}
    created = facts["created_at_s"]
    return make_statement(raw, CLAIM, facts, stated_at_s=created if isinstance(created, int) else None)


def check(raw: RawStatement) -> Format:
    """The format of the document, which fits its schema; raises `StatementError` unless its type is for it."""
    found = _format_of(raw.predicate)
    allowed = _READ[raw.predicate_type]
    if found not in allowed:
        names = ", ".join(item.name for item in allowed)
        said = found.name if found is not None else _said(raw.predicate)
        raise StatementError("bom_version", f"the document is {said}, and {raw.predicate_type} is for {names}")
    check_schema(raw, found.schema)
    return found


def _format_of(document: JsonObject) -> Format | None:
    if document.get("bomFormat") == "CycloneDX":
        return _CYCLONEDX.get(text(document, "specVersion") or "")
    if document.get("spdxVersion") == spdx2.NAME:
        return _SPDX2
    return _SPDX3 if document.get("@context") == spdx3.CONTEXT else None


def _said(document: JsonObject) -> str:
    words: list[JsonValue] = [document.get(name) for name in ("bomFormat", "specVersion", "spdxVersion", "@context")]
    return " ".join(str(word)[:80] for word in words if word is not None) or "no bill of materials"


READERS: Final[Mapping[str, Callable[[RawStatement], Statement]]] = dict.fromkeys(_READ, _read)
