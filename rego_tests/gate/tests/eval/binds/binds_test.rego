package gate.tests.eval.binds_test

import data.gate.application
import data.gate.controls.eval.binds
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := application.after(patches)
	status := binds.status with input as doc
	found := binds.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := application.after(patches)
	evidence := binds.evidence with input as doc
	reason := binds.reason with input as doc
	found := binds.violations with input as doc
}

test_passes_when_an_evaluation_builds_on_each if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {application.digests.eval}, "reason": null, "violations": set()}
}

test_passes_when_nothing_is_set if {
	answer([fixtures.remove("/parameters/eval.binds")]) == ["pass", set()]
}

test_passes_when_the_evaluation_itself_covers_it if {
	answer(array.concat(application.uncover("prompt"), [application.put("eval", "artifacts", ["evaluation", "prompts"]), fixtures.put("/claims/eval/by_artifact/prompts", [application.digests.eval])])) == ["pass", set()]
}

test_passes_when_a_kind_is_not_asked_for if {
	answer(array.concat(application.uncover("prompt"), [fixtures.put("/parameters/eval.binds/kinds", ["corpus"])])) == ["pass", set()]
}

test_fails_when_it_builds_on_another_prompt if {
	answer(application.uncover("prompt")) == ["fail", {["eval.binds.unbound", "prompts", null]}]
}

test_fails_when_the_usual_kinds_are_kept if {
	answer(array.concat(application.uncover("prompt"), [fixtures.remove("/parameters/eval.binds/kinds")])) == ["fail", {["eval.binds.unbound", "prompts", null]}]
}

test_fails_when_it_does_not_build_on_it if {
	answer([application.put("eval", "depends_on", [application.digests.corpus]), application.put("eval", "ancestors", [application.digests.corpus]), application.put("route", "ancestors", [application.digests.eval, application.digests.corpus]), application.put("slo", "ancestors", [application.digests.eval, application.digests.corpus, application.digests.route])]) == ["fail", {["eval.binds.unbound", "prompts", null]}]
}

test_fails_when_a_corpus_is_not_evaluated if {
	answer(application.uncover("corpus")) == ["fail", {["eval.binds.unbound", "documents", null]}]
}

test_fails_when_weights_are_not_evaluated if {
	answer([fixtures.put("/parameters/eval.binds/kinds", ["weights"]), fixtures.put("/artifacts/routes/kind", "weights")]) == ["fail", {["eval.binds.unbound", "routes", null]}]
}

test_fails_when_it_was_not_collected if {
	answer([application.put("eval", "facts/collected", false)]) == ["fail", {["eval.binds.missing", "documents", null], ["eval.binds.missing", "prompts", null]}]
}

test_fails_when_it_failed if {
	answer([application.put("eval", "facts/result", "failed")]) == ["fail", {["eval.binds.failed", "documents", null], ["eval.binds.failed", "prompts", null]}]
}

test_fails_with_a_message_when_it_failed if {
	found := whole([application.put("eval", "facts/result", "failed"), fixtures.put("/parameters/eval.binds/kinds", ["prompt"])]).violations
	found == {{
		"artifact": "prompts",
		"code": "eval.binds.failed",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "every evaluation that is there says no",
	}}
}

test_fails_when_there_is_none if {
	answer(array.concat(application.drop("eval"), array.concat(application.drop("route"), application.drop("slo")))) == ["fail", {["eval.binds.missing", "documents", null], ["eval.binds.missing", "prompts", null]}]
}

test_fails_when_only_another_claim_builds_on_it if {
	answer([application.put("eval", "claim", "review"), fixtures.put("/claims/review", application.good.claims.eval), fixtures.remove("/claims/eval")]) == ["fail", {["eval.binds.missing", "documents", null], ["eval.binds.missing", "prompts", null]}]
}

test_fails_with_a_message if {
	whole(application.uncover("prompt")).violations == {{
		"artifact": "prompts",
		"code": "eval.binds.unbound",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "no evaluation of evaluation builds on a statement that covers it as it is now",
	}}
}

test_is_not_applicable_without_artifacts_of_those_kinds if {
	answer([fixtures.put("/parameters/eval.binds/kinds", ["plugin"])]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/parameters/eval.binds/kinds", [])]) == {"evidence": set(), "reason": "no artifact of a kind that is evaluated", "violations": set()}
}

test_errors_when_kinds_are_no_list if {
	answer([fixtures.put("/parameters/eval.binds/kinds", "prompt")]) == ["error", set()]
}

test_errors_when_a_kind_is_no_text if {
	answer([fixtures.put("/parameters/eval.binds/kinds", ["prompt", 1])]) == ["error", set()]
}

test_errors_when_the_lineage_is_broken if {
	answer([application.put("eval", "ancestors", [])])[0] == "error"
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")]) == ["error", set()]
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})])[0] == "error"
}

test_fails_when_corpora_are_kept_among_the_usual_kinds if {
	answer(array.concat(application.uncover("corpus"), [fixtures.remove("/parameters/eval.binds/kinds")])) == [
		"fail",
		{["eval.binds.unbound", "documents", null]},
	]
}

