package gate.tests.model.license_test

import data.gate.controls.model.license
import data.gate.fixtures
import data.gate.materials
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := materials.after(patches)
	status := license.status with input as doc
	found := license.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := materials.after(patches)
	evidence := license.evidence with input as doc
	reason := license.reason with input as doc
	found := license.violations with input as doc
}

# Nothing but one artifact asks for admission.
only(name) := [fixtures.put("/artifacts", {name: materials.artifacts[name]})]

joined(lists) := [patch | some list in lists; some patch in list]

test_passes_when_each_licence_is_allowed if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {materials.digests.bombase, materials.digests.bomrest, materials.digests.card, materials.digests.data},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_only_the_usual_kinds_are_asked if {
	patches := [
		fixtures.remove("/parameters/model.license/kinds"),
		materials.put("bomrest", "facts/components/server/licenses", ["GPL-3.0-only"]),
	]
	answer(patches) == ["pass", set()]
}

test_passes_when_each_file_states_it if {
	patches := [
		materials.put("bombase", "facts/components/model/licenses", []),
		materials.put("bombase", "facts/components/config/licenses", ["MIT"]),
		materials.put("bombase", "facts/components/weights/licenses", ["Apache-2.0"]),
	]
	answer(patches) == ["pass", set()]
}

test_fails_when_nothing_states_a_licence if {
	answer(joined([materials.drop("card"), materials.drop("bomstyle")])) == ["fail", {["model.license.missing", "style"]}]
	answer(materials.drop("bombase")) == ["fail", {["model.license.missing", "base"]}]
}

test_fails_when_what_is_about_it_states_none if {
	answer([materials.put("bomrest", "facts/components/server/licenses", [])]) == ["fail", {["model.license.unstated", "server"]}]
	answer(array.concat(materials.drop("bomstyle"), [materials.put("card", "facts/collected", false)])) == ["fail", {["model.license.unstated", "style"]}]
	answer([materials.put("data", "facts/collected", false), fixtures.remove("/claims/sbom/by_artifact/mail"), materials.put("bomrest", "artifacts", ["rows", "server"])]) == ["fail", {["model.license.unstated", "mail"]}]
}

# It stands among the files of a document about something else.
test_fails_when_a_part_alone_has_a_licence if {
	patches := array.concat(only("rows"), [
		materials.put("bomrest", "artifacts", []),
		fixtures.remove("/claims/sbom/by_artifact/mail"),
		fixtures.remove("/claims/sbom/by_artifact/rows"),
		fixtures.remove("/claims/sbom/by_artifact/server"),
		materials.put("bomrest", "facts/components/second/licenses", []),
	])
	answer(patches) == ["fail", {["model.license.unstated", "rows"]}]
}

test_fails_for_each_usual_kind if {
	patches := array.concat([fixtures.remove("/parameters/model.license/kinds")], joined([materials.drop("card"), materials.drop("data"), materials.drop("bombase")]))
	answer(patches) == ["fail", {["model.license.missing", "base"], ["model.license.unstated", "mail"], ["model.license.unstated", "style"]}]
}

test_fails_when_nobody_collected_it if {
	answer([materials.put("card", "facts/collected", false)]) == ["fail", {["model.license.unstated", "style"]}]
	answer([materials.put("data", "facts/collected", false)]) == ["fail", {["model.license.unstated", "mail"]}]
}

test_fails_when_only_a_part_has_a_licence if {
	answer([materials.put("bomrest", "facts/components/second/licenses", [])]) == ["fail", {["model.license.unstated", "rows"]}]
}

test_fails_when_a_licence_is_not_on_the_list if {
	answer([materials.put("card", "facts/license", "GPL-3.0-only")]) == ["fail", {["model.license.refused", "style"]}]
	answer([materials.put("data", "facts/license", "GPL-3.0-only")]) == ["fail", {["model.license.refused", "mail"]}]
	answer([materials.put("bomrest", "facts/components/second/licenses", ["GPL-3.0-only"])]) == ["fail", {["model.license.refused", "rows"]}]
	answer([materials.put("bomrest", "facts/datasets/second/licenses", ["GPL-3.0-only"])]) == ["fail", {["model.license.refused", "rows"]}]
	answer([materials.put("bombase", "facts/components/weights/licenses", ["GPL-3.0-only"])]) == ["fail", {["model.license.refused", "base"]}]
}

