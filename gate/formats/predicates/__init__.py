"""Predicates: each module turns one family of predicate types into the facts of one claim.

A type is matched exactly. An unknown one is refused, never mapped to the nearest (SECURITY 10), unless gate.yaml lists
that very type among the claims of a signer: then it is a claim of its own, without facts, and feeds no other.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import (
    approval,
    attributes,
    break_glass,
    build_provenance,
    composition,
    corpus,
    cosign_signature,
    dataset,
    eval_result,
    generic,
    link,
    model_card,
    model_signature,
    plugin,
    prompt,
    properties,
    publication,
    references,
    release,
    review,
    route,
    runtime_trace,
    sbom,
    scan_report,
    scorecard,
    slo,
    test_result,
    training_provenance,
    verification_summary,
    vex,
    vulnerabilities,
    waiver,
)
from gate.formats.predicates import eval as evaluation
from gate.formats.predicates.common import make_statement, text
from gate.formats.predicates.plugin_claims import ClaimPlugin, load_plugins
from gate.formats.vex import cyclonedx
from gate.model.claim import CLAIMS
from gate.model.evidence import Statement
from gate.model.json import JsonValue

Reader = Callable[[RawStatement], Statement]
_TYPE: Final = re.compile(r"[a-z][a-z0-9+-]*:[!-)+-~]{1,500}")
_OWN: Final = "urn:promotion-gate:"


@dataclass(frozen=True, slots=True)
class Reading:
    """What gate.yaml adds to what is read: predicate types of others, each a claim of its own, and drafts by name."""

    types: frozenset[str] = frozenset()
    drafts: frozenset[str] = frozenset()


PLAIN: Final = Reading()
"""Nothing is added."""
DRAFTS: Final[Mapping[str, Mapping[str, Reader]]] = {eval_result.DRAFT: eval_result.READERS}
"""The readers of predicate types that are no standards yet, by the name that switches them on."""


@functools.cache
def readers() -> Mapping[str, Reader]:
    """The reader of each known predicate type."""
    return {
        **build_provenance.READERS,
        **model_signature.READERS,
        **test_result.READERS,
        **generic.READERS,
        **prompt.READERS,
        **corpus.READERS,
        **composition.READERS,
        **evaluation.READERS,
        **route.READERS,
        **slo.READERS,
        **training_provenance.READERS,
        **dataset.READERS,
        **model_card.READERS,
        **plugin.READERS,
        **approval.READERS,
        **review.READERS,
        **waiver.READERS,
        **break_glass.READERS,
        **scan_report.READERS,
        **publication.READERS,
        **cosign_signature.READERS,
        **verification_summary.READERS,
        **properties.READERS,
        **vulnerabilities.READERS,
        **release.READERS,
        **attributes.READERS,
        **link.READERS,
        **runtime_trace.READERS,
        **references.READERS,
        **scorecard.READERS,
        **sbom.READERS,
        **vex.READERS,
        **vex.BILLS,
    }


def claim_of(predicate_type: str, predicate: JsonValue = None, reading: Reading = PLAIN) -> str | None:
    """The claim that a predicate type makes, or that this predicate of it says it makes; `None` for an unknown type."""
    if predicate_type == build_provenance.V1 and text(predicate, "buildDefinition", "buildType") in _TRAINING_BUILDS:
        return training_provenance.CLAIM
    if predicate_type == verification_summary.PREDICATE_TYPE:
        return verification_summary.claim_by_levels(predicate)
    if predicate_type in vex.BILLS and cyclonedx.is_vex(predicate):
        return vex.CLAIM
    return _CLAIMS.get(predicate_type, predicate_type if predicate_type in reading.types else None)


def claims_of(predicate_type: str) -> tuple[str, ...]:
    """All claims that a predicate type can make, the usual one first."""
    claim = claim_of(predicate_type)
    return () if claim is None else (claim, *_ALSO.get(predicate_type, ()))


def problem_of_type(text: str) -> str | None:
    """Why a text is no predicate type that gate.yaml can add as a claim of its own; `None` if it is one."""
    if not _TYPE.fullmatch(text):
        return "is no predicate type: an absolute URI in printable ASCII, without `*`"
    if _OWN in text.casefold():
        return "is in the gate's own namespace, where it knows every predicate type"
    claim = claim_of(text)
    return None if claim is None else f"is a predicate type that the gate reads; its claim is {claim}"


@functools.cache
def plugins() -> Mapping[str, ClaimPlugin]:
    """The claims that installed distributions offer; raises `ConfigError` for a broken one."""
    return load_plugins({*readers(), *(kind for found in DRAFTS.values() for kind in found)})


def known_claims(text: str) -> frozenset[str]:
    """What a claim or pattern in the configuration may mean: plugins are looked for only where it can be theirs."""
    return CLAIMS | plugins().keys() if text.startswith("x.") else CLAIMS


def read_statement(raw: RawStatement, reading: Reading = PLAIN) -> Statement:
    """The typed statement; raises `StatementError` when its predicate is unknown or malformed.

    A type that the gate does not know may be a plugin's, so that one which cannot be loaded raises `ConfigError`.
    """
    kind = raw.predicate_type
    reader = readers().get(kind) or _draft(kind, reading)
    if reader is not None:
        return reader(raw)
    if kind in reading.types:
        return make_statement(raw, kind, {})
    for offered in plugins().values():
        if offered.predicate_type == kind:
            return offered.read(raw)
    raise StatementError("predicate_unknown", f"predicate type {kind[:200]!r} is not known")


def _draft(kind: str, reading: Reading) -> Reader | None:
    """The reader of a draft; raises `StatementError` for one that is not switched on."""
    for name, found in DRAFTS.items():
        if kind in found and name not in reading.drafts:
            hint = f"`drafts: [{name}]` in gate.yaml has it read"
            raise StatementError("draft", f"predicate type {kind!r} is a draft; {hint}")
        if kind in found:
            return found[kind]
    return None


_TRAINING_BUILDS = training_provenance.BUILD_TYPES
_CLAIMS: Mapping[str, str] = {
    **dict.fromkeys(build_provenance.READERS, build_provenance.CLAIM),
    **dict.fromkeys(model_signature.READERS, model_signature.CLAIM),
    **dict.fromkeys(cosign_signature.READERS, cosign_signature.CLAIM),
    **dict.fromkeys(test_result.READERS, test_result.CLAIM),
    **dict.fromkeys(verification_summary.READERS, verification_summary.CLAIM),
    **dict.fromkeys(properties.READERS, properties.CLAIM),
    **dict.fromkeys(vulnerabilities.READERS, vulnerabilities.CLAIM),
    **dict.fromkeys(publication.READERS, publication.CLAIM),
    **dict.fromkeys(release.READERS, release.CLAIM),
    **dict.fromkeys(attributes.READERS, attributes.CLAIM),
    **dict.fromkeys(link.READERS, link.CLAIM),
    **dict.fromkeys(runtime_trace.READERS, runtime_trace.CLAIM),
    **dict.fromkeys(references.READERS, references.CLAIM),
    **dict.fromkeys(scorecard.READERS, scorecard.CLAIM),
    **dict.fromkeys(eval_result.READERS, eval_result.CLAIM),
    **dict.fromkeys(sbom.READERS, sbom.CLAIM),
    **dict.fromkeys(vex.READERS, vex.CLAIM),
    **generic.CLAIM_OF,
}
_ALSO: Mapping[str, tuple[str, ...]] = {
    build_provenance.V1: (training_provenance.CLAIM,),
    verification_summary.PREDICATE_TYPE: (verification_summary.SOURCE_CLAIM,),
    **dict.fromkeys(vex.BILLS, (vex.CLAIM,)),
}
