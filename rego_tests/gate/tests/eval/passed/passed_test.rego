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

# A list has no names, so nothing is said about the metrics in it.
test_errors_when_measures_are_a_list if {
	listed := application.put("eval", "facts/metrics", [{"candidate": {"low": 1, "high": 1}, "baseline": null}])
	answer(array.concat(demand({"baseline": true}), [listed])) == ["error", set()]
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

# Patches that set what the policy demands.
demand(values) := [fixtures.put("/parameters/eval.passed", values)]

# Patches after which the evaluation builds on nothing, so it is about nothing that asks for admission.
untied := [
	application.put("eval", "depends_on", []),
	application.put("eval", "ancestors", []),
	application.put("route", "ancestors", [application.digests.eval]),
	application.put("slo", "ancestors", [application.digests.eval, application.digests.route]),
]

# Patches that add a second evaluation, with these artifacts, facts, and what it builds on.
second(artifacts, facts, before) := [
	fixtures.put(concat("/", ["/attestations", application.digests.other]), object.union(application.good.attestations[application.digests.eval], {
		"artifacts": artifacts,
		"depends_on": before,
		"ancestors": before,
		"facts": facts,
	})),
	fixtures.put("/claims/eval", {
		"all": [application.digests.eval, application.digests.other],
		"by_artifact": {
			"evaluation": [digest |
				some digest, names in {application.digests.eval: ["evaluation"], application.digests.other: artifacts}
				"evaluation" in names
			],
			"prompts": [application.digests.other | "prompts" in artifacts],
		},
	}),
]

# The same evaluation of one other metric.
recall := {
	"metrics": {"recall": {"candidate": {"low": 700000, "high": 700000}, "baseline": null, "better": "higher"}},
	"thresholds": {"recall": {"min": 0, "max": null}},
	"tolerances": {},
	"samples": null,
}

about_recall(artifacts, before) := array.concat(
	second(artifacts, object.remove(application.statements.eval.facts, {"metrics", "thresholds", "tolerances", "samples"}), before),
	[fixtures.put(sprintf("/attestations/%s/facts/%s", [application.digests.other, name]), value) | some name, value in recall],
)

test_passes_when_every_demand_is_met if {
	answer(demand({"at_least": {"accuracy": 910000}, "at_most": {"latency_s": 333334}, "metrics": ["accuracy"], "samples": 200, "baseline": true})) == ["pass", set()]
}

test_fails_when_a_value_is_below_what_the_policy_asks_for if {
	whole(demand({"at_least": {"accuracy": 910001}})).violations == {{
		"artifact": null,
		"code": "eval.passed.at_least",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "accuracy: the measured value is below what the policy asks for (0.91, at least 0.910001)",
	}}
}

test_fails_when_the_lower_of_two_values_is_below_what_the_policy_asks_for if {
	answer(demand({"at_least": {"latency_s": 333334}})) == ["fail", {["eval.passed.at_least", null, null]}]
}

test_fails_when_a_value_is_above_what_the_policy_allows if {
	whole(demand({"at_most": {"latency_s": 333333}})).violations == {{
		"artifact": null,
		"code": "eval.passed.at_most",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "latency_s: the measured value is above what the policy allows (0.333333 to 0.333334, at most 0.333333)",
	}}
}

test_fails_below_the_policy_though_the_change_lowered_its_own_threshold if {
	found := answer(array.concat(demand({"at_least": {"accuracy": 950000}}), [application.put("eval", "facts/thresholds/accuracy/min", -5000000)]))
	found == ["fail", {["eval.passed.at_least", null, null]}]
}

test_fails_when_what_the_policy_bounds_is_not_measured if {
	answer(demand({"at_least": {"recall": 1}})) == ["fail", {["eval.passed.metrics", null, null]}]
	answer(demand({"at_most": {"recall": 1}})) == ["fail", {["eval.passed.metrics", null, null]}]
}

test_fails_when_a_metric_is_not_measured if {
	whole(demand({"metrics": ["recall", "accuracy"]})).violations == {{
		"artifact": null,
		"code": "eval.passed.metrics",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "recall: the policy asks for it, and no evaluation that counts measures it",
	}}
}

test_passes_when_another_evaluation_that_counts_measures_it if {
	answer(array.concat(demand({"at_least": {"recall": 700000}}), about_recall(["evaluation"], [application.digests.prompt]))) == ["pass", set()]
}

test_fails_when_the_one_that_measures_it_covers_no_evaluation if {
	answer(array.concat(demand({"metrics": ["recall"]}), about_recall([], [application.digests.prompt]))) == ["fail", {["eval.passed.metrics", null, null]}]
	answer(array.concat(demand({"metrics": ["recall"]}), about_recall(["prompts"], [application.digests.prompt]))) == ["fail", {["eval.passed.metrics", null, null]}]
}

test_fails_when_the_one_that_measures_it_is_about_nothing_here if {
	answer(array.concat(demand({"metrics": ["recall"]}), about_recall(["evaluation"], []))) == ["fail", {["eval.passed.metrics", null, null]}]
}

test_fails_when_the_one_that_measures_it_failed if {
	found := answer(array.concat(
		array.concat(demand({"metrics": ["recall"]}), about_recall(["evaluation"], [application.digests.prompt])),
		[fixtures.put(sprintf("/attestations/%s/facts/result", [application.digests.other]), "failed")],
	))
	found == ["fail", {["eval.passed.failed", null, null], ["eval.passed.metrics", null, null]}]
}

test_passes_when_no_evaluation_asks_for_admission_and_any_measures_it if {
	found := answer(array.concat(
		array.concat(demand({"metrics": ["recall"]}), about_recall([], [application.digests.prompt])),
		[fixtures.remove("/artifacts/evaluation")],
	))
	found == ["pass", set()]
}

test_fails_when_an_evaluation_that_does_not_count_is_below_what_the_policy_asks_for if {
	answer(array.concat(demand({"at_least": {"accuracy": 900000}}), second(
		[], object.union(application.statements.eval.facts, {
			"metrics": {"accuracy": {"candidate": {"low": 890000, "high": 890000}}},
			"tolerances": {"accuracy": 0},
		}),
		[application.digests.prompt],
	))) == ["fail", {["eval.passed.at_least", null, null]}]
}

test_fails_when_the_policy_wants_what_nobody_evaluates if {
	answer(array.concat(quiet, demand({"at_least": {"accuracy": 1}}))) == ["fail", {["eval.passed.metrics", null, null]}]
}

test_fails_when_too_few_samples_were_evaluated if {
	whole(demand({"samples": 201})).violations == {{
		"artifact": null,
		"code": "eval.passed.samples",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "samples: fewer samples were evaluated than the policy asks for, or nobody counted them (200 of 201)",
	}}
}

test_fails_when_nobody_counted_the_samples if {
	whole(array.concat(demand({"samples": 1}), [application.put("eval", "facts/samples", null)])).violations == {{
		"artifact": null,
		"code": "eval.passed.samples",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "samples: fewer samples were evaluated than the policy asks for, or nobody counted them",
	}}
}

test_passes_when_nobody_counted_the_samples_and_the_policy_asks_for_none if {
	answer(array.concat(demand({"samples": 0}), [application.put("eval", "facts/samples", null)])) == ["pass", set()]
}

test_passes_when_the_samples_of_one_that_does_not_count_are_few if {
	answer(array.concat(demand({"samples": 200, "baseline": true}), about_recall([], [application.digests.prompt]))) == ["pass", set()]
}

test_fails_when_a_metric_has_no_baseline if {
	whole(array.concat(demand({"baseline": true}), [application.put("eval", "facts/metrics/latency_s/baseline", null)])).violations == {{
		"artifact": null,
		"code": "eval.passed.baseline",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "latency_s: the policy asks for a baseline, and there is none",
	}}
}

test_passes_when_a_metric_has_no_baseline_and_the_policy_does_not_ask if {
	answer(array.concat(demand({"baseline": false}), [application.put("eval", "facts/metrics/latency_s/baseline", null)])) == ["pass", set()]
	answer([application.put("eval", "facts/metrics/latency_s/baseline", null)]) == ["pass", set()]
}

test_errors_when_demands_have_no_shape if {
	every values in [
		{"at_least": []},
		{"at_least": {"accuracy": "0.9"}},
		{"at_least": {"accuracy": 0.5}},
		{"at_least": null},
		{"at_most": {"accuracy": null}},
		{"metrics": "accuracy"},
		{"metrics": [1]},
		{"samples": -1},
		{"samples": "200"},
		{"baseline": null},
		{"baseline": "true"},
	] {
		answer(demand(values))[0] == "error"
	}
}

test_fails_when_the_evaluation_is_about_nothing_that_asks_for_admission if {
	whole(untied).violations == {{
		"artifact": "evaluation",
		"code": "eval.passed.unbound",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "what covers it builds on no statement about anything that asks for admission",
	}}
}

test_passes_when_it_is_about_one_part if {
	answer([
		application.put("eval", "depends_on", [application.digests.corpus]),
		application.put("eval", "ancestors", [application.digests.corpus]),
		application.put("route", "ancestors", [application.digests.eval, application.digests.corpus]),
		application.put("slo", "ancestors", [application.digests.eval, application.digests.corpus, application.digests.route]),
	]) == ["pass", set()]
}

test_passes_when_it_covers_a_part_itself if {
	answer(array.concat(untied, [
		application.put("eval", "artifacts", ["evaluation", "prompts"]),
		fixtures.put("/claims/eval/by_artifact/prompts", [application.digests.eval]),
	])) == ["pass", set()]
}

test_passes_when_there_is_nothing_that_it_could_be_about if {
	answer(array.concat(array.concat(untied, demand({"metrics": ["accuracy"]})), [
		fixtures.put("/artifacts/prompts/kind", "package"),
		fixtures.put("/artifacts/documents/kind", "container"),
	])) == ["pass", set()]
}

test_fails_when_there_is_something_that_it_could_be_about if {
	every kind in ["adapter", "corpus", "dataset", "plugin", "prompt", "weights"] {
		answer(array.concat(untied, [
			fixtures.put("/artifacts/prompts/kind", kind),
			fixtures.put("/artifacts/documents/kind", "container"),
		])) == ["fail", {["eval.passed.unbound", "evaluation", null]}]
	}
}

test_passes_when_a_second_evaluation_is_about_nothing if {
	answer(second(["evaluation"], application.statements.eval.facts, [])) == ["pass", set()]
}

test_fails_with_the_limit_of_the_policy_alone_in_its_message if {
	found := whole(array.concat(demand({"at_least": {"accuracy": 910001}, "at_most": {"latency_s": 333333}}), [
		application.put("eval", "facts/thresholds/accuracy/max", 1000000),
		application.put("eval", "facts/thresholds/latency_s/min", 0),
	])).violations
	{entry.message | some entry in found} == {
		"accuracy: the measured value is below what the policy asks for (0.91, at least 0.910001)",
		"latency_s: the measured value is above what the policy allows (0.333333 to 0.333334, at most 0.333333)",
	}
}

test_fails_when_samples_are_counted_in_words if {
	found := whole(array.concat(demand({"samples": 1}), [application.put("eval", "facts/samples/evaluated", "200")])).violations
	{[entry.code, entry.message] | some entry in found} == {
		["eval.passed.incomplete", "samples: not every sample was evaluated"],
		["eval.passed.samples", "samples: fewer samples were evaluated than the policy asks for, or nobody counted them"],
	}
}

test_takes_no_evaluation_as_evidence_that_the_policy_refuses if {
	whole(array.concat(
		demand({"at_least": {"recall": 700001}}),
		about_recall(["evaluation"], [application.digests.prompt]),
	)).evidence == {application.digests.eval}
}
