package gate.tests.evidence.fresh_test

import data.gate.controls.evidence.fresh
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := fresh.status with input as doc
	found := fresh.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := fresh.evidence with input as doc
	reason := fresh.reason with input as doc
	found := fresh.violations with input as doc
}

test_passes_when_all_is_young_enough if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.sig2, fixtures.digests.prov, fixtures.digests.approval},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_trusted_time_is_at_the_limit if {
	answer([fixtures.put("/parameters/evidence.fresh/approval", 5000)]) == ["pass", set()]
}

test_passes_when_stated_time_is_at_the_limit if {
	answer([fixtures.put("/parameters/evidence.fresh/build.provenance", 6000)]) == ["pass", set()]
}

test_passes_when_another_clock_is_a_little_ahead if {
	answer([fixtures.put(fixtures.statement("prov", "stated_at_s"), 1795176300)]) == ["pass", set()]
}

test_passes_when_the_usual_skew_is_kept if {
	answer([
		fixtures.remove("/parameters/evidence.fresh/skew_s"),
		fixtures.put(fixtures.statement("prov", "stated_at_s"), 1795176300),
	]) == ["pass", set()]
}

test_passes_when_nothing_is_set if {
	answer([fixtures.remove("/parameters/evidence.fresh")]) == ["pass", set()]
}

test_passes_when_time_is_before_1970 if {
	answer([fixtures.put(fixtures.statement("prov", "stated_at_s"), -5)]) == ["pass", set()]
}

test_fails_when_trusted_time_is_too_old if {
	answer([fixtures.put("/parameters/evidence.fresh/approval", 4999)]) == ["fail", {["evidence.fresh.stale", null, null]}]
}

test_fails_when_stated_time_is_too_old if {
	answer([fixtures.put("/parameters/evidence.fresh/build.provenance", 5999)]) == ["fail", {["evidence.fresh.stale", null, null]}]
}

test_fails_when_only_the_trusted_time_is_too_old if {
	answer([
		fixtures.put("/parameters/evidence.fresh/approval", 4999),
		fixtures.put(fixtures.statement("approval", "stated_at_s"), 1795176000),
	]) == ["fail", {["evidence.fresh.stale", null, null]}]
}

test_passes_when_only_the_stated_time_is_too_old if {
	answer([
		fixtures.put("/parameters/evidence.fresh/approval", 5000),
		fixtures.put(fixtures.statement("approval", "stated_at_s"), 0),
	]) == ["pass", set()]
}

test_fails_when_stated_time_is_in_the_future if {
	answer([fixtures.put(fixtures.statement("prov", "stated_at_s"), 1795176301)]) == ["fail", {["evidence.fresh.future", null, null]}]
}

test_fails_when_it_is_beyond_the_usual_skew if {
	answer([
		fixtures.remove("/parameters/evidence.fresh/skew_s"),
		fixtures.put(fixtures.statement("prov", "stated_at_s"), 1795176301),
	]) == ["fail", {["evidence.fresh.future", null, null]}]
}

test_fails_when_trusted_time_is_in_the_future if {
	answer([
		fixtures.put(fixtures.statement("approval", "signed_at/at_s"), 1795176301),
	]) == ["fail", {["evidence.fresh.future", null, null]}]
}

test_passes_when_an_untrusted_time_is_ignored if {
	answer([
		fixtures.put(fixtures.statement("prov", "signed_at/at_s"), 1795176999),
	]) == ["pass", set()]
}

test_fails_when_stated_time_does_not_count if {
	answer([
		fixtures.put("/parameters/evidence.fresh/build.provenance", 6000),
		fixtures.put("/parameters/evidence.fresh/accept_stated", false),
	]) == ["fail", {["evidence.fresh.untimed", null, null]}]
}

test_fails_when_accept_stated_is_not_exactly_true if {
	answer([
		fixtures.put("/parameters/evidence.fresh/build.provenance", 6000),
		fixtures.put("/parameters/evidence.fresh/accept_stated", "true"),
	]) == ["fail", {["evidence.fresh.untimed", null, null]}]
}

