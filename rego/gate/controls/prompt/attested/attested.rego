# METADATA
# title: Prompts are attested
# description: A collected statement covers exactly the files of each prompt, with system prompt and safety policy.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [prompt]
#   artifacts: [prompt]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Run `gate attest create --type prompt` on the files as they are, and sign the statement.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM01, LLM07]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.8]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-3, SI-7]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.3]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.prompt.attested

import data.gate.lib.attested
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations)

subjects := attested.of_kind("prompt")

complete contains pair if {
	some name in subjects
	some digest in attested.collected(statements.about("prompt", name))
	is_complete(statements.verified[digest].facts)
	pair := [name, digest]
}

default is_complete(_) := false

is_complete(facts) if attested.has_roles(facts, {"safety_policy", "system_prompt"})

proved := {name | some [name, _] in complete}

violations contains entry if {
	some [fault, name, digests] in attested.problems("prompt", "prompt", proved)
	[code, message] := said[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

said := {
	"missing": ["prompt.attested.missing", "no verified prompt statement covers all of its files as they are"],
	"failed": ["prompt.attested.failed", "a prompt statement that covers it says no"],
	"uncollected": ["prompt.attested.uncollected", "what covers it is its signer's word; nothing was collected"],
	"incomplete": ["prompt.attested.incomplete", "its statement names no system prompt or no safety policy"],
}

evidence := {digest | some [_, digest] in complete}

default reason := null

reason := "no prompt asks for admission" if count(subjects) == 0
