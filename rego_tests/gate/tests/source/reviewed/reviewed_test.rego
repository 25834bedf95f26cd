package gate.tests.source.reviewed_test

import data.gate.built
import data.gate.controls.source.reviewed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := reviewed.status with input as doc
	found := reviewed.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := reviewed.evidence with input as doc
	reason := reviewed.reason with input as doc
	found := reviewed.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := reviewed.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {built.digests.summary}, "reason": null, "violations": set()}
}

settings(values) := fixtures.put("/parameters/source.reviewed", values)

both(code) := ["fail", {[code, "server"], [code, "wheel"]}]

review(parts) := built.add("other", "approval", object.union({"claim": "review", "signers": [built.account("reviewer")]}, parts))

test_passes_when_the_level_is_higher_than_asked_for if answer([settings({"level": 1})]) == ["pass", set()]

test_fails_when_the_level_is_too_low if {
	answer([settings({"level": 4})]) == both("source.reviewed.unreviewed")
	answer([settings({})]) == both("source.reviewed.unreviewed")
}

test_passes_when_nothing_is_set_and_the_level_is_the_highest if {
	answer([settings({}), built.put("summary", "facts/levels", ["SLSA_SOURCE_LEVEL_4"])]) == ["pass", set()]
}

level(asked, stated) := answer([settings({"level": asked}), built.put("summary", "facts/levels", [stated])])[0]

test_passes_when_the_level_is_the_one_asked_for if {
	every number in [1, 2, 3, 4] {
		level(number, sprintf("SLSA_SOURCE_LEVEL_%d", [number])) == "pass"
		level(number + 1, sprintf("SLSA_SOURCE_LEVEL_%d", [number])) == "fail"
	}
}

test_passes_when_a_property_is_enough if {
	answer([settings({"level": 4, "properties": ["ORG_SOURCE_REVIEWED"]})]) == ["pass", set()]
}

test_fails_when_levels_are_no_list_of_texts if {
	answer([built.put("summary", "facts/levels", "SLSA_SOURCE_LEVEL_3")]) == both("source.reviewed.unreviewed")
	answer([built.put("summary", "facts/levels", {"x": "SLSA_SOURCE_LEVEL_3"})]) == both("source.reviewed.unreviewed")
	answer([built.put("summary", "facts/levels", [])]) == both("source.reviewed.unreviewed")
}

test_fails_when_there_is_no_provenance if {
	answer([built.drop("provwheel")]) == ["fail", {["source.reviewed.missing", "wheel"]}]
}

test_fails_when_the_provenance_names_no_commit if {
	answer([built.put("provwheel", "facts/source/digests", {}), review({})]) == ["fail", {["source.reviewed.unstated", "wheel"]}]
}

test_fails_when_nobody_vouches_for_it if answer([built.drop("summary")]) == both("source.reviewed.unreviewed")

