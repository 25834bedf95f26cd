# METADATA
# title: Protected paths hold plain files
# description: Under gates and in the gate's own files there is no link, submodule or change of mode.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: []
#   artifacts: []
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Replace the link or submodule by the file itself; keep the mode as it was.
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM03]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-5]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.change.plain_files

import data.gate.lib.document
import data.gate.lib.result
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if is_object(document.change)

plain_modes := {"100644", "100755"}

subjects := object.keys(protected)

protected[path] := file if {
	some path, file in document.change.files
	is_protected(file)
}

default is_protected(_) := false

is_protected(file) if count(file.gates) > 0

is_protected(file) if is_string(file.role)

modes[path] := found if {
	some path, file in protected
	found := {side.mode | some side in [file.old, file.new]; is_object(side)}
}

proved := {path | some path, found in modes; count(found) == 1; count(found - plain_modes) == 0}

violations contains entry if {
	some path, found in modes
	some mode in (found - plain_modes)
	[code, what] := kind(mode)
	message := sprintf("it is %s (mode %s)", [what, mode])
	entry := result.violation(code, message, {"file": path})
}

violations contains entry if {
	some path, file in protected
	file.status == "type_changed"
	message := "the change turns it into another type of file"
	entry := result.violation("change.plain_files.type", message, {"file": path})
}

violations contains entry if {
	some path, found in modes
	count(found & plain_modes) == 2
	message := "the change alters whether it is executable"
	entry := result.violation("change.plain_files.mode", message, {"file": path})
}

default kind(_) := ["change.plain_files.special", "not a plain file"]

kind("120000") := ["change.plain_files.link", "a symbolic link"]

kind("160000") := ["change.plain_files.submodule", "a submodule"]

evidence := set()

default reason := "no changed file is under a gate or steers it"

reason := sprintf("protected files that are plain: %d", [count(proved)]) if count(proved) > 0
