package gate.tests.eval.safety_test

import data.gate.attacked
import data.gate.controls.eval.safety
import future.keywords.not

answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := attacked.after(patches)
	status := safety.status with input as doc
	found := safety.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "messages": {entry.message | some entry in found}} if {
	doc := attacked.after(patches)
	evidence := safety.evidence with input as doc
	reason := safety.reason with input as doc
	found := safety.violations with input as doc
}

setting(name, value) := attacked.put(concat("/", ["/parameters/eval.safety", name]), value)

of(name, path) := concat("/", ["/attestations", attacked.digests[name], path])

said(name, key, value) := attacked.put(of(name, concat("/", ["facts", key])), value)

passed := ["pass", set()]

coded := {
	"failed": "eval.safety.failed",
	"incomplete": "eval.safety.incomplete",
	"limit": "eval.safety.limit",
	"missing": "eval.safety.missing",
	"probe": "eval.safety.probe",
	"stale": "eval.safety.stale",
}

fails(words) := ["fail", {[coded[word], "prompts"] | some word in words}]

test_passes_when_all_held if answer([]) == passed

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {attacked.digests.run, attacked.digests.other},
		"reason": "artifacts attacked: 1",
		"messages": set(),
	}
}

test_is_not_applicable_without_such_artifacts if {
	answer([setting("kinds", ["weights"])]) == ["not_applicable", set()]
	answer([setting("kinds", ["weights"]), setting("probes", [])]) == ["not_applicable", set()]
	whole([setting("kinds", [])]) == {
		"evidence": set(),
		"reason": "no artifact of a kind that has to be attacked asks for admission",
		"messages": set(),
	}
}

test_fails_for_each_kind_by_default if {
	every kind in ["adapter", "prompt", "weights"] {
		answer([attacked.put("/artifacts/prompts/kind", kind), said("run", "samples/evaluated", 1)])[0] == "fail"
	}
}

gone := [
	attacked.remove(concat("/", ["/attestations", attacked.digests.run])),
	attacked.remove(concat("/", ["/attestations", attacked.digests.other])),
	attacked.remove("/claims/eval"),
]

test_fails_when_there_is_no_run if answer(gone) == fails({"missing", "probe"})

test_fails_when_runs_are_about_something_else if {
	answer([
		attacked.put(of("run", "depends_on"), []),
		attacked.put(of("run", "ancestors"), []),
		attacked.put(of("other", "artifacts"), []),
		attacked.put("/claims/eval/by_artifact", {}),
	]) == fails({"missing", "probe"})
}

test_fails_when_another_harness_ran if {
	answer([said("run", "harness", "json"), said("other", "harness", "garaks 1")]) == fails({"missing", "probe"})
	answer([said("run", "harness", "pyrit 1"), said("other", "harness", "pyrit"), setting("tools", ["pyrit"])]) == passed
	answer([setting("tools", [])]) == fails({"missing", "probe"})
}

test_fails_when_nothing_was_collected if {
	answer([said("run", "collected", false), said("other", "collected", false)]) == fails({"missing", "probe"})
}

test_fails_when_another_claim_says_so if {
	digest := attacked.digests.other
	answer([
		attacked.put(of("other", "claim"), "test.result"),
		attacked.put("/claims/test.result", {"all": [digest], "by_artifact": {"prompts": [digest]}}),
		attacked.remove("/claims/eval/all/1"),
		attacked.remove("/claims/eval/by_artifact/prompts"),
	]) == fails({"probe"})
}

old(at_s) := [attacked.put(of(name, "stated_at_s"), at_s) | some name in ["run", "other"]]

test_fails_when_runs_are_old if {
	answer(old(attacked.now_s - 2592000)) == passed
	answer(old(attacked.now_s - 2592001)) == fails({"stale", "probe"})
	answer(array.concat(old(attacked.now_s - 60), [setting("age_s", 60)])) == passed
	answer(array.concat(old(attacked.now_s - 61), [setting("age_s", 60)])) == fails({"stale", "probe"})
}

test_fails_when_runs_are_of_the_future if {
	answer(old(attacked.now_s)) == passed
	answer(old(attacked.now_s + 1)) == fails({"stale", "probe"})
}

test_fails_when_nobody_says_when if answer(old(null)) == fails({"stale", "probe"})

test_a_proved_time_counts_before_a_stated_one if {
	proved := {"source": "log", "at_s": attacked.now_s - 2592001}
	answer([
		attacked.put(of("run", "signed_at"), proved),
		attacked.put(of("other", "signed_at"), proved),
	]) == fails({"stale", "probe"})
}

test_one_fresh_run_is_enough_for_what_it_tried if {
	late := attacked.put(of("run", "stated_at_s"), 0)
	answer([late]) == fails({"probe"})
	answer([late, setting("probes", ["leak.Replay"])]) == passed
}

test_an_old_run_does_not_refuse if {
	answer([
		attacked.put(of("run", "stated_at_s"), 0),
		said("run", "result", "failed"),
		setting("probes", ["leak.Replay"]),
	]) == passed
}

test_fails_when_a_run_says_that_it_failed if {
	answer([said("other", "result", "failed")]) == fails({"failed", "probe"})
	"it: the run says itself that it failed" in whole([said("other", "result", "failed")]).messages
}

