# METADATA
# title: Changed files are attested
# description: Each attestation that a gate requires covers every changed file under it, and none speaks against it.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: []
#   artifacts: []
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Attach the statement that the message names, for the file as it is now; see to what failed or was refused.
#   parameters:
#     - {name: on_empty_diff, type: string, choices: [refuse, allow],
#        default: refuse, meaning: "`allow` accepts a change without files"}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     NIST-800-218A: {relation: partly supports, ids: [PS.1.1]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 1.4]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-3, CM-5]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 17]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-QA-03.01]}
#     CoSAI: {relation: partly supports, ids: [controlProductGovernance]}
package gate.controls.change.attested

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.change)
	is_object(statements.verified)
	is_object(settings)
}

settings := parameters.of("change.attested")

# What each changed file owes: [path, gate, claim].
subjects := {[path, gate, claim] |
	some path, file in document.change.files
	some gate in file.gates
	some claim in document.gates[gate].required_attestations
}

covered[subject] := digests if {
	some [path, gate, claim] in subjects
	digests := statements.making(claim, document.change.files[path].covered_by[claim])
	count(digests) > 0
	subject := [path, gate, claim]
}

supported[subject] := digests if {
	some subject, found in covered
	digests := statements.supporting(found)
	count(digests) > 0
}

proved := object.keys(supported)

violations contains entry if {
	some [path, gate, claim] in (subjects - object.keys(covered))
	message := sprintf("gate %s requires a verified statement of %s that covers it", [gate, claim])
	entry := result.violation("change.attested.missing", message, {"file": path})
}

violations contains entry if {
	some subject in (object.keys(covered) - proved)
	[path, gate, claim] := subject
	digests := covered[subject]
	message := sprintf("gate %s requires %s, and what covers it says no", [gate, claim])
	entry := result.violation("change.attested.failed", message, {"file": path, "evidence": digests})
}

violations contains entry if {
	some subject in proved
	[path, gate, claim] := subject
	against := covered[subject] - supported[subject]
	count(against) > 0
	message := sprintf("gate %s requires %s, and the statements that cover it disagree", [gate, claim])
	entry := result.violation("change.attested.conflict", message, {"file": path, "evidence": against})
}

violations contains entry if {
	some path, file in document.change.files
	some gate in file.gates
	count(document.gates[gate].required_attestations) == 0
	message := sprintf("gate %s requires no attestation, so nothing can prove the file", [gate])
	entry := result.violation("change.attested.vacuous", message, {"file": path})
}

violations contains entry if {
	document.change.status == "collected"
	document.change.dirty == true
	message := "the work tree differs from the commit that is judged"
	entry := result.violation("change.attested.dirty", message, {})
}

violations contains entry if {
	count(document.change.files) == 0
	not settings.on_empty_diff == "allow"
	message := nothing_to_judge[document.change.status]
	entry := result.violation("change.attested.empty_diff", message, {})
}

# Without a base only gates say which files count, so with gates and no file one of them looks in the wrong place.
nothing_to_judge["collected"] := "no file differs from the base, so there is nothing to judge"

nothing_to_judge["everything"] := "no file below the root is under a gate, so there is nothing to judge" if {
	count(document.gates) > 0
}

evidence := {digest | some digests in supported; some digest in digests}

default reason := null

reason := "no changed file is under a gate" if count(subjects) == 0