test_fails_when_accept_stated_is_absent if {
	answer([
		fixtures.put("/parameters/evidence.fresh/build.provenance", 6000),
		fixtures.remove("/parameters/evidence.fresh/accept_stated"),
	]) == ["fail", {["evidence.fresh.untimed", null, null]}]
}

test_fails_when_there_is_no_time if {
	answer([
		fixtures.put("/parameters/evidence.fresh/build.provenance", 6000),
		fixtures.put(fixtures.statement("prov", "stated_at_s"), null),
	]) == ["fail", {["evidence.fresh.untimed", null, null]}]
}

test_fails_when_an_approval_is_of_an_earlier_year if {
	answer([
		fixtures.put(fixtures.statement("approval", "signed_at"), {"at_s": 0, "source": "none"}),
		fixtures.put(fixtures.statement("approval", "stated_at_s"), 1704067200),
	])[0] == "fail"
}

test_fails_with_a_message if {
	whole([fixtures.put("/parameters/evidence.fresh/approval", 4999)]) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.sig2, fixtures.digests.prov, fixtures.digests.approval},
		"reason": null,
		"violations": {{
			"artifact": null,
			"code": "evidence.fresh.stale",
			"evidence": [fixtures.digests.approval],
			"file": null,
			"message": "the approval statement is older than 4999 seconds",
		}},
	}
}

test_is_not_applicable_without_statements if {
	answer([fixtures.put("/attestations", {}), fixtures.put("/claims", {})]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/attestations", {}), fixtures.put("/claims", {})]) == {
		"evidence": set(),
		"reason": "no verified statement",
		"violations": set(),
	}
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put(fixtures.statement("sig1", "artifacts"), [])])[0] == "error"
}

test_errors_when_there_are_no_statements_at_all if {
	answer([fixtures.remove("/attestations"), fixtures.put("/claims", {})])[0] == "error"
}

test_errors_when_there_is_no_time_of_decision if {
	answer([fixtures.remove("/context/now_s")])[0] == "error"
	answer([fixtures.remove("/context/now_s"), fixtures.put("/parameters/evidence.fresh", {})])[0] == "error"
}

test_errors_when_the_skew_is_no_number if {
	answer([fixtures.put("/parameters/evidence.fresh/skew_s", "x")])[0] == "error"
}

test_errors_when_a_limit_is_no_number if {
	answer([fixtures.put("/parameters/evidence.fresh/eval", null)])[0] == "error"
}

test_errors_when_a_limit_is_negative if {
	answer([fixtures.put("/parameters/evidence.fresh/eval", -1)])[0] == "error"
}

test_errors_when_parameters_are_no_object if {
	answer([fixtures.put("/parameters/evidence.fresh", [])])[0] == "error"
}

test_errors_when_a_source_is_unknown if {
	answer([fixtures.put(fixtures.statement("prov", "signed_at/source"), "x")])[0] == "error"
}

test_passes_when_only_trusted_times_count if {
	answer([fixtures.put("/parameters/evidence.fresh/accept_stated", false)]) == ["pass", set()]
}

test_fails_with_the_statement_from_the_future if {
	whole([fixtures.put(fixtures.statement("approval", "signed_at/at_s"), 1795176301)]).violations == {{
		"artifact": null,
		"code": "evidence.fresh.future",
		"evidence": [fixtures.digests.approval],
		"file": null,
		"message": "the approval statement is from the future",
	}}
}

test_fails_with_the_statement_without_a_time if {
	whole([
		fixtures.put("/parameters/evidence.fresh/build.provenance", 6000),
		fixtures.put(fixtures.statement("prov", "stated_at_s"), null),
	]).violations == {{
		"artifact": null,
		"code": "evidence.fresh.untimed",
		"evidence": [fixtures.digests.prov],
		"file": null,
		"message": "nothing that counts says when the build.provenance statement was made",
	}}
}
