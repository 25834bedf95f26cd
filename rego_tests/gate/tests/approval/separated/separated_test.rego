package gate.tests.approval.separated_test

import data.gate.built
import data.gate.controls.approval.separated
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := separated.status with input as doc
	found := separated.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := separated.evidence with input as doc
	reason := separated.reason with input as doc
	found := separated.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := separated.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	names := ["sigserver", "sigwheel", "provserver", "provwheel", "approval", "tests"]
	whole([]) == {"evidence": {built.digests[name] | some name in names}, "reason": null, "violations": set()}
}

duties(values) := fixtures.put("/parameters/approval.separated", {"duties": values})

of_both(code) := ["fail", {[code, "server"], [code, "wheel"]}]

release := built.told.sigwheel.signers

tester := built.told.tests.signers

test_passes_when_nobody_evaluated_it if answer([built.drop("tests")]) == ["pass", set()]

test_passes_when_all_duties_were_met if {
	answer([duties(["approval", "evaluation", "making"])]) == ["pass", set()]
}

test_fails_when_nobody_evaluated_it_and_somebody_must if {
	answer([duties(["evaluation"]), built.drop("tests")]) == of_both("approval.separated.missing")
}

test_passes_when_nobody_approved_it_and_nobody_must if {
	answer([duties(["making"]), built.drop("approval")]) == ["pass", set()]
}

test_fails_when_nobody_approved_it if {
	answer([built.drop("approval")]) == of_both("approval.separated.missing")
}

test_fails_when_nobody_says_who_made_it if {
	found := whole([built.drop("sigwheel"), built.drop("provwheel")])
	found.violations == {{
		"artifact": "wheel",
		"code": "approval.separated.missing",
		"evidence": [],
		"file": null,
		"message": "nobody signed for its making",
	}}
}

test_fails_when_a_duty_has_an_unknown_name if {
	answer([duties(["sleeping"])]) == of_both("approval.separated.missing")
}

test_fails_when_its_author_approved_it if {
	found := whole([built.put("approval", "signers", release), fixtures.remove("/artifacts/server")])
	found.violations == {{
		"artifact": "wheel",
		"code": "approval.separated.same",
		"evidence": [],
		"file": null,
		"message": "the same person signed for its approval and making",
	}}
}

test_fails_when_its_author_evaluated_it if {
	answer([built.put("tests", "signers", release)]) == of_both("approval.separated.same")
}

test_fails_when_its_evaluator_approved_it if {
	answer([built.put("approval", "signers", tester)]) == of_both("approval.separated.same")
}

test_fails_when_its_evaluator_is_one_of_two_who_approved_it if {
	answer([built.put("approval", "signers/1", tester[0])]) == of_both("approval.separated.same")
}

test_fails_when_one_key_has_two_names if {
	answer([built.put("approval", "signers", [object.union(tester[0], {"name": "boss"})])]) == of_both("approval.separated.same")
}

test_fails_when_one_account_has_two_names if {
	twin := object.union(built.account("approver"), {"name": "boss", "spki": built.digests.image})
	answer([built.put("tests", "signers", [twin])]) == of_both("approval.separated.same")
}

test_fails_when_the_author_reviewed_it if {
	patches := [built.add("other", "approval", {"claim": "review", "artifacts": ["wheel"], "signers": release})]
	answer(patches) == ["fail", {["approval.separated.same", "wheel"]}]
}

test_passes_when_observers_are_among_them if {
	watched := built.add("other", "tests", {"claim": "scan.report"})
	answer([watched]) == ["pass", set()]
}

test_is_not_applicable_to_an_evaluation if {
	patches := [fixtures.remove("/artifacts/wheel"), fixtures.put("/artifacts/server/kind", "evaluation")]
	answer(patches) == ["not_applicable", set()]
	whole(patches) == {"evidence": set(), "reason": "nothing asks for admission that people make", "violations": set()}
}

test_errors_when_duties_have_no_shape if {
	answer([duties("approval")])[0] == "error"
	answer([duties([1])])[0] == "error"
	answer([duties([])])[0] == "error"
}

only_word := built.put("approval", "facts/collected", false)

test_fails_when_its_approval_was_not_collected if {
	answer([only_word]) == of_both("approval.separated.incomplete")
	found := whole([only_word, fixtures.remove("/artifacts/server")])
	found.violations == {{
		"artifact": "wheel",
		"code": "approval.separated.incomplete",
		"evidence": [],
		"file": null,
		"message": "whoever signed for its approval did not say yes to all of it in a collected statement",
	}}
}

test_passes_when_its_approval_was_not_collected_and_nobody_must if {
	answer([only_word, duties(["making"])]) == ["pass", set()]
}

test_fails_when_somebody_rejected_it if {
	every collected in [true, false] {
		every claim in ["approval", "review"] {
			said := object.union(built.decided, {"decision": "rejected", "collected": collected})
			no := built.add("other", "approval", {"claim": claim, "signers": [built.account("reviewer")], "artifacts": [], "facts": said})
			answer([no]) == of_both("approval.separated.rejected")
			{entry.evidence | some entry in whole([no]).violations} == {[built.digests.other]}
		}
	}
}

test_fails_when_its_only_approver_rejected_it if {
	answer([built.put("approval", "facts/decision", "rejected")]) == ["fail", {
		["approval.separated.incomplete", "server"],
		["approval.separated.incomplete", "wheel"],
		["approval.separated.rejected", "server"],
		["approval.separated.rejected", "wheel"],
	}]
}

test_errors_when_duties_are_unsound_and_nothing_asks_for_admission if {
	answer([duties([1]), fixtures.put("/artifacts", {})])[0] == "error"
}

test_errors_when_a_signer_cannot_be_told_from_others if {
	answer([built.put("approval", "signers/0/subject", "")])[0] == "error"
	answer([built.put("approval", "signers/0/subject", ""), fixtures.put("/artifacts", {})])[0] == "error"
}
