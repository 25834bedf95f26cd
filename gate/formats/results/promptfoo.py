"""Results of promptfoo (`promptfoo eval --output results.json`): version 3, and the older forms.

`pass_rate` is the successes among all test cases, those that ended in an error included; a case with an error is no
evaluated sample. A file whose list of results is not what its own counts say is an error: each result says itself
whether it is a success.
"""

from __future__ import annotations

from typing import Final

from gate.formats.results.common import (
    Results,
    ResultsError,
    Samples,
    count_of,
    list_of,
    make_results,
    object_of,
    ratio,
    short,
)
from gate.formats.strict_json import loads_exact
from gate.model.json import JsonValue

_VERSIONS: Final = (1, 2, 3)


def read(data: bytes) -> Results:
    """The results; raises `ResultsError` or `StrictJsonError`."""
    document = object_of(loads_exact(data, limit=len(data)), "the document")
    # The summary stands below `results`; in the oldest form it is the document, and `results` is its list.
    run = document if isinstance(document.get("results"), list) else object_of(document.get("results"), "results")
    version = run.get("version")
    if version not in _VERSIONS or isinstance(version, bool):
        raise ResultsError(f"the version of the results is {short(version)}; known are 1, 2 and 3")
    stats = object_of(run.get("stats"), "stats")
    passed, failed = (count_of(stats.get(word), f"stats.{word}") for word in ("successes", "failures"))
    # Older files count a case that ended in an error among the failures.
    total = passed + failed + count_of(stats.get("errors", 0), "stats.errors")
    listed = list_of(run.get("results"), "results")
    if len(listed) != total:
        raise ResultsError(f"stats count {total} test cases, and {len(listed)} are listed")
    successes = sum(_is_success(item, f"results[{number}]") for number, item in enumerate(listed))
    if successes != passed:
        raise ResultsError(f"stats count {passed} successes, and {successes} of the results are one")
    tool = object_of(document.get("metadata", {}), "metadata").get("promptfooVersion")
    metrics = {"pass_rate": ratio(passed, total, "pass_rate")}
    return make_results(metrics, Samples(passed + failed, total), "promptfoo", tool)


def _is_success(value: JsonValue, place: str) -> bool:
    said = object_of(value, place).get("success")
    if not isinstance(said, bool):
        raise ResultsError(f"{place}.success is {short(said)}, neither true nor false")
    return said
