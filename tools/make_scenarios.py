"""Writes `fixtures/keys`, `fixtures/scenarios` and `fixtures/compat`: `python -m tools.make_scenarios [FOLDER]`.

The same bytes come out every time; a test holds what is checked in to that. Private keys that cannot be derived from
their name are kept as they are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools import (
    scenario_worlds,
    scenarios_adapters,
    scenarios_allow,
    scenarios_application,
    scenarios_assistants,
    scenarios_bills,
    scenarios_built,
    scenarios_datasets,
    scenarios_deny,
    scenarios_deployed,
    scenarios_error,
    scenarios_images,
    scenarios_locked,
    scenarios_models,
    scenarios_packages,
    scenarios_searched,
    scenarios_signals,
    scenarios_templates,
    scenarios_vulnerable,
    scenarios_weights,
)
from tools.scenario_compat import compat_files
from tools.scenario_draft import NOW, SCENARIOS, Draft, Scenario
from tools.scenario_evidence import KINDS, key
from tools.scenario_threats import SET, kind_of, threat_of, twin_of

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
STORIES = (
    scenario_worlds,
    scenarios_adapters,
    scenarios_allow,
    scenarios_application,
    scenarios_assistants,
    scenarios_bills,
    scenarios_built,
    scenarios_datasets,
    scenarios_deny,
    scenarios_deployed,
    scenarios_error,
    scenarios_images,
    scenarios_locked,
    scenarios_models,
    scenarios_packages,
    scenarios_searched,
    scenarios_signals,
    scenarios_templates,
    scenarios_vulnerable,
    scenarios_weights,
)
KEYS_README = """\
# Test keys

These keys exist for tests alone. Their private halves are public, so whoever trusts one trusts everybody: never name
one in a configuration that guards anything.

| key | kind |
|---|---|
"""


@dataclass(frozen=True)
class Settings:
    """What a `gate.yaml` says that others than this gate may want to know."""

    target: str
    profile: str
    artifacts: Sequence[Mapping[str, object]]
    signers: Sequence[Mapping[str, object]]


def description(scenario: Scenario) -> bytes:
    """`scenario.json`."""
    draft = scenario.draft()
    settings = settings_of(draft)
    value = {
        "schema": "urn:gate:scenario:v1",
        "title": scenario.title,
        "threat": threat_of(scenario),
        "kind": kind_of(scenario, [str(one["kind"]) for one in settings.artifacts]),
        "target": settings.target,
        "profile": settings.profile,
        "twin": twin_of(scenario, {one.place for one in SCENARIOS}),
        "now": NOW,
        "artifacts": settings.artifacts,
        "signers": settings.signers,
        "base": {"executable": draft.executable_before},
        "change": {
            "against": draft.against,
            "deleted": draft.deleted,
            "executable": draft.executable,
            "links": draft.links,
        },
        "expect": {
            "decision": scenario.outcome,
            "because": scenario.because,
            "seen_by": sorted(scenario.seen_by),
            "gate": {
                "exit_code": scenario.exit_code,
                "failing": sorted(scenario.failing),
                "passing": sorted(scenario.passing),
                "waived": sorted(scenario.waived),
                "words": list(scenario.words),
            },
        },
    }
    return (json.dumps(value, indent=2) + "\n").encode()


def settings_of(draft: Draft) -> Settings:
    """What its `gate.yaml` says, at main or, where there is none, in the change."""
    found = yaml.safe_load((draft.change | draft.base)["gate.yaml"])
    profile = found["profile"]
    return Settings(
        found["target"],
        "own" if profile.endswith(".yaml") else profile,
        _entries(found.get("artifacts", {}), "kind", "path", "image", "base"),
        _entries(found["trust"]["signers"], "key", "identity", "claims"),
    )


def _entries(named: Mapping[str, Mapping[str, object]], *members: str) -> Sequence[Mapping[str, object]]:
    return [{"name": name, **{member: one.get(member) for member in members}} for name, one in named.items()]


def scenario_files() -> Mapping[str, bytes]:
    """All files below `scenarios/`, by path."""
    found: dict[str, bytes] = {"scenarios.json": (json.dumps(SET, indent=2) + "\n").encode()}
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
