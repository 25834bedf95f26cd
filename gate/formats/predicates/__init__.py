"""Predicates: each module turns one family of predicate types into the facts of one claim.

A type is matched exactly. An unknown one is refused, never mapped to the nearest (SECURITY 10).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import (
    approval,
    build_provenance,
    composition,
    corpus,
    dataset,
    generic,
    model_card,
    model_signature,
    plugin,
    prompt,
    review,
    route,
    scan_report,
    slo,
    test_result,
    training_provenance,
    waiver,
)
from gate.formats.predicates import eval as evaluation
from gate.formats.predicates.common import text
from gate.formats.predicates.plugin_claims import ClaimPlugin, load_plugins
from gate.model.claim import CLAIMS
from gate.model.evidence import Statement
from gate.model.json import JsonValue

Reader = Callable[[RawStatement], Statement]


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
        **scan_report.READERS,
    }


def claim_of(predicate_type: str, predicate: JsonValue = None) -> str | None:
    """The claim that a predicate type makes, or that this predicate of it says it makes; `None` for an unknown type."""
    if predicate_type == build_provenance.V1 and text(predicate, "buildDefinition", "buildType") in _TRAINING_BUILDS:
        return training_provenance.CLAIM
    return _CLAIMS.get(predicate_type)


def claims_of(predicate_type: str) -> tuple[str, ...]:
    """All claims that a predicate type can make, the usual one first."""
    also = (training_provenance.CLAIM,) if predicate_type == build_provenance.V1 else ()
    claim = claim_of(predicate_type)
    return () if claim is None else (claim, *also)


@functools.cache
def plugins() -> Mapping[str, ClaimPlugin]:
    """The claims that installed distributions offer; raises `ConfigError` for a broken one."""
    return load_plugins(readers())


def known_claims(text: str) -> frozenset[str]:
    """What a claim or pattern in the configuration may mean: plugins are looked for only where it can be theirs."""
    return CLAIMS | plugins().keys() if text.startswith("x.") else CLAIMS


def read_statement(raw: RawStatement) -> Statement:
    """The typed statement; raises `StatementError` when its predicate is unknown or malformed.

    A type that the gate does not know may be a plugin's, so that one which cannot be loaded raises `ConfigError`.
    """
    reader = readers().get(raw.predicate_type)
    if reader is None:
        for plugin in plugins().values():
            if plugin.predicate_type == raw.predicate_type:
                return plugin.read(raw)
        raise StatementError("predicate_unknown", f"predicate type {raw.predicate_type[:200]!r} is not known")
    return reader(raw)


_TRAINING_BUILDS = training_provenance.BUILD_TYPES
_CLAIMS: Mapping[str, str] = {
    **dict.fromkeys(build_provenance.READERS, "build.provenance"),
    **dict.fromkeys(model_signature.READERS, "artifact.signature"),
    **dict.fromkeys(test_result.READERS, "test.result"),
    **generic.CLAIM_OF,
}
