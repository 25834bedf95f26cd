package gate.tests.dataset.governed_test

import data.gate.controls.dataset.governed
import data.gate.fixtures
import data.gate.materials
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := materials.after(patches)
	status := governed.status with input as doc
	found := governed.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := materials.after(patches)
	evidence := governed.evidence with input as doc
	reason := governed.reason with input as doc
	found := governed.violations with input as doc
}

# Nothing but one artifact asks for admission.
only(name) := [fixtures.put("/artifacts", {name: materials.artifacts[name]})]

joined(lists) := [patch | some list in lists; some patch in list]

test_passes_when_each_source_says_everything if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {materials.digests.bomrest, materials.digests.data}, "reason": null, "violations": set()}
}

test_passes_when_nothing_is_asked_for if {
	patches := [
		fixtures.remove("/parameters/dataset.governed"),
		materials.put("data", "facts/personal_data", false),
		materials.put("bomrest", "facts/datasets/first/personal_data", false),
		materials.put("bomrest", "facts/datasets/second/personal_data", false),
	]
	answer(patches) == ["pass", set()]
}

test_passes_when_a_component_is_the_dataset if {
	whole(joined([materials.drop("data"), governed_mail])) == {"evidence": {materials.digests.bomrest}, "reason": null, "violations": set()}
}

test_passes_when_both_sources_agree if {
	answer(governed_mail) == ["pass", set()]
}

test_passes_when_its_statement_is_a_word_and_the_document_says_all if {
	answer(joined([governed_mail, [materials.put("data", "facts/collected", false)]])) == ["pass", set()]
}

test_passes_when_its_statement_lacks_what_the_document_says if {
	answer(joined([governed_mail, [materials.put("data", "facts/owner", null)]])) == ["pass", set()]
}

governed_mail := [
	materials.put("bomrest", "facts/components/mail/licenses", ["CC-BY-4.0"]),
	materials.put("bomrest", "facts/datasets/mail", stated),
]

stated := {"owner": "mail team", "classification": "secret", "personal_data": true, "licenses": []}

test_fails_when_nothing_is_said_of_it if {
	answer(materials.drop("data")) == ["fail", {["dataset.governed.missing", "mail"]}]
	answer([materials.put("bomrest", "facts/datasets", {})]) == ["fail", {["dataset.governed.missing", "rows"]}]
}

test_fails_when_only_one_file_is_described if {
	answer([materials.remove("bomrest", "facts/datasets/second")]) == ["fail", {["dataset.governed.missing", "rows"]}]
}

test_fails_when_the_document_does_not_say_all if {
	answer([materials.put("bomrest", "facts/datasets/second/owner", null)]) == ["fail", {["dataset.governed.missing", "rows"]}]
	answer([materials.put("bomrest", "facts/datasets/second/classification", "")]) == ["fail", {["dataset.governed.missing", "rows"]}]
	answer([materials.put("bomrest", "facts/datasets/second/personal_data", null)]) == ["fail", {["dataset.governed.missing", "rows"]}]
	answer([materials.put("bomrest", "facts/components/second/licenses", [])]) == ["fail", {["dataset.governed.missing", "rows"]}]
}

test_fails_when_the_document_names_other_data if {
	answer([materials.put("bomrest", "facts/components/second/digests/sha256", materials.bare("0"))]) == ["fail", {["dataset.governed.missing", "rows"]}]
}

test_fails_when_it_failed if {
	answer([materials.put("data", "facts/result", "failed")]) == ["fail", {["dataset.governed.failed", "mail"]}]
	answer(joined([governed_mail, [materials.put("data", "facts/result", "failed")]])) == ["fail", {["dataset.governed.failed", "mail"]}]
}

test_fails_when_nobody_collected_it if {
	answer([materials.put("data", "facts/collected", false)]) == ["fail", {["dataset.governed.uncollected", "mail"]}]
}

test_fails_when_its_statement_does_not_say_all if {
	every field in ["owner", "classification", "personal_data", "license"] {
		answer([materials.put("data", concat("/", ["facts", field]), null)]) == ["fail", {["dataset.governed.incomplete", "mail"]}]
	}
}

test_fails_when_owner_or_classification_is_blank if {
	every field in ["owner", "classification"] {
		answer([materials.put("data", concat("/", ["facts", field]), " ")]) == ["fail", {["dataset.governed.incomplete", "mail"]}]
	}
}

