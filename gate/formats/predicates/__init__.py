"""Predicates: each module turns one family of predicate types into the facts of one claim.

A type is matched exactly. An unknown one is refused, never mapped to the nearest (SECURITY 10).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import (
    build_provenance,
    corpus,
    generic,
    model_signature,
    prompt,
    route,
    slo,
    test_result,
)
from gate.formats.predicates import eval as evaluation
from gate.model.evidence import Statement

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
        **evaluation.READERS,
        **route.READERS,
        **slo.READERS,
    }


def claim_of(predicate_type: str) -> str | None:
    """The claim that a predicate type makes; `None` for an unknown type."""
    return _CLAIMS.get(predicate_type)


def read_statement(raw: RawStatement) -> Statement:
    """The typed statement; raises `StatementError` when its predicate is unknown or malformed."""
    reader = readers().get(raw.predicate_type)
    if reader is None:
        raise StatementError("predicate_unknown", f"predicate type {raw.predicate_type[:200]!r} is not known")
    return reader(raw)


_CLAIMS: Mapping[str, str] = {
    **dict.fromkeys(build_provenance.READERS, "build.provenance"),
    **dict.fromkeys(model_signature.READERS, "artifact.signature"),
    **dict.fromkeys(test_result.READERS, "test.result"),
    **generic.CLAIM_OF,
}
