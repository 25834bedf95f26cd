package gate.tests.build.parameters_test

import data.gate.built
import data.gate.controls.build.parameters
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := parameters.status with input as doc
	found := parameters.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := parameters.evidence with input as doc
	reason := parameters.reason with input as doc
	found := parameters.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := parameters.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {built.digests.provserver, built.digests.provwheel}, "reason": null, "violations": set()}
}

kind := "https://builder.example/workflow/v1"

expectation := built.base.parameters["build.parameters"].expected[kind]

expect(values) := fixtures.put("/parameters/build.parameters/expected", values)

of_wheel(code) := ["fail", {[code, "wheel"]}]

test_passes_when_it_is_expected_of_the_builder if {
	answer([expect({"https://builder.example/hosted": expectation})]) == ["pass", set()]
}

test_fails_when_nothing_covers_it if {
	answer([built.drop("provwheel")]) == of_wheel("build.parameters.missing")
}

test_fails_when_nothing_is_expected if {
	expected := ["fail", {["build.parameters.unexpected", "server"], ["build.parameters.unexpected", "wheel"]}]
	answer([expect({})]) == expected
	answer([fixtures.remove("/parameters/build.parameters")]) == expected
}

test_fails_when_nothing_is_expected_of_its_build_type if {
	answer([built.put("provwheel", "facts/build_type", "x")]) == of_wheel("build.parameters.unexpected")
}

test_fails_when_it_names_no_builder if {
	answer([built.remove("provwheel", "facts/builder_id")]) == of_wheel("build.parameters.unexpected")
}

test_fails_when_it_was_built_from_another_repository if {
	answer([built.put("provwheel", "facts/source/uri", "https://code.example/evil/app")]) == of_wheel("build.parameters.source")
}

test_fails_when_it_was_built_from_another_branch if {
	answer([built.put("provwheel", "facts/source/ref", "refs/heads/main2")]) == of_wheel("build.parameters.ref")
}

test_fails_when_a_parameter_has_another_value if {
	found := whole([built.put("provwheel", "facts/parameters/inputs.flavour", "evil")])
	found.violations == {{
		"artifact": "wheel",
		"code": "build.parameters.value",
		"evidence": [built.digests.provwheel],
		"file": null,
		"message": "another value than expected has the parameter inputs.flavour",
	}}
}

test_fails_when_nobody_expects_a_parameter if {
	found := whole([built.put("provwheel", "facts/parameters/inputs.extra", "x")])
	{[entry.code, entry.message] | some entry in found.violations} == {["build.parameters.unknown", "nobody expects the parameter inputs.extra"]}
}

test_fails_when_there_are_no_parameters if {
	answer([built.remove("provwheel", "facts/parameters")]) == of_wheel("build.parameters.unread")
}

test_fails_when_one_of_two_expectations_is_not_met if {
	patches := [expect({kind: expectation, "https://builder.example/hosted": object.union(expectation, {"source": "x"})})]
	answer(patches) == ["fail", {["build.parameters.source", "server"], ["build.parameters.source", "wheel"]}]
}

test_fails_when_one_of_two_statements_is_of_another_source if {
	patches := [built.add("other", "provwheel", {"facts": object.union(built.facts, {"source": {"uri": "x", "ref": "refs/heads/main"}})})]
	answer(patches) == of_wheel("build.parameters.source")
}

test_errors_when_expectations_have_no_shape if {
	answer([expect([])])[0] == "error"
	answer([expect({kind: object.remove(expectation, ["refs"])})])[0] == "error"
	answer([expect({kind: expectation, "other": {}})])[0] == "error"
	answer([expect({kind: object.union(expectation, {"valuez": {}})})])[0] == "error"
}

test_errors_when_expectations_are_unsound_and_nothing_asks_for_admission if {
	answer([expect({kind: {}}), fixtures.put("/artifacts", {})])[0] == "error"
	answer([expect([]), fixtures.put("/artifacts", {})])[0] == "error"
}

test_is_not_applicable_without_artifacts if {
	patches := [fixtures.put("/artifacts", {})]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "nothing that is built asks for admission"
}
