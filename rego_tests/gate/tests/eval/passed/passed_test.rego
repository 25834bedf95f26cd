package gate.tests.eval.passed_test

import data.gate.application
import data.gate.controls.eval.passed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := application.after(patches)
	status := passed.status with input as doc
	found := passed.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := application.after(patches)
	evidence := passed.evidence with input as doc
	reason := passed.reason with input as doc
	found := passed.violations with input as doc
}

# Patches after which no evaluation asks for admission, and none is there.
quiet := array.concat(
	[fixtures.remove("/artifacts/evaluation")],
	array.concat(application.drop("eval"), array.concat(application.drop("route"), application.drop("slo"))),
)

# Patches after which no evaluation asks for admission, and one has these facts.
alone(facts) := [fixtures.remove("/artifacts/evaluation"), application.put("eval", "facts", facts)]

# Patches that add a statement about the prompts.
other(claim, facts) := [
	fixtures.put(concat("/", ["/attestations", application.digests.other]), object.union(
		application.good.attestations[application.digests.prompt],
		{"claim": claim, "facts": object.union({"result": null, "decision": null}, facts)},
	)),
	fixtures.put(concat("/", ["/claims", claim]), {
		"all": [application.digests.other],
		"by_artifact": {"prompts": [application.digests.other]},
	}),
]

test_passes_when_every_threshold_is_met if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {application.digests.eval}, "reason": null, "violations": set()}
}

test_passes_when_it_says_nothing_but_its_values if {
	answer([application.put("eval", "facts/result", null)]) == ["pass", set()]
}

test_passes_when_a_value_is_at_its_threshold if {
	answer([application.put("eval", "facts/thresholds/accuracy/min", 910000)]) == ["pass", set()]
}

test_fails_when_a_value_is_below_its_threshold if {
	answer([application.put("eval", "facts/thresholds/accuracy/min", 910001)]) == ["fail", {["eval.passed.threshold", null, null]}]
}

test_fails_when_a_value_is_above_its_threshold if {
	answer([application.put("eval", "facts/thresholds/latency_s/max", 333333)]) == ["fail", {["eval.passed.threshold", null, null]}]
}

test_fails_when_there_is_no_threshold if {
	answer([application.put("eval", "facts/thresholds", {}), application.put("eval", "facts/tolerances", {})]) == ["fail", {["eval.passed.unlimited", null, null]}]
}

test_fails_when_a_threshold_has_no_measure if {
	answer([application.put("eval", "facts/thresholds/recall", {"min": 1, "max": null})]) == ["fail", {["eval.passed.unmeasured", null, null]}]
}

test_fails_when_it_is_worse_than_the_baseline if {
	answer([application.put("eval", "facts/metrics/accuracy/candidate", {"low": 869999, "high": 869999})]) == ["fail", {["eval.passed.regression", null, null]}]
}

test_fails_when_samples_are_left_out if {
	answer([application.put("eval", "facts/samples/evaluated", 199)]) == ["fail", {["eval.passed.incomplete", null, null]}]
}

test_fails_when_it_says_failed if {
	answer([application.put("eval", "facts/result", "failed")]) == ["fail", {["eval.passed.failed", null, null]}]
}

test_fails_when_it_says_warned if {
	answer([application.put("eval", "facts/result", "warned")]) == ["fail", {["eval.passed.failed", null, null]}]
}

test_fails_when_it_says_rejected if {
	answer([application.put("eval", "facts/decision", "rejected")]) == ["fail", {["eval.passed.failed", null, null]}]
}

test_fails_when_it_says_something_else if {
	answer([application.put("eval", "facts/result", "x")]) == ["fail", {["eval.passed.failed", null, null]}]
}

test_errors_when_measures_have_no_shape if {
	answer([application.put("eval", "facts/metrics", [])]) == ["error", set()]
}

test_errors_when_thresholds_have_no_shape if {
	answer([application.put("eval", "facts/thresholds", null)]) == ["error", set()]
}

test_errors_when_tolerances_have_no_shape if {
	answer([application.put("eval", "facts/tolerances", null)]) == ["error", set()]
}

test_fails_when_nothing_covers_the_artifact if {
	answer(application.uncover("eval")) == ["fail", {["eval.passed.missing", "evaluation", null]}]
}

test_fails_when_it_was_not_collected if {
	answer([application.put("eval", "facts/collected", false)]) == ["fail", {["eval.passed.uncollected", "evaluation", null]}]
}

