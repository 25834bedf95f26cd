"""in-toto simple verification results, one a line."""

from __future__ import annotations

import json

from tests.support.readings import Reading
from tests.support.readings.vsa import reading

_TYPE = "https://in-toto.io/attestation/svr/v0.2"
_VERDICTS = {"GATE_REFUSED": "deny", "GATE_UNDECIDED": "error"}


def read(text: str) -> Reading:
    statements = [json.loads(line) for line in text.splitlines()]
    assert statements
    assert {item["predicateType"] for item in statements} == {_TYPE}
    predicates = [item["predicate"] for item in statements]
    found = reading(predicates)
    for predicate in predicates:
        said = {_VERDICTS[name] for name in predicate["properties"] if name in _VERDICTS}
        assert said == ({found.verdict} - {"allow"})
        passed = any(name.startswith("GATE_PASSED") for name in predicate["properties"])
        assert passed == (found.verdict == "allow" and not found.dry_run)
    return found
