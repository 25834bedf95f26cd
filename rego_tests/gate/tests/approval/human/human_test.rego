package gate.tests.approval.human_test

import data.gate.controls.approval.human
import data.gate.fixtures
import data.gate.tuned
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := tuned.after(patches)
	status := human.status with input as doc
	found := human.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := tuned.after(patches)
	evidence := human.evidence with input as doc
	reason := human.reason with input as doc
	found := human.violations with input as doc
}

# Patches after which the approval is of a statement, with this digest among its subjects.
stated(name, subject) := [
	tuned.put("approval", "depends_on", [tuned.digests[name]]),
	tuned.put("approval", "ancestors", [tuned.digests[name]]),
	fixtures.put(concat("/", [tuned.at("approval", "subjects"), subject]), {"name": subject}),
]

test_passes_when_somebody_else_approved if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {tuned.digests.approval}, "reason": null, "violations": set()}
}

test_passes_when_nothing_is_set if {
	answer([fixtures.remove("/parameters/approval.human")]) == ["pass", set()]
}

test_fails_when_nobody_approved_one if {
	answer(array.concat(tuned.cover("approval", ["base", "rows", "style"]), [tuned.put("approval", "subjects", {})])) == ["fail", {["approval.human.missing", "tools", null]}]
}

test_fails_when_one_approved_a_part_of_it if {
	answer(tuned.cover("approval", ["base", "rows", "style"])) == ["fail", {["approval.human.incomplete", "tools", null]}]
	whole(tuned.cover("approval", ["base", "rows", "style"])).violations == {{
		"artifact": "tools",
		"code": "approval.human.incomplete",
		"evidence": [tuned.digests.approval],
		"file": null,
		"message": "the approvals that are here were not collected or are not about all of it",
	}}
}

test_fails_when_it_was_not_collected if {
	answer([tuned.put("approval", "facts/collected", false)]) == ["fail", {["approval.human.incomplete", "base", null], ["approval.human.incomplete", "rows", null], ["approval.human.incomplete", "style", null], ["approval.human.incomplete", "tools", null]}]
}

test_fails_when_only_a_review_is_there if {
	answer([tuned.put("approval", "claim", "review"), fixtures.remove("/claims/approval"), fixtures.put("/claims/review", {"all": [tuned.digests.approval, tuned.digests.review], "by_artifact": {"base": [tuned.digests.approval], "rows": [tuned.digests.approval], "style": [tuned.digests.approval], "tools": [tuned.digests.approval, tuned.digests.review]}})]) == ["fail", {["approval.human.missing", "base", null], ["approval.human.missing", "rows", null], ["approval.human.missing", "style", null], ["approval.human.missing", "tools", null]}]
}

test_fails_when_two_are_needed if {
	answer([fixtures.put("/parameters/approval.human/minimum", 2)]) == ["fail", {["approval.human.too_few", "base", null], ["approval.human.too_few", "rows", null], ["approval.human.too_few", "style", null], ["approval.human.too_few", "tools", null]}]
}

test_passes_when_two_approved if {
	answer(array.concat([fixtures.put("/parameters/approval.human/minimum", 2)], tuned.add("approval", {"signers": [tuned.key("a1a1")]}))) == ["pass", set()]
}

test_passes_when_two_signed_one_approval if {
	answer(array.concat([fixtures.put("/parameters/approval.human/minimum", 2)], [tuned.put("approval", "signers/1", tuned.key("a1a1"))])) == ["pass", set()]
}

test_fails_when_one_approved_twice if {
	answer(array.concat([fixtures.put("/parameters/approval.human/minimum", 2)], tuned.add("approval", {"stated_at_s": 1795170001}))) == ["fail", {["approval.human.too_few", "base", null], ["approval.human.too_few", "rows", null], ["approval.human.too_few", "style", null], ["approval.human.too_few", "tools", null]}]
}

test_fails_when_one_key_has_two_names if {
	answer(array.concat([fixtures.put("/parameters/approval.human/minimum", 2), tuned.put("approval", "signers", [tuned.key("a1a1")])], tuned.add("approval", {"signers": [object.union(tuned.key("a1a1"), {"name": "other"})]}))) == ["fail", {["approval.human.too_few", "base", null], ["approval.human.too_few", "rows", null], ["approval.human.too_few", "style", null], ["approval.human.too_few", "tools", null]}]
}

test_passes_when_accounts_differ_in_their_issuer if {
	answer(array.concat([fixtures.put("/parameters/approval.human/minimum", 2)], tuned.add("approval", {"signers": [object.union(tuned.statements.approval.signers[0], {"issuer": "https://other.example"})]}))) == ["pass", set()]
}

test_passes_when_accounts_differ_in_their_subject if {
	answer(array.concat([fixtures.put("/parameters/approval.human/minimum", 2)], tuned.add("approval", {"signers": [object.union(tuned.statements.approval.signers[0], {"subject": "b@example.com"})]}))) == ["pass", set()]
}

test_fails_when_accounts_differ_in_their_passing_key_only if {
	answer(array.concat([fixtures.put("/parameters/approval.human/minimum", 2)], tuned.add("approval", {"signers": [object.union(tuned.statements.approval.signers[0], {"spki": tuned.whole.base})]}))) == ["fail", {["approval.human.too_few", "base", null], ["approval.human.too_few", "rows", null], ["approval.human.too_few", "style", null], ["approval.human.too_few", "tools", null]}]
}

