# METADATA
# title: Evaluations passed
# description: Every threshold is met by the measured values, nothing is worse than before, and no sample is left out.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [eval, eval.result, test.result]
#   artifacts: [evaluation]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Improve what was measured, evaluate every sample, and attest it with `gate attest create --type eval`.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM09]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0008]}
#     NIST-800-218A: {relation: supports, ids: [PW.8.2]}
#     OWASP-AISVS-1.0: {relation: supports, ids: [6.1.4]}
package gate.controls.eval.passed

import data.gate.lib.attested
import data.gate.lib.lineage
import data.gate.lib.measures
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if is_set(lineage.at_stake)

# Statements about something here that say how it went. A collected one does by its values.
subjects := {digest |
	some digest in lineage.at_stake
	statements.verified[digest].claim in {"eval", "eval.result", "test.result"}
	not is_silent(statements.verified[digest].facts)
}

default is_silent(_) := false

is_silent(facts) if {
	not facts.collected == true
	is_null(object.get(facts, "result", null))
	is_null(object.get(facts, "decision", null))
}

measured[digest] := facts if {
	some digest in subjects
	statements.verified[digest].claim == "eval"
	facts := statements.verified[digest].facts
	facts.collected == true
}

# What is measured has passed or not; a warning is no pass.
warned := {digest | some digest, facts in measured; not object.get(facts, "result", null) in {null, "passed"}}

agreed := statements.supporting(subjects) - warned

sound := {digest | some digest, facts in measured; count(measures.faults(facts)) == 0}

proved := agreed & (sound | (subjects - object.keys(measured)))

# An artifact needs a collected statement that covers it. That one is about something here, so it is judged too.
violations contains entry if {
	some [fault, name, digests] in attested.problems("evaluation", "eval", set())
	[code, message] := about_artifacts[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some digest in (subjects - agreed)
	message := sprintf("the %s statement does not say that it passed", [statements.verified[digest].claim])
	entry := result.violation("eval.passed.failed", message, {"evidence": [digest]})
}

violations contains entry if {
	some digest, facts in measured
	some [fault, name] in measures.faults(facts)
	[code, text] := about_measures[fault]
	message := sprintf("%s: %s%s", [name, text, measures.detail(fault, facts, name)])
	entry := result.violation(code, message, {"evidence": [digest]})
}

about_artifacts := {
	"missing": ["eval.passed.missing", "no verified eval statement covers all of its files as they are"],
	"uncollected": ["eval.passed.uncollected", "what covers it is its signer's word; nothing was collected"],
}

about_measures := {
	"unlimited": ["eval.passed.unlimited", "no threshold says what would be good enough"],
	"unmeasured": ["eval.passed.unmeasured", "it has a limit, but no measure or no baseline"],
	"outside": ["eval.passed.threshold", "the measured value does not meet the threshold"],
	"regressed": ["eval.passed.regression", "it is worse than the baseline by more than the tolerance"],
	"incomplete": ["eval.passed.incomplete", "not every sample was evaluated"],
}

evidence := proved

default reason := null

reason := "no evaluation asks for admission, and no statement about anything here is one" if count(subjects) == 0
