"""Results in plain JSON: metrics by name, alone or with what is known about the run.

`{"accuracy": 0.91}`, or `{"metrics": {"accuracy": 0.91}, "samples": {"evaluated": 100, "expected": 100},
"better": {"accuracy": "higher"}, "tool": "..", "version": ".."}`, where all but `metrics` may be absent. A member
that is neither is an error: a misspelt one would be a metric that nobody measured.
"""

from __future__ import annotations

from typing import Final

from gate.formats.results.common import (
    HIGHER,
    LOWER,
    Results,
    ResultsError,
    Samples,
    count_of,
    make_results,
    measured,
    object_of,
    text_of,
)
from gate.formats.strict_json import loads_exact
from gate.model.json import JsonObject, JsonValue

_OTHERS: Final = frozenset({"garak", "junit", "lm-eval", "promptfoo"})
"""Tools whose own results are read: nobody may say in their name what they measured."""
_MEMBERS: Final = frozenset({"metrics", "samples", "better", "tool", "version"})


def read(data: bytes) -> Results:
    """The results; raises `ResultsError` or `StrictJsonError`."""
    document = object_of(loads_exact(data, limit=len(data)), "the document")
    if not isinstance(document.get("metrics"), dict):
        return make_results({name: measured(value, name) for name, value in document.items()}, None, "json")
    unknown = sorted(document.keys() - _MEMBERS)
    if unknown:
        raise ResultsError(f"{unknown[0][:80]!r} is not known beside metrics; known are {', '.join(sorted(_MEMBERS))}")
    values = object_of(document["metrics"], "metrics")
    better = _directions(document.get("better", {}), values)
    metrics = {name: measured(value, f"metrics.{name}", better.get(name)) for name, value in values.items()}
    tool = text_of(document["tool"], "tool") if "tool" in document else "json"
    if tool.split()[:1] and tool.split()[0].lower() in _OTHERS:
        raise ResultsError(f"tool is {tool[:40]!r}, whose own results are read: name its result file")
    version = text_of(document["version"], "version") if "version" in document else None
    samples = _samples(document["samples"]) if "samples" in document else None
    return make_results(metrics, samples, tool, version)


def _samples(value: JsonValue) -> Samples:
    fields = object_of(value, "samples")
    if fields.keys() != {"evaluated", "expected"}:
        raise ResultsError("samples has the members evaluated and expected, and no others")
    return Samples(count_of(fields["evaluated"], "samples.evaluated"), count_of(fields["expected"], "samples.expected"))


def _directions(value: JsonValue, metrics: JsonObject) -> dict[str, str]:
    found = {}
    for name, word in object_of(value, "better").items():
        if name not in metrics or not isinstance(word, str) or word not in {HIGHER, LOWER}:
            raise ResultsError(f"better.{name[:80]} must name a metric, and be {HIGHER} or {LOWER}")
        found[name] = word
    return found
