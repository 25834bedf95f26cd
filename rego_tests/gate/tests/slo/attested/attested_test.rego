package gate.tests.slo.attested_test

import data.gate.application
import data.gate.controls.slo.attested
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := application.after(patches)
	status := attested.status with input as doc
	found := attested.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := application.after(patches)
	evidence := attested.evidence with input as doc
	reason := attested.reason with input as doc
	found := attested.violations with input as doc
}

# Patches that add another statement about the same artifact.
two(facts) := [
	fixtures.put(concat("/", ["/attestations", application.digests.other]), object.union(
		application.good.attestations[application.digests.slo],
		{"facts": object.union({"result": null, "decision": null}, facts)},
	)),
	fixtures.put("/claims/slo", {"all": both, "by_artifact": {"levels": both}}),
]

both := [application.digests.slo, application.digests.other]

test_passes_when_a_collected_statement_covers_it if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {application.digests.slo}, "reason": null, "violations": set()}
}

test_fails_when_nothing_covers_it if {
	answer(application.uncover("slo")) == ["fail", {["slo.attested.missing", "levels", null]}]
}

test_fails_when_a_statement_of_another_claim_covers_it if {
	answer([
		fixtures.put("/artifacts/levels/kind", "plugin"),
		fixtures.put("/artifacts/routes/kind", "slo"),
	]) == ["fail", {["slo.attested.missing", "routes", null]}]
}

test_fails_when_it_says_failed if {
	answer([application.put("slo", "facts/result", "failed")]) == ["fail", {["slo.attested.failed", "levels", null]}]
}

test_fails_when_it_says_rejected if {
	answer([application.put("slo", "facts/decision", "rejected")]) == ["fail", {["slo.attested.failed", "levels", null]}]
}

test_fails_when_nothing_was_collected if {
	answer([application.put("slo", "facts/collected", false)]) == ["fail", {["slo.attested.uncollected", "levels", null]}]
}

test_fails_when_collected_is_not_exactly_true if {
	answer([application.put("slo", "facts/collected", "true")]) == ["fail", {["slo.attested.uncollected", "levels", null]}]
}

test_fails_when_it_does_not_say_whether_it_was_collected if {
	answer([application.remove("slo", "facts/collected")]) == ["fail", {["slo.attested.uncollected", "levels", null]}]
}

test_fails_with_a_message if {
	whole([application.put("slo", "facts/collected", false)]).violations == {{
		"artifact": "levels",
		"code": "slo.attested.uncollected",
		"evidence": [application.digests.slo],
		"file": null,
		"message": "what covers it is its signer's word; nothing was collected",
	}}
}

test_passes_when_there_are_no_roles if {
	answer([application.put("slo", "facts/roles", {})]) == ["pass", set()]
}

test_fails_when_cost_per_1k_tokens_cap_usd_is_text if {
	answer([application.put("slo", "facts/objectives/cost_per_1k_tokens_cap_usd", "1")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_cost_per_1k_tokens_cap_usd_is_absent if {
	answer([application.remove("slo", "facts/objectives/cost_per_1k_tokens_cap_usd")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_error_budget_remaining_is_text if {
	answer([application.put("slo", "facts/objectives/error_budget_remaining", "1")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_error_budget_remaining_is_absent if {
	answer([application.remove("slo", "facts/objectives/error_budget_remaining")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_error_rate_cap_is_text if {
	answer([application.put("slo", "facts/objectives/error_rate_cap", "1")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_error_rate_cap_is_absent if {
	answer([application.remove("slo", "facts/objectives/error_rate_cap")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_tokens_per_sec_p50_is_text if {
	answer([application.put("slo", "facts/objectives/tokens_per_sec_p50", "1")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_tokens_per_sec_p50_is_absent if {
	answer([application.remove("slo", "facts/objectives/tokens_per_sec_p50")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_ttft_ms_p50_is_text if {
	answer([application.put("slo", "facts/objectives/ttft_ms_p50", "1")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_ttft_ms_p50_is_absent if {
	answer([application.remove("slo", "facts/objectives/ttft_ms_p50")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_ttft_ms_p95_is_text if {
	answer([application.put("slo", "facts/objectives/ttft_ms_p95", "1")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_ttft_ms_p95_is_absent if {
	answer([application.remove("slo", "facts/objectives/ttft_ms_p95")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_window_is_empty if {
	answer([application.put("slo", "facts/window/end_s", 1793491200)]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_window_ends_before_it_starts if {
	answer([application.put("slo", "facts/window/end_s", 1793491199)]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_start_is_text if {
	answer([application.put("slo", "facts/window/start_s", "a")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_start_is_null if {
	answer([application.put("slo", "facts/window/start_s", null)]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_end_is_text if {
	answer([application.put("slo", "facts/window/end_s", "a")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_there_is_no_window if {
	answer([application.remove("slo", "facts/window")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_objectives_are_a_list if {
	answer([application.put("slo", "facts/objectives", [])]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_there_are_no_objectives if {
	answer([application.remove("slo", "facts/objectives")]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_median_is_above_the_tail if {
	answer([application.put("slo", "facts/objectives/ttft_ms_p50", 300000001)]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_error_rate_is_negative if {
	answer([application.put("slo", "facts/objectives/error_rate_cap", -1)]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_fails_when_the_error_rate_is_above_one if {
	answer([application.put("slo", "facts/objectives/error_rate_cap", 1000001)]) == ["fail", {["slo.attested.incomplete", "levels", null]}]
}

test_passes_when_median_and_tail_are_equal if {
	answer([application.put("slo", "facts/objectives/ttft_ms_p50", 300000000)]) == ["pass", set()]
}

test_passes_when_no_error_is_allowed if {
	answer([application.put("slo", "facts/objectives/error_rate_cap", 0)]) == ["pass", set()]
}

test_passes_when_every_error_is_allowed if {
	answer([application.put("slo", "facts/objectives/error_rate_cap", 1000000)]) == ["pass", set()]
}

test_passes_when_the_error_budget_is_overspent if {
	answer([application.put("slo", "facts/objectives/error_budget_remaining", -1)]) == ["pass", set()]
}

test_passes_when_the_window_is_a_second if {
	answer([application.put("slo", "facts/window/end_s", 1793491201)]) == ["pass", set()]
}

test_fails_when_one_of_two_says_no if {
	answer(two({"result": "failed"})) == ["fail", {["slo.attested.failed", "levels", null]}]
}

test_passes_when_a_plain_one_is_beside_it if {
	answer(two({})) == ["pass", set()]
}

test_passes_when_an_incomplete_one_is_beside_it if {
	answer(two({"collected": true})) == ["pass", set()]
}

test_is_not_applicable_without_one if {
	answer([fixtures.remove("/artifacts/levels")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.remove("/artifacts/levels")]).reason == "no service level asks for admission"
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})]) == ["error", set()]
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")]) == ["error", set()]
}

test_errors_when_there_are_no_statements if {
	answer([fixtures.remove("/attestations"), fixtures.put("/claims", {})]) == ["error", set()]
}

test_fails_when_a_compared_objective_is_no_whole_number if {
	incomplete := ["fail", {["slo.attested.incomplete", "levels", null]}]
	answer([application.put("slo", "facts/objectives/error_rate_cap", 0.5)]) == incomplete
	answer([application.put("slo", "facts/objectives/ttft_ms_p50", 0.5)]) == incomplete
}
