package gate.tests.training.base_lineage_test

import data.gate.controls.training.base_lineage
import data.gate.fixtures
import data.gate.tuned
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := tuned.after(patches)
	status := base_lineage.status with input as doc
	found := base_lineage.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := tuned.after(patches)
	evidence := base_lineage.evidence with input as doc
	reason := base_lineage.reason with input as doc
	found := base_lineage.violations with input as doc
}

test_passes_when_a_training_names_the_base if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {tuned.digests.training}, "reason": null, "violations": set()}
}

test_passes_when_each_file_of_the_base_is_named if {
	answer([tuned.put("training", "facts/base", {"a": tuned.artifacts.base.files["config.json"].digest, "b": tuned.artifacts.base.files["model.safetensors"].digest})]) == ["pass", set()]
}

test_fails_when_only_one_file_of_the_base_is_named if {
	answer([tuned.put("training", "facts/base", {"a": tuned.artifacts.base.files["config.json"].digest})]) == ["fail", {["training.base_lineage.differs", "style", null]}]
}

test_passes_when_the_root_that_was_signed_is_named if {
	answer([tuned.put("training", "facts/base", {"a": tuned.roots.base})]) == ["pass", set()]
}

test_fails_when_another_base_is_named if {
	answer([tuned.put("training", "facts/base", {"a": tuned.whole.rows})]) == ["fail", {["training.base_lineage.differs", "style", null]}]
}

test_fails_when_no_base_is_named if {
	answer([tuned.put("training", "facts/base", {})]) == ["fail", {["training.base_lineage.differs", "style", null]}]
}

test_fails_when_the_base_has_no_shape if {
	answer([tuned.put("training", "facts/base", [tuned.whole.base])]) == ["fail", {["training.base_lineage.differs", "style", null]}]
}

test_fails_when_it_does_not_say_what_it_was_made_from if {
	answer([tuned.remove("training", "facts/base")]) == ["fail", {["training.base_lineage.differs", "style", null]}]
}

test_fails_when_nothing_covers_it if {
	answer(tuned.cover("training", [])) == ["fail", {["training.base_lineage.missing", "style", null]}]
}

test_fails_when_it_was_not_collected if {
	answer([tuned.put("training", "facts/collected", false)]) == ["fail", {["training.base_lineage.missing", "style", null]}]
}

test_fails_when_it_failed if {
	answer([tuned.put("training", "facts/result", "failed")]) == ["fail", {["training.base_lineage.missing", "style", null]}]
}

test_fails_when_gate_yaml_names_no_base if {
	answer([fixtures.put("/artifacts/style/base", null)]) == ["fail", {["training.base_lineage.unadmitted", "style", null]}]
}

test_fails_when_its_base_does_not_ask_for_admission if {
	answer([fixtures.put("/artifacts/style/base", "other")]) == ["fail", {["training.base_lineage.unadmitted", "style", null]}]
}

test_fails_when_it_is_its_own_base if {
	answer([fixtures.put("/artifacts/style/base", "style")]) == ["fail", {["training.base_lineage.unadmitted", "style", null]}]
}

test_fails_when_its_base_is_not_signed if {
	answer(tuned.cover("sigbase", [])) == ["fail", {["training.base_lineage.unsigned", "style", null]}]
}

test_fails_when_a_root_was_not_signed_for_the_base if {
	answer(array.concat(tuned.cover("sigbase", []), [tuned.put("training", "facts/base", {"a": tuned.roots.base})])) == ["fail", {["training.base_lineage.differs", "style", null], ["training.base_lineage.unsigned", "style", null]}]
}

test_fails_when_weights_with_a_base_have_none if {
	answer(array.concat([fixtures.put("/artifacts/style/kind", "weights")], tuned.cover("training", []))) == ["fail", {["training.base_lineage.missing", "style", null]}]
}

test_passes_when_weights_name_their_base if {
	answer([fixtures.put("/artifacts/style/kind", "weights")]) == ["pass", set()]
}

