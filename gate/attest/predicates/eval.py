"""Evaluations: the values are read from the result files, never from what a person typed.

A metric that is written into the configuration must be the measured one. A missing metric, in the candidate's results
or in the baseline's, is an error: it is neither good nor equal. So is a direction that the results and the one bound
of a metric contradict one another about: the results must not choose on which side of the bound a loss lies.
Of a probe of garak all detectors are attested when one is named: nobody picks those that held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found, optional_file
from gate.errors import AttestError
from gate.formats.numbers import NumberError, decimal_text, exact
from gate.formats.predicates.eval import CLAIM
from gate.formats.results import FORMS, Measured, Results, ResultsError, Samples, read_results
from gate.formats.strict_yaml import Node
from gate.model.artifact import ArtifactKind
from gate.model.json import JsonObject

_BOUNDS: Final = {"_min": "min", "_max": "max"}
_DIRECTION: Final = {"min": "higher", "max": "lower"}


@dataclass(frozen=True, slots=True)
class _Demands:
    """What the configuration demands of metrics: bounds by metric and word, and how much worse one may get."""

    metrics: tuple[str, ...]
    declared: Mapping[str, Decimal]
    bounds: Mapping[str, Mapping[str, Decimal]]
    tolerances: Mapping[str, Decimal]

    @property
    def names(self) -> list[str]:
        return sorted({*self.metrics, *self.bounds, *self.tolerances})

    def implied(self, name: str) -> str | None:
        """Which direction the one bound of a metric implies; two imply none."""
        words = set(self.bounds.get(name, {}))
        return _DIRECTION[words.pop()] if len(words) == 1 else None

    def better(self, name: str, measured: Measured) -> str | None:
        """Which direction is better: what the results say, else what the one bound implies; they agree."""
        return measured.better or self.implied(name)


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    form = fields["results_format"].choice(*FORMS) if "results_format" in fields else None
    candidate, measured = _results(fields["candidate_results"], files, form)
    baseline, before = (
        _results(fields["baseline_results"], files, form) if "baseline_results" in fields else (None, None)
    )
    if baseline is not None and baseline.path == candidate.path:
        raise fields["baseline_results"].error(f"{baseline.path} is the candidate: nothing gets worse than itself")
    demands = _demands(fields)
    samples = _samples(fields, measured)
    names = sorted({*demands.names, *_siblings(demands, measured)})
    metrics = {name: _metric(name, demands, measured, before, candidate, baseline) for name in names}
    return Collected(
        roles={
            "testset": [files.file(fields["testset"])],
            "scoring_config": [files.file(fields["scoring_config"])],
            "baseline_results": [] if baseline is None else [baseline],
            "candidate_results": [candidate],
            "run_environment": optional_file(fields, "run_environment", files),
        },
        members={
            "suite": fields["eval_suite_id"].text(),
            "harness": " ".join(part for part in (measured.tool, measured.version) if part),
            "metrics": metrics,
            "thresholds": {
                name: {word: _text(bounds.get(word)) for word in ("min", "max")}
                for name, bounds in demands.bounds.items()
            },
            "tolerances": {name: decimal_text(value) for name, value in demands.tolerances.items()},
            "samples": None if samples is None else {"evaluated": samples.evaluated, "expected": samples.expected},
            "result": "passed" if _has_passed(names, demands, measured, before, samples) else "failed",
        },
        main=candidate,
    )


def _results(node: Node, files: Files, form: str | None) -> tuple[Found, Results]:
    found, data = files.content(node)
    try:
        return found, read_results(data, found.path, form)
    except ResultsError as error:
        raise AttestError(str(error)) from None


def _demands(fields: Mapping[str, Node]) -> _Demands:
    names: tuple[str, ...] = ()
    declared: dict[str, Decimal] = {}
    if "metrics" in fields:
        if isinstance(fields["metrics"].value, tuple):
            names = fields["metrics"].texts()
        else:
            declared = {name: node.number() for name, node in fields["metrics"].members().items()}
            names = tuple(declared)
    bounds: dict[str, dict[str, Decimal]] = {}
    for key, node in (fields["thresholds"].members() if "thresholds" in fields else {}).items():
        name, word = key[:-4], _BOUNDS.get(key[-4:])
        if word is None or not name:
            raise node.error(f"{key[:80]!r} is no threshold: the name of a metric with _min or _max")
        bounds.setdefault(name, {})[word] = _bound(node)
    tolerances = fields["tolerances"].members() if "tolerances" in fields else {}
    found = _Demands(names, declared, bounds, {name: _bound(node) for name, node in tolerances.items()})
    for name, node in tolerances.items():
        if found.tolerances[name] < 0:
            raise node.error("a tolerance cannot be negative")
    if not found.names:
        raise AttestError("no metric is named", hint="thresholds: {accuracy_min: 0.8}, or metrics: [accuracy]")
    return found


def _bound(node: Node) -> Decimal:
    value = node.number()
    try:
        exact(value)
    except NumberError as error:
        raise node.error(str(error)) from None
    return value


def _metric(
    name: str, demands: _Demands, measured: Results, before: Results | None, candidate: Found, baseline: Found | None
) -> JsonObject:
    now = _of(measured, name, candidate.path)
    _check_direction(name, now, candidate.path, demands.implied(name), "its threshold")
    declared = demands.declared.get(name, now.value)
    if declared != now.value:
        raise AttestError(
            f"metrics says {name} is {decimal_text(declared)}, {candidate.path} says {now.text}",
            hint="leave the value out: metrics takes a list of names",
        )
    then = None
    if before is not None and baseline is not None and (name in demands.names or name in before.metrics):
        then = _of(before, name, baseline.path)
    if then is not None and baseline is not None:
        said_by = "its threshold" if now.better is None else candidate.path
        _check_direction(name, then, baseline.path, demands.better(name, now), said_by)
    return {
        "candidate": now.text,
        "baseline": None if then is None else then.text,
        "better": demands.better(name, now),
    }


def _siblings(demands: _Demands, measured: Results) -> set[str]:
    """The metrics of garak that are of the same probes as those that are named."""
    if measured.tool != "garak":
        return set()
    probes = {name.partition("/")[0] for name in demands.names}
    return {name for name in measured.metrics if name.partition("/")[0] in probes}


def _check_direction(name: str, measured: Measured, path: str, other: str | None, said_by: str) -> None:
    if measured.better is not None and other is not None and measured.better != other:
        raise AttestError(
            f"{path} says that {measured.better} is better for {name}, {said_by} says {other}",
            hint="_min is for what is better the higher it is, _max for what is better the lower it is",
        )


def _of(results: Results, name: str, path: str) -> Measured:
    if name not in results.metrics:
        known = ", ".join(sorted(results.metrics)[:8])
        raise AttestError(f"{path} holds no metric {name!r}; it holds {known}")
    return results.metrics[name]


def _samples(fields: Mapping[str, Node], measured: Results) -> Samples | None:
    if "expected_samples" not in fields:
        return measured.samples
    node = fields["expected_samples"]
    if not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < 1:
        raise node.error("expected a number of samples")
    if measured.samples is None:
        raise node.error("the results do not say how many samples were evaluated")
    return Samples(measured.samples.evaluated, max(node.value, measured.samples.expected))


def _has_passed(
    names: Iterable[str], demands: _Demands, now: Results, then: Results | None, samples: Samples | None
) -> bool:
    is_complete = samples is None or samples.evaluated >= samples.expected
    return is_complete and all(
        _within(demands, now, name) and not _is_worse(demands, now, then, name) for name in names
    )


def _within(demands: _Demands, now: Results, name: str) -> bool:
    bounds, value = demands.bounds.get(name, {}), now.metrics[name].value
    return bounds.get("min", value) <= value <= bounds.get("max", value)


def _is_worse(demands: _Demands, now: Results, then: Results | None, name: str) -> bool:
    if then is None or name not in then.metrics:
        return False
    better = demands.better(name, now.metrics[name])
    lost = then.metrics[name].value - now.metrics[name].value
    if better is None:
        # Nobody said which direction is better: with a tolerance the value may go that far either way.
        return abs(lost) > demands.tolerances.get(name, abs(lost))
    return (lost if better == "higher" else -lost) > demands.tolerances.get(name, Decimal(0))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)


_REQUIRED: Final = ("eval_suite_id", "testset", "scoring_config", "candidate_results")
_OPTIONAL: Final[Iterable[str]] = (
    "baseline_results",
    "expected_samples",
    "metrics",
    "results_format",
    "run_environment",
    "thresholds",
    "tolerances",
)
COLLECTOR = Collector(
    claim=CLAIM,
    keys=(*_REQUIRED, *_OPTIONAL),
    required=_REQUIRED,
    collect=_collect,
    kind=ArtifactKind.EVALUATION,
    predecessors=("prompt", "corpus"),
)
