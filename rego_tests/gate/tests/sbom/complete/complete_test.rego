package gate.tests.sbom.complete_test

import data.gate.controls.sbom.complete
import data.gate.fixtures
import data.gate.materials
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := materials.after(patches)
	status := complete.status with input as doc
	found := complete.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := materials.after(patches)
	evidence := complete.evidence with input as doc
	reason := complete.reason with input as doc
	found := complete.violations with input as doc
}

test_passes_when_each_document_is_complete if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {materials.digests.bombase, materials.digests.bomrest, materials.digests.bomstyle},
		"reason": null,
		"violations": set(),
	}
}

second(word) := materials.add("bombase", ["base"], {"facts": object.union(materials.statements.bombase.facts, {"completeness": word})})

test_passes_when_the_second_of_two_documents_does_not_say if {
	answer(second("unknown")) == ["pass", set()]
	whole(second("unknown")).evidence == {materials.digests.bombase, materials.digests.bomrest, materials.digests.bomstyle}
}

test_fails_when_the_second_of_two_documents_says_that_parts_are_missing if {
	whole(second("incomplete")).violations == {violation(
		"conflict",
		"an SBOM that names it says that parts are missing and another that they are all there",
		[materials.digests.other],
	)}
	answer(second("incomplete")) == ["fail", {["sbom.complete.conflict", "base"]}]
}

test_passes_when_the_second_of_two_documents_names_something_else if {
	patches := array.concat(second("incomplete"), [fixtures.remove(concat("/", ["/attestations", materials.digests.other, "facts/components/config"]))])
	answer(patches) == ["pass", set()]
}

test_passes_when_the_root_is_the_artifact_or_a_file_of_it if {
	every content in [materials.whole.base, materials.content.weights] {
		answer([root(content)]) == ["pass", set()]
	}
}

test_fails_when_the_root_is_something_else if {
	every content in [materials.whole.rows, materials.digest("0")] {
		answer([root(content)]) == ["fail", {["sbom.complete.other_root", "base"]}]
	}
	whole([root(materials.digest("0"))]).violations == {violation(
		"other_root",
		"the root of each SBOM that names it has the SHA-256 of something else",
		[materials.digests.bombase],
	)}
}

root(content) := materials.put("bombase", "facts/components/model/digests/sha256", trim_prefix(content, "sha256:"))

test_passes_when_spdx_2_is_written_as_a_number if {
	answer([materials.put("bomstyle", "facts/version", "2.3")]) == ["pass", set()]
}

test_passes_when_spdx_2_declares_it if {
	answer([fixtures.remove("/parameters/sbom.complete/accept_spdx_2"), materials.put("bomstyle", "facts/completeness", "complete")]) == ["pass", set()]
}

test_fails_when_there_is_none if {
	answer(materials.drop("bombase")) == ["fail", {["sbom.complete.missing", "base"]}]
}

test_fails_for_each_usual_kind if {
	none := [
		fixtures.put("/attestations", {}),
		fixtures.put("/claims", {}),
		fixtures.remove("/parameters/sbom.complete"),
		fixtures.put("/artifacts/rows/kind", "package"),
	]
	answer(none) == ["fail", {["sbom.complete.missing", name] | some name in object.keys(materials.artifacts)}]
}

test_fails_when_it_names_something_else if {
	answer([materials.put("bomstyle", "facts/components/style/digests/sha256", materials.bare("0"))]) == ["fail", {["sbom.complete.unnamed", "style"]}]
	answer([materials.put("bomstyle", "facts/components/style/digests", {"sha512": materials.bare("2")})]) == ["fail", {["sbom.complete.unnamed", "style"]}]
}

test_fails_when_it_names_some_files_only if {
	answer([materials.remove("bombase", "facts/components/config")]) == ["fail", {["sbom.complete.unnamed", "base"]}]
}

test_fails_when_it_is_about_nothing if {
	answer([materials.put("bombase", "facts/root", null)]) == ["fail", {["sbom.complete.rootless", "base"]}]
	answer([materials.put("bombase", "facts/root", "nothing")]) == ["fail", {["sbom.complete.rootless", "base"]}]
}

test_fails_when_it_is_not_complete if {
	every word in ["incomplete", "unknown"] {
		answer([materials.put("bombase", "facts/completeness", word)]) == ["fail", {["sbom.complete.incomplete", "base"]}]
	}
	answer([materials.put("bomstyle", "facts/completeness", "incomplete")]) == ["fail", {["sbom.complete.incomplete", "style"]}]
}

test_fails_when_spdx_2_does_not_count if {
	answer([fixtures.put("/parameters/sbom.complete/accept_spdx_2", false)]) == ["fail", {["sbom.complete.incomplete", "style"]}]
	answer([fixtures.remove("/parameters/sbom.complete/accept_spdx_2")]) == ["fail", {["sbom.complete.incomplete", "style"]}]
}

test_fails_when_another_format_does_not_declare_it if {
	every version in ["3.0.1", "SPDX-3.0.1", null] {
		answer([materials.put("bomstyle", "facts/version", version)]) == ["fail", {["sbom.complete.incomplete", "style"]}]
	}
	answer([materials.put("bomstyle", "facts/format", "cyclonedx")]) == ["fail", {["sbom.complete.incomplete", "style"]}]
}

test_fails_when_two_documents_share_what_one_needs if {
	unnamed := object.union(materials.statements.bombase.facts, {"root": "nothing"})
	patches := array.concat(
		materials.add("bombase", ["base"], {"facts": unnamed}),
		[materials.put("bombase", "facts/completeness", "unknown")],
	)
	answer(patches) == ["fail", {["sbom.complete.incomplete", "base"]}]
}

test_fails_with_a_message if {
	whole(materials.drop("bombase")).violations == {violation("missing", "no signed SBOM covers it", [])}
	whole([materials.put("bombase", "facts/completeness", "unknown")]).violations == {violation("incomplete", "no SBOM that names it declares that its parts are all there", [materials.digests.bombase])}
}

violation(reason, message, evidence) := {
	"artifact": "base",
	"code": concat(".", ["sbom.complete", reason]),
	"evidence": evidence,
	"file": null,
	"message": message,
}

test_evidence_is_complete if {
	whole([materials.put("bombase", "facts/completeness", "unknown")]).evidence == {materials.digests.bomrest, materials.digests.bomstyle}
}

test_is_not_applicable_when_nothing_needs_one if {
	patches := [fixtures.put("/parameters/sbom.complete/kinds", ["package"])]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "nothing that needs an SBOM asks for admission"
}

test_errors_when_parameters_have_no_shape if {
	every value in ["weights", [1], ["weights", 1], null] {
		answer([fixtures.put("/parameters/sbom.complete/kinds", value)])[0] == "error"
	}
	every value in ["yes", 1, null] {
		answer([fixtures.put("/parameters/sbom.complete/accept_spdx_2", value), materials.put("bomstyle", "facts/completeness", "complete")])[0] == "error"
	}
}

test_errors_when_a_document_has_no_shape if {
	answer([materials.put("bomstyle", "facts/cards", [])])[0] == "error"
	answer([materials.put("bomstyle", "facts/cards", []), fixtures.put("/parameters/sbom.complete/kinds", ["package"])])[0] == "error"
}

test_errors_when_sections_are_missing if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
	answer([fixtures.put("/claims", {})])[0] == "error"
}
