package gate.tests.sbom.signed_test

import data.gate.controls.sbom.signed
import data.gate.fixtures
import data.gate.materials
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := materials.after(patches)
	status := signed.status with input as doc
	found := signed.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := materials.after(patches)
	evidence := signed.evidence with input as doc
	reason := signed.reason with input as doc
	found := signed.violations with input as doc
}

test_passes_when_each_is_signed if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {materials.digests.bombase, materials.digests.bomrest, materials.digests.bomstyle},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_the_builder_may_sign if {
	answer([materials.put("bomrest", "signers", materials.statements.prov.signers), fixtures.remove("/parameters/sbom.signed")]) == ["pass", set()]
}

test_passes_when_the_builder_is_one_of_two_signers if {
	signers := array.concat(materials.statements.prov.signers, materials.statements.data.signers)
	answer([materials.put("bomrest", "signers", signers)]) == ["pass", set()]
}

test_passes_when_what_was_rejected_is_no_document_about_it if {
	every item in [
		{"claimed": "sbom", "artifacts": ["other"]},
		{"claimed": "sbom", "artifacts": []},
		{"claimed": "dataset", "artifacts": ["base"]},
	] {
		answer([fixtures.put(rejected, object.union(materials.good.rejected[materials.digests.rejected], item))]) == ["pass", set()]
	}
}

rejected := concat("/", ["/rejected", materials.digests.rejected])

test_fails_when_there_is_none if {
	answer(materials.drop("bombase")) == ["fail", {["sbom.signed.missing", "base"]}]
}

test_fails_for_each_usual_kind if {
	none := [
		fixtures.put("/attestations", {}),
		fixtures.put("/claims", {}),
		fixtures.put("/rejected", {}),
		fixtures.remove("/parameters/sbom.signed"),
		fixtures.put("/artifacts/rows/kind", "package"),
	]
	answer(none) == ["fail", {["sbom.signed.missing", name] | some name in object.keys(materials.artifacts)}]
}

test_fails_when_the_builder_signed_it if {
	answer([materials.put("bomrest", "signers", materials.statements.prov.signers)]) == ["fail", {["sbom.signed.maker", "server"]}]
}

test_fails_when_the_builder_has_two_names if {
	named := json.patch(materials.statements.prov.signers, [fixtures.put("/0/name", "somebody else")])
	answer([materials.put("bomrest", "signers", named)]) == ["fail", {["sbom.signed.maker", "server"]}]
}

test_fails_when_one_of_two_documents_is_by_the_builder if {
	added := materials.add("bomrest", ["server"], {"signers": materials.statements.prov.signers})
	answer(added) == ["fail", {["sbom.signed.maker", "server"]}]
}

test_fails_when_one_was_rejected if {
	every claimed in ["sbom", null] {
		answer([fixtures.put(concat("/", [rejected, "claimed"]), claimed)]) == ["fail", {["sbom.signed.rejected", "server"]}]
	}
}

test_fails_with_a_message if {
	whole(materials.drop("bombase")).violations == {violation("missing", "base", "no SBOM by a signer trusted for it covers it", [])}
	whole([materials.put("bomrest", "signers", materials.statements.prov.signers)]).violations == {violation("maker", "server", "its SBOM is signed by nobody but those who signed what it has to be apart from", [materials.digests.bomrest])}
	whole([fixtures.put(concat("/", [rejected, "claimed"]), "sbom")]).violations == {violation("rejected", "server", "an SBOM about it was rejected: signature.unknown_key", [materials.digests.rejected])}
}

violation(reason, artifact, message, evidence) := {
	"artifact": artifact,
	"code": concat(".", ["sbom.signed", reason]),
	"evidence": evidence,
	"file": null,
	"message": message,
}

test_is_not_applicable_when_nothing_needs_one if {
	patches := [fixtures.put("/parameters/sbom.signed/kinds", ["package"])]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "nothing that needs an SBOM asks for admission"
}

test_errors_when_parameters_have_no_shape if {
	every value in ["weights", [1], ["weights", 1], null] {
		answer([fixtures.put("/parameters/sbom.signed/kinds", value)])[0] == "error"
		answer([fixtures.put("/parameters/sbom.signed/apart_from", value)])[0] == "error"
	}
}

test_errors_when_what_was_rejected_has_no_shape if {
	every patch in [
		fixtures.put(concat("/", [rejected, "claimed"]), ""),
		fixtures.remove(concat("/", [rejected, "claimed"])),
		fixtures.put(concat("/", [rejected, "artifacts"]), null),
		fixtures.put(concat("/", [rejected, "artifacts"]), [1]),
		fixtures.remove("/rejected"),
	] {
		answer([patch])[0] == "error"
	}
}

test_errors_when_one_of_two_rejected_has_no_shape if {
	sound := object.union(materials.good.rejected[materials.digests.rejected], {"artifacts": []})
	answer([fixtures.put(concat("/", ["/rejected", materials.digests.other]), sound), fixtures.remove(concat("/", [rejected, "claimed"]))])[0] == "error"
}

test_errors_when_a_signer_cannot_be_told_from_others if {
	answer([materials.put("bomrest", "signers/0/spki", null)])[0] == "error"
}

test_errors_when_sections_are_missing if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
	answer([fixtures.put("/claims", {})])[0] == "error"
}
