package gate.tests.change.policy_unchanged_test

import data.gate.controls.change.policy_unchanged
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := policy_unchanged.status with input as doc
	found := policy_unchanged.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := policy_unchanged.evidence with input as doc
	reason := policy_unchanged.reason with input as doc
	found := policy_unchanged.violations with input as doc
}

# Patches by which a second statement, which decides so, covers the configuration.
with_another(decision) := array.concat(fixtures.said("other", "approval", {"decision": decision}), [
	fixtures.put("/claims/approval/all", [fixtures.digests.approval, fixtures.digests.other]),
	fixtures.put("/change/files/gate.yaml/covered_by/approval", [fixtures.digests.approval, fixtures.digests.other]),
])

test_passes_when_the_change_is_approved if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.approval},
		"reason": "changed files that steer the gate, all approved: 1",
		"violations": set(),
	}
}

test_passes_when_nothing_steers_the_gate if {
	answer([fixtures.remove("/change/files/gate.yaml")]) == ["pass", set()]
}

test_passes_with_one if {
	whole([
		fixtures.remove("/change/files/gate.yaml"),
		fixtures.remove("/change/files/weights.bin"),
		fixtures.put("/gates", {}),
	]) == {
		"evidence": set(),
		"reason": "changed files: 1, none of them steers the gate",
		"violations": set(),
	}
}

test_passes_with_a_reason if {
	whole([fixtures.remove("/change/files/gate.yaml")]) == {
		"evidence": set(),
		"reason": "changed files: 2, none of them steers the gate",
		"violations": set(),
	}
}

test_fails_when_there_is_no_approval if {
	answer([fixtures.put("/change/files/gate.yaml/covered_by/approval", [])]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_fails_when_approval_is_not_listed if {
	answer([fixtures.put("/change/files/gate.yaml/covered_by", {})]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_fails_when_another_claim_covers_it if {
	answer([
		fixtures.put("/change/files/gate.yaml/covered_by/approval", [fixtures.digests.sig1]),
	]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_fails_when_the_approval_is_not_verified if {
	answer([
		fixtures.put("/change/files/gate.yaml/covered_by/approval", [fixtures.digests.rejected]),
	]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_passes_when_two_approve if {
	answer(with_another("approved")) == ["pass", set()]
}

test_fails_when_approval_is_refused if {
	answer([fixtures.put(fixtures.statement("approval", "facts/decision"), "rejected")]) == ["fail", {
		["change.policy_unchanged.rejected", null, "gate.yaml"],
	}]
}

test_fails_when_the_approval_says_nothing if {
	answer([fixtures.put(fixtures.statement("approval", "facts"), {})]) == ["fail", {
		["change.policy_unchanged.rejected", null, "gate.yaml"],
	}]
}

test_fails_when_one_approves_and_one_refuses if {
	answer(with_another("rejected")) == ["fail", {["change.policy_unchanged.conflict", null, "gate.yaml"]}]
}

test_fails_with_a_message_about_a_refusal if {
	whole([fixtures.put(fixtures.statement("approval", "facts/decision"), "rejected")]) == {
		"evidence": set(),
		"reason": "changed files that steer the gate, all approved: 0",
		"violations": {{
			"artifact": null,
			"code": "change.policy_unchanged.rejected",
			"evidence": [fixtures.digests.approval],
			"file": "gate.yaml",
			"message": "it steers the gate (configuration) and its approval was refused",
		}},
	}
}

test_fails_with_a_message_about_a_conflict if {
	whole(with_another("rejected")).violations == {{
		"artifact": null,
		"code": "change.policy_unchanged.conflict",
		"evidence": [fixtures.digests.other],
		"file": "gate.yaml",
		"message": "it steers the gate (configuration) and its approvals disagree",
	}}
}

test_fails_when_key_is_changed if {
	answer([
		fixtures.put("/change/files/gate.yaml/covered_by", {}),
		fixtures.put("/change/files/gate.yaml/role", "key"),
	]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_fails_when_waivers_is_changed if {
	answer([
		fixtures.put("/change/files/gate.yaml/covered_by", {}),
		fixtures.put("/change/files/gate.yaml/role", "waivers"),
	]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_fails_when_profile_is_changed if {
	answer([
		fixtures.put("/change/files/gate.yaml/covered_by", {}),
		fixtures.put("/change/files/gate.yaml/role", "profile"),
	]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_fails_when_trust_root_is_changed if {
	answer([
		fixtures.put("/change/files/gate.yaml/covered_by", {}),
		fixtures.put("/change/files/gate.yaml/role", "trust_root"),
	]) == ["fail", {["change.policy_unchanged.changed", null, "gate.yaml"]}]
}

test_fails_with_a_message if {
	whole([fixtures.put("/change/files/gate.yaml/covered_by", {})]) == {
		"evidence": set(),
		"reason": "changed files that steer the gate, all approved: 0",
		"violations": {{
			"artifact": null,
			"code": "change.policy_unchanged.changed",
			"evidence": [],
			"file": "gate.yaml",
			"message": "it steers the gate (configuration) and no verified approval covers it",
		}},
	}
}

test_is_not_applicable_without_a_base if {
	answer([fixtures.put("/change/status", "everything")]) == ["not_applicable", set()]
}

test_has_a_reason_without_a_base if {
	whole([fixtures.put("/change/status", "everything")]) == {
		"evidence": set(),
		"reason": "no base to compare with",
		"violations": set(),
	}
}

test_is_not_applicable_when_nothing_changed if {
	answer([fixtures.put("/change/files", {}), fixtures.put("/gates", {})]) == ["not_applicable", set()]
}

test_has_a_reason_when_nothing_changed if {
	whole([fixtures.put("/change/files", {}), fixtures.put("/gates", {})]) == {
		"evidence": set(),
		"reason": "no file is changed",
		"violations": set(),
	}
}

test_has_a_reason_when_there_is_neither if {
	whole([
		fixtures.put("/change/files", {}),
		fixtures.put("/gates", {}),
		fixtures.put("/change/status", "everything"),
	]) == {
		"evidence": set(),
		"reason": "no base to compare with",
		"violations": set(),
	}
}

test_errors_when_there_is_no_change_at_all if {
	answer([fixtures.remove("/change")])[0] == "error"
}

test_errors_when_a_role_is_unknown if {
	answer([fixtures.put("/change/files/gate.yaml/role", "x")])[0] == "error"
}

test_errors_when_a_role_is_absent if {
	answer([fixtures.remove("/change/files/gate.yaml/role")])[0] == "error"
}

test_errors_when_there_is_no_merge_base if {
	answer([fixtures.remove("/change/merge_base")])[0] == "error"
}

test_errors_when_there_is_no_head if {
	answer([fixtures.put("/change/head", null)])[0] == "error"
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put(fixtures.statement("sig1", "artifacts"), [])])[0] == "error"
}

test_errors_when_there_are_no_statements_at_all if {
	answer([fixtures.remove("/attestations"), fixtures.put("/claims", {})])[0] == "error"
}
