package gate.tests.prompt.attested_test

import data.gate.application
import data.gate.controls.prompt.attested
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
		application.good.attestations[application.digests.prompt],
		{"facts": object.union({"result": null, "decision": null}, facts)},
	)),
	fixtures.put("/claims/prompt", {"all": both, "by_artifact": {"prompts": both}}),
]

both := [application.digests.prompt, application.digests.other]

test_passes_when_a_collected_statement_covers_it if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {application.digests.prompt}, "reason": null, "violations": set()}
}

test_fails_when_nothing_covers_it if {
	answer(application.uncover("prompt")) == ["fail", {["prompt.attested.missing", "prompts", null]}]
}

test_fails_when_a_statement_of_another_claim_covers_it if {
	answer([
		fixtures.put("/artifacts/prompts/kind", "plugin"),
		fixtures.put("/artifacts/documents/kind", "prompt"),
	]) == ["fail", {["prompt.attested.missing", "documents", null]}]
}

test_fails_when_it_says_failed if {
	answer([application.put("prompt", "facts/result", "failed")]) == ["fail", {["prompt.attested.failed", "prompts", null]}]
}

test_fails_when_it_says_rejected if {
	answer([application.put("prompt", "facts/decision", "rejected")]) == ["fail", {["prompt.attested.failed", "prompts", null]}]
}

test_fails_when_nothing_was_collected if {
	answer([application.put("prompt", "facts/collected", false)]) == ["fail", {["prompt.attested.uncollected", "prompts", null]}]
}

test_fails_when_collected_is_not_exactly_true if {
	answer([application.put("prompt", "facts/collected", "true")]) == ["fail", {["prompt.attested.uncollected", "prompts", null]}]
}

test_fails_when_it_does_not_say_whether_it_was_collected if {
	answer([application.remove("prompt", "facts/collected")]) == ["fail", {["prompt.attested.uncollected", "prompts", null]}]
}

test_fails_with_a_message if {
	whole([application.put("prompt", "facts/collected", false)]).violations == {{
		"artifact": "prompts",
		"code": "prompt.attested.uncollected",
		"evidence": [application.digests.prompt],
		"file": null,
		"message": "what covers it is its signer's word; nothing was collected",
	}}
}

test_fails_when_safety_policy_is_empty if {
	answer([application.put("prompt", "facts/roles/safety_policy", [])]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_safety_policy_is_absent if {
	answer([application.remove("prompt", "facts/roles/safety_policy")]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_system_prompt_is_empty if {
	answer([application.put("prompt", "facts/roles/system_prompt", [])]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_system_prompt_is_absent if {
	answer([application.remove("prompt", "facts/roles/system_prompt")]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_there_are_no_roles if {
	answer([application.put("prompt", "facts/roles", {})]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_roles_are_a_list if {
	answer([application.put("prompt", "facts/roles", [["a"]])]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_a_path_is_empty if {
	answer([application.put("prompt", "facts/roles/system_prompt", [""])]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_paths_are_a_text if {
	answer([application.put("prompt", "facts/roles/system_prompt", "app/system.txt")]) == ["fail", {["prompt.attested.incomplete", "prompts", null]}]
}

test_fails_when_one_of_two_says_no if {
	answer(two({"result": "failed"})) == ["fail", {["prompt.attested.failed", "prompts", null]}]
}

test_passes_when_a_plain_one_is_beside_it if {
	answer(two({})) == ["pass", set()]
}

test_passes_when_an_incomplete_one_is_beside_it if {
	answer(two({"collected": true})) == ["pass", set()]
}

test_is_not_applicable_without_one if {
	answer([fixtures.remove("/artifacts/prompts")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.remove("/artifacts/prompts")]).reason == "no prompt asks for admission"
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
