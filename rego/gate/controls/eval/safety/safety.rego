# METADATA
# title: Attacked in tests, and held
# description: A fresh and complete red-team run about each artifact ran every probe asked for, and met every limit.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [eval]
#   artifacts: [weights, adapter, prompt]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Run garak or promptfoo against what is there now, and attest the results with `gate attest create --type eval`.
#   parameters:
#     - {name: kinds, type: list, choices: artifact-kinds, default: [adapter, prompt, weights],
#        meaning: kinds of artifacts that must have been attacked}
#     - {name: tools, type: list, default: [garak, promptfoo], meaning: harnesses whose evaluation is a red-team run}
#     - {name: probes, type: list, default: [],
#        meaning: metrics that must have been measured; a probe of garak stands for all its detectors}
#     - {name: minimum, type: number, least: 0, default: 1000000,
#        meaning: the least share of attacks that must have failed in millionths}
#     - {name: at_least, type: numbers, default: {}, meaning: another minimum for single metrics in millionths}
#     - {name: samples, type: number, least: 0, default: 10, meaning: how many samples each run must have evaluated}
#     - {name: age_s, type: seconds, default: 2592000, meaning: how old a run may be}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM01, LLM05]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0008]}
#     NIST-800-218A: {relation: supports, ids: [PW.8.2]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML01]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.6, MEASURE 2.7]}
#     NIST-800-53r5: {relation: partly supports, ids: [CA-8, SA-11]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 9, Article 15, Article 55]}
#     ISO-42001: {relation: supports, ids: [A.6.2.4]}
#     CoSAI: {relation: supports, ids: [controlAdversarialTrainingAndTesting, controlRedTeaming]}
package gate.controls.eval.safety

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
	is_object(document.artifacts)
	is_object(lineage.ancestors)
	is_number(document.now_s)
	is_object(demands)
}

# Undefined unless it has the shape to tell.
demands := values if {
	values := object.union(usual, parameters.of("eval.safety"))
	every name in ["kinds", "probes", "tools"] {
		shape.is_texts(values[name])
	}
	every name in ["age_s", "minimum", "samples"] {
		shape.is_count(values[name])
	}
	shape.is_object_of_counts(values.at_least)
}

usual := {
	"kinds": ["adapter", "prompt", "weights"], "tools": ["garak", "promptfoo"], "probes": [],
	"minimum": 1000000, "at_least": {}, "samples": 10, "age_s": 2592000,
}

subjects := {name | some name, artifact in document.artifacts; artifact.kind in demands.kinds}

runs[digest] := facts if {
	some digest, statement in statements.verified
	statement.claim == "eval"
	facts := statement.facts
	facts.collected == true
	shape.is_text(facts.harness)
	split(facts.harness, " ")[0] in demands.tools
}

# What a run is about: artifacts that it covers itself, or that a statement which it builds on covers.
about[digest] := names if {
	some digest, _ in runs
	items := {digest} | lineage.ancestors[digest]
	names := {name | some item in items; some name in statements.verified[item].artifacts; name in subjects}
}

fresh contains digest if {
	some digest, _ in runs
	at_s := made_at(statements.verified[digest])
	shape.is_whole(at_s)
	at_s <= document.now_s
	document.now_s - at_s <= demands.age_s
}

made_at(statement) := statement.signed_at.at_s if statement.signed_at.source != "none"

made_at(statement) := statement.stated_at_s if statement.signed_at.source == "none"

# What is wrong with fresh runs about something here, as [fault, detail, digest].
faults contains [fault, detail, digest] if {
	some digest in fresh
	some fault, details in {
		"failed": {"it" | not digest in statements.supporting({digest})},
		"incomplete": {"it" | not is_complete(runs[digest])},
		"limit": weak(runs[digest].metrics),
	}
	some detail in details
}

default is_complete(_) := false

is_complete(facts) if {
	found := measures.faults(facts)
	count({name | some ["incomplete", name] in found}) == 0
	facts.samples.evaluated >= demands.samples
}

# More than all is no share: somebody counted percent, or something else.
whole := 1000000

# Metrics whose value is not known to be as good as asked for. Of a share of attacks that failed, more is better.
default weak(_) := {"metrics"}

weak(metrics) := found if {
	is_object(metrics)
	count(metrics) > 0
	limits := {name: {"min": object.get(demands.at_least, name, demands.minimum), "max": whole} | some name, _ in metrics}
	backward := {name | some name, metric in metrics; not object.get(metric, "better", null) == "higher"}
	found := measures.outside(metrics, limits) | backward
}

sound := {digest |
	some digest in fresh
	count({fault | some [fault, _, other] in faults; other == digest}) == 0
}

# Probes that no sound run about an artifact has tried, by name. One run need not have tried them all.
untried[name] := probes if {
	some name in subjects
	tried := {metric | some digest in sound; name in about[digest]; some metric, _ in runs[digest].metrics}
	probes := {probe | some probe in demands.probes; not is_tried(probe, tried)}
}

default is_tried(_, _) := false

is_tried(probe, metrics) if probe in metrics

is_tried(probe, metrics) if {
	some metric in metrics
	startswith(metric, sprintf("%s/", [probe]))
}

proved := {name | some digest in sound; some name in about[digest]}

violations contains entry if {
	some name in subjects
	count({digest | some digest, names in about; name in names}) == 0
	message := "no collected red-team run is about it as it is now"
	entry := result.violation("eval.safety.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in subjects
	old := {digest | some digest, names in about; name in names}
	count(old) > 0
	count(old & fresh) == 0
	message := "every red-team run about it is too old, of the future or without a time"
	entry := result.violation("eval.safety.stale", message, {"artifact": name, "evidence": old})
}

violations contains entry if {
	some [fault, detail, digest] in faults
	some name in about[digest]
	[code, text] := about_faults[fault]
	entry := result.violation(code, sprintf("%s: %s", [detail, text]), {"artifact": name, "evidence": [digest]})
}

violations contains entry if {
	some name, probes in untried
	some probe in probes
	message := sprintf("%s: no sound red-team run has tried it", [probe])
	entry := result.violation("eval.safety.probe", message, {"artifact": name})
}

violations contains entry if {
	count(subjects) > 0
	count(demands.probes) == 0
	message := "the policy names no probe, so that nobody can tell whether a run is whole"
	entry := result.violation("eval.safety.undemanded", message, {})
}

about_faults := {
	"failed": ["eval.safety.failed", "the run says itself that it failed"],
	"incomplete": ["eval.safety.incomplete", "samples were left out, or there are fewer than asked for"],
	"limit": ["eval.safety.limit", "fewer attacks failed than asked for, or nobody knows (a share is from 0 to 1)"],
}

evidence := {digest | some digest in sound; count(about[digest]) > 0}

default reason := "no artifact of a kind that has to be attacked asks for admission"

reason := sprintf("artifacts attacked: %d", [count(proved)]) if count(proved) > 0
