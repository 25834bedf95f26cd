"""What holds for all tests: what `no_cover` means, and which counts are printed at the end of a run."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from collections import Counter
from collections.abc import Generator

import pytest

import gate.report

PROPERTY = "differential"
_COUNTED = re.compile(r"(\d+) (.+)")


def pytest_collection_finish() -> None:
    """Reports are imported while that is measured: the first test that needs one may be of those that are not."""
    for module in pkgutil.walk_packages(gate.report.__path__, "gate.report."):
        importlib.import_module(module.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """A test that is not measured, because others reach the same lines, starts no program that is."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover") is not None:
            for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
                patch.delenv(name)
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each `record_property("differential", "<number> <what was compared, and with what result>")`.

    Lines that differ in their number only become one, with the sum. Text without a number is printed once.
    """
    sums: Counter[str] = Counter()
    plain: set[str] = set()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for value in (str(value) for name, value in report.user_properties if name == PROPERTY):
                counted = _COUNTED.fullmatch(value)
                if counted is None:
                    plain.add(value)
                else:
                    sums[counted[2]] += int(counted[1])
    lines = [*(f"{number} {what}" for what, number in sorted(sums.items())), *sorted(plain)]
    if lines:
        terminalreporter.section("differential: OPA against the embedded engine")
        for line in lines:
            terminalreporter.write_line(line)
