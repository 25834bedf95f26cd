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
#   parameters:
#     - {name: at_least, type: numbers, default: {}, meaning: the least that a metric must be in millionths}
#     - {name: at_most, type: numbers, default: {}, meaning: the most that a metric may be in millionths}
#     - {name: metrics, type: list, default: [], meaning: metrics that must be measured}
#     - {name: samples, type: number, least: 0, default: 0, meaning: how many samples must have been evaluated}
#     - {name: baseline, type: boolean, default: false, meaning: whether each metric needs a baseline}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM09]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0008]}
#     NIST-800-218A: {relation: supports, ids: [PW.8.2]}
#     OWASP-AISVS-1.0: {relation: supports, ids: [6.1.4]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.3, MEASURE 2.5, MANAGE 1.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [CA-2, SA-11]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 9, Article 15]}
#     ISO-42001: {relation: supports, ids: [A.6.2.4]}
#     CoSAI: {relation: partly supports, ids: [controlProductGovernance]}
package gate.controls.eval.passed

import data.gate.lib.attested
import data.gate.lib.document
import data.gate.lib.lineage
import data.gate.lib.measures
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_set(lineage.at_stake)
	is_object(demands)
}

# What the policy demands, whatever an evaluation says of its own thresholds. Undefined unless it has the shape to tell.
demands := values if {
	none := {"at_least": {}, "at_most": {}, "metrics": [], "samples": 0, "baseline": false}
	values := object.union(none, parameters.of("eval.passed"))
	are_limits(values.at_least)
	are_limits(values.at_most)
	shape.is_texts(values.metrics)
	shape.is_count(values.samples)
	is_boolean(values.baseline)
}

default are_limits(_) := false

are_limits(values) if {
	is_object(values)
	every value in values {
		shape.is_whole(value)
	}
}

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

# By metric, where the statement says so in a shape that can be read.
metrics[digest] := found if {
	some digest, facts in measured
	found := facts.metrics
	is_object(found)
}

# What is measured has passed or not; a warning is no pass.
warned := {digest | some digest, facts in measured; not object.get(facts, "result", null) in {null, "passed"}}

agreed := statements.supporting(subjects) - warned

sound := {digest |
	some digest, facts in measured
	count(measures.faults(facts)) == 0
	count({name | some [_, name, refused] in refusals; refused == digest}) == 0
}

# Evaluations that count for what asks for admission: they cover an evaluation of it, and are about something of it.
counting := {digest |
	some digest in attested.collected(object.keys(measured))
	digest in tied
	is_suite(statements.verified[digest])
}

default is_suite(_) := false

is_suite(_) if count(suites) == 0

is_suite(statement) if {
	some name in statement.artifacts
	name in suites
}

suites := attested.of_kind("evaluation")

# What an evaluation can be about. Where nothing of it asks for admission, every evaluation is about what it may.
candidates := {name | some name, artifact in document.artifacts; artifact.kind in evaluated_kinds}

evaluated_kinds := {"adapter", "corpus", "dataset", "plugin", "prompt", "weights"}

tied := object.keys(measured) if count(candidates) == 0

tied := {digest |
	some digest in object.keys(measured)
	some item in ({digest} | lineage.ancestors[digest])
	some name in statements.verified[item].artifacts
	name in candidates
} if {
	count(candidates) > 0
}

# Where a measured value is against the policy, as [fault, metric, digest]. Each evaluation that measures it is asked.
refusals contains ["at_least", name, digest] if {
	some digest, found in metrics
	limits := {metric: {"min": value, "max": null} | some metric, value in demands.at_least}
	some name in measures.outside(found, limits)
}

refusals contains ["at_most", name, digest] if {
	some digest, found in metrics
	limits := {metric: {"min": null, "max": value} | some metric, value in demands.at_most}
	some name in measures.outside(found, limits)
}

refusals contains ["samples", "samples", digest] if {
	demands.samples > 0
	some digest in counting
	not has_samples(measured[digest].samples)
}

refusals contains ["baseline", name, digest] if {
	demands.baseline
	some digest in counting
	some name, metric in metrics[digest]
	not is_object(metric.baseline)
}

default has_samples(_) := false

has_samples(samples) if {
	shape.is_count(samples.evaluated)
	samples.evaluated >= demands.samples
}

wanted := {name | some name in demands.metrics} | (object.keys(demands.at_least) | object.keys(demands.at_most))

unmeasured := wanted - {name | some digest in counting; some name, _ in metrics[digest]}

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

violations contains entry if {
	is_set(lineage.at_stake)
	some name in suites
	made := attested.collected(statements.about("eval", name))
	count(made) > 0
	count(made & tied) == 0
	message := "what covers it builds on no statement about anything that asks for admission"
	entry := result.violation("eval.passed.unbound", message, {"artifact": name, "evidence": made})
}

violations contains entry if {
	some name in unmeasured
	message := sprintf("%s: the policy asks for it, and no evaluation that counts measures it", [name])
	entry := result.violation("eval.passed.metrics", message, {"evidence": counting})
}

violations contains entry if {
	some [fault, name, digest] in refusals
	text := about_demands[fault]
	message := sprintf("%s: %s%s", [name, text, policy_detail(fault, measured[digest], name)])
	entry := result.violation(concat(".", ["eval.passed", fault]), message, {"evidence": [digest]})
}

default policy_detail(_, _, _) := ""

policy_detail("at_least", facts, name) := measures.detail("outside", object.union(facts, limits), name) if {
	limits := {"thresholds": {name: {"min": demands.at_least[name], "max": null}}}
}

policy_detail("at_most", facts, name) := measures.detail("outside", object.union(facts, limits), name) if {
	limits := {"thresholds": {name: {"min": null, "max": demands.at_most[name]}}}
}

policy_detail("samples", facts, _) := sprintf(" (%d of %d)", [facts.samples.evaluated, demands.samples]) if {
	shape.is_count(facts.samples.evaluated)
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

about_demands := {
	"at_least": "the measured value is below what the policy asks for",
	"at_most": "the measured value is above what the policy allows",
	"samples": "fewer samples were evaluated than the policy asks for, or nobody counted them",
	"baseline": "the policy asks for a baseline, and there is none",
}

evidence := proved

default reason := null

reason := "no evaluation asks for admission, and no statement about anything here is one" if count(subjects) == 0
