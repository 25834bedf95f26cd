"""The collectors, one module a claim; `gate attest create --type` names them by the word of their predicate type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gate.attest.collector import Collector
from gate.attest.predicates import (
    approval,
    break_glass,
    corpus,
    dataset,
    model_card,
    plugin,
    prompt,
    review,
    route,
    scan_report,
    slo,
    training_provenance,
    waiver,
)
from gate.attest.predicates import eval as evaluation
from gate.errors import ConfigError
from gate.formats.predicates import plugins
from gate.formats.predicates.generic import predicate_type


def collectors() -> Mapping[str, Collector]:
    """The collectors by the word that `--type` takes."""
    modules = (
        prompt.COLLECTOR,
        corpus.COLLECTOR,
        evaluation.COLLECTOR,
        route.COLLECTOR,
        slo.COLLECTOR,
        training_provenance.COLLECTOR,
        dataset.COLLECTOR,
        model_card.COLLECTOR,
        plugin.COLLECTOR,
        approval.COLLECTOR,
        review.COLLECTOR,
        waiver.COLLECTOR,
        break_glass.COLLECTOR,
        scan_report.COLLECTOR,
    )
    return {predicate_type(item.claim).split(":")[-2]: item for item in modules}


def plugin_collector(claim: str) -> Collector | None:
    """The collector of a third party's claim; `None` where there is none. Raises `ConfigError` for a broken plugin."""
    plugin = plugins().get(claim)
    if plugin is None or plugin.collector is None:
        return None
    if not isinstance(plugin.collector, Collector):
        raise ConfigError(f"the plugin {claim!r} cannot be used: its collector is no {Collector.__name__}")
    return replace(plugin.collector, claim=claim, predicate_type=plugin.predicate_type)