test_fails_when_its_author_approved if {
	answer([tuned.put("approval", "signers", tuned.statements.training.signers)]) == ["fail", {["approval.human.too_few", "base", null], ["approval.human.too_few", "style", null]}]
}

test_passes_when_a_reviewer_approved if {
	answer([tuned.put("approval", "signers", tuned.statements.review.signers)]) == ["pass", set()]
}

test_fails_when_somebody_rejected_it if {
	answer(tuned.add("approval", {"signers": [tuned.key("a1a1")], "facts": object.union(tuned.statements.approval.facts, {"decision": "rejected"})})) == ["fail", {["approval.human.rejected", "base", null], ["approval.human.rejected", "rows", null], ["approval.human.rejected", "style", null], ["approval.human.rejected", "tools", null]}]
}

rejection(parts) := tuned.add("approval", object.union({"signers": [tuned.key("a1a1")], "artifacts": [], "facts": {"decision": "rejected", "result": null, "collected": false}}, parts))

test_fails_when_somebody_rejected_a_file_of_it if {
	config := "sha256:0202020202020202020202020202020202020202020202020202020202020202"
	answer(rejection({"subjects": {config: {"name": "config.json"}}})) == ["fail", {["approval.human.rejected", "base", null]}]
}

test_fails_when_somebody_rejected_it_without_collecting if {
	answer(rejection({"artifacts": ["rows"], "subjects": {}})) == ["fail", {["approval.human.rejected", "rows", null]}]
	answer(rejection({"subjects": {tuned.whole.tools: {"name": "tools"}}})) == ["fail", {["approval.human.rejected", "tools", null]}]
}

test_fails_when_somebody_rejected_a_statement_about_it if {
	answer(rejection({"subjects": {tuned.digests.plugin: {"name": "x"}}})) == ["fail", {["approval.human.rejected", "tools", null]}]
}

test_passes_when_somebody_rejected_something_else if {
	answer(rejection({"subjects": {tuned.digests.other: {"name": "x"}}})) == ["pass", set()]
}

test_fails_when_the_only_one_rejected_it if {
	answer([tuned.put("approval", "facts/decision", "rejected")]) == ["fail", {["approval.human.rejected", "base", null], ["approval.human.too_few", "base", null], ["approval.human.rejected", "rows", null], ["approval.human.too_few", "rows", null], ["approval.human.rejected", "style", null], ["approval.human.too_few", "style", null], ["approval.human.rejected", "tools", null], ["approval.human.too_few", "tools", null]}]
}

test_passes_when_the_statement_about_it_was_approved if {
	answer(array.concat(tuned.cover("approval", ["base", "rows", "style"]), stated("plugin", tuned.digests.plugin))) == ["pass", set()]
}

test_fails_when_the_statement_is_no_subject_of_the_approval if {
	answer(array.concat(tuned.cover("approval", ["base", "rows", "style"]), stated("plugin", tuned.whole.base))) == ["fail", {["approval.human.incomplete", "tools", null]}]
}

test_fails_when_only_a_review_of_it_was_approved if {
	answer(array.concat(tuned.cover("approval", ["base", "rows", "style"]), stated("review", tuned.digests.review))) == ["fail", {["approval.human.incomplete", "tools", null]}]
}

test_fails_when_the_statement_about_it_covers_it_no_more if {
	answer(array.concat(array.concat(tuned.cover("approval", ["base", "rows", "style"]), stated("plugin", tuned.digests.plugin)), tuned.cover("plugin", []))) == ["fail", {["approval.human.incomplete", "tools", null]}]
}

test_fails_with_a_message if {
	whole([fixtures.put("/parameters/approval.human/minimum", 2), fixtures.put("/artifacts", {"base": tuned.artifacts.base})]).violations == {{
		"artifact": "base",
		"code": "approval.human.too_few",
		"evidence": [tuned.digests.approval],
		"file": null,
		"message": "people who approved it and did not make it: 1 of 2",
	}}
}

test_is_not_applicable_without_artifacts if {
	answer([fixtures.put("/artifacts", {})]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {})]) == {"evidence": set(), "reason": "no artifact asks for admission", "violations": set()}
}

test_errors_when_the_minimum_is_zero if {
	answer([fixtures.put("/parameters/approval.human/minimum", 0)])[0] == "error"
}

test_errors_when_the_minimum_is_text if {
	answer([fixtures.put("/parameters/approval.human/minimum", "1")])[0] == "error"
}

test_errors_when_a_signer_cannot_be_told_from_others if {
	answer([tuned.put("sigbase", "signers/0/spki", null)])[0] == "error"
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})])[0] == "error"
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_errors_when_the_minimum_is_unsound_and_nothing_asks_for_admission if {
	answer([
		fixtures.put("/parameters/approval.human/minimum", 0),
		fixtures.put("/artifacts", {}),
	])[0] == "error"
}

test_fails_with_the_statement_that_rejects if {
	{entry.evidence |
		some entry in whole([tuned.put("approval", "facts/decision", "rejected")]).violations
	} == {[tuned.digests.approval]}
}