test_fails_when_one_of_two_sources_is_not_allowed if {
	answer([materials.put("bomstyle", "facts/components/style/licenses", ["GPL-3.0-only"])]) == ["fail", {["model.license.refused", "style"]}]
	answer([materials.put("bomrest", "facts/components/server/licenses", ["MIT", "GPL-3.0-only"])]) == ["fail", {["model.license.refused", "server"]}]
}

test_fails_when_nothing_is_allowed if {
	answer(array.concat(only("style"), [fixtures.remove("/parameters/model.license")])) == ["fail", {["model.license.refused", "style"]}]
}

test_fails_when_nobody_knows if {
	allowed := fixtures.put("/parameters/model.license/allowed", ["Apache-2.0", "MIT", "CC0-1.0", "CC-BY-4.0", "NONE", "NOASSERTION"])
	every word in ["NONE", "NOASSERTION", "", " "] {
		answer([allowed, materials.put("card", "facts/license", word)]) == ["fail", {["model.license.unknown", "style"]}]
	}
	answer([materials.put("bomstyle", "facts/components/style/licenses", ["NOASSERTION"])]) == ["fail", {["model.license.unknown", "style"]}]
}

test_fails_when_a_licence_is_no_text if {
	answer([materials.put("card", "facts/license", null)]) == ["fail", {["model.license.unknown", "style"]}]
}

test_fails_with_a_message if {
	whole([materials.put("card", "facts/license", "GPL-3.0-only")]).violations == {violation("refused", "its licence GPL-3.0-only is not on the list", [materials.digests.card])}
	whole([materials.put("card", "facts/license", "NONE")]).violations == {violation("unknown", "a statement about it says that it has no licence or that nobody knows", [materials.digests.card])}
	whole(materials.drop("card")).violations == {violation("unstated", "what is about it states no licence for all of it, or was not collected", [materials.digests.bomstyle])}
	whole(joined([materials.drop("card"), materials.drop("bomstyle")])).violations == {violation("missing", "nothing that states licences is about it", [])}
}

violation(reason, message, evidence) := {
	"artifact": "style",
	"code": concat(".", ["model.license", reason]),
	"evidence": evidence,
	"file": null,
	"message": message,
}

test_evidence_is_about_what_is_proved if {
	whole([materials.put("bomrest", "facts/components/second/licenses", [])]).evidence == {materials.digests.bombase, materials.digests.bomrest, materials.digests.card, materials.digests.data}
	patches := array.concat(only("rows"), [materials.put("bomrest", "facts/components/second/licenses", [])])
	whole(patches).evidence == set()
}

test_is_not_applicable_when_nothing_needs_a_licence if {
	patches := [fixtures.put("/parameters/model.license/kinds", ["package"])]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "nothing that needs a licence asks for admission"
}

test_errors_when_parameters_have_no_shape if {
	every value in ["MIT", [1], null] {
		answer([fixtures.put("/parameters/model.license/allowed", value)])[0] == "error"
		answer([fixtures.put("/parameters/model.license/kinds", value)])[0] == "error"
	}
	answer(array.concat(only("server"), [fixtures.put("/parameters/model.license/kinds", ["container", 1])]))[0] == "error"
	answer([fixtures.put("/parameters/model.license/allowed", ["Apache-2.0", "MIT", "CC0-1.0", "CC-BY-4.0", 1])])[0] == "error"
}

test_errors_when_a_document_has_no_shape if {
	answer([materials.put("bomstyle", "facts/components", [])])[0] == "error"
	answer(array.concat(only("mail"), [materials.put("bomstyle", "facts/components", [])]))[0] == "error"
}

test_errors_when_sections_are_missing if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
	answer([fixtures.put("/claims", {})])[0] == "error"
}
