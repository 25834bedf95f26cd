"""Runs the Rego unit tests with OPA and demands that they reach every line.

    python3 tools/rego_tests.py OPA FOLDER...

`opa test` shows results or coverage, never both, and leaves out of the coverage a file that it was not given. So
it runs twice, and each line that no test reached is named as `file:line`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import TypedDict


class Position(TypedDict):
    """A place in a file; both count from 1."""

    row: int
    col: int


class Range(TypedDict):
    """From a place to a place."""

    start: Position
    end: Position


class FileCoverage(TypedDict, total=False):
    """What tests reached of a file; a key is absent if there is nothing."""

    covered: list[Range]
    not_covered: list[Range]


class Coverage(TypedDict):
    """What `opa test --coverage` prints."""

    files: dict[str, FileCoverage]


def main() -> int:
    """Run the tests; the exit status is that of a failing test, or 2 for a line that none reached."""
    parser = argparse.ArgumentParser(description="Run the Rego unit tests and demand full coverage.")
    parser.add_argument("opa")
    parser.add_argument("folders", nargs="+", type=Path)
    arguments = parser.parse_args()
    command = [arguments.opa, "test", "--fail-on-empty", "--timeout", "60s", *map(str, arguments.folders)]
    status = subprocess.run(command, check=False).returncode
    if status != 0:
        return status
    report = subprocess.run([*command, "--coverage"], check=True, capture_output=True, text=True).stdout
    files = _files(report)
    missed = _missed(files, arguments.folders)
    for line in missed:
        print(line, file=sys.stderr)
    print(f"COVERAGE: {len(files)} files, " + (f"{len(missed)} lines not reached" if missed else "every line"))
    return 2 if missed else 0


def _files(report: str) -> dict[str, FileCoverage]:
    coverage: Coverage = json.loads(report)
    return coverage["files"]


def _missed(files: dict[str, FileCoverage], folders: list[Path]) -> list[str]:
    """`file:line` for each place without a test; a file that OPA did not see at all is missed as a whole."""
    places: list[str] = []
    for folder in folders:
        for path in sorted(folder.rglob("*.rego")):
            coverage = files.get(str(path), FileCoverage())
            places += [
                f"{path}:{place['start']['row']}: no test gets here" for place in coverage.get("not_covered", ())
            ]
            if not coverage and _has_rules(path):
                places.append(f"{path}:1: no test gets into this file")
    return list(dict.fromkeys(places))


def _has_rules(path: Path) -> bool:
    """Is there more in the file than a package, imports and comments?"""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return any(line and not line.startswith(("#", "package ", "import ")) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
