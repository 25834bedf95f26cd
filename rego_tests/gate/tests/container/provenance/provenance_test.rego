package gate.tests.container.provenance_test

import data.gate.built
import data.gate.controls.container.provenance
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := provenance.status with input as doc
	found := provenance.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := provenance.evidence with input as doc
	reason := provenance.reason with input as doc
	found := provenance.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := provenance.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {built.digests.provserver}, "reason": null, "violations": set()}
}

test_passes_when_a_package_has_none if answer([built.drop("provwheel")]) == ["pass", set()]

test_fails_when_there_is_none if {
	answer([built.drop("provserver")]) == ["fail", {["container.provenance.missing", "server"]}]
}

test_fails_when_it_is_about_files_of_the_image if {
	patches := [built.put("provserver", "subjects", {built.digests.wheel: {"name": ""}})]
	answer(patches) == ["fail", {["container.provenance.missing", "server"]}]
	answer([built.put("provserver", "subjects", {})]) == ["fail", {["container.provenance.missing", "server"]}]
}

test_fails_when_the_image_has_no_digest if {
	answer([fixtures.put("/artifacts/server/digest", null)]) == ["fail", {["container.provenance.missing", "server"]}]
}

test_fails_when_it_names_no_builder if {
	found := whole([built.put("provserver", "facts/builder_id", null)])
	found == {"evidence": set(), "reason": null, "violations": {{
		"artifact": "server",
		"code": "container.provenance.builder",
		"evidence": [built.digests.provserver],
		"file": null,
		"message": "its provenance does not name the builder",
	}}}
	answer([built.put("provserver", "facts/builder_id", "")]) == ["fail", {["container.provenance.builder", "server"]}]
}

test_fails_with_its_own_statements_only if {
	found := whole([
		fixtures.put("/artifacts/wheel/kind", "container"),
		built.put("provserver", "facts/builder_id", null),
		built.put("provwheel", "facts/builder_id", null),
	])
	{[entry.artifact, entry.evidence] | some entry in found.violations} == {
		["server", [built.digests.provserver]],
		["wheel", [built.digests.provwheel]],
	}
}

test_passes_when_one_of_two_names_the_builder if {
	patches := [built.add("other", "provserver", {"facts": {"builder_id": null}})]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == {built.digests.provserver}
}

test_is_not_applicable_without_containers if {
	patches := [fixtures.remove("/artifacts/server")]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "no container asks for admission"
}
