"""The edges of the chain are the same in Rego as in Python: what verification refuses, no rule accepts."""

from __future__ import annotations

import json
from typing import Any

from gate._native import PolicySet
from gate.model.claim import CLAIMS, EDGES, NEEDS_PREDECESSOR, may_build_on
from tests.property import rego_library as library

QUERY = "data.gate.lib.lineage.edges"
PAIRS = "data.gate.pairs.pairs"
PAIRS_OF = """package gate.pairs

import data.gate.lib.lineage
import future.keywords.not

claims := input.claims

pairs := [[claim, before] |
	is_array(claims)
	some claim in claims
	some before in claims
	lineage.may_build_on(claim, before)
]
"""


def answer(rules: PolicySet, rule: str, document: str = "{}") -> Any:
    return json.loads(rules.evaluate(rule, document, time_limit_s=library.TIME_LIMIT_S).json or "null")


def test_the_tables_are_equal() -> None:
    table = answer(library.compiled(QUERY), QUERY)
    assert {claim: set(before) for claim, before in table.items()} == {k: set(v) for k, v in EDGES.items()}


def test_every_pair_of_claims_is_judged_alike() -> None:
    claims = [*sorted(CLAIMS), "x.acme.check", "x.acme.scan-2", "nothing"]
    modules = {**library.modules("rego"), "gate/pairs/pairs.rego": PAIRS_OF}
    found = answer(PolicySet.compile(modules, "{}", [PAIRS]), PAIRS, json.dumps({"claims": claims}))
    expected = [[claim, before] for claim in claims for before in claims if may_build_on(claim, before)]
    assert sorted(found) == sorted(expected)


def test_the_claims_that_need_a_predecessor_are_equal() -> None:
    rule = "data.gate.controls.chain.valid.founded"
    assert set(answer(library.compiled(rule), rule)) == NEEDS_PREDECESSOR
