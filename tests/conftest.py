"""Counts that the differential tests record are printed at the end of a run, whoever collected them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

PROPERTY = "differential"
_COUNTED = re.compile(r"(\d+) (.+)")


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
