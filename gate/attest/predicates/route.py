"""Routes: the routing configuration and everything that decides where a request goes."""

from __future__ import annotations

from collections.abc import Mapping

from gate.attest.collector import Collected, Collector, Files, optional_file
from gate.formats.predicates.route import CLAIM
from gate.formats.strict_yaml import Node
from gate.model.artifact import ArtifactKind
from gate.model.json import JsonObject


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    route = files.file(fields["route_config"])
    return Collected(
        roles={
            "route_config": [route],
            "budget_policy": [files.file(fields["budget_policy"])],
            "fallback_graph": [files.file(fields["fallback_graph"])],
            "canary_config": optional_file(fields, "canary_config", files),
            "simulation_result": optional_file(fields, "simulation_result", files),
        },
        members={
            "strategy": fields["routing_strategy"].text(),
            "providers": [_provider(item) for item in fields["provider_set"].items()],
        },
        main=route,
    )


def _provider(node: Node) -> JsonObject:
    fields = node.fields("provider", "model")
    if len(fields) != 2:
        raise node.error("a provider needs provider and model")
    return {key: item.text() for key, item in fields.items()}


_REQUIRED = ("route_config", "budget_policy", "fallback_graph", "provider_set", "routing_strategy")
COLLECTOR = Collector(
    claim=CLAIM,
    keys=(*_REQUIRED, "canary_config", "simulation_result"),
    required=_REQUIRED,
    collect=_collect,
    kind=ArtifactKind.ROUTE,
    predecessors=("eval",),
)
