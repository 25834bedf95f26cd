"""Counts that the differential tests record are printed at the end of a run, whoever collected them."""

from __future__ import annotations

import pytest

PROPERTY = "differential"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each `record_property("differential", "<what was compared, and with what result>")`."""
    found = {
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in report.user_properties
        if name == PROPERTY
    }
    if found:
        terminalreporter.section("differential: OPA against the embedded engine")
        for line in sorted(found):
            terminalreporter.write_line(line)
