# METADATA
# title: Files load without running code
# description: Each file is in a recognised format that was inspected and proved harmless.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: []
#   artifacts: [weights, adapter]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Convert the weights to safetensors; remove files of unknown formats, links and pickles that import code.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0011]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-7(5), SC-18]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     CoSAI: {relation: supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.load.safe_format

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

artifacts := {name: artifact |
	some name, artifact in document.artifacts
	artifact.kind in {"adapter", "weights"}
}

subjects := {[name, path] | some name, artifact in artifacts; some path in listed(artifact)}

# An artifact without files is to be judged too, and nothing can prove it.
listed(artifact) := object.keys(artifact.files) | {null | count(artifact.files) == 0}

proved := {[name, path] |
	some name, artifact in artifacts
	some path in scanning.covered(scanning.inspections, name)
	artifact.files[path].format != "unknown"
}

links := {[name, path] | some name, artifact in artifacts; some path, file in artifact.files; is_null(file.digest)}

violations contains entry if {
	some [name, path] in ((subjects - proved) - links)
	message := "its format is unknown, or these bytes were not inspected"
	entry := result.violation("load.safe_format.uninspected", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some [name, path] in links
	message := "it is not a regular file"
	entry := result.violation("load.safe_format.link", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some id, finding in document.findings
	finding.scan in scanning.inspections
	not scanning.remote_code[id]
	not finding.artifact in elsewhere
	not finding.severity == "none"
	message := sprintf("inspection found %s", [finding.rule])
	entry := result.violation("load.safe_format.unsafe", message, {"artifact": finding.artifact, "file": finding.file})
}

# What loads no code is not judged here. A finding about no artifact is.
elsewhere := object.keys(document.artifacts) - object.keys(artifacts)

evidence := set()

default reason := "no weights or adapter asks for admission"

reason := sprintf("files inspected: %d", [count(proved)]) if count(proved) > 0
