package gate.tests.route.attested_test

import data.gate.application
import data.gate.controls.route.attested
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
		application.good.attestations[application.digests.route],
		{"facts": object.union({"result": null, "decision": null}, facts)},
	)),
	fixtures.put("/claims/route", {"all": both, "by_artifact": {"routes": both}}),
]

both := [application.digests.route, application.digests.other]

test_passes_when_a_collected_statement_covers_it if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {application.digests.route}, "reason": null, "violations": set()}
}

test_fails_when_nothing_covers_it if {
	answer(application.uncover("route")) == ["fail", {["route.attested.missing", "routes", null]}]
}

test_fails_when_a_statement_of_another_claim_covers_it if {
	answer([
		fixtures.put("/artifacts/routes/kind", "plugin"),
		fixtures.put("/artifacts/levels/kind", "route"),
	]) == ["fail", {["route.attested.missing", "levels", null]}]
}

test_fails_when_it_says_failed if {
	answer([application.put("route", "facts/result", "failed")]) == ["fail", {["route.attested.failed", "routes", null]}]
}

test_fails_when_it_says_rejected if {
	answer([application.put("route", "facts/decision", "rejected")]) == ["fail", {["route.attested.failed", "routes", null]}]
}

test_fails_when_nothing_was_collected if {
	answer([application.put("route", "facts/collected", false)]) == ["fail", {["route.attested.uncollected", "routes", null]}]
}

test_fails_when_collected_is_not_exactly_true if {
	answer([application.put("route", "facts/collected", "true")]) == ["fail", {["route.attested.uncollected", "routes", null]}]
}

test_fails_when_it_does_not_say_whether_it_was_collected if {
	answer([application.remove("route", "facts/collected")]) == ["fail", {["route.attested.uncollected", "routes", null]}]
}

test_fails_with_a_message if {
	whole([application.put("route", "facts/collected", false)]).violations == {{
		"artifact": "routes",
		"code": "route.attested.uncollected",
		"evidence": [application.digests.route],
		"file": null,
		"message": "what covers it is its signer's word; nothing was collected",
	}}
}

test_fails_when_budget_policy_is_empty if {
	answer([application.put("route", "facts/roles/budget_policy", [])]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_budget_policy_is_absent if {
	answer([application.remove("route", "facts/roles/budget_policy")]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_fallback_graph_is_empty if {
	answer([application.put("route", "facts/roles/fallback_graph", [])]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_fallback_graph_is_absent if {
	answer([application.remove("route", "facts/roles/fallback_graph")]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_route_config_is_empty if {
	answer([application.put("route", "facts/roles/route_config", [])]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_route_config_is_absent if {
	answer([application.remove("route", "facts/roles/route_config")]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_there_are_no_roles if {
	answer([application.put("route", "facts/roles", {})]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_there_is_no_provider if {
	answer([application.put("route", "facts/providers", [])]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_providers_are_absent if {
	answer([application.remove("route", "facts/providers")]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_providers_are_an_object if {
	answer([application.put("route", "facts/providers", {"a": {"provider": "a", "model": "b"}})]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_a_provider_is_unnamed if {
	answer([application.put("route", "facts/providers/0/provider", "")]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_a_model_is_unnamed if {
	answer([application.put("route", "facts/providers/0/model", null)]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_fails_when_one_of_two_providers_is_unnamed if {
	answer([application.put("route", "facts/providers/1", {"provider": "", "model": "a"})]) == ["fail", {["route.attested.incomplete", "routes", null]}]
}

test_passes_when_there_are_two_providers if {
	answer([application.put("route", "facts/providers/1", {"provider": "b", "model": "c"})]) == ["pass", set()]
}

test_fails_when_one_of_two_says_no if {
	answer(two({"result": "failed"})) == ["fail", {["route.attested.failed", "routes", null]}]
}

test_passes_when_a_plain_one_is_beside_it if {
	answer(two({})) == ["pass", set()]
}

test_passes_when_an_incomplete_one_is_beside_it if {
	answer(two({"collected": true})) == ["pass", set()]
}

test_is_not_applicable_without_one if {
	answer([fixtures.remove("/artifacts/routes")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.remove("/artifacts/routes")]).reason == "no route asks for admission"
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
