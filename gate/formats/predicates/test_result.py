"""in-toto test-result v0.1.

Facts: `result` (`passed`, `warned`, `failed`), and the number of tests that did: `passed`, `warned`, `failed`. A
result that contradicts its own lists is refused. Source: in-toto/attestation, spec/predicates/test-result.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.common import check_schema, make_statement, member, text
from gate.model.evidence import Statement
from gate.model.json import JsonObject

CLAIM = "test.result"


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/test-result-v0.1.json")
    result = (text(raw.predicate, "result") or "").lower()
    counts = {
        word: len(found) if isinstance(found := member(raw.predicate, f"{word}Tests"), list) else 0
        for word in ("passed", "warned", "failed")
    }
    for word, graver in (("failed", ("failed",)), ("warned", ("warned", "failed"))):
        if counts[word] and result not in graver:
            raise StatementError("predicate", f"the result is {result}, but {counts[word]} tests {word}")
    facts: JsonObject = {"result": result, **counts}
    return make_statement(raw, CLAIM, facts)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {"https://in-toto.io/attestation/test-result/v0.1": _read}