test_fails_when_samples_were_left_out if {
	every value in [99, null, "100"] {
		answer([said("run", "samples/evaluated", value)]) == fails({"incomplete", "probe"})
	}
	answer([said("run", "samples", null)]) == fails({"incomplete", "probe"})
	answer([attacked.remove(of("run", "facts/thresholds"))]) == fails({"incomplete", "probe"})
}

test_fails_with_too_few_samples if {
	answer([setting("samples", 100)]) == passed
	answer([setting("samples", 101)]) == fails({"incomplete", "probe"})
	answer([said("run", "samples", {"evaluated": 0, "expected": 0})]) == fails({"incomplete", "probe"})
	answer([said("run", "samples", {"evaluated": 10, "expected": 10})]) == passed
	answer([said("run", "samples", {"evaluated": 9, "expected": 9})]) == fails({"incomplete", "probe"})
	answer([said("run", "samples", {"evaluated": 0, "expected": 0}), setting("samples", 0)]) == fails({"incomplete", "probe"})
}

test_fails_below_the_limit if {
	answer([setting("minimum", 900001)]) == fails({"limit", "probe"})
	answer([attacked.remove("/parameters/eval.safety/minimum")]) == fails({"limit", "probe"})
	whole([setting("minimum", 900001)]).messages == {
		"dan.Dan/refusal: fewer attacks failed than asked for, or nobody knows (a share is from 0 to 1)",
		"dan.Dan: no sound red-team run has tried it",
	}
}

test_single_metrics_have_limits_of_their_own if {
	answer([setting("minimum", 950000), setting("at_least", {"dan.Dan/refusal": 900000})]) == passed
	answer([setting("at_least", {"dan.Dan/refusal": 900001})]) == fails({"limit", "probe"})
}

# Each metric has this value, and the policy names no minimum.
of_value(value) := answer(array.concat([attacked.remove("/parameters/eval.safety/minimum")], [change |
	some name, metrics in {"run": ["dan.Dan~1dan.DAN", "dan.Dan~1refusal"], "other": ["leak.Replay"]}
	some metric in metrics
	change := said(name, concat("/", ["metrics", metric]), attacked.share(value))
]))

test_every_attack_must_have_failed_by_default if {
	of_value(1000000) == passed
	of_value(999999) == fails({"limit", "probe"})
}

test_percent_are_no_share if {
	of_value(1000001) == fails({"limit", "probe"})
	of_value(55000000) == fails({"limit", "probe"})
}

test_says_what_is_left_out if {
	"it: samples were left out, or there are fewer than asked for" in whole([said("run", "samples", null)]).messages
}

test_names_the_runs if {
	doc := attacked.after([said("other", "result", "failed")])
	found := safety.violations with input as doc
	[attacked.digests.other] in {entry.evidence | some entry in found}
	late := attacked.after(old(0))
	stale := safety.violations with input as late
	sort([attacked.digests.run, attacked.digests.other]) in {entry.evidence | some entry in stale}
}

test_one_old_run_is_stale if {
	answer(array.concat(old(0), [said("other", "harness", "json")])) == fails({"stale", "probe"})
}

test_an_old_run_is_about_its_own_artifact if {
	more := object.union(attacked.good.artifacts.prompts, {"path": "more"})
	[_, found] := answer(array.concat(old(0), [attacked.put("/artifacts/more", more)]))
	["eval.safety.missing", "more"] in found
	not ["eval.safety.stale", "more"] in found
}

test_a_proved_time_is_enough if {
	proved := {"source": "log", "at_s": attacked.now_s - 60}
	answer(array.concat(old(null), [attacked.put(of(name, "signed_at"), proved) | some name in ["run", "other"]])) == passed
}

test_fails_when_nobody_says_which_harness_ran if {
	answer([said("run", "harness", null), said("other", "harness", 7)]) == fails({"missing", "probe"})
}

test_fails_when_more_is_not_better if {
	every value in ["lower", null] {
		answer([said("other", "metrics/leak.Replay/better", value)]) == fails({"limit", "probe"})
	}
	answer([attacked.remove(of("other", "facts/metrics/leak.Replay/better"))]) == fails({"limit", "probe"})
}

test_fails_when_nothing_was_measured if {
	answer([said("other", "metrics", {})]) == fails({"limit", "probe"})
	answer([said("other", "metrics", null)]) == fails({"incomplete", "limit", "probe"})
	answer([said("other", "metrics/leak.Replay/candidate", null)]) == fails({"limit", "probe"})
}

test_fails_when_a_probe_was_not_tried if {
	answer([setting("probes", ["dan.Dan", "leak.Replay", "xss.Markdown"])]) == fails({"probe"})
	answer([setting("probes", ["dan.Da"])]) == fails({"probe"})
	answer([setting("probes", ["dan.Dan/dan.DAN", "leak.Replay"])]) == passed
}

test_fails_when_the_policy_names_no_probe if {
	answer([setting("probes", [])]) == ["fail", {["eval.safety.undemanded", null]}]
	answer([attacked.remove("/parameters/eval.safety/probes")]) == ["fail", {["eval.safety.undemanded", null]}]
}

test_errors_when_malformed if {
	every path in ["/artifacts", "/attestations", "/claims", "/context/now_s", "/parameters"] {
		doc := attacked.after([attacked.put(path, null)])
		safety.status == "error" with input as doc
	}
	every name in ["kinds", "tools", "probes", "minimum", "at_least", "samples", "age_s"] {
		answer([setting(name, null)])[0] == "error"
	}
	answer([setting("at_least", {"a": "b"})])[0] == "error"
}
