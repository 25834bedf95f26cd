"""Writes `fixtures/keys`, `fixtures/scenarios` and `fixtures/compat`: `python -m tools.make_scenarios [FOLDER]`.

The same bytes come out every time; a test holds what is checked in to that. Private keys that cannot be derived from
their name are kept as they are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tools import (
    scenarios_allow,
    scenarios_application,
    scenarios_bills,
    scenarios_built,
    scenarios_deny,
    scenarios_deployed,
    scenarios_error,
    scenarios_locked,
    scenarios_models,
    scenarios_searched,
    scenarios_signals,
    scenarios_templates,
    scenarios_vulnerable,
)
from tools.scenario_compat import compat_files
from tools.scenario_draft import NOW, SCENARIOS, Scenario
from tools.scenario_evidence import KINDS, key

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
STORIES = (
    scenarios_allow,
    scenarios_application,
    scenarios_bills,
    scenarios_built,
    scenarios_deny,
    scenarios_deployed,
    scenarios_error,
    scenarios_locked,
    scenarios_models,
    scenarios_searched,
    scenarios_signals,
    scenarios_templates,
    scenarios_vulnerable,
)
KEYS_README = """\
# Test keys

These keys exist for tests alone. Their private halves are public, so whoever trusts one trusts everybody: never name
one in a configuration that guards anything.

| key | kind |
|---|---|
"""


def description(scenario: Scenario) -> bytes:
    """`scenario.json`."""
    draft = scenario.draft()
    verdict = {"allow": "allow", "deny": "deny"}.get(scenario.outcome)
    value = {
        "title": scenario.title,
        "now": NOW,
        "arguments": draft.arguments,
        "base": {"executable": draft.executable_before},
        "change": {"deleted": draft.deleted, "executable": draft.executable, "links": draft.links},
        "expect": {
            "exit_code": scenario.exit_code,
            "verdict": verdict,
            "failing": sorted(scenario.failing),
            "passing": sorted(scenario.passing),
            "waived": sorted(scenario.waived),
            "words": list(scenario.words),
        },
    }
    return (json.dumps(value, indent=2) + "\n").encode()


def scenario_files() -> Mapping[str, bytes]:
    """All files below `scenarios/`, by path."""
    found: dict[str, bytes] = {}
    for scenario in SCENARIOS:
        place, draft = f"{scenario.outcome}/{scenario.name}", scenario.draft()
        found[f"{place}/scenario.json"] = description(scenario)
        for folder in ("base", "change", "evidence", "reports"):
            files: Mapping[str, bytes] = getattr(draft, folder)
            found |= {f"{place}/{folder}/{path}": data for path, data in files.items()}
    return found


def key_files() -> Mapping[str, bytes]:
    """All files below `keys/`, by path."""
    rows = "".join(f"| `{name}` | {kind} |\n" for name, kind in KINDS.items())
    found = {"README.md": (KEYS_README + rows).encode()}
    for name in KINDS:
        found |= {f"{name}.key": key(name).private_pem, f"{name}.pub": key(name).pem}
    return found


def all_files() -> Mapping[str, bytes]:
    """All generated files below `fixtures/`, by path."""
    parts = {"keys": key_files(), "scenarios": scenario_files(), "compat/v1": compat_files()}
    return {f"{part}/{path}": data for part, files in parts.items() for path, data in files.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the fixtures.")
    parser.add_argument("folder", nargs="?", type=Path, default=FIXTURES)
    top: Path = parser.parse_args().folder
    files = all_files()
    shutil.rmtree(top / "scenarios", ignore_errors=True)
    for path, data in files.items():
        target = top / path
        if path.startswith("compat/") and target.exists():
            continue  # kept samples are never written again
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    print(f"{len(SCENARIOS)} scenarios, {len(files)} files in {top.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