test_fails_when_collected_is_not_exactly_true if {
	answer([application.put("eval", "facts/collected", "true")]) == ["fail", {["eval.passed.uncollected", "evaluation", null]}]
}

test_fails_with_its_messages if {
	whole([
		application.put("eval", "facts/result", "warned"),
		application.put("eval", "facts/thresholds/accuracy/min", 950000),
	]).violations == {
		{
			"artifact": null,
			"code": "eval.passed.failed",
			"evidence": [application.digests.eval],
			"file": null,
			"message": "the eval statement does not say that it passed",
		},
		{
			"artifact": null,
			"code": "eval.passed.threshold",
			"evidence": [application.digests.eval],
			"file": null,
			"message": "accuracy: the measured value does not meet the threshold (0.91, at least 0.95)",
		},
	}
}

test_passes_when_a_plain_statement_says_passed if {
	answer(alone({"collected": false, "result": "passed", "decision": null})) == ["pass", set()]
}

test_passes_when_a_plain_statement_says_approved if {
	answer(alone({"collected": false, "result": null, "decision": "approved"})) == ["pass", set()]
}

test_fails_when_a_plain_statement_says_failed if {
	answer(alone({"collected": false, "result": "failed", "decision": null})) == ["fail", {["eval.passed.failed", null, null]}]
}

test_fails_when_a_plain_statement_says_rejected if {
	answer(alone({"collected": false, "result": null, "decision": "rejected"})) == ["fail", {["eval.passed.failed", null, null]}]
}

test_is_not_applicable_when_a_plain_statement_is_silent if {
	answer(alone({"collected": false, "result": null, "decision": null})) == ["not_applicable", set()]
}

test_is_not_applicable_when_a_plain_statement_says_nothing_at_all if {
	answer(alone({})) == ["not_applicable", set()]
}

test_passes_when_a_test_result_says_passed if {
	answer(array.concat(quiet, other("test.result", {"result": "passed"}))) == ["pass", set()]
}

test_fails_when_a_test_result_says_failed if {
	answer(array.concat(quiet, other("test.result", {"result": "failed"}))) == ["fail", {["eval.passed.failed", null, null]}]
}

test_fails_when_an_evaluation_result_says_failed if {
	answer(array.concat(quiet, other("eval.result", {"result": "failed"}))) == ["fail", {["eval.passed.failed", null, null]}]
}

test_is_not_applicable_when_a_review_says_rejected if {
	answer(array.concat(quiet, other("review", {"decision": "rejected"}))) == ["not_applicable", set()]
}

test_fails_when_a_test_result_speaks_in_values_of_its_own if {
	answer(array.concat(quiet, other("test.result", object.union(application.statements.eval.facts, {"result": "warned"})))) == ["fail", {["eval.passed.failed", null, null]}]
}

test_passes_when_a_test_result_has_values_that_nobody_reads if {
	answer(array.concat(quiet, other("test.result", {"result": "passed", "collected": true}))) == ["pass", set()]
}

test_fails_when_one_of_two_evaluations_says_failed if {
	answer(other("test.result", {"result": "failed"})) == ["fail", {["eval.passed.failed", null, null]}]
}

test_passes_when_one_about_something_else_failed if {
	answer(array.concat(other("test.result", {"result": "failed"}), [fixtures.put(concat("/", ["/attestations", application.digests.other, "artifacts"]), []), fixtures.put("/claims/test.result/by_artifact", {})])) == ["pass", set()]
}

test_is_not_applicable_without_evaluations if {
	answer(quiet) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole(quiet) == {
		"evidence": set(),
		"reason": "no evaluation asks for admission, and no statement about anything here is one",
		"violations": set(),
	}
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})]) == ["error", set()]
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")]) == ["error", set()]
}

test_errors_when_the_lineage_is_broken if {
	answer([application.put("eval", "ancestors", [])]) == ["error", set()]
}

test_errors_when_there_is_no_change if {
	answer([fixtures.remove("/change")]) == ["error", set()]
}

test_fails_with_what_was_not_collected if {
	whole([application.put("eval", "facts/collected", false)]).violations == {{
		"artifact": "evaluation",
		"code": "eval.passed.uncollected",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "what covers it is its signer's word; nothing was collected",
	}}
}

test_errors_when_the_lineage_is_broken_and_no_evaluation_asks_for_admission if {
	answer([fixtures.remove("/artifacts/evaluation"), application.put("eval", "ancestors", [])])[0] == "error"
}
