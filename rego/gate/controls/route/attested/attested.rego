# METADATA
# title: Routes are attested
# description: A collected statement covers exactly the files of each route, with its budget, fallbacks and providers.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [route]
#   artifacts: [route]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Run `gate attest create --type route` on the files as they are, and sign the statement.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03, LLM10]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.2, MANAGE 3.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-3, SI-7]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11]}
#     ISO-42001: {relation: partly supports, ids: [A.4.4, A.10.3]}
#     CoSAI: {relation: partly supports, ids: [controlOrchestratorAndRouteIntegrity]}
package gate.controls.route.attested

import data.gate.lib.attested
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations)

subjects := attested.of_kind("route")

complete contains pair if {
	some name in subjects
	some digest in attested.collected(statements.about("route", name))
	is_complete(statements.verified[digest].facts)
	pair := [name, digest]
}

default is_complete(_) := false

is_complete(facts) if {
	attested.has_roles(facts, {"budget_policy", "fallback_graph", "route_config"})
	is_array(facts.providers)
	count(facts.providers) > 0
	every entry in facts.providers {
		shape.is_text(entry.provider)
		shape.is_text(entry.model)
	}
}

proved := {name | some [name, _] in complete}

violations contains entry if {
	some [fault, name, digests] in attested.problems("route", "route", proved)
	[code, message] := said[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

said := {
	"missing": ["route.attested.missing", "no verified route statement covers all of its files as they are"],
	"failed": ["route.attested.failed", "a route statement that covers it says no"],
	"uncollected": ["route.attested.uncollected", "what covers it is its signer's word; nothing was collected"],
	"incomplete": ["route.attested.incomplete", "its statement names no configuration, budget, fallbacks or provider"],
}

evidence := {digest | some [_, digest] in complete}

default reason := null

reason := "no route asks for admission" if count(subjects) == 0
