"""The facts that the examples of the field's predicate types make."""

from __future__ import annotations

from typing import Any

S = "sha256:"
COMMIT = "9a04d1ee393b5be2773b1ce204f61fe0fd02366a"
TOOL = "pkg:github/aquasecurity/trivy@244fd47e07d1004f0aed9"


def finding(rule: str, severity: str, score_bp: int = 0) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "message": "",
        "aliases": [],
        "file": None,
        "purl": None,
        "fixed_in": None,
        "justification": None,
        "category": "vulnerability",
    }
    return {"rule": rule, "severity": severity, "score_bp": score_bp, "status": "open", **empty}


def scan(**changes: Any) -> dict[str, Any]:
    jar = "fe4fe40ac7250263c5dbe1cf3138912f3f416140aa248637a60d65fe22c47da4"
    return {
        "result": "passed",
        "decision": None,
        "collected": False,
        "tool": TOOL,
        "version": "0.19.2",
        "arguments": [],
        "report": None,
        "artifact": None,
        "status": "complete",
        "problem": None,
        "database_at_s": 1628271950,
        "coverage": {"expected": 1, "scanned": 1, "missing": {}, "errors": {}},
        "files": {"foo.jar": S + jar},
        "findings": [],
        **changes,
    }


EXPECTED: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "source-summary": (
        "source.summary",
        {
            "commit": COMMIT,
            "repository": "git+https://github.com/foo/hello-world",
            "refs": ["refs/heads/main", "refs/heads/release_1.0"],
            "result": "passed",
            "levels": ["SLSA_SOURCE_LEVEL_3"],
            "verifier_id": "https://example.com/source_verifier",
            "time_verified_s": 482196050,
        },
        482196050,
    ),
    "verification-summary": (
        "verification.summary",
        {
            "verifier_id": "https://example.com/publication_verifier",
            "time_verified_s": 482196050,
            "resource_uri": "https://example.com/example-1.2.3.tar.gz",
            "policy": {
                "uri": "https://example.com/example_tarball.policy",
                "digest": S + "1234567890" * 6 + "1234",
            },
            "inputs": [S + "abcdefabcd" * 6 + "abcd"],
            "unnamed_inputs": 0,
            "result": "passed",
            "levels": ["SLSA_BUILD_LEVEL_3"],
            "dependency_levels": {"SLSA_BUILD_LEVEL_3": 5, "SLSA_BUILD_LEVEL_2": 7, "SLSA_BUILD_LEVEL_1": 1},
            "slsa_version": "1.0",
        },
        482196050,
    ),
    "verification-result-v0.1": (
        "properties",
        {
            "verifier_id": "https://example.com/publication_verifier/v2",
            "time_created_s": 482196050,
            "policies": [],
            "properties": [
                "SLSA_BUILD_LEVEL_3",
                "SLSA_SOURCE_LEVEL_3",
                "ORG_SOURCE_STATIC_ANALYSIS",
                "CONFORMA_HERMETIC_BUILD_TASK",
                "COMPANY_RELEASE_APPROVED",
            ],
        },
        482196050,
    ),
    "verification-result-v0.2": (
        "properties",
        {
            "verifier_id": "https://example.com/policy_engine/v1",
            "time_created_s": 1710512520,
            "policies": [
                {"uri": "https://example.com/policies/production-deployment", "digest": S + "789abc01" * 8},
            ],
            "properties": ["SLSA_BUILD_LEVEL_3", "EXAMPLE_DEPLOYMENT_APPROVED"],
        },
        1710512520,
    ),
    "vulnerabilities-v0.1": (
        "scan.report",
        scan(result="failed", findings=[finding("GHSA-fxph-q3j8-mv87", "critical")]),
        1628272250,
    ),
    "vulnerabilities-v0.2": (
        "scan.report",
        scan(result="warned", findings=[finding("CVE-123", "medium", 5200)]),
        1628272250,
    ),
    "cosign-vuln": (
        "scan.report",
        scan(
            result="unknown",
            arguments=["--format=json"],
            status="incomplete",
            problem="the result is in the scanner's own form, which is not read",
            database_at_s=0,
        ),
        1628272250,
    ),
    "release": ("release", {"purl": "pkg:npm/@angular/http@7.2.16", "package_id": "1234567890"}, None),
    "attributes-v0.2": (
        "attributes",
        {
            "attributes": [
                {
                    "attribute": "WITH_STACK_PROTECTION",
                    "target_digest": None,
                    "conditions": True,
                    "evidence": False,
                },
                {
                    "attribute": "ATTESTED_DEPENDENCIES",
                    "target_digest": S + "ebebebeb" * 8,
                    "conditions": False,
                    "evidence": True,
                },
            ],
            "producer": "https://example.com/my-github-actions-runner",
        },
        None,
    ),
    "attributes-v0.3": (
        "attributes",
        {
            "attributes": [
                {"attribute": "REPRODUCIBLE", "target_digest": None, "conditions": False, "evidence": True},
            ],
            "producer": None,
        },
        None,
    ),
    "link": (
        "link",
        {"name": "build", "command": ["make", "all"], "materials": {"foo.c": {"sha256": "12345678" * 8}}},
        None,
    ),
    "reference": (
        "references",
        {
            "attester_id": "https://my-builder.com/v1",
            "references": [
                {
                    "uri": "https://cloud.com/my-sboms/sbom.spdx.json",
                    "digests": {"sha256": "3b0d19b348f1e46a571c6e9df32897637c20dd9803261c2fc9cbe38b0c8422c4"},
                }
            ],
        },
        None,
    ),
    "runtime-trace": (
        "runtime.trace",
        {
            "monitor": {"type": "https://github.com/cilium/tetragon/v0.8.4"},
            "process": {
                "host": "https://tekton.dev/chains/v2",
                "type": "https://tekton.dev/attestations/chains@v2",
            },
            "started_at_s": 1665701750,
            "finished_at_s": 1665701777,
            "counts": {"process": 1, "network": 2, "file_access": None},
        },
        1665701777,
    ),
    "scorecard": (
        "scorecard",
        {
            "repository": "github.com/ossf/scorecard",
            "commit": COMMIT,
            "tool_version": "v5.1.1",
            "score_bp": 7300,
            "checks": {"Binary-Artifacts": {"score_bp": 10000}, "Signed-Releases": {"score_bp": None}},
            "made_at_s": 1740787200,
        },
        1740787200,
    ),
    "cosign-signature": ("artifact.signature", {"method": "image", "files": {}}, None),
    "eval-result": (
        "eval.result",
        {
            "result": "passed",
            "verifier_id": "https://example.com/verifier",
            "evaluated_at_s": 1783252800,
            "suite": {"name": "safety-refusals", "version": "1.2.0"},
            "claims": [{"metric": "refusal_rate", "comparator": ">=", "threshold": "0.98", "passed": True}],
            "sample_size": 500,
            "assurance": "self_attested",
            "commitments": {
                "model": {"alg": "sha256-salted-v1", "value": "cd" * 32, "salted": True},
                "dataset": {"alg": "sha256-salted-v1", "value": "ef" * 32, "salted": True},
            },
        },
        1783252800,
    ),
}