test_fails_when_the_summary_is_about_another_commit if {
	answer([built.put("summary", "facts/commit", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]) == both("source.reviewed.unreviewed")
}

test_fails_when_the_summary_is_about_another_repository if {
	answer([built.put("summary", "facts/repository", "https://code.example/other/app")]) == both("source.reviewed.unreviewed")
}

test_fails_when_the_summary_is_another_claim if {
	answer([built.put("summary", "claim", "verification.summary")]) == both("source.reviewed.unreviewed")
}

test_fails_when_one_of_two_sources_is_not_vouched_for if {
	facts := json.patch(built.facts, [{"op": "replace", "path": "/source/digests/gitCommit", "value": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}])
	answer([built.add("other", "provwheel", {"facts": facts})]) == ["fail", {["source.reviewed.unreviewed", "wheel"]}]
}

test_fails_when_a_verifier_says_no if {
	answer([built.put("summary", "facts/result", "failed")]) == ["fail", {
		["source.reviewed.failed", "server"],
		["source.reviewed.failed", "wheel"],
		["source.reviewed.unreviewed", "server"],
		["source.reviewed.unreviewed", "wheel"],
	}]
}

test_fails_with_the_verifier_that_says_no if {
	found := whole([built.add("other", "summary", {"facts": object.union(built.told.summary.facts, {"result": "failed"})})])
	{[entry.code, entry.artifact, entry.evidence] | some entry in found.violations} == {
		["source.reviewed.failed", "server", [built.digests.other]],
		["source.reviewed.failed", "wheel", [built.digests.other]],
	}
}

test_passes_when_a_verifier_says_no_of_another_commit if {
	facts := object.union(built.told.summary.facts, {"result": "failed", "commit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"})
	patches := [built.add("other", "summary", {"facts": facts})]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == {built.digests.summary}
}

test_passes_with_the_summaries_of_its_commits_only if {
	facts := object.union(built.told.summary.facts, {"commit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"})
	whole([built.add("other", "summary", {"facts": facts})]).evidence == {built.digests.summary}
}

test_passes_when_people_reviewed_it if {
	patches := [built.drop("summary"), review({})]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == {built.digests.other}
}

test_fails_when_people_reviewed_one_of_two if {
	answer([built.drop("summary"), review({"artifacts": ["server"]})]) == ["fail", {["source.reviewed.unreviewed", "wheel"]}]
}

test_fails_when_its_author_reviewed_it if {
	answer([built.drop("summary"), review({"signers": built.told.sigwheel.signers})]) == both("source.reviewed.unreviewed")
}

test_fails_when_it_was_only_approved if {
	answer([built.drop("summary"), review({"claim": "approval"})]) == both("source.reviewed.unreviewed")
}

test_fails_when_somebody_rejected_it if {
	rejected := object.union(built.decided, {"decision": "rejected"})
	found := whole([review({"artifacts": ["wheel"], "subjects": {built.digests.wheel: {"name": "x"}}, "facts": rejected})])
	found.violations == {{
		"artifact": "wheel",
		"code": "source.reviewed.rejected",
		"evidence": [built.digests.other],
		"file": null,
		"message": "somebody rejected it",
	}}
}

test_fails_when_somebody_rejected_it_without_collecting if {
	every parts in [{"artifacts": ["server", "wheel"]}, {"artifacts": []}] {
		rejected := object.union(built.decided, {"decision": "rejected", "collected": false})
		answer([review(object.union(parts, {"facts": rejected}))]) == both("source.reviewed.rejected")
	}
}

test_errors_when_parameters_have_no_shape if {
	answer([settings({"level": 0})])[0] == "error"
	answer([settings({"level": 0.5})])[0] == "error"
	answer([settings({"level": "3"})])[0] == "error"
	answer([settings({"properties": "x"})])[0] == "error"
	answer([settings({"properties": [1]})])[0] == "error"
}

test_errors_when_parameters_are_unsound_and_nothing_asks_for_admission if {
	answer([settings({"level": 0}), fixtures.put("/artifacts", {})])[0] == "error"
}

test_errors_when_a_signer_cannot_be_told_from_others if {
	answer([built.put("approval", "signers/0/subject", "")])[0] == "error"
}

test_is_not_applicable_without_artifacts if {
	patches := [fixtures.put("/artifacts", {})]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "nothing that is built asks for admission"
}

test_fails_when_one_of_two_builds_has_no_source if {
	placeless := built.add("other", "provwheel", {"facts": object.union(built.facts, {"source": {"digests": {"gitCommit": "x"}}})})
	found := whole([placeless])
	found.violations == {{
		"artifact": "wheel",
		"code": "source.reviewed.unstated",
		"evidence": [built.digests.other],
		"file": null,
		"message": "its verified provenance does not say from which commit of which repository it was built",
	}}
}

test_fails_when_the_commit_failed_whatever_its_repository_is_called if {
	facts := object.union(built.statements.summary.facts, {"repository": "ssh://elsewhere.example/x", "result": "failed"})
	answer([built.add("other", "summary", {"facts": facts})]) == both("source.reviewed.failed")
}