test_fails_when_any_field_is_missing if {
	every field in ["owner", "classification", "personal_data", "license"] {
		answer([materials.remove("data", concat("/", ["facts", field]))]) == ["fail", {["dataset.governed.incomplete", "mail"]}]
	}
}

test_fails_when_nobody_knows_its_licence if {
	patches := [fixtures.put("/parameters/dataset.governed/licenses", []), materials.put("data", "facts/license", "NOASSERTION")]
	answer(patches) == ["fail", {["dataset.governed.incomplete", "mail"]}]
}

test_fails_when_its_sources_disagree if {
	every field, value in {"owner": "others", "classification": "public", "personal_data": false, "licenses": ["CC0-1.0"]} {
		patches := joined([governed_mail, [materials.put("bomrest", concat("/", ["facts/datasets/mail", field]), value)]])
		answer(patches) == ["fail", {["dataset.governed.conflict", "mail"]}]
	}
}

test_fails_when_an_unfinished_source_disagrees if {
	answer([materials.put("bomrest", "facts/datasets/mail", {"owner": "others", "licenses": []})]) == ["fail", {["dataset.governed.conflict", "mail"]}]
}

test_fails_when_components_of_one_document_disagree if {
	answer([materials.put("bomrest", "facts/datasets/second/owner", "others")]) == ["fail", {["dataset.governed.conflict", "rows"]}]
}

test_fails_when_it_holds_personal_data if {
	answer([fixtures.put("/parameters/dataset.governed/personal_data", false)]) == ["fail", {["dataset.governed.personal_data", "mail"], ["dataset.governed.personal_data", "rows"]}]
	answer([fixtures.remove("/parameters/dataset.governed")]) == ["fail", {["dataset.governed.personal_data", "mail"], ["dataset.governed.personal_data", "rows"]}]
}

test_fails_when_its_licence_is_not_allowed if {
	answer([materials.put("data", "facts/license", "GPL-3.0-only")]) == ["fail", {["dataset.governed.license", "mail"]}]
	answer([materials.put("data", "facts/license", "CC-BY-4.0 AND GPL-3.0-only")]) == ["fail", {["dataset.governed.license", "mail"]}]
}

test_fails_when_one_licence_is_allowed_and_it_has_another if {
	answer(array.concat(only("mail"), [fixtures.put("/parameters/dataset.governed/licenses", ["CC0-1.0"])])) == ["fail", {["dataset.governed.license", "mail"]}]
}

test_fails_with_a_message if {
	whole([materials.put("data", "facts/license", "GPL-3.0-only")]).violations == {violation("license", "its licence GPL-3.0-only is not on the list", [materials.digests.data])}
	whole([materials.put("data", "facts/collected", false)]).violations == {violation("uncollected", "what covers it is its signer's word; nothing was collected", [materials.digests.data])}
	disagreeing := [materials.put("bomrest", "facts/datasets/mail", {"owner": "others", "licenses": []})]
	whole(disagreeing).violations == {violation("conflict", "its sources disagree: owner", sort([materials.digests.bomrest, materials.digests.data]))}
	personal := array.concat(only("mail"), [fixtures.remove("/parameters/dataset.governed/personal_data")])
	whole(personal).violations == {violation("personal_data", "it holds personal data", [materials.digests.data])}
}

violation(reason, message, evidence) := {
	"artifact": "mail",
	"code": concat(".", ["dataset.governed", reason]),
	"evidence": evidence,
	"file": null,
	"message": message,
}

test_evidence_is_what_says_everything if {
	whole([materials.remove("bomrest", "facts/datasets/second")]).evidence == {materials.digests.data}
}

test_is_not_applicable_without_datasets if {
	answer(only("base")) == ["not_applicable", set()]
	whole(only("base")).reason == "no dataset asks for admission"
}

test_errors_when_parameters_have_no_shape if {
	answer([fixtures.put("/parameters/dataset.governed/personal_data", "yes")])[0] == "error"
	answer([fixtures.put("/parameters/dataset.governed/licenses", "CC0-1.0")])[0] == "error"
	answer([fixtures.put("/parameters/dataset.governed/licenses", ["CC0-1.0", "CC-BY-4.0", 1])])[0] == "error"
}

test_errors_when_a_document_has_no_shape if {
	answer([materials.put("bomstyle", "facts/components", [])])[0] == "error"
	answer(joined([only("base"), [materials.put("bomstyle", "facts/components", [])]]))[0] == "error"
}

test_errors_when_sections_are_missing if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
	answer([fixtures.put("/claims", {})])[0] == "error"
}
