# METADATA
# title: Searched for vulnerabilities
# description: |
#   A document with an image and a package, each searched for vulnerabilities. What was found in the image is taken away
#   by VEX statements of two authors. Tests change it by `json.patch`.
package gate.vulnerable

import future.keywords.not

now_s := 1795176000

day_s := 86400

digests := {
	"image": "sha256:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",
	"lock": "sha256:d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2",
	"tree": "sha256:d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
	"report": "sha256:d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4",
	"other": "sha256:d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5",
	"vendor": "sha256:d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6",
	"before": "sha256:d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7",
	"security": "sha256:d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8",
}

good := {
	"context": {"now_s": now_s},
	"parameters": {"scan.vulnerabilities": {"max_severity": "low", "observed": true}},
	"artifacts": {
		"server": {
			"kind": "container",
			"digest": digests.image,
			"path": null,
			"reference": "registry.example/server",
			"mutable_reference": false,
			"files": {},
		},
		"site": {
			"kind": "package",
			"digest": digests.tree,
			"path": "site",
			"reference": null,
			"mutable_reference": false,
			"files": {"uv.lock": {"digest": digests.lock, "format": "text"}},
		},
	},
	"attestations": {
		digests.vendor: statement("vendor"),
		digests.before: statement("vendor"),
		digests.security: statement("security"),
	},
	"claims": {"vex": {
		"all": [digests.vendor, digests.before, digests.security],
		"by_artifact": {"server": [digests.vendor, digests.before, digests.security]},
	}},
	"scans": {
		"image": scan("grype", "server", {".": digests.image}),
		"lock": scan("pip-audit", "site", {"uv.lock": digests.lock}),
		"again": scan("trivy", "server", {".": digests.image}),
	},
	"findings": {
		"f1": finding("image", "CVE-2026-0001", "critical", "group-1"),
		"f2": finding("again", "GHSA-aaaa-bbbb-cccc", "high", "group-1"),
		"f3": object.remove(finding("image", "CVE-2026-0002", "low", null), ["vex"]),
	},
}

statement(signer) := {
	"claim": "vex",
	"artifacts": ["server"],
	"facts": {},
	"signers": [{"name": signer}],
	"signed_at": {"source": "none", "at_s": 0},
	"stated_at_s": now_s - day_s,
	"depends_on": [],
	"ancestors": [],
}

scan(tool, artifact, files) := {
	"tool": tool,
	"basis": "attested",
	"artifact": artifact,
	"report": digests.report,
	"database_at_s": now_s - day_s,
	"status": "complete",
	"coverage": {"scanned": count(files), "errors": {}},
	"files": files,
}

finding(id, rule, severity, group) := {
	"scan": id,
	"category": "vulnerability",
	"rule": rule,
	"severity": severity,
	"group": group,
	"artifact": "server",
	"file": null,
	"component": {"purl": "pkg:deb/debian/zlib1g@1.2.13"},
	"status": "open",
	"vex": {
		digests.before: word("vendor", "affected", null, 20),
		digests.vendor: word("vendor", "fixed", null, 2),
		digests.security: word("security", "not_affected", "vulnerable_code_not_present", 1),
	},
}

# A word of an author, so many days ago.
word(author, status, justification, days) := {
	"author": author,
	"status": status,
	"justification": justification,
	"at_s": now_s - (days * day_s),
}

after(patches) := json.patch(good, patches)

put(path, value) := {"op": "add", "path": path, "value": value}

remove(path) := {"op": "remove", "path": path}
