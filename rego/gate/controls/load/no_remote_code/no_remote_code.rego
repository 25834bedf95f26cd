# METADATA
# title: Loading fetches no code
# description: No configuration or file makes a loader run code that comes with the model or from a hub.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: []
#   artifacts: [weights, adapter, dataset]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Remove `auto_map`, hub kernels, loading scripts and Python files; use what the runtime itself has.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03, LLM05]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0011]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-7(5), SC-18]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     CoSAI: {relation: supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.load.no_remote_code

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.scanning
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(document.findings)
	is_object(document.scans)
}

subjects := {name |
	some name, artifact in document.artifacts
	artifact.kind in {"adapter", "dataset", "weights"}
}

inspected := {[name, path] |
	some name in subjects
	some path in scanning.covered(scanning.inspections, name)
}

proved := {name | some [name, _] in inspected}

violations contains entry if {
	some name in (subjects - proved)
	message := "none of its files was inspected"
	entry := result.violation("load.no_remote_code.uninspected", message, {"artifact": name})
}

violations contains entry if {
	some finding in scanning.remote_code
	not finding.artifact in elsewhere
	message := sprintf("inspection found %s", [finding.rule])
	entry := result.violation("load.no_remote_code.found", message, {"artifact": finding.artifact, "file": finding.file})
}

elsewhere := object.keys(document.artifacts) - subjects

evidence := set()

default reason := "no weights, adapter or dataset asks for admission"

reason := sprintf("files inspected: %d", [count(inspected)]) if count(inspected) > 0
