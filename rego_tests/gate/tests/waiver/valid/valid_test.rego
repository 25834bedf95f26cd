package gate.tests.waiver.valid_test

import data.gate.controls.waiver.valid
import data.gate.fixtures
import data.gate.tuned
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := tuned.after(patches)
	status := valid.status with input as doc
	found := valid.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := tuned.after(patches)
	evidence := valid.evidence with input as doc
	reason := valid.reason with input as doc
	found := valid.violations with input as doc
}

test_passes_when_it_is_in_force if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_basis if {
	whole([]) == {"evidence": set(), "reason": "waivers in force: 1", "violations": set()}
}

test_passes_when_it_is_about_to_run_out if {
	answer([fixtures.put("/waivers/W-1/state", "expiring")]) == ["pass", set()]
}

test_passes_when_it_ends_in_a_second if {
	answer([fixtures.put("/waivers/W-1/expires_s", 1795176001)]) == ["pass", set()]
}

test_fails_when_it_ended_now if {
	answer([fixtures.put("/waivers/W-1/expires_s", 1795176000)]) == ["fail", {["waiver.valid.expired", null, null]}]
}

test_fails_when_it_has_run_out if {
	answer([fixtures.put("/waivers/W-1/state", "expired")]) == ["fail", {["waiver.valid.expired", null, null]}]
}

test_fails_when_it_does_not_hold_yet if {
	answer([fixtures.put("/waivers/W-1/state", "pending")]) == ["fail", {["waiver.valid.pending", null, null]}]
}

test_fails_when_it_was_not_made_well if {
	answer([fixtures.put("/waivers/W-1/state", "invalid")]) == ["fail", {["waiver.valid.invalid", null, null]}]
}

test_fails_when_it_is_for_a_file if {
	answer([fixtures.put("/waivers/W-2/artifact", tuned.artifacts.base.files["config.json"].digest)]) == ["fail", {["waiver.valid.expired", null, null]}]
}

test_fails_when_it_is_for_a_changed_file if {
	answer(array.concat([fixtures.put("/change/files", {"a.txt": {"status": "added", "old": null, "new": {"mode": "100644", "digest": tuned.digests.other}, "role": null, "gates": [], "covered_by": {}}})], [fixtures.put("/waivers/W-2/artifact", tuned.digests.other)])) == ["fail", {["waiver.valid.expired", null, null]}]
}

test_passes_when_it_is_for_a_file_as_it_was if {
	answer(array.concat([fixtures.put("/change/files", {"a.txt": {"status": "deleted", "new": null, "old": {"mode": "100644", "digest": tuned.digests.other}, "role": null, "gates": [], "covered_by": {}}})], [fixtures.put("/waivers/W-2/artifact", tuned.digests.other)])) == ["pass", set()]
}

test_passes_when_things_here_have_no_digest if {
	answer([fixtures.put("/artifacts/rows/digest", null), fixtures.put("/change/files", {"a.txt": {"status": "added", "old": null, "new": {"mode": "160000", "digest": null}, "role": null, "gates": [], "covered_by": {}}})]) == ["pass", set()]
}

test_fails_with_a_message if {
	whole([fixtures.put("/waivers/W-1/state", "pending")]) == {
		"evidence": set(),
		"reason": "no waiver is for anything here",
		"violations": {{
			"artifact": null,
			"code": "waiver.valid.pending",
			"evidence": [],
			"file": null,
			"message": "waiver W-1 for scan.malware does not hold yet",
		}},
	}
}

test_is_not_applicable_when_it_is_for_something_else if {
	answer([fixtures.remove("/waivers/W-1")]) == ["not_applicable", set()]
}

test_is_not_applicable_without_waivers if {
	answer([fixtures.put("/waivers", {})]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/waivers", {})]).reason == "no waiver is for anything here"
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_errors_when_there_is_no_change if {
	answer([fixtures.remove("/change")])[0] == "error"
}

test_errors_when_there_is_no_time if {
	answer([fixtures.remove("/context/now_s")])[0] == "error"
}

test_errors_when_there_are_no_waivers_at_all if {
	answer([fixtures.remove("/waivers")])[0] == "error"
}

test_errors_when_a_state_is_unknown if {
	answer([fixtures.put("/waivers/W-1/state", "x")])[0] == "error"
}
