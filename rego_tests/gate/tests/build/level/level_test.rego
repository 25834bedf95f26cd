package gate.tests.build.level_test

import data.gate.built
import data.gate.controls.build.level
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := level.status with input as doc
	found := level.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := level.evidence with input as doc
	reason := level.reason with input as doc
	found := level.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := level.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {built.digests.provserver, built.digests.provwheel}, "reason": null, "violations": set()}
}

minimum(value) := fixtures.put("/parameters/build.level/minimum", value)

with_level(value) := fixtures.put("/builders/hosted/level", value)

both(code) := ["fail", {[code, "server"], [code, "wheel"]}]

test_passes_when_the_level_is_the_least if {
	answer([minimum(3)]) == ["pass", set()]
	whole([minimum(3)]).evidence == {built.digests.provserver, built.digests.provwheel}
	answer([minimum(1)]) == ["pass", set()]
}

test_passes_when_nothing_is_set_and_the_level_is_two if {
	answer([fixtures.remove("/parameters/build.level"), with_level(2)]) == ["pass", set()]
}

test_fails_when_nothing_is_set_and_the_level_is_one if {
	answer([fixtures.remove("/parameters/build.level"), with_level(1)]) == both("build.level.too_low")
}

test_passes_when_another_signer_of_the_builder_signed if {
	answer([built.put("provwheel", "signers/0/name", "ci")]) == ["pass", set()]
}

test_passes_when_one_of_two_signers_is_the_builders if {
	answer([built.put("provwheel", "signers/0", built.account("stranger")), built.put("provwheel", "signers/1", built.account("ci"))]) == ["pass", set()]
}

test_fails_when_nothing_covers_it if {
	answer([built.drop("provwheel")]) == ["fail", {["build.level.missing", "wheel"]}]
}

test_fails_when_no_builder_is_listed if {
	answer([fixtures.put("/builders", {})]) == both("build.level.unlisted")
}

test_fails_when_its_builder_is_not_listed if {
	answer([built.put("provwheel", "facts/builder_id", "https://builder.example/other")]) == ["fail", {["build.level.unlisted", "wheel"]}]
	answer([built.put("provwheel", "facts/builder_id", null)]) == ["fail", {["build.level.unlisted", "wheel"]}]
}

test_fails_when_somebody_else_signed_in_the_name_of_the_builder if {
	answer([built.put("provwheel", "signers/0/name", "stranger")]) == ["fail", {["build.level.unlisted", "wheel"]}]
}

test_fails_when_a_builder_signed_in_the_name_of_a_better_one if {
	patches := [fixtures.put("/builders/hosted/signers", ["builder"]), built.put("provwheel", "signers/0/name", "ci")]
	answer(patches) == ["fail", {["build.level.unlisted", "wheel"]}]
}

test_fails_when_the_level_is_too_low if {
	answer([with_level(1)]) == both("build.level.too_low")
	answer([with_level(0)]) == both("build.level.too_low")
}

own := {"facts": object.union(built.facts, {"builder_id": "https://builder.example/own"}), "signers": [built.account("ci")]}

test_passes_when_the_worse_of_two_builders_is_good_enough if {
	patches := [built.add("other", "provwheel", own), minimum(1)]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == {built.digests.provserver, built.digests.provwheel, built.digests.other}
}

test_fails_when_the_worse_of_two_builders_is_not_good_enough if {
	answer([built.add("other", "provwheel", own)]) == ["fail", {["build.level.too_low", "wheel"]}]
	both_low := [built.add("other", "provwheel", own), built.put("provserver", "facts/builder_id", "https://builder.example/own"), built.put("provserver", "signers/0/name", "ci")]
	every least in [2, 3] {
		found := whole(array.concat(both_low, [minimum(least)]))
		{[entry.artifact, entry.evidence] | some entry in found.violations} == {
			["server", [built.digests.provserver]],
			["wheel", [built.digests.other]],
		}
	}
}

test_fails_when_one_of_two_builders_is_not_listed if {
	stranger := {"facts": object.union(built.facts, {"builder_id": "x"})}
	found := whole([built.add("other", "provwheel", stranger)])
	found.violations == {{
		"artifact": "wheel",
		"code": "build.level.unlisted",
		"evidence": [built.digests.other],
		"file": null,
		"message": "gate.yaml lists no builder whose signer signed its provenance by x",
	}}
}

test_fails_with_the_worse_of_two_levels if {
	found := whole([built.add("other", "provwheel", own), minimum(4), with_level(2), fixtures.remove("/artifacts/server"), built.put("provserver", "artifacts", []), built.put("approval", "artifacts", ["wheel"])])
	found.violations == {{
		"artifact": "wheel",
		"code": "build.level.too_low",
		"evidence": sort([built.digests.provwheel, built.digests.other]),
		"file": null,
		"message": "its builder has level 1 of 4",
	}}
	found.evidence == set()
}

test_fails_with_the_level_of_its_own_builder if {
	found := whole([built.put("provserver", "facts/builder_id", "https://builder.example/own"), built.put("provserver", "signers/0/name", "ci"), minimum(4)])
	{[entry.artifact, entry.message] | some entry in found.violations} == {
		["server", "its builder has level 1 of 4"],
		["wheel", "its builder has level 3 of 4"],
	}
}

test_fails_with_the_statement_of_an_unlisted_builder if {
	whole([built.put("provwheel", "facts/builder_id", "x")]).violations == {{
		"artifact": "wheel",
		"code": "build.level.unlisted",
		"evidence": [built.digests.provwheel],
		"file": null,
		"message": "gate.yaml lists no builder whose signer signed its provenance by x",
	}}
}

test_errors_when_builders_have_no_shape if {
	unsound([fixtures.remove("/builders")]) == "error"
	unsound([fixtures.put("/builders", [])]) == "error"
	unsound([fixtures.put("/builders/own/id", "")]) == "error"
	unsound([fixtures.put("/builders/own/signers", "ci")]) == "error"
	unsound([fixtures.put("/builders/own/level", "3")]) == "error"
}

test_errors_when_the_minimum_is_no_level if {
	answer([minimum(0)])[0] == "error"
	answer([minimum("1")])[0] == "error"
	answer([minimum(0 - 1)])[0] == "error"
}

test_errors_when_parameters_are_unsound_and_nothing_asks_for_admission if {
	answer([minimum(0), fixtures.put("/artifacts", {})])[0] == "error"
	unsound([fixtures.remove("/builders"), fixtures.put("/artifacts", {})]) == "error"
}

test_is_not_applicable_without_artifacts if {
	patches := [fixtures.put("/artifacts", {})]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "nothing that is built asks for admission"
}
