"""The Rego library's own tests pass in both engines, and cover every line in both."""

from __future__ import annotations

import json
import subprocess
import sys

from gate._native import PolicySet
from tests.property import rego_library as library


def test_all_pass_and_cover_every_line_in_the_embedded_engine() -> None:
    policies = PolicySet.compile(library.modules("rego", "rego_tests"), "{}", [])
    covered: dict[str, set[int]] = {}
    lines: dict[str, set[int]] = {}
    failed = []
    for name in policies.test_rules():
        answer = policies.evaluate(name, "{}", time_limit_s=library.TIME_LIMIT_S, coverage=True)
        if answer.json != "true":
            failed.append(name)
        for file, entry in json.loads(answer.coverage_json or "{}").items():
            covered.setdefault(file, set()).update(entry["covered"])
            lines.setdefault(file, set()).update(entry["covered"], entry["not_covered"])
    assert not failed
    assert set(library.modules("rego")) <= set(covered)
    assert {file: sorted(lines[file] - covered[file]) for file in lines if lines[file] != covered[file]} == {}


def test_all_pass_and_cover_every_line_in_opa() -> None:
    build = [sys.executable, str(library.ROOT / "tools/build.py"), "opa"]
    opa = subprocess.run(build, check=True, capture_output=True, text=True).stdout.strip()
    command = [opa, "test", "rego", "rego_tests", "--fail-on-empty", "--threshold", "100", "--timeout", "60s"]
    done = subprocess.run(command, cwd=library.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
