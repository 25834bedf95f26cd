# METADATA
# title: Service levels are attested
# description: A collected statement covers exactly the files of each service level, with objectives that make sense.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [slo]
#   artifacts: [slo]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Run `gate attest create --type slo` on the files as they are, with objectives in order, and sign the statement.
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM10]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: partly supports, ids: [PS.1.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.4, MANAGE 4.1]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.6]}
#     CoSAI: {relation: partly supports, ids: [controlProductGovernance]}
package gate.controls.slo.attested

import data.gate.lib.attested
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations)

subjects := attested.of_kind("slo")

complete contains pair if {
	some name in subjects
	some digest in attested.collected(statements.about("slo", name))
	is_complete(statements.verified[digest].facts)
	pair := [name, digest]
}

default is_complete(_) := false

is_complete(facts) if {
	shape.is_whole(facts.window.start_s)
	shape.is_whole(facts.window.end_s)
	facts.window.start_s < facts.window.end_s
	objectives := facts.objectives
	every name in named {
		shape.is_whole(objectives[name])
	}
	objectives.ttft_ms_p50 <= objectives.ttft_ms_p95
	objectives.error_rate_cap >= 0
	objectives.error_rate_cap <= 1000000
}

# In millionths.
named := {
	"cost_per_1k_tokens_cap_usd", "error_budget_remaining", "error_rate_cap",
	"tokens_per_sec_p50", "ttft_ms_p50", "ttft_ms_p95",
}

proved := {name | some [name, _] in complete}

violations contains entry if {
	some [fault, name, digests] in attested.problems("slo", "slo", proved)
	[code, message] := said[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

said := {
	"missing": ["slo.attested.missing", "no verified slo statement covers all of its files as they are"],
	"failed": ["slo.attested.failed", "a slo statement that covers it says no"],
	"uncollected": ["slo.attested.uncollected", "what covers it is its signer's word; nothing was collected"],
	"incomplete": ["slo.attested.incomplete", "its window or one of its objectives is absent or makes no sense"],
}

evidence := {digest | some [_, digest] in complete}

default reason := null

reason := "no service level asks for admission" if count(subjects) == 0
