# METADATA
# title: Build was the expected one
# description: Source, ref and parameters of each build are those that are expected of its builder or build type.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [build.provenance]
#   artifacts: [weights, adapter, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Build it from the expected source with the expected parameters, or say in gate.yaml what else is expected.
#   parameters:
#     - {name: expected, type: object, default: {}, meaning: what is expected by builder or build type}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     NIST-800-218A: {relation: supports, ids: [PS.3.2]}
#     SLSA-1.2: {relation: partly supports, ids: [Build-L1]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.2]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-3, SA-10]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.3]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.build.parameters

import data.gate.lib.builds
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if is_object(expected)

expected := values if {
	values := object.get(parameters.of("build.parameters"), "expected", {})
	builds.are_expectations(values)
}

subjects := builds.subjects

told contains entry if {
	some name in subjects
	some digest in statements.about("build.provenance", name)
	entry := [name, digest]
}

# What is expected of each statement, by its build type and by its builder.
wanted[digest] := entries if {
	some [_, digest] in told
	facts := statements.verified[digest].facts
	entries := {entry | some key in [facts.build_type, facts.builder_id]; entry := expected[key]}
}

# What is wrong with each statement: [statement, fault, detail].
faults contains [digest, "unexpected", ""] if {
	some digest, entries in wanted
	count(entries) == 0
}

faults contains fault if {
	some digest, entries in wanted
	some entry in entries
	facts := statements.verified[digest].facts
	some [code, detail] in builds.deviations(facts, entry)
	fault := [digest, code, detail]
}

# Whatever speaks against a build is a fault; here it is enough that there is provenance.
proved := {name | some [name, _] in told}

violations contains entry if {
	some name in (subjects - proved)
	message := "no verified build provenance covers it"
	entry := result.violation("build.parameters.missing", message, {"artifact": name})
}

violations contains entry if {
	some [name, one] in told
	some [digest, fault, detail] in faults
	digest == one
	[code, message] := said[fault]
	words := sprintf("%s%s", [message, detail])
	entry := result.violation(code, words, {"artifact": name, "evidence": [digest]})
}

said := {
	"unexpected": ["build.parameters.unexpected", "nothing is expected of its builder or build type"],
	"source": ["build.parameters.source", "it was built from another repository"],
	"ref": ["build.parameters.ref", "it was built from another branch or tag"],
	"unread": ["build.parameters.unread", "its provenance has no parameters that can be read"],
	"value": ["build.parameters.value", "another value than expected has the parameter "],
	"unknown": ["build.parameters.unknown", "nobody expects the parameter "],
}

evidence := {digest | some [_, digest] in told}

default reason := null

reason := "nothing that is built asks for admission" if count(subjects) == 0