# A second evaluation, with its own files and what it builds on; the first one then builds on the rest.
second(artifacts, before, others) := [
	fixtures.put(concat("/", ["/attestations", application.digests.other]), object.union(application.good.attestations[application.digests.eval], {
		"artifacts": artifacts,
		"depends_on": before,
		"ancestors": before,
	})),
	fixtures.put("/claims/eval", {
		"all": [application.digests.eval, application.digests.other],
		"by_artifact": {name: [digest |
			some digest, names in {application.digests.eval: others, application.digests.other: artifacts}
			name in names
		] |
			some name in array.concat(artifacts, others)
		},
	}),
	application.put("eval", "artifacts", others),
]

# Patches after which the evaluation with the artifact builds on the corpus alone.
half := [
	application.put("eval", "depends_on", [application.digests.corpus]),
	application.put("eval", "ancestors", [application.digests.corpus]),
	application.put("route", "ancestors", [application.digests.eval, application.digests.corpus]),
	application.put("slo", "ancestors", [application.digests.eval, application.digests.corpus, application.digests.route]),
]

without_suite := fixtures.remove("/artifacts/evaluation")

test_fails_when_each_part_is_evaluated_apart if {
	answer(array.concat(half, second(["evaluation"], [application.digests.prompt], ["evaluation"]))) == ["fail", {["eval.binds.apart", "evaluation", null]}]
}

test_fails_when_another_evaluation_without_the_files_binds_the_rest if {
	answer(array.concat(half, second([], [application.digests.corpus, application.digests.prompt], ["evaluation"]))) == ["fail", {["eval.binds.unbound", "prompts", null]}]
}

test_passes_when_a_second_evaluation_is_about_less if {
	answer(second([], [application.digests.prompt], ["evaluation"])) == ["pass", set()]
}

test_passes_with_the_evaluation_that_is_about_all_as_evidence if {
	whole(second(["evaluation"], [application.digests.prompt], ["evaluation"])).evidence == {application.digests.eval}
	whole(second([], [application.digests.corpus, application.digests.prompt], ["evaluation"])).evidence == {application.digests.eval}
	whole(second(["routes"], [application.digests.corpus, application.digests.prompt], ["evaluation"])).evidence == {application.digests.eval}
}

test_fails_with_a_message_when_parts_are_apart if {
	whole(array.concat(half, second(["evaluation"], [application.digests.prompt], ["evaluation"]))).violations == {{
		"artifact": "evaluation",
		"code": "eval.binds.apart",
		"evidence": [application.digests.eval, application.digests.other],
		"file": null,
		"message": "no single evaluation of evaluation is about all of it: documents, prompts",
	}}
}

test_fails_when_no_evaluation_covers_the_artifact if {
	whole(application.uncover("eval")).violations == {{
		"artifact": "evaluation",
		"code": "eval.binds.uncovered",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "no evaluation that counts covers its files as they are",
	}}
}

test_passes_when_no_evaluation_asks_for_admission if {
	answer(array.concat(application.uncover("eval"), [without_suite])) == ["pass", set()]
}

test_fails_when_parts_are_apart_and_no_evaluation_asks_for_admission if {
	whole(array.concat(array.concat(half, second([], [application.digests.prompt], [])), [without_suite])).violations == {{
		"artifact": null,
		"code": "eval.binds.apart",
		"evidence": [application.digests.eval, application.digests.other],
		"file": null,
		"message": "no single evaluation is about all of it: documents, prompts",
	}}
}

test_fails_with_a_message_when_no_evaluation_asks_for_admission if {
	found := whole(array.concat(array.concat(application.uncover("prompt"), application.uncover("eval")), [without_suite])).violations
	found == {{
		"artifact": "prompts",
		"code": "eval.binds.unbound",
		"evidence": [application.digests.eval],
		"file": null,
		"message": "no evaluation builds on a statement that covers it as it is now",
	}}
}

# The routes are a second evaluation here.
two := [fixtures.put("/artifacts/routes/kind", "evaluation")]

test_passes_when_each_of_two_evaluations_is_about_all if {
	answer(array.concat(two, second(["routes"], [application.digests.corpus, application.digests.prompt], ["evaluation"]))) == ["pass", set()]
}

test_fails_when_one_of_two_evaluations_is_not_about_all if {
	answer(array.concat(two, second(["routes"], [application.digests.corpus], ["evaluation"]))) == ["fail", {["eval.binds.unbound", "prompts", null]}]
}

test_fails_when_one_of_two_evaluations_is_not_covered if {
	answer(two) == ["fail", {["eval.binds.uncovered", "routes", null]}]
}

test_is_not_applicable_when_nothing_is_evaluated_and_nothing_covers_the_evaluation if {
	answer(array.concat(application.uncover("eval"), [fixtures.put("/parameters/eval.binds/kinds", [])])) == ["not_applicable", set()]
}

test_fails_when_the_only_subject_has_no_evaluation_with_the_files if {
	answer(array.concat(application.uncover("eval"), [fixtures.put("/parameters/eval.binds/kinds", ["corpus"])])) == ["fail", {["eval.binds.uncovered", "evaluation", null]}]
}
