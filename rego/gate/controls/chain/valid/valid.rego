# METADATA
# title: The chain of statements holds
# description: What a statement builds on is verified, may be built on, and was stated before it.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: []
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, evaluation, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Make the statements again in their order, each with what it depends on, and keep all of them with the evidence.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: supports, ids: [PS.3.2]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.8]}
#     NIST-800-53r5: {relation: partly supports, ids: [AU-10, SR-4]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11]}
#     ISO-42001: {relation: partly supports, ids: [A.7.5]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.chain.valid

import data.gate.lib.document
import data.gate.lib.lineage
import data.gate.lib.result
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(lineage.shaped)
	is_object(document.rejected)
}

# Statements that say nothing without what they build on.
founded := {"eval", "route", "slo"}

# What each statement builds on, of those that build on something or would have to.
steps[digest] := items if {
	some digest, statement in lineage.shaped
	items := {item | some item in statement.depends_on}
	is_judged(statement)
}

default is_judged(_) := false

is_judged(statement) if count(statement.depends_on) > 0

is_judged(statement) if {
	statement.claim in founded
	statement.facts.collected == true
}

refused := {digest |
	some digest, item in document.rejected
	not item.stage in {"envelope", "signature", "statement", "subject"}
	not item.concern == "others"
}

subjects := object.keys(steps)

faults contains fault if {
	some digest, items in steps
	count(items) == 0
	fault := ["unfounded", digest]
}

faults contains fault if {
	some digest, items in steps
	some item in items
	not is_object(lineage.shaped[item])
	fault := ["dangling", digest]
}

faults contains fault if {
	some digest, items in steps
	some item in items
	claim := lineage.shaped[item].claim
	not lineage.may_build_on(lineage.shaped[digest].claim, claim)
	fault := ["illegal", digest]
}

faults contains fault if {
	some digest, items in steps
	some item in items
	before := lineage.shaped[item].stated_at_s
	not is_in_order(before, lineage.shaped[digest].stated_at_s)
	fault := ["late", digest]
}

default is_in_order(_, _) := false

is_in_order(_, second) if is_null(second)

# No time at all sorts before every other one.
is_in_order(first, second) if first <= second

proved := object.keys(steps) - {digest | some [_, digest] in faults}

violations contains entry if {
	some [fault, digest] in faults
	[code, text] := said[fault]
	message := sprintf("the %s statement %s", [lineage.shaped[digest].claim, text])
	entry := result.violation(code, message, {"evidence": [digest]})
}

violations contains entry if {
	some digest in refused
	message := sprintf("%s: %s", [document.rejected[digest].code, document.rejected[digest].origin])
	entry := result.violation("chain.valid.rejected", message, {"evidence": [digest]})
}

said := {
	"unfounded": ["chain.valid.unfounded", "depends on nothing, so nothing says what it is about"],
	"dangling": ["chain.valid.dangling", "depends on a statement that is not verified"],
	"illegal": ["chain.valid.illegal", "depends on a statement of a claim that it cannot build on"],
	"late": ["chain.valid.late", "depends on a statement that was made later"],
}

evidence := proved

default reason := null

reason := "no statement builds on another" if count(subjects) == 0
