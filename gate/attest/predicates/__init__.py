"""The collectors, one module a claim; `gate attest create --type` names them by `words`."""

from __future__ import annotations

from collections.abc import Mapping

from gate.attest.collector import Collector
from gate.attest.predicates import corpus, prompt, route, slo
from gate.attest.predicates import eval as evaluation


def collectors() -> Mapping[str, Collector]:
    """The collectors by the word that `--type` takes."""
    return {
        item.claim: item
        for item in (prompt.COLLECTOR, corpus.COLLECTOR, evaluation.COLLECTOR, route.COLLECTOR, slo.COLLECTOR)
    }
