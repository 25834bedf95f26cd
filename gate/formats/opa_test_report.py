"""What `opa test --format json` writes, with and without `--coverage`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class OpaTestError(ValueError):
    """The text is no report of `opa test`."""


@dataclass(frozen=True, slots=True)
class OpaTest:
    """One test, or one case of it. `error` is the text of the error that it ended in."""

    name: str
    failed: bool
    error: str | None
    seconds: float
    cases: tuple[OpaTest, ...]


def parse_tests(text: str) -> list[OpaTest]:
    """The tests by their reference without `data.`; raises `OpaTestError`."""
    try:
        # An empty list is written as null.
        found: Any = json.loads(text) or []
        return [_test(f"{item['package']}.{item['name']}".removeprefix("data."), item) for item in found]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OpaTestError(f"not a report of opa test: {error}") from None


def parse_coverage(text: str) -> Mapping[str, tuple[frozenset[int], frozenset[int]]]:
    """The lines that were reached and those that were not, by file; raises `OpaTestError`."""
    try:
        files: Any = json.loads(text).get("files") or {}
        return {path: (_lines(file, "covered"), _lines(file, "not_covered")) for path, file in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OpaTestError(f"not a coverage report of opa test: {error}") from None


def _test(name: str, item: Any) -> OpaTest:
    error = item.get("error")
    return OpaTest(
        name=name,
        failed=bool(item.get("fail")),
        error=json.dumps(error) if error else None,
        seconds=item.get("duration", 0) / 1e9,
        cases=tuple(_test(str(case["name"]), case) for case in (item.get("sub_results") or {}).values()),
    )


def _lines(file: Any, key: str) -> frozenset[int]:
    parts = file.get(key) or ()
    return frozenset(line for part in parts for line in range(part["start"]["row"], part["end"]["row"] + 1))
