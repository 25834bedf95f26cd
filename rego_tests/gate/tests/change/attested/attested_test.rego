package gate.tests.change.attested_test

import data.gate.controls.change.attested
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := attested.status with input as doc
	found := attested.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := attested.evidence with input as doc
	reason := attested.reason with input as doc
	found := attested.violations with input as doc
}

# Patches by which the gate asks for one more claim, and a statement of it with these facts covers the file.
asked(claim, facts) := array.concat(fixtures.said("other", claim, facts), [
	fixtures.put("/gates/G001/required_attestations", ["artifact.signature", "build.*", claim]),
	fixtures.put(concat("/", ["/change/files/weights.bin/covered_by", claim]), [fixtures.digests.other]),
])

# The same with two statements, of which the second has other facts.
asked_twice(claim, facts, others) := array.concat(
	array.concat(fixtures.said("rows", claim, others), asked(claim, facts)),
	[
		fixtures.put(
			concat("/", ["/claims", claim, "all"]),
			[fixtures.digests.other, fixtures.digests.rows],
		),
		fixtures.put(
			concat("/", ["/change/files/weights.bin/covered_by", claim]),
			[fixtures.digests.other, fixtures.digests.rows],
		),
	],
)

failed := ["fail", {["change.attested.failed", null, "weights.bin"]}]

conflict := ["fail", {["change.attested.conflict", null, "weights.bin"]}]

test_passes_when_the_tests_passed if {
	answer(asked("test.result", {"result": "passed"})) == ["pass", set()]
	answer(asked_twice("test.result", {"result": "passed"}, {"result": "passed"})) == ["pass", set()]
}

test_fails_when_the_tests_failed if {
	answer(asked("test.result", {"result": "failed"})) == failed
	answer(asked_twice("test.result", {"result": "failed"}, {"result": "failed"})) == failed
}

test_fails_when_one_run_passed_and_one_failed if {
	answer(asked_twice("test.result", {"result": "failed"}, {"result": "passed"})) == conflict
	answer(asked_twice("eval", {"result": "failed"}, {})) == conflict
	answer(asked_twice("review", {"decision": "approved"}, {"decision": "rejected"})) == conflict
}

test_passes_when_a_statement_of_another_claim_failed if {
	answer([fixtures.put(fixtures.statement("approval", "facts/result"), "failed")]) == ["pass", set()]
}

test_fails_with_a_message_about_a_failure if {
	whole(asked("test.result", {"result": "failed"})) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.prov},
		"reason": null,
		"violations": {{
			"artifact": null,
			"code": "change.attested.failed",
			"evidence": [fixtures.digests.other],
			"file": "weights.bin",
			"message": "gate G001 requires test.result, and what covers it says no",
		}},
	}
}

test_fails_with_a_message_about_a_conflict if {
	whole(asked_twice("test.result", {"result": "failed"}, {"result": "passed"})) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.prov, fixtures.digests.rows},
		"reason": null,
		"violations": {{
			"artifact": null,
			"code": "change.attested.conflict",
			"evidence": [fixtures.digests.other],
			"file": "weights.bin",
			"message": "gate G001 requires test.result, and the statements that cover it disagree",
		}},
	}
}

test_passes_when_all_is_covered if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.prov},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_a_dirty_folder_has_no_base if {
	answer([
		fixtures.put("/change/status", "everything"),
		fixtures.put("/change/dirty", true),
	]) == ["pass", set()]
}

test_fails_when_a_claim_is_not_covered if {
	answer([
		fixtures.put("/change/files/weights.bin/covered_by/artifact.signature", []),
	]) == ["fail", {["change.attested.missing", null, "weights.bin"]}]
}

test_fails_when_a_claim_is_not_listed if {
	answer([
		fixtures.remove("/change/files/weights.bin/covered_by/artifact.signature"),
	]) == ["fail", {["change.attested.missing", null, "weights.bin"]}]
}

test_fails_when_the_statement_makes_another_claim if {
	answer([
		fixtures.put("/change/files/weights.bin/covered_by/artifact.signature", [fixtures.digests.prov]),
	]) == ["fail", {["change.attested.missing", null, "weights.bin"]}]
}

test_fails_when_a_pattern_does_not_match if {
	answer([
		fixtures.put("/change/files/weights.bin/covered_by/build.*", [fixtures.digests.sig1]),
	]) == ["fail", {["change.attested.missing", null, "weights.bin"]}]
}

