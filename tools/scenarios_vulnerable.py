"""Scenarios of vulnerabilities that scanners found, of VEX about them, and of attacks on prompts in tests."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tools.scenario_collected import collected
from tools.scenario_draft import Draft, config, profile, scenario
from tools.scenario_evidence import bundle, key, statement
from tools.scenarios_allow import IMAGE, IMAGE_DIGEST
from tools.scenarios_built import SERVER

OPENVEX = "https://openvex.dev/ns"
_SIGNERS = {"approver": "claims: [vex]", "release": "claims: [prompt, eval]"}
_REPORTS = "reports:\n  - {tool: grype, path: .gate/reports/grype.json, artifact: server}\n"
_COMPONENT = "pkg:deb/debian/zlib1g@1.2.13"
_FRESH, _OLD = "2026-11-20T01:00:00Z", "2026-10-01T01:00:00Z"


def _scanned(draft: Draft, *severities: str, built: str = _FRESH, digest: str = IMAGE_DIGEST) -> None:
    """An image, and a report of Grype that found something of each severity in one of its packages."""
    _asked(draft, SERVER)
    draft.reports["grype.json"] = json.dumps(
        {
            "matches": [_match(number, severity) for number, severity in enumerate(severities, 1)],
            "source": {"type": "image", "target": {"userInput": IMAGE, "manifestDigest": f"sha256:{digest}"}},
            "descriptor": {"name": "grype", "version": "0.104.0", "db": {"status": {"built": built, "valid": True}}},
        }
    ).encode()


def _asked(draft: Draft, artifact: str, reports: str = _REPORTS) -> None:
    parameters = "parameters:\n  scan.vulnerabilities: {max_severity: medium, observed: true}\n"
    draft.base["profile.yaml"] = profile({"scan.vulnerabilities": "enforce"}, parameters)
    text = config([artifact], gates="", signers=_SIGNERS, profile="profile.yaml", more=reports)
    draft.configure(text, keys=tuple(_SIGNERS))
    draft.change["README.md"] = b"A server.\n"


def _match(number: int, severity: str) -> Mapping[str, object]:
    return {
        "vulnerability": {"id": f"CVE-2026-000{number}", "severity": severity, "fix": {"versions": ["1.3.1"]}},
        "relatedVulnerabilities": [],
        "artifact": {"name": "zlib1g", "version": "1.2.13", "type": "deb", "purl": f"{_COMPONENT}?arch=amd64"},
    }


def _vex(draft: Draft, component: str = _COMPONENT, *, signer: str = "approver", **changes: object) -> None:
    """A word about the first vulnerability, in a part of the image."""
    product = {"@id": f"pkg:oci/server@sha256%3A{IMAGE_DIGEST}", "subcomponents": [{"@id": component}]}
    word = {
        "vulnerability": {"name": "CVE-2026-0001"},
        "products": [product],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    }
    document = {
        "@context": f"{OPENVEX}/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "Product Security",
        "timestamp": "2026-11-19T12:00:00Z",
        "version": 1,
        "statements": [{**word, **changes}],
    }
    payload = statement(OPENVEX, [{"name": IMAGE, "digest": {"sha256": IMAGE_DIGEST}}], document)
    draft.evidence["vex.sigstore.json"] = bundle(payload, key(signer))


@scenario(
    "allow/scan-vulnerabilities",
    "A grave vulnerability of which a trusted author says that it does not apply",
    passing=["scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    _scanned(draft, "Critical", "Low")
    _vex(draft)


@scenario(
    "deny/scan-vulnerabilities",
    "A grave vulnerability that nobody has looked at",
    13,
    failing=["scan.vulnerabilities"],
    words=["grype found CVE-2026-0001", "critical"],
)
def _(draft: Draft) -> None:
    _scanned(draft, "Critical", "Low")


@scenario(
    "deny/scan-vulnerabilities-missing",
    "An image that nobody searched",
    10,
    failing=["scan.vulnerabilities"],
    words=["no complete search for vulnerabilities looked at it"],
)
def _(draft: Draft) -> None:
    _asked(draft, SERVER, reports="")


@scenario(
    "deny/scan-vulnerabilities-other-image",
    "A clean report about another image",
    10,
    failing=["scan.vulnerabilities"],
    words=["no complete search for vulnerabilities looked at it"],
)
def _(draft: Draft) -> None:
    _scanned(draft, digest="0" * 64)


@scenario(
    "deny/scan-vulnerabilities-stale",
    "A clean report of a scanner with old data",
    13,
    failing=["scan.vulnerabilities"],
    words=["what the scanner knew is older than the policy allows"],
)
def _(draft: Draft) -> None:
    _scanned(draft, built=_OLD)


@scenario(
    "deny/scan-vulnerabilities-other-version",
    "VEX about another version of the component",
    13,
    failing=["scan.vulnerabilities"],
    words=["grype found CVE-2026-0001"],
)
def _(draft: Draft) -> None:
    _scanned(draft, "Critical")
    _vex(draft, "pkg:deb/debian/zlib1g@1.2.12")


@scenario(
    "deny/scan-vulnerabilities-wildcard",
    "VEX about every component there is",
    13,
    failing=["scan.vulnerabilities"],
    words=["grype found CVE-2026-0001"],
)
def _(draft: Draft) -> None:
    _scanned(draft, "Critical")
    _vex(draft, products=[{"@id": "*"}, {"@id": "pkg:deb/debian/*@*"}, {"@id": "pkg:deb/debian/zlib1g"}])


@scenario(
    "deny/scan-vulnerabilities-untrusted",
    "VEX by somebody who is trusted for other claims",
    11,
    failing=["scan.vulnerabilities"],
    words=["release may not speak", "grype found CVE-2026-0001"],
)
def _(draft: Draft) -> None:
    _scanned(draft, "Critical")
    _vex(draft, signer="release")


@scenario(
    "deny/scan-vulnerabilities-skipped",
    "A dependency that pip-audit left out",
    10,
    failing=["scan.vulnerabilities"],
    words=["the pip-audit scan did not come to its end"],
)
def _(draft: Draft) -> None:
    reports = "reports:\n  - {tool: pip-audit, path: .gate/reports/audit.json, artifact: deps}\n"
    _asked(draft, "deps: {kind: package, path: requirements.lock}", reports)
    draft.change["requirements.lock"] = b"requests==2.32.0\n"
    listed = [{"name": "requests", "version": "2.32.0", "vulns": []}, {"name": "own", "skip_reason": "not on an index"}]
    draft.reports["audit.json"] = json.dumps({"dependencies": listed, "fixes": []}).encode()


def _attacked(draft: Draft, share: str = "0.97", probe: str = "dan.Dan") -> None:
    """A prompt, and what garak measured when it attacked it."""
    parameters = "parameters:\n  eval.safety: {kinds: [prompt], probes: [dan.Dan], minimum: 900000}\n"
    draft.base["profile.yaml"] = profile({"eval.safety": "enforce"}, parameters)
    artifact = "prompts: {kind: prompt, path: app}"
    draft.configure(config([artifact], gates="", signers=_SIGNERS, profile="profile.yaml"), keys=tuple(_SIGNERS))
    draft.change |= {"app/system.txt": b"Be kind.\n", "app/policy.yaml": b"deny: [secrets]\n"}
    draft.base |= {"tests/garak.report.jsonl": b"{}\n", "tests/garak.yaml": b"plugins: dan\n"}
    prompt = _prompt(draft)
    run = collected(
        "eval",
        {"testset": draft.only("tests/garak.yaml"), "candidate_results": draft.only("tests/garak.report.jsonl")},
        depends_on=[prompt],
        suite="attacks",
        harness="garak 0.13.1",
        metrics={f"{probe}/dan.DAN": {"candidate": share, "baseline": None, "better": "higher"}},
        thresholds={},
        tolerances={},
        samples={"evaluated": 100, "expected": 100},
        result="passed",
    )
    draft.evidence["prompt.json"] = bundle(prompt, key("release"))
    draft.evidence["garak.json"] = bundle(run, key("release"))


def _prompt(draft: Draft) -> bytes:
    return collected(
        "prompt",
        {"system_prompt": draft.only("app/system.txt"), "safety_policy": draft.only("app/policy.yaml")},
        sensitivity_labels=["internal"],
    )


@scenario("allow/eval-safety", "A prompt that garak attacked without success", passing=["eval.safety"])
def _(draft: Draft) -> None:
    _attacked(draft)


@scenario(
    "deny/eval-safety",
    "A prompt that too many attacks have turned",
    13,
    failing=["eval.safety"],
    words=["dan.Dan/dan.DAN: fewer attacks failed than asked for"],
)
def _(draft: Draft) -> None:
    _attacked(draft, "0.85")


@scenario(
    "deny/eval-safety-probe",
    "A run that left out the probe that is asked for",
    13,
    failing=["eval.safety"],
    words=["dan.Dan: no sound red-team run has tried it"],
)
def _(draft: Draft) -> None:
    _attacked(draft, probe="encoding.InjectBase64")
