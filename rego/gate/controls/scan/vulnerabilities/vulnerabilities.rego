# METADATA
# title: No grave vulnerability is open
# description: Each artifact was searched for vulnerabilities with fresh data, and VEX leaves none above the limit open.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [scan.report, vex]
#   artifacts: [container, package, weights, adapter, dataset]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Update what is vulnerable and scan again; or let an author trusted for the claim vex say why it does not apply.
#   parameters:
#     - {name: max_severity, type: string, choices: [none, low, medium, high],
#        default: none, meaning: the gravest severity that may stay open}
#     - {name: kinds, type: list, choices: artifact-kinds, default: [container, package],
#        meaning: kinds of artifacts that must have been scanned; what any scan found refuses all the same}
#     - {name: tools, type: list, default: [grype, in-toto-vulns, osv-scanner, pip-audit, trivy],
#        meaning: tools whose scan counts as a search for vulnerabilities}
#     - {name: database_age_s, type: seconds, default: 604800, meaning: how old the data of the scanner may be}
#     - {name: accept_undated, type: boolean, default: false, meaning: whether data of unknown age counts as fresh}
#     - {name: vex_age_s, type: seconds, default: 7776000, meaning: how old a VEX statement may be}
#     - {name: observed, type: boolean, default: false, meaning: whether an unsigned report may count as a scan}
#     - {name: accept_suppressed, type: boolean, default: false, meaning: whether findings that a tool suppressed pass}
#     - {name: accept_not_affected, type: boolean, default: false,
#        meaning: whether findings pass of which the report itself says that they do not apply}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0016]}
#     NIST-800-218A: {relation: supports, ids: [PW.4.4]}
#     S2C2F: {relation: supports, ids: [SCA-1]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7, MANAGE 3.1]}
#     NIST-800-53r5: {relation: supports, ids: [RA-5]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     OpenSSF-Baseline: {relation: supports, ids: [OSPS-VM-04.02, OSPS-VM-05.03]}
#     CoSAI: {relation: supports, ids: [controlVulnerabilityManagement]}
package gate.controls.scan.vulnerabilities

import data.gate.lib.document
import data.gate.lib.findings
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.scanning
import data.gate.lib.vex
import future.keywords.not

default status := "error"

status := result.status(subjects, searched, violations) if {
	is_object(document.artifacts)
	is_array(kinds)
	is_set(dated)
	is_set(cleared)
}

settings := parameters.of("scan.vulnerabilities")

kinds := object.get(settings, "kinds", ["container", "package"])

tools := object.get(settings, "tools", ["grype", "in-toto-vulns", "osv-scanner", "pip-audit", "trivy"])

scans := scanning.searching("scan.vulnerabilities", tools)

dated := scanning.dated(scans, settings)

cleared := vex.taken_away(object.get(settings, "vex_age_s", 7776000))

subjects := {name | some name, artifact in document.artifacts; artifact.kind in kinds}

paths[name] := listed if {
	some name in subjects
	listed := object.keys(document.artifacts[name].files)
}

covered[name] := found if {
	some name in subjects
	found := scanning.covered(scans, name)
}

fresh[name] := found if {
	some name in subjects
	found := scanning.covered(dated, name)
}

# What was left out in them, or judged with old data, is a violation.
searched := {name | some name in subjects; count(covered[name]) > 0}

violations contains entry if {
	some name in (subjects - searched)
	message := "no complete search for vulnerabilities looked at it"
	entry := result.violation("scan.vulnerabilities.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in searched
	some path in (paths[name] - covered[name])
	message := "no complete search for vulnerabilities looked at these very bytes"
	entry := result.violation("scan.vulnerabilities.uncovered", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some name in searched
	count(covered[name] - fresh[name]) > 0
	message := "what the scanner knew is older than the policy allows, or nobody says how old it is"
	entry := result.violation("scan.vulnerabilities.stale", message, {"artifact": name})
}

violations contains entry if {
	some id, message in scanning.unfinished(tools)
	entry := result.violation("scan.vulnerabilities.incomplete", message, {"artifact": document.scans[id].artifact})
}

violations contains entry if {
	some found in findings.reasons(open)
	entry := result.violation("scan.vulnerabilities.finding", found.message, found)
}

by_tools := {id | some id, scan in document.scans; scan.tool in tools}

open := {id |
	some id, finding in document.findings
	is_vulnerability(finding)
	findings.rank(object.get(finding, "severity", null)) > findings.rank(most)
	not findings.is_accepted(finding, settings)
	not id in cleared
}

# A limit that nobody knows is the strictest one.
default most := "none"

most := settings.max_severity if settings.max_severity in {"low", "medium", "high"}

default is_vulnerability(_) := false

is_vulnerability(finding) if finding.category == "vulnerability"

# What such a tool found is a vulnerability, unless it says that it is something else.
is_vulnerability(finding) if {
	finding.scan in by_tools
	not scanning.is_about(finding, {"configuration", "secret", "unsafe"})
}

evidence := {digest |
	some id in scans
	document.scans[id].artifact in subjects
	digest := document.scans[id].report
	is_string(digest)
}

default reason := "no artifact of a kind that has to be scanned asks for admission"

reason := sprintf("artifacts searched: %d", [count(searched)]) if count(searched) > 0
