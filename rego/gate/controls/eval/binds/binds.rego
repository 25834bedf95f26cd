# METADATA
# title: Evaluations are of what is admitted
# description: For each prompt and corpus there is an evaluation that builds on a statement about it as it is now.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [eval]
#   artifacts: [prompt, corpus, weights, adapter]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Evaluate again with what is there now, and let the evaluation depend on the statements about it.
#   parameters:
#     - {name: kinds, type: list, default: [corpus, prompt], meaning: kinds of artifacts that must have been evaluated}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03, LLM09]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0008, AML.M0014]}
#     OWASP-AISVS-1.0: {relation: supports, ids: [6.1.4]}
package gate.controls.eval.binds

import data.gate.lib.attested
import data.gate.lib.document
import data.gate.lib.lineage
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(lineage.ancestors)
	is_array(kinds)
}

kinds := values if {
	values := object.get(parameters.of("eval.binds"), "kinds", ["corpus", "prompt"])
	shape.is_texts(values)
}

subjects := {name | some name, artifact in document.artifacts; artifact.kind in kinds}

stated := {digest |
	some digest, statement in statements.verified
	statement.claim == "eval"
	statement.facts.collected == true
}

evaluations := attested.collected(stated)

# What an evaluation is about: artifacts that it covers itself, or that a statement which it builds on covers.
bound contains pair if {
	some digest in evaluations
	some item in ({digest} | lineage.ancestors[digest])
	some name in statements.verified[item].artifacts
	name in subjects
	pair := [name, digest]
}

proved := {name | some [name, _] in bound}

violations contains entry if {
	count(stated) == 0
	some name in subjects
	message := "no collected evaluation is there"
	entry := result.violation("eval.binds.missing", message, {"artifact": name})
}

violations contains entry if {
	count(stated) > 0
	count(evaluations) == 0
	some name in subjects
	message := "every evaluation that is there says no"
	entry := result.violation("eval.binds.failed", message, {"artifact": name, "evidence": stated})
}

violations contains entry if {
	count(evaluations) > 0
	some name in (subjects - proved)
	message := "no evaluation builds on a statement that covers it as it is now"
	entry := result.violation("eval.binds.unbound", message, {"artifact": name, "evidence": evaluations})
}

evidence := {digest | some [_, digest] in bound}

default reason := null

reason := "no artifact of a kind that is evaluated" if count(subjects) == 0