test_fails_when_weights_were_tuned_and_gate_yaml_does_not_say_so if {
	answer([fixtures.put("/artifacts/style/kind", "weights"), fixtures.put("/artifacts/style/base", null)]) == ["fail", {["training.base_lineage.unadmitted", "style", null]}]
}

test_fails_when_weights_do_not_say_whether_they_were_tuned if {
	answer([fixtures.put("/artifacts/style/kind", "weights"), fixtures.put("/artifacts/style/base", null), tuned.remove("training", "facts/base")]) == ["fail", {["training.base_lineage.unadmitted", "style", null]}]
}

test_passes_when_a_composition_names_the_base if {
	answer(array.concat(tuned.cover("training", []), tuned.add("training", {
		"claim": "composition",
		"artifacts": ["base", "style"],
		"facts": object.union(object.remove(tuned.statements.training.facts, ["base"]), {"base": {"models/base": tuned.roots.base}, "adapters": {"models/style": tuned.roots.style}}),
	}))) == ["pass", set()]
}

test_fails_when_a_composition_names_another_base if {
	answer(array.concat(tuned.cover("training", []), tuned.add("training", {
		"claim": "composition",
		"artifacts": ["base", "style"],
		"facts": object.union(object.remove(tuned.statements.training.facts, ["base"]), {"base": {"models/base": tuned.roots.style}, "adapters": {"models/style": tuned.roots.style}}),
	}))) == ["fail", {["training.base_lineage.differs", "style", null]}]
}

test_fails_when_a_composition_is_of_another_adapter if {
	answer(array.concat(tuned.cover("training", []), tuned.add("training", {
		"claim": "composition",
		"artifacts": ["base", "style"],
		"facts": object.union(object.remove(tuned.statements.training.facts, ["base"]), {"base": {"models/base": tuned.roots.base}, "adapters": {"models/style": tuned.whole.rows}}),
	}))) == ["fail", {["training.base_lineage.missing", "style", null]}]
}

test_fails_when_a_training_and_a_composition_disagree if {
	answer(tuned.add("training", {
		"claim": "composition",
		"artifacts": ["base", "style"],
		"facts": object.union(object.remove(tuned.statements.training.facts, ["base"]), {"base": {"models/base": tuned.roots.style}, "adapters": {"models/style": tuned.roots.style}}),
	})) == ["fail", {["training.base_lineage.differs", "style", null]}]
}

test_fails_when_adapters_have_no_shape if {
	answer(array.concat(tuned.cover("training", []), tuned.add("training", {
		"claim": "composition",
		"artifacts": ["base", "style"],
		"facts": object.union(object.remove(tuned.statements.training.facts, ["base"]), {"base": {"models/base": tuned.roots.base}, "adapters": [tuned.roots.style]}),
	}))) == ["fail", {["training.base_lineage.missing", "style", null]}]
}

test_fails_with_messages if {
	whole(array.concat(tuned.cover("sigbase", []), [tuned.put("training", "facts/base", {})])).violations == {
		{
			"artifact": "style",
			"code": "training.base_lineage.differs",
			"evidence": [tuned.digests.training],
			"file": null,
			"message": "what it was made from is not base as it is now",
		},
		{
			"artifact": "style",
			"code": "training.base_lineage.unsigned",
			"evidence": [],
			"file": null,
			"message": "no verified signature covers its base base",
		},
	}
}

test_is_not_applicable_without_adapters if {
	answer([fixtures.remove("/artifacts/style")]) == ["not_applicable", set()]
}

test_is_not_applicable_when_a_dataset_has_a_base if {
	answer([fixtures.remove("/artifacts/style"), fixtures.put("/artifacts/rows/base", "base")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.remove("/artifacts/style")]) == {"evidence": set(), "reason": "no adapter, and no weights with a base", "violations": set()}
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})])[0] == "error"
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_fails_when_nothing_at_all_is_said_of_an_adapter if {
	answer(array.concat([fixtures.put("/artifacts/style/base", null)], tuned.cover("training", []))) == [
		"fail",
		{["training.base_lineage.unadmitted", "style", null]},
	]
}
