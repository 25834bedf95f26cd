"""Scenarios of what scanners of secrets and vulnerabilities found."""

from __future__ import annotations

import json

from tools.scenario_draft import Draft, config, profile, scenario
from tools.scenario_evidence import sha256

_SITE = "site: {kind: package, path: site}"
_REPORT = "reports:\n  - {tool: gitleaks, path: .gate/reports/gitleaks.json, artifact: site}\n"
_KEY = "EXAMPLE-VALUE-0001"


def _searched(draft: Draft, *found: str, reports: str = _REPORT) -> None:
    """A package that has to be searched, and what gitleaks found in its files."""
    parameters = "parameters:\n  scan.secrets: {kinds: [package], observed: true}\n"
    draft.base["profile.yaml"] = profile({"scan.secrets": "enforce"}, parameters)
    draft.configure(config([_SITE], gates="", profile="profile.yaml", more=reports))
    draft.change |= {"site/app.py": b'print("hello")\n', "site/settings.json": b"{}\n"}
    if reports == _REPORT:
        draft.reports["gitleaks.json"] = json.dumps([_leak(name) for name in found]).encode()


def _leak(name: str) -> dict[str, object]:
    return {
        "RuleID": "generic-api-key", "Description": "Detected a Generic API Key", "StartLine": 1, "EndLine": 1,
        "Match": f"api_key = '{_KEY}'", "Secret": _KEY, "File": name, "Fingerprint": f"{name}:generic-api-key:1",
    }  # fmt: skip


@scenario("allow/scan-secrets", "A package in which gitleaks found nothing", passing=["scan.secrets"])
def _(draft: Draft) -> None:
    _searched(draft)


@scenario(
    "deny/scan-secrets",
    "A key in the settings of a package",
    13,
    failing=["scan.secrets"],
    words=["gitleaks found generic-api-key", "settings.json"],
)
def _(draft: Draft) -> None:
    _searched(draft, "site/settings.json")


@scenario(
    "deny/scan-secrets-missing",
    "A package that nobody searched",
    10,
    failing=["scan.secrets"],
    words=["no complete search for secrets looked at any of its files"],
)
def _(draft: Draft) -> None:
    _searched(draft, reports="")


@scenario(
    "deny/scan-secrets-uncovered",
    "A search that left out a file",
    13,
    failing=["scan.secrets"],
    words=["no complete search for secrets looked at these very bytes", "settings.json"],
)
def _(draft: Draft) -> None:
    _searched(draft, reports="reports:\n  - {tool: sarif, path: .gate/reports/gitleaks.sarif, artifact: site}\n")
    searched = {"location": {"uri": "site/app.py"}, "hashes": {"sha-256": sha256(draft.change["site/app.py"])}}
    run = {
        "tool": {"driver": {"name": "gitleaks", "semanticVersion": "8.30.0"}},
        "invocations": [{"executionSuccessful": True}],
        "artifacts": [searched],
        "results": [],
    }
    draft.reports["gitleaks.sarif"] = json.dumps({"version": "2.1.0", "runs": [run]}).encode()
