package gate.tests.container.signed_test

import data.gate.built
import data.gate.controls.container.signed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := signed.status with input as doc
	found := signed.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := signed.evidence with input as doc
	reason := signed.reason with input as doc
	found := signed.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := signed.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {built.digests.sigserver}, "reason": null, "violations": set()}
}

test_passes_when_a_package_has_none if answer([built.drop("sigwheel")]) == ["pass", set()]

test_fails_when_there_is_none if {
	answer([built.drop("sigserver")]) == ["fail", {["container.signed.missing", "server"]}]
}

test_fails_when_it_is_about_files_of_the_image if {
	patches := [built.put("sigserver", "subjects", {built.digests.wheel: {"name": ""}})]
	answer(patches) == ["fail", {["container.signed.missing", "server"]}]
	answer([built.put("sigserver", "subjects", {})]) == ["fail", {["container.signed.missing", "server"]}]
}

test_fails_when_the_image_has_no_digest if {
	answer([fixtures.put("/artifacts/server/digest", null)]) == ["fail", {["container.signed.missing", "server"]}]
}

test_is_not_applicable_without_containers if {
	patches := [fixtures.remove("/artifacts/server")]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "no container asks for admission"
}
