# METADATA
# title: Statements hold no plaintext
# description: No statement holds the content of a file, except of those where that is allowed.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [prompt, corpus, eval, route, slo]
#   artifacts: [prompt, corpus, evaluation, route, slo]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Create the statement again in privacy mode hash_only or encrypted_payload, or allow the path by name.
#   parameters:
#     - {name: allow, type: list, default: [], meaning: paths of files whose content a statement may hold}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM02, LLM07]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0012]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.10]}
#     NIST-800-53r5: {relation: partly supports, ids: [SC-28]}
#     CoSAI: {relation: partly supports, ids: [controlUserDataManagement]}
package gate.controls.privacy.plaintext

import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(statements.verified)
	is_array(allowed)
}

allowed := values if {
	values := object.get(parameters.of("privacy.plaintext"), "allow", [])
	shape.is_texts(values)
}

# Those that can hold content: of the claims that the gate collects, and whatever else says how it keeps it.
subjects := {digest | some digest, statement in statements.verified; is_about_content(statement)}

default is_about_content(_) := false

is_about_content(statement) if statement.claim in {
	"approval", "composition", "corpus", "dataset", "eval", "model.card", "plugin",
	"prompt", "review", "route", "slo", "training.provenance", "waiver",
}

is_about_content(statement) if not is_null(object.get(statement.facts, "privacy", null))

# What it holds as plaintext. Only an encrypted payload, whose form verification has checked, can be read by nobody.
plain[digest] := paths if {
	some digest in subjects
	privacy := statements.verified[digest].facts.privacy
	shape.is_texts(privacy.payloads)
	paths := held(privacy)
}

held(privacy) := set() if privacy.mode == "encrypted_payload"

held(privacy) := {path | some path in privacy.payloads} if privacy.mode == "hash_only"

held(privacy) := {path | some path in privacy.payloads} if privacy.mode == "plaintext_explicit"

proved := object.keys(plain)

violations contains entry if {
	some digest, paths in plain
	some path in paths
	not path in allowed
	message := sprintf("the %s statement holds its content in plaintext", [statements.verified[digest].claim])
	entry := result.violation("privacy.plaintext.embedded", message, {"file": path, "evidence": [digest]})
}

violations contains entry if {
	some digest in (subjects - object.keys(plain))
	message := sprintf("the %s statement does not say how it keeps content", [statements.verified[digest].claim])
	entry := result.violation("privacy.plaintext.unstated", message, {"evidence": [digest]})
}

evidence := proved

default reason := null

reason := "no verified statement is of a kind that could hold content" if count(subjects) == 0
