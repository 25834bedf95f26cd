package gate.tests.model.card_test

import data.gate.controls.model.card
import data.gate.fixtures
import data.gate.materials
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := materials.after(patches)
	status := card.status with input as doc
	found := card.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := materials.after(patches)
	evidence := card.evidence with input as doc
	reason := card.reason with input as doc
	found := card.violations with input as doc
}

# Nothing but one artifact asks for admission.
only(name) := [fixtures.put("/artifacts", {name: materials.artifacts[name]})]

joined(lists) := [patch | some list in lists; some patch in list]

test_passes_when_each_model_has_a_card if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {materials.digests.bombase, materials.digests.card}, "reason": null, "violations": set()}
}

test_passes_when_the_usual_fields_are_there if {
	answer([fixtures.remove("/parameters/model.card"), materials.remove("card", "facts/license"), materials.put("bombase", "facts/components/model/licenses", [])]) == ["pass", set()]
}

test_passes_when_one_field_is_asked_for if {
	answer([fixtures.put("/parameters/model.card/required", ["intended_use"])]) == ["pass", set()]
}

test_passes_when_other_fields_are_asked_for if {
	patches := array.concat(only("base"), [
		fixtures.put("/parameters/model.card/required", ["considerations", "datasets", "task"]),
		materials.put("bombase", "facts/cards/model", {"considerations": true, "datasets": ["rows"], "task": "summaries"}),
	])
	answer(patches) == ["pass", set()]
}

test_passes_when_a_component_with_the_digest_has_the_card if {
	whole(joined([materials.drop("card"), carded])) == {"evidence": {materials.digests.bombase, materials.digests.bomstyle}, "reason": null, "violations": set()}
}

test_passes_when_its_statement_is_a_word_and_the_document_has_a_card if {
	answer(joined([carded, [materials.put("card", "facts/collected", false)]])) == ["pass", set()]
}

test_passes_when_its_statement_lacks_what_the_document_says if {
	answer(joined([carded, [materials.put("card", "facts/limitations", [])]])) == ["pass", set()]
}

carded := [
	materials.put("bomstyle", "facts/components/style/licenses", ["MIT"]),
	materials.put("bomstyle", "facts/cards/style", {"intended_use": "a style", "limitations": ["English only"]}),
]

test_fails_when_there_is_no_card if {
	answer(materials.drop("card")) == ["fail", {["model.card.missing", "style"]}]
	answer([materials.put("bombase", "facts/cards", {})]) == ["fail", {["model.card.missing", "base"]}]
}

test_fails_when_the_document_does_not_cover_it if {
	answer(materials.drop("bombase")) == ["fail", {["model.card.missing", "base"]}]
	answer([materials.put("bombase", "artifacts", []), fixtures.remove("/claims/sbom/by_artifact/base")]) == ["fail", {["model.card.missing", "base"]}]
}

test_fails_when_the_document_names_another_model if {
	answer([materials.put("bombase", "facts/components/weights/digests/sha256", materials.bare("0"))]) == ["fail", {["model.card.missing", "base"]}]
}

test_fails_when_only_a_part_has_a_card if {
	patches := [
		materials.remove("bombase", "facts/cards/model"),
		materials.put("bombase", "facts/components/weights/licenses", ["MIT"]),
		materials.put("bombase", "facts/cards/weights", {"intended_use": "summaries", "limitations": ["English only"]}),
	]
	answer(patches) == ["fail", {["model.card.incomplete", "base"]}]
	whole(patches).evidence == {materials.digests.card}
}

test_fails_when_its_card_failed if {
	answer([materials.put("card", "facts/result", "failed")]) == ["fail", {["model.card.failed", "style"]}]
	answer(joined([carded, [materials.put("card", "facts/result", "failed")]])) == ["fail", {["model.card.failed", "style"]}]
}

test_fails_when_nobody_collected_it if {
	answer([materials.put("card", "facts/collected", false)]) == ["fail", {["model.card.uncollected", "style"]}]
}

test_fails_when_a_card_does_not_say_all if {
	every value in [null, "", " ", "\t", [], {}, false, 0, [null]] {
		answer([materials.put("card", "facts/intended_use", value)]) == ["fail", {["model.card.incomplete", "style"]}]
		answer([materials.put("card", "facts/limitations", value)]) == ["fail", {["model.card.incomplete", "style"]}]
		answer([materials.put("bombase", "facts/cards/model/limitations", value)]) == ["fail", {["model.card.incomplete", "base"]}]
	}
}

test_fails_when_a_field_is_not_there if {
	answer([materials.remove("card", "facts/license")]) == ["fail", {["model.card.incomplete", "style"]}]
	answer([materials.put("bombase", "facts/components/model/licenses", [])]) == ["fail", {["model.card.incomplete", "base"]}]
	answer([fixtures.put("/parameters/model.card/required", ["intended_use", "task"])]) == ["fail", {["model.card.incomplete", "base"], ["model.card.incomplete", "style"]}]
}

test_fails_without_parameters_when_limitations_are_not_there if {
	answer([fixtures.remove("/parameters/model.card"), materials.remove("card", "facts/limitations")]) == ["fail", {["model.card.incomplete", "style"]}]
	answer([fixtures.remove("/parameters/model.card"), materials.remove("card", "facts/intended_use")]) == ["fail", {["model.card.incomplete", "style"]}]
}

test_fails_with_a_message if {
	whole([materials.remove("card", "facts/license")]).violations == {violation("incomplete", "no card of all of it says everything that is asked for: intended_use, license, limitations", [materials.digests.card])}
	whole([materials.put("card", "facts/collected", false)]).violations == {violation("uncollected", "what covers it is its signer's word; nothing was collected", [materials.digests.card])}
}

violation(reason, message, evidence) := {
	"artifact": "style",
	"code": concat(".", ["model.card", reason]),
	"evidence": evidence,
	"file": null,
	"message": message,
}

test_evidence_is_what_says_everything if {
	whole([materials.remove("card", "facts/license")]).evidence == {materials.digests.bombase}
}

test_is_not_applicable_without_models if {
	answer(only("mail")) == ["not_applicable", set()]
	whole(only("mail")).reason == "no weights or adapter asks for admission"
}

test_errors_when_parameters_have_no_shape if {
	every value in ["intended_use", [], [1], ["intended_use", null]] {
		answer([fixtures.put("/parameters/model.card/required", value)])[0] == "error"
	}
}

test_errors_when_nothing_is_required_and_no_model_is_there if {
	answer(array.concat(only("mail"), [fixtures.put("/parameters/model.card/required", [])]))[0] == "error"
}

test_errors_when_a_document_has_no_shape if {
	answer(array.concat(only("mail"), [materials.put("bomstyle", "facts/components", [])]))[0] == "error"
	answer([materials.put("bomstyle", "facts/components", [])])[0] == "error"
}

test_errors_when_sections_are_missing if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
	answer([fixtures.put("/claims", {})])[0] == "error"
}
