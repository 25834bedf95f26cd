"""Service levels: the promised numbers, the window in which they were observed, and the query behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files
from gate.errors import AttestError
from gate.formats.numbers import NumberError, decimal_text, exact
from gate.formats.predicates.slo import CLAIM
from gate.formats.strict_yaml import Node
from gate.model.artifact import ArtifactKind

_OBJECTIVES: Final = (
    "ttft_ms_p50",
    "ttft_ms_p95",
    "tokens_per_sec_p50",
    "cost_per_1k_tokens_cap_usd",
    "error_rate_cap",
    "error_budget_remaining",
)


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    query = files.file(fields["observability_query"])
    return Collected(
        roles={"observability_query": [query]},
        members={
            "profile": fields["slo_profile_id"].text(),
            "window": {"start": fields["window_start"].text(), "end": fields["window_end"].text()},
            "objectives": {name: _number(name, fields[name]) for name in _OBJECTIVES},
        },
        main=query,
    )


def _number(name: str, node: Node) -> str:
    value = node.number()
    try:
        exact(value)
    except NumberError as error:
        raise AttestError(f"line {node.line}: {name}: {error}") from None
    return decimal_text(value)


_REQUIRED = ("slo_profile_id", "window_start", "window_end", *_OBJECTIVES, "observability_query")
COLLECTOR = Collector(
    claim=CLAIM, keys=_REQUIRED, required=_REQUIRED, collect=_collect, kind=ArtifactKind.SLO, predecessors=("route",)
)