test_fails_when_the_pattern_has_no_dot if {
	answer([
		fixtures.put("/gates/G001/required_attestations", ["artifact.signature", "build*"]),
		fixtures.put("/change/files/weights.bin/covered_by/build*", [fixtures.digests.prov]),
	]) == ["fail", {["change.attested.missing", null, "weights.bin"]}]
}

test_fails_when_the_statement_is_not_verified if {
	answer([
		fixtures.put("/change/files/weights.bin/covered_by/artifact.signature", [fixtures.digests.rejected]),
	]) == ["fail", {["change.attested.missing", null, "weights.bin"]}]
}

test_fails_with_a_message if {
	whole([fixtures.put("/change/files/weights.bin/covered_by/build.*", [])]) == {
		"evidence": {fixtures.digests.sig1},
		"reason": null,
		"violations": {{
			"artifact": null,
			"code": "change.attested.missing",
			"evidence": [],
			"file": "weights.bin",
			"message": "gate G001 requires a verified statement of build.* that covers it",
		}},
	}
}

test_fails_when_a_gate_requires_nothing if {
	answer([fixtures.put("/gates/G001/required_attestations", [])]) == ["fail", {["change.attested.vacuous", null, "weights.bin"]}]
}

test_fails_when_one_of_two_gates_requires_nothing if {
	answer([
		fixtures.put("/gates/G2", {"files": ["weights.bin"], "required_attestations": []}),
		fixtures.put("/change/files/weights.bin/gates", ["G001", "G2"]),
	]) == ["fail", {["change.attested.vacuous", null, "weights.bin"]}]
}

test_fails_when_the_tree_is_dirty if {
	answer([fixtures.put("/change/dirty", true)]) == ["fail", {["change.attested.dirty", null, null]}]
}

test_fails_when_nothing_changed if {
	answer([fixtures.put("/change/files", {}), fixtures.put("/gates", {})]) == ["fail", {["change.attested.empty_diff", null, null]}]
}

test_fails_when_no_gate_finds_a_file if {
	answer([
		fixtures.put("/change/status", "everything"),
		fixtures.put("/change/files", {}),
		fixtures.put("/gates/G001/files", []),
	]) == ["fail", {["change.attested.empty_diff", null, null]}]
}

test_is_not_applicable_when_no_gate_has_to_find_a_file if {
	answer([
		fixtures.put("/change/status", "everything"),
		fixtures.put("/change/files", {}),
		fixtures.put("/gates/G001/files", []),
		fixtures.put("/parameters/change.attested/on_empty_diff", "allow"),
	]) == ["not_applicable", set()]
}

test_is_not_applicable_when_nothing_may_change if {
	answer([
		fixtures.put("/change/files", {}),
		fixtures.put("/gates", {}),
		fixtures.put("/parameters/change.attested/on_empty_diff", "allow"),
	]) == ["not_applicable", set()]
}

test_is_not_applicable_when_nothing_is_below_a_gate if {
	answer([
		fixtures.put("/change/status", "everything"),
		fixtures.put("/change/files", {}),
		fixtures.put("/gates", {}),
	]) == ["not_applicable", set()]
}

test_is_not_applicable_when_no_gate_is_triggered if {
	answer([
		fixtures.remove("/change/files/weights.bin"),
		fixtures.put("/gates", {}),
	]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([
		fixtures.remove("/change/files/weights.bin"),
		fixtures.put("/gates", {}),
	]) == {
		"evidence": set(),
		"reason": "no changed file is under a gate",
		"violations": set(),
	}
}

test_errors_when_there_is_no_change_at_all if {
	answer([fixtures.remove("/change")])[0] == "error"
}

test_errors_when_a_gate_is_unknown if {
	answer([fixtures.put("/gates", {})])[0] == "error"
}

test_errors_when_a_gate_names_another_file if {
	answer([fixtures.put("/gates/G001/files", ["weights.bin", "other"])])[0] == "error"
}

test_errors_when_a_file_does_not_name_its_gate if {
	answer([fixtures.put("/change/files/weights.bin/gates", [])])[0] == "error"
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put(fixtures.statement("sig1", "artifacts"), [])])[0] == "error"
}

test_errors_when_parameters_are_no_object if {
	answer([fixtures.put("/parameters/change.attested", [])])[0] == "error"
}

test_errors_when_there_are_no_gates_at_all if {
	answer([
		fixtures.remove("/gates"),
		fixtures.remove("/change/files/weights.bin"),
	])[0] == "error"
}
