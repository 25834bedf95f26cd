# METADATA
# title: Evaluations are of what is admitted
# description: One evaluation, with its own files, builds on statements about every prompt and corpus as it is now.
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
#     - {name: kinds, type: list, choices: artifact-kinds, least: 1,
#        default: [corpus, prompt], meaning: kinds of artifacts that must have been evaluated}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03, LLM09]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0008, AML.M0014]}
#     OWASP-AISVS-1.0: {relation: supports, ids: [6.1.4]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.1, MEASURE 2.3]}
#     NIST-800-53r5: {relation: partly supports, ids: [SA-11]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
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

# Those that are about everything at once: parts that were evaluated apart have never met.
whole := {digest |
	some digest in evaluations
	every name in subjects {
		[name, digest] in bound
	}
}

# An evaluation that asks for admission is needed with its own files; without any, each evaluation counts.
suites := {null} if count(attested.of_kind("evaluation")) == 0

suites := names if {
	names := attested.of_kind("evaluation")
	count(names) > 0
}

covering contains [null, digest] if {
	null in suites
	some digest in evaluations
}

covering contains [name, digest] if {
	some digest in evaluations
	some name in statements.verified[digest].artifacts
	name in suites
}

pool(suite) := {pair[1] | some pair in covering; pair[0] == suite}

unserved := {suite | some suite in suites; count(pool(suite)) == 0}

answered := {suite | some suite in suites; count(pool(suite) & whole) > 0}

proved := {name | some name in subjects; count(suites - answered) == 0}

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
	count(subjects) > 0
	some suite in unserved
	message := "no evaluation that counts covers its files as they are"
	entry := result.violation("eval.binds.uncovered", message, {"artifact": suite, "evidence": evaluations})
}

violations contains entry if {
	some suite in (suites - unserved)
	some name in (subjects - about(pool(suite)))
	message := sprintf("no evaluation%s builds on a statement that covers it as it is now", [with_files(suite)])
	entry := result.violation("eval.binds.unbound", message, {"artifact": name, "evidence": pool(suite)})
}

violations contains entry if {
	some suite in ((suites - answered) - unserved)
	count(subjects - about(pool(suite))) == 0
	every_name := concat(", ", sort(subjects))
	message := sprintf("no single evaluation%s is about all of it: %s", [with_files(suite), every_name])
	entry := result.violation("eval.binds.apart", message, {"artifact": suite, "evidence": pool(suite)})
}

about(evaluated) := {name | some [name, digest] in bound; digest in evaluated}

with_files(suite) := "" if is_null(suite)

with_files(suite) := sprintf(" of %s", [suite]) if is_string(suite)

evidence := {digest | some [_, digest] in bound} & ({digest | some [_, digest] in covering} & whole)

default reason := null

reason := "no artifact of a kind that is evaluated" if count(subjects) == 0
