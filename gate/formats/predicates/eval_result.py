"""in-toto eval-result v0.1, a draft: it is read only where `drafts` in gate.yaml says so.

Facts: `result` (`passed` when every claim did, else `failed`), `verifier_id`, `evaluated_at_s`, `suite` (`name`,
`version`), `claims` (`metric`, `comparator`, `threshold` as decimal text, `passed`), `sample_size`, `assurance` and
`commitments` (`model`, `dataset`: `alg`, `value`, `salted`). A commitment is no digest of an artifact and is compared
with none.
Source: in-toto/attestation, the proposal spec/predicates/eval-result.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.numbers import NumberError, decimal_text, parse_decimal
from gate.formats.predicates.common import check_schema, make_statement, member, short, text, time
from gate.model.evidence import Statement
from gate.model.json import JsonObject, JsonValue

CLAIM: Final = "eval.result"
DRAFT: Final = "eval-result"
"""The word that switches it on."""


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/eval-result-v0.1.json")
    predicate, seconds = raw.predicate, time(raw.predicate, "evaluatedAt")
    listed, samples = predicate["claims"], member(predicate, "sampleSize")
    claims = [_claim(item) for item in (listed if isinstance(listed, list) else [])]
    facts: JsonObject = {
        "result": "passed" if all(claim["passed"] is True for claim in claims) else "failed",
        "verifier_id": short(predicate, "verifier", "id"),
        "evaluated_at_s": seconds,
        "suite": {"name": short(predicate, "suite", "name"), "version": short(predicate, "suite", "version")},
        "claims": claims,
        "sample_size": int(samples) if isinstance(samples, int | float) else None,
        "assurance": text(predicate, "assuranceLevel"),
        "commitments": {word: _commitment(member(predicate, "commitments", word)) for word in ("model", "dataset")},
    }
    return make_statement(raw, CLAIM, facts, stated_at_s=seconds)


def _claim(item: JsonValue) -> JsonObject:
    try:
        threshold = decimal_text(parse_decimal(text(item, "threshold") or ""))
    except NumberError as error:
        raise StatementError("number", f"threshold: {error}") from None
    return {
        "metric": short(item, "metric"),
        "comparator": text(item, "comparator"),
        "threshold": threshold,
        "passed": member(item, "passed"),
    }


def _commitment(item: JsonValue) -> JsonObject:
    return {"alg": short(item, "alg"), "value": short(item, "value"), "salted": member(item, "salted")}


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {"https://in-toto.io/attestation/eval-result/v0.1": _read}
