# METADATA
# title: Every file was scanned
# description: Each file was judged by the very bytes that are there, and no scan failed or was cut short.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [scan.report]
#   artifacts: [weights, adapter, dataset]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Run the scanner again over the whole artifact and keep its report; see to the errors it names.
#   parameters:
#     - {name: observed, type: boolean, default: false, meaning: whether an unsigned report may count as a scan}
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0016]}
#     OWASP-AISVS-1.0: {relation: supports, ids: [6.1.1]}
#     NIST-800-218A: {relation: supports, ids: [PO.4.2]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 1.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [RA-5, SR-10]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     CoSAI: {relation: partly supports, ids: [controlVulnerabilityManagement]}
package gate.controls.scan.coverage

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.scanning
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_set(scans)
}

scans := scanning.judging("scan.coverage")

subjects := {name |
	some name, artifact in document.artifacts
	artifact.kind in {"adapter", "dataset", "weights"}
}

paths[name] := listed if {
	some name in subjects
	listed := object.keys(document.artifacts[name].files)
}

covered[name] := found if {
	some name in subjects
	found := scanning.covered(scans, name)
}

scanned := {name | some id in scans; name := document.scans[id].artifact}

proved := {name | some name in subjects; count(paths[name]) > 0; paths[name] == covered[name]}

violations contains entry if {
	some name in (subjects - scanned)
	message := "no scan that counts is about it"
	entry := result.violation("scan.coverage.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in ((subjects - proved) & scanned)
	some path in ((paths[name] - covered[name]) | {null | count(paths[name]) == 0})
	message := "no scan that counts judged these very bytes"
	entry := result.violation("scan.coverage.uncovered", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some scan in document.scans
	scan.status == "failed"
	code := code_of_failure(scan)
	message := sprintf("the %s scan failed or its report cannot be read%s", [scan.tool, scanning.why(scan)])
	entry := result.violation(code, message, {"artifact": scan.artifact})
}

violations contains entry if {
	some scan in document.scans
	is_cut_short(scan)
	message := sprintf("the %s scan met errors or did not come to its end%s", [scan.tool, scanning.why(scan)])
	entry := result.violation("scan.coverage.incomplete", message, {"artifact": scan.artifact})
}

default code_of_failure(_) := "scan.coverage.failed"

code_of_failure(scan) := "scan.coverage.report_missing" if {
	is_null(scan.report)
	scan.basis != "inspected"
}

default is_cut_short(_) := false

is_cut_short(scan) if count(scan.coverage.errors) > 0

is_cut_short(scan) if {
	scan.status == "incomplete"
	scan.basis != "inspected"
}

evidence := {digest | some id in scans; digest := document.scans[id].report; is_string(digest)}

default reason := "no weights, adapter or dataset asks for admission"

reason := sprintf("files judged: %d", [count(judged)]) if count(judged) > 0

judged := {[name, path] | some name, found in covered; some path in found}
