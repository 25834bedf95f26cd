package gate.tests.evidence.accepted_test

import data.gate.controls.evidence.accepted
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := accepted.status with input as doc
	found := accepted.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := accepted.evidence with input as doc
	reason := accepted.reason with input as doc
	found := accepted.violations with input as doc
}

test_passes_when_the_rejected_concerns_others if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.sig2, fixtures.digests.prov, fixtures.digests.approval},
		"reason": "rejected items about nothing at stake: 1",
		"violations": set(),
	}
}

test_passes_when_nothing_is_rejected if {
	answer([fixtures.put("/rejected", {})]) == ["pass", set()]
}

test_passes_without_a_reason if {
	whole([fixtures.put("/rejected", {})]) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.sig2, fixtures.digests.prov, fixtures.digests.approval},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_only_others_are_rejected if {
	answer([fixtures.put("/attestations", {}), fixtures.put("/claims", {})]) == ["pass", set()]
}

test_fails_when_the_concern_is_at_stake if {
	path := sprintf("/rejected/%s/concern", [fixtures.digests.rejected])
	answer([fixtures.put(path, "at_stake")]) == ["fail", {["evidence.accepted.rejected", null, null]}]
}

test_fails_when_the_concern_is_unknown if {
	path := sprintf("/rejected/%s/concern", [fixtures.digests.rejected])
	answer([fixtures.put(path, "Others")]) == ["fail", {["evidence.accepted.rejected", null, null]}]
}

test_fails_when_the_concern_is_absent if {
	path := sprintf("/rejected/%s/concern", [fixtures.digests.rejected])
	answer([fixtures.remove(path)]) == ["fail", {["evidence.accepted.rejected", null, null]}]
}

test_fails_with_a_message if {
	path := sprintf("/rejected/%s/concern", [fixtures.digests.rejected])
	expected := {
		"artifact": null,
		"code": "evidence.accepted.rejected",
		"evidence": [fixtures.digests.rejected],
		"file": null,
		"message": "subject.unknown: attestations/other.json",
	}
	whole([fixtures.remove(path)]).violations == {expected}
}

test_is_not_applicable_without_evidence if {
	answer([
		fixtures.put("/attestations", {}),
		fixtures.put("/claims", {}),
		fixtures.put("/rejected", {}),
	]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([
		fixtures.put("/attestations", {}),
		fixtures.put("/claims", {}),
		fixtures.put("/rejected", {}),
	]) == {
		"evidence": set(),
		"reason": "no evidence",
		"violations": set(),
	}
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put(fixtures.statement("sig1", "artifacts"), [])])[0] == "error"
}

test_errors_when_there_is_no_list_of_rejected_items if {
	answer([fixtures.remove("/rejected")])[0] == "error"
}

test_errors_when_there_are_no_statements_at_all if {
	answer([fixtures.remove("/attestations"), fixtures.put("/claims", {})])[0] == "error"
}
