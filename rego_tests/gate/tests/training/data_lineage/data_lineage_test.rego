package gate.tests.training.data_lineage_test

import data.gate.controls.training.data_lineage
import data.gate.fixtures
import data.gate.tuned
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := tuned.after(patches)
	status := data_lineage.status with input as doc
	found := data_lineage.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := tuned.after(patches)
	evidence := data_lineage.evidence with input as doc
	reason := data_lineage.reason with input as doc
	found := data_lineage.violations with input as doc
}

test_passes_when_each_dataset_is_known if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {tuned.digests.pretraining, tuned.digests.training}, "reason": null, "violations": set()}
}

test_passes_when_a_file_of_a_dataset_is_named if {
	answer([tuned.put("training", "facts/datasets", {"a": tuned.artifacts.rows.files["rows.csv"].digest})]) == ["pass", set()]
}

test_passes_when_the_dataset_is_admitted_and_not_attested if {
	answer(tuned.cover("dataset", [])) == ["pass", set()]
}

test_passes_when_the_dataset_is_attested_and_not_admitted if {
	answer(array.concat([fixtures.put("/artifacts/rows/kind", "package")], [patch | some name in ["pretraining", "training"]; patch := tuned.put(name, "facts/datasets", {"a": tuned.artifacts.rows.files["rows.csv"].digest})])) == ["pass", set()]
}

test_fails_when_the_dataset_is_neither if {
	answer([fixtures.put("/artifacts/rows/kind", "package")]) == ["fail", {["training.data_lineage.unknown", "base", null], ["training.data_lineage.unknown", "style", null]}]
}

test_fails_when_its_statement_was_not_collected if {
	answer(array.concat([fixtures.put("/artifacts/rows/kind", "package"), tuned.put("dataset", "facts/collected", false)], [patch | some name in ["pretraining", "training"]; patch := tuned.put(name, "facts/datasets", {"a": tuned.artifacts.rows.files["rows.csv"].digest})])) == ["fail", {["training.data_lineage.unknown", "base", null], ["training.data_lineage.unknown", "style", null]}]
}

test_fails_when_only_another_claim_is_about_it if {
	answer([tuned.put("training", "facts/datasets", {"a": tuned.artifacts.base.files["config.json"].digest})]) == ["fail", {["training.data_lineage.unknown", "style", null]}]
}

test_fails_when_one_of_two_datasets_is_unknown if {
	answer([tuned.put("training", "facts/datasets/more", tuned.whole.base)]) == ["fail", {["training.data_lineage.unknown", "style", null]}]
}

test_fails_when_a_dataset_has_no_digest if {
	answer([tuned.put("training", "facts/datasets/rows", null)]) == ["fail", {["training.data_lineage.unknown", "style", null]}]
}

test_fails_when_no_dataset_is_named if {
	answer([tuned.put("training", "facts/datasets", {})]) == ["fail", {["training.data_lineage.unnamed", "style", null]}]
}

test_fails_when_datasets_have_no_shape if {
	answer([tuned.put("training", "facts/datasets", [tuned.whole.rows])]) == ["fail", {["training.data_lineage.unnamed", "style", null]}]
}

test_fails_when_nothing_says_how_it_was_trained if {
	answer(tuned.cover("training", [])) == ["fail", {["training.data_lineage.missing", "style", null]}]
}

test_fails_when_it_was_not_collected if {
	answer([tuned.put("training", "facts/collected", false)]) == ["fail", {["training.data_lineage.missing", "style", null]}]
}

test_fails_when_nothing_says_how_weights_were_trained if {
	answer(tuned.cover("pretraining", [])) == ["fail", {["training.data_lineage.missing", "base", null]}]
}

test_passes_when_subjects_of_a_dataset_have_no_shape_and_it_is_admitted if {
	answer([tuned.put("dataset", "subjects", null)]) == ["pass", set()]
}

test_fails_with_a_message if {
	whole([tuned.put("training", "facts/datasets/more", tuned.whole.base)]) == {
		"evidence": {tuned.digests.pretraining},
		"reason": null,
		"violations": {{
			"artifact": "style",
			"code": "training.data_lineage.unknown",
			"evidence": [tuned.digests.training],
			"file": null,
			"message": "the dataset more is neither admitted nor attested",
		}},
	}
}

test_is_not_applicable_without_models if {
	answer([fixtures.remove("/artifacts/style"), fixtures.remove("/artifacts/base")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.remove("/artifacts/style"), fixtures.remove("/artifacts/base")]) == {"evidence": set(), "reason": "no weights or adapter asks for admission", "violations": set()}
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})])[0] == "error"
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_passes_when_a_file_is_named_of_a_dataset_that_nobody_attested if {
	answer([
		tuned.put("dataset", "facts/collected", false),
		tuned.put("training", "facts/datasets", {"a": tuned.artifacts.rows.files["rows.csv"].digest}),
	]) == ["pass", set()]
}

test_errors_when_the_sections_disagree_and_no_model_is_there if {
	answer([
		fixtures.remove("/artifacts/style"),
		fixtures.remove("/artifacts/base"),
		fixtures.put("/claims", {}),
	])[0] == "error"
}

test_fails_with_the_statement_that_names_no_dataset if {
	whole([tuned.put("training", "facts/datasets", {})]).violations == {{
		"artifact": "style",
		"code": "training.data_lineage.unnamed",
		"evidence": [tuned.digests.training],
		"file": null,
		"message": "the statement about its training names no dataset",
	}}
}
