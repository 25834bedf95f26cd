"""Result files of evaluations: bytes -> `Results`. What a file does not say clearly is an error, never a good value.

| form | file | metrics |
|---|---|---|
| `lm-eval` | `results*.json` of lm-evaluation-harness | `task/metric`, with `,filter` unless it is `none` |
| `promptfoo` | JSON output of promptfoo, version 3 and older | `pass_rate` |
| `garak` | `*.report.jsonl` of garak | `probe/detector`: the share of outputs that passed |
| `junit` | JUnit XML | `pass_rate` |
| `json` | `{"accuracy": 0.91}`, or `{"metrics": {..}, "samples": {"evaluated": 100, "expected": 100}, ..}` | as named |

A `pass_rate` counts what ended in an error as not passed. Values are exact; those that a rule could not compare
(beyond 2**53 millionths), NaN, null and numbers in quotes are errors, wherever they stand.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.results.common import Measured, Results, ResultsError, Samples
from gate.formats.strict_json import StrictJsonError, loads, loads_exact
from gate.model.json import JsonValue

__all__ = ["FORMS", "MAX_BYTES", "Measured", "Results", "ResultsError", "Samples", "read_results"]
MAX_BYTES: Final = 64 << 20
"""The most bytes of one result file."""
_MODULES: Final = {
    "lm-eval": "lm_eval",
    "promptfoo": "promptfoo",
    "garak": "garak",
    "junit": "junit",
    "json": "plain",
}
FORMS: Final = tuple(_MODULES)
"""The names by which a form may be forced; each is a module here, imported when it is used."""


def read_results(data: bytes, name: str, form: str | None = None) -> Results:
    """The results in a file; raises `ResultsError`, whose text starts with `name`.

    The form is recognised by the content unless it is given, as one of `FORMS`.
    """
    if form is not None and form not in _MODULES:
        raise ResultsError(f"{name}: no results of the form {form[:40]!r} are read; known are {', '.join(FORMS)}")
    if len(data) > MAX_BYTES:
        raise ResultsError(f"{name}: {len(data)} bytes, more than the {MAX_BYTES} that are read")
    if not data.strip():
        raise ResultsError(f"{name}: the file is empty")
    try:
        return _reader(form or _recognise(data))(data)
    except (ResultsError, StrictJsonError) as problem:
        raise ResultsError(f"{name}: {problem}") from None


def _reader(form: str) -> Callable[[bytes], Results]:
    reader: Callable[[bytes], Results] = importlib.import_module(f"gate.formats.results.{_MODULES[form]}").read
    return reader


def _recognise(data: bytes) -> str:
    start = data.lstrip()
    if start.startswith((b"<", b"\xef\xbb\xbf<")):
        return "junit"
    if _is_lines(start):
        return "garak"
    document = loads_exact(data, limit=MAX_BYTES)
    if not isinstance(document, Mapping):
        raise ResultsError("not a JSON object")
    results = document.get("results")
    if isinstance(results, Mapping):
        return "promptfoo" if "stats" in results else "lm-eval"
    return "promptfoo" if "stats" in document else "json"


def _is_lines(start: bytes) -> bool:
    """Whether the first line is an entry of a report in JSON Lines."""
    try:
        entry: JsonValue = loads(start.partition(b"\n")[0], limit=MAX_BYTES)
    except StrictJsonError:
        return False
    return isinstance(entry, Mapping) and "entry_type" in entry
