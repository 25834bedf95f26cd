package gate.tests.chain.valid_test

import data.gate.application
import data.gate.controls.chain.valid
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := application.after(patches)
	status := valid.status with input as doc
	found := valid.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := application.after(patches)
	evidence := valid.evidence with input as doc
	reason := valid.reason with input as doc
	found := valid.violations with input as doc
}

alone := array.concat(application.drop("eval"), array.concat(application.drop("route"), application.drop("slo")))

test_passes_when_every_step_holds if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {application.digests.eval, application.digests.route, application.digests.slo}, "reason": null, "violations": set()}
}

test_passes_when_times_are_equal if {
	answer([application.put("prompt", "stated_at_s", 1795170002)]) == ["pass", set()]
}

test_passes_when_it_gives_no_time if {
	answer([application.put("eval", "stated_at_s", null)]) == ["pass", set()]
}

test_fails_when_what_it_builds_on_is_later if {
	answer([application.put("prompt", "stated_at_s", 1795170003)]) == ["fail", {["chain.valid.late", null, null]}]
}

test_fails_when_what_it_builds_on_is_not_there if {
	answer(array.concat(application.drop("prompt"), [application.put("corpus", "depends_on", [])])) == ["fail", {["chain.valid.dangling", null, null]}]
}

test_fails_when_it_may_not_build_on_it if {
	answer([application.put("slo", "depends_on", [application.digests.eval])]) == ["fail", {["chain.valid.illegal", null, null]}]
}

test_fails_when_one_of_two_steps_is_illegal if {
	answer([application.put("slo", "depends_on", [application.digests.eval, application.digests.route])]) == ["fail", {["chain.valid.illegal", null, null]}]
}

test_fails_when_a_claim_builds_on_nothing if {
	answer([application.put("slo", "claim", "sbom"), fixtures.put("/claims/sbom", application.good.claims.slo), fixtures.remove("/claims/slo")]) == ["fail", {["chain.valid.illegal", null, null]}]
}

test_fails_when_an_evaluation_builds_on_nothing if {
	answer([application.put("eval", "depends_on", [])]) == ["fail", {["chain.valid.unfounded", null, null]}]
}

test_fails_when_a_route_builds_on_nothing if {
	answer([application.put("route", "depends_on", [])]) == ["fail", {["chain.valid.unfounded", null, null]}]
}

test_fails_when_a_service_level_builds_on_nothing if {
	answer([application.put("slo", "depends_on", [])]) == ["fail", {["chain.valid.unfounded", null, null]}]
}

test_passes_when_a_plain_statement_builds_on_nothing if {
	answer([application.put("slo", "depends_on", []), application.put("slo", "facts/collected", false)]) == ["pass", set()]
}

test_fails_when_a_plain_statement_builds_on_the_wrong_one if {
	answer([application.put("slo", "depends_on", [application.digests.eval]), application.put("slo", "facts/collected", false)]) == ["fail", {["chain.valid.illegal", null, null]}]
}

test_fails_when_one_was_refused_for_its_chain if {
	answer([fixtures.put("/rejected", {application.digests.other: {
		"origin": "own.json",
		"stage": "chain",
		"code": "chain.dangling",
		"concern": "at_stake",
	}})]) == ["fail", {["chain.valid.rejected", null, null]}]
}

test_fails_when_one_was_refused_at_a_stage_that_nobody_knows if {
	answer([fixtures.put("/rejected", {application.digests.other: {
		"origin": "own.json",
		"stage": null,
		"code": "chain.dangling",
		"concern": "at_stake",
	}})]) == ["fail", {["chain.valid.rejected", null, null]}]
}

test_passes_when_one_about_something_else_was_refused if {
	answer([fixtures.put("/rejected", {application.digests.other: {
		"origin": "own.json",
		"stage": "chain",
		"code": "chain.dangling",
		"concern": "others",
	}})]) == ["pass", set()]
}

test_passes_when_one_was_refused_for_its_signature if {
	answer([fixtures.put("/rejected", {application.digests.other: {
		"origin": "own.json",
		"stage": "signature",
		"code": "chain.dangling",
		"concern": "at_stake",
	}})]) == ["pass", set()]
}

test_passes_when_one_was_refused_for_its_envelope if {
	answer([fixtures.put("/rejected", {application.digests.other: {
		"origin": "own.json",
		"stage": "envelope",
		"code": "chain.dangling",
		"concern": "at_stake",
	}})]) == ["pass", set()]
}

test_passes_when_one_was_refused_as_a_statement if {
	answer([fixtures.put("/rejected", {application.digests.other: {
		"origin": "own.json",
		"stage": "statement",
		"code": "chain.dangling",
		"concern": "at_stake",
	}})]) == ["pass", set()]
}

test_passes_when_one_was_refused_for_its_subject if {
	answer([fixtures.put("/rejected", {application.digests.other: {
		"origin": "own.json",
		"stage": "subject",
		"code": "chain.dangling",
		"concern": "at_stake",
	}})]) == ["pass", set()]
}

test_fails_with_messages if {
	whole(array.concat(
		[fixtures.put("/rejected", {application.digests.other: {
			"origin": "own.json",
			"stage": "chain",
			"code": "chain.dangling",
			"concern": "at_stake",
		}})],
		[application.put("slo", "depends_on", [application.digests.eval])],
	)).violations == {
		{
			"artifact": null,
			"code": "chain.valid.illegal",
			"evidence": [application.digests.slo],
			"file": null,
			"message": "the slo statement depends on a statement of a claim that it cannot build on",
		},
		{
			"artifact": null,
			"code": "chain.valid.rejected",
			"evidence": [application.digests.other],
			"file": null,
			"message": "chain.dangling: own.json",
		},
	}
}

test_is_not_applicable_when_nothing_builds_on_another if {
	answer(alone) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole(alone) == {"evidence": set(), "reason": "no statement builds on another", "violations": set()}
}

test_errors_when_it_does_not_list_what_it_builds_on if {
	answer([application.remove("prompt", "depends_on")]) == ["error", set()]
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})]) == ["error", set()]
}

test_errors_when_nothing_says_what_was_rejected if {
	answer([fixtures.remove("/rejected")]) == ["error", set()]
}

test_passes_when_what_it_builds_on_gives_no_time if answer([application.put("prompt", "stated_at_s", null)]) == ["pass", set()]

test_fails_when_only_a_refused_statement_is_there if {
	answer([
		fixtures.put("/attestations", {}),
		fixtures.put("/claims", {}),
		fixtures.put("/rejected", {application.digests.other: {
			"origin": "own.json",
			"stage": "chain",
			"code": "chain.dangling",
			"concern": "at_stake",
		}}),
	]) == ["fail", {["chain.valid.rejected", null, null]}]
}
