package gate.tests.privacy.plaintext_test

import data.gate.application
import data.gate.controls.privacy.plaintext
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := application.after(patches)
	status := plaintext.status with input as doc
	found := plaintext.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := application.after(patches)
	evidence := plaintext.evidence with input as doc
	reason := plaintext.reason with input as doc
	found := plaintext.violations with input as doc
}

# Patches that add a statement of another claim.
silent(claim, facts) := [
	fixtures.put(concat("/", ["/attestations", application.digests.other]), object.union(
		object.remove(application.good.attestations[application.digests.prompt], ["facts"]),
		{"claim": claim, "artifacts": [], "facts": facts},
	)),
	fixtures.put(concat("/", ["/claims", claim]), {"all": [application.digests.other], "by_artifact": {}}),
]

approved := silent("approval", {"privacy": {"mode": "hash_only", "payloads": []}})

test_passes_when_only_digests_are_held if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": object.keys(application.good.attestations), "reason": null, "violations": set()}
}

test_passes_when_a_payload_is_encrypted if {
	answer([application.put("prompt", "facts/privacy", {"mode": "encrypted_payload", "payloads": ["app/system.txt"]})]) == ["pass", set()]
}

test_passes_when_the_path_is_allowed if {
	answer(array.concat([application.put("prompt", "facts/privacy", {"mode": "plaintext_explicit", "payloads": ["app/system.txt"]})], [fixtures.put("/parameters/privacy.plaintext/allow", ["app/system.txt"])])) == ["pass", set()]
}

test_fails_when_plaintext_is_held if {
	answer([application.put("prompt", "facts/privacy", {"mode": "plaintext_explicit", "payloads": ["app/system.txt"]})]) == ["fail", {["privacy.plaintext.embedded", null, "app/system.txt"]}]
}

test_fails_when_nothing_is_set if {
	answer(array.concat([application.put("prompt", "facts/privacy", {"mode": "plaintext_explicit", "payloads": ["app/system.txt"]})], [fixtures.remove("/parameters/privacy.plaintext")])) == ["fail", {["privacy.plaintext.embedded", null, "app/system.txt"]}]
}

test_fails_when_one_of_two_paths_is_not_allowed if {
	answer(array.concat([application.put("prompt", "facts/privacy", {"mode": "plaintext_explicit", "payloads": ["a", "b"]})], [fixtures.put("/parameters/privacy.plaintext/allow", ["a"])])) == ["fail", {["privacy.plaintext.embedded", null, "b"]}]
}

test_fails_when_only_digests_are_said_to_be_held if {
	answer([application.put("prompt", "facts/privacy", {"mode": "hash_only", "payloads": ["app/system.txt"]})]) == ["fail", {["privacy.plaintext.embedded", null, "app/system.txt"]}]
}

test_fails_when_another_claim_holds_plaintext if {
	answer(array.concat(approved, [fixtures.put(concat("/", ["/attestations", application.digests.other, "facts/privacy"]), {"mode": "plaintext_explicit", "payloads": ["a"]})])) == ["fail", {["privacy.plaintext.embedded", null, "a"]}]
}

test_passes_when_another_claim_holds_nothing if {
	answer(approved) == ["pass", set()]
}

test_fails_with_a_message if {
	whole([application.put("prompt", "facts/privacy", {"mode": "plaintext_explicit", "payloads": ["app/system.txt"]})]).violations == {{
		"artifact": null,
		"code": "privacy.plaintext.embedded",
		"evidence": [application.digests.prompt],
		"file": "app/system.txt",
		"message": "the prompt statement holds its content in plaintext",
	}}
}

test_is_not_applicable_without_such_statements if {
	answer([fixtures.put("/attestations", {}), fixtures.put("/claims", {})]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/attestations", {}), fixtures.put("/claims", {})]) == {
		"evidence": set(),
		"reason": "no verified statement is of a kind that could hold content",
		"violations": set(),
	}
}

test_fails_when_the_mode_is_unknown if {
	answer([application.put("prompt", "facts/privacy", {"mode": "x", "payloads": []})]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_payloads_are_no_list if {
	answer([application.put("prompt", "facts/privacy", {"mode": "hash_only", "payloads": {}})]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_encrypted_payloads_are_no_list if {
	answer([application.put("prompt", "facts/privacy", {"mode": "encrypted_payload", "payloads": null})]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_errors_when_allowed_paths_are_no_list if {
	answer([fixtures.put("/parameters/privacy.plaintext/allow", "a")]) == ["error", set()]
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})]) == ["error", set()]
}

test_fails_when_prompt_does_not_say_how_it_keeps_content if {
	answer([application.remove("prompt", "facts/privacy")]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_corpus_does_not_say_how_it_keeps_content if {
	answer([application.remove("corpus", "facts/privacy")]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_eval_does_not_say_how_it_keeps_content if {
	answer([application.remove("eval", "facts/privacy")]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_route_does_not_say_how_it_keeps_content if {
	answer([application.remove("route", "facts/privacy")]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_slo_does_not_say_how_it_keeps_content if {
	answer([application.remove("slo", "facts/privacy")]) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_approval_does_not_say_how_it_keeps_content if {
	answer(silent("approval", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_composition_does_not_say_how_it_keeps_content if {
	answer(silent("composition", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_dataset_does_not_say_how_it_keeps_content if {
	answer(silent("dataset", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_model_card_does_not_say_how_it_keeps_content if {
	answer(silent("model.card", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_plugin_does_not_say_how_it_keeps_content if {
	answer(silent("plugin", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_review_does_not_say_how_it_keeps_content if {
	answer(silent("review", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_training_provenance_does_not_say_how_it_keeps_content if {
	answer(silent("training.provenance", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_fails_when_waiver_does_not_say_how_it_keeps_content if {
	answer(silent("waiver", {})) == ["fail", {["privacy.plaintext.unstated", null, null]}]
}

test_passes_when_a_claim_that_holds_nothing_is_silent if {
	answer(silent("artifact.signature", {})) == ["pass", set()]
}

test_fails_when_any_claim_holds_plaintext if {
	answer(silent("scan.report", {"privacy": {"mode": "plaintext_explicit", "payloads": ["a"]}})) == ["fail", {["privacy.plaintext.embedded", null, "a"]}]
}

test_errors_when_an_allowed_path_is_no_text if {
	answer([fixtures.put("/parameters/privacy.plaintext/allow", ["a", 1])])[0] == "error"
}

test_fails_with_the_statement_that_is_silent if {
	whole([application.remove("prompt", "facts/privacy")]).violations == {{
		"artifact": null,
		"code": "privacy.plaintext.unstated",
		"evidence": [application.digests.prompt],
		"file": null,
		"message": "the prompt statement does not say how it keeps content",
	}}
}
