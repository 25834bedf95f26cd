# METADATA
# title: No secret was found
# description: No scan found a secret, and every file of each artifact that needs it was searched for secrets.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: [scan.report]
#   artifacts: [weights, adapter, dataset, package, prompt, corpus, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Revoke the secret and take it out; scan what was not scanned with gitleaks or trufflehog.
#   parameters:
#     - {name: kinds, type: list, choices: artifact-kinds,
#        default: [adapter, corpus, dataset, package, plugin, prompt, weights],
#        meaning: kinds of artifacts that must have been scanned; what any scan found refuses all the same}
#     - {name: tools, type: list, default: [gitleaks, trufflehog],
#        meaning: tools whose scan counts as a search for secrets}
#     - {name: observed, type: boolean, default: false, meaning: whether an unsigned report may count as a scan}
#     - {name: accept_suppressed, type: boolean, default: false, meaning: whether findings that a tool suppressed pass}
#     - {name: accept_not_affected, type: boolean, default: false, meaning: whether findings judged not to apply pass}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM02]}
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0016]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: supports, ids: [IA-5(7)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     OpenSSF-Baseline: {relation: supports, ids: [OSPS-BR-07.01]}
#     CoSAI: {relation: partly supports, ids: [controlVulnerabilityManagement]}
package gate.controls.scan.secrets

import data.gate.lib.document
import data.gate.lib.findings
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.scanning
import future.keywords.not

default status := "error"

status := result.status(subjects, scanned, violations) if {
	is_object(document.artifacts)
	is_object(document.findings)
	is_array(kinds)
	is_set(scans)
}

settings := parameters.of("scan.secrets")

kinds := object.get(settings, "kinds", ["adapter", "corpus", "dataset", "package", "plugin", "prompt", "weights"])

tools := object.get(settings, "tools", ["gitleaks", "trufflehog"])

scans := scanning.searching("scan.secrets", tools)

subjects := {name | some name, artifact in document.artifacts; artifact.kind in kinds}

paths[name] := listed if {
	some name in subjects
	listed := object.keys(document.artifacts[name].files)
}

covered[name] := found if {
	some name in subjects
	found := scanning.covered(scans, name)
}

# What was left out in them is a violation.
scanned := {name | some name in subjects; count(covered[name]) > 0}

violations contains entry if {
	some name in (subjects - scanned)
	message := "no complete search for secrets looked at any of its files"
	entry := result.violation("scan.secrets.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in scanned
	some path in (paths[name] - covered[name])
	message := "no complete search for secrets looked at these very bytes"
	entry := result.violation("scan.secrets.uncovered", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some id, message in scanning.unfinished(tools)
	entry := result.violation("scan.secrets.incomplete", message, {"artifact": document.scans[id].artifact})
}

violations contains entry if {
	some finding in document.findings
	is_secret(finding)
	not findings.is_accepted(finding, settings)
	message := sprintf("%s found %s", [document.scans[finding.scan].tool, finding.rule])
	entry := result.violation("scan.secrets.finding", message, {"artifact": finding.artifact, "file": finding.file})
}

by_tools := {id | some id, scan in document.scans; scan.tool in tools}

default is_secret(_) := false

is_secret(finding) if finding.category == "secret"

# What such a tool found is a secret, unless it says that it is something else.
is_secret(finding) if {
	finding.scan in by_tools
	not scanning.is_about(finding, {"configuration", "unsafe", "vulnerability"})
}

evidence := {digest |
	some id in scans
	document.scans[id].artifact in subjects
	digest := document.scans[id].report
	is_string(digest)
}

default reason := "no artifact of a kind that has to be scanned asks for admission"

reason := sprintf("artifacts searched: %d", [count(scanned)]) if count(scanned) > 0
