package gate.tests.artifact.signed_test

import data.gate.controls.artifact.signed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := signed.status with input as doc
	found := signed.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := signed.evidence with input as doc
	reason := signed.reason with input as doc
	found := signed.violations with input as doc
}

test_passes_when_all_are_signed if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.sig2},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_an_unsigned_kind_is_unsigned if {
	answer([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
		fixtures.put("/artifacts/summarizer/kind", "prompt"),
	]) == ["pass", set()]
}

test_fails_when_one_is_unsigned if {
	answer([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
	]) == ["fail", {["artifact.signed.missing", "summarizer", null]}]
}

test_fails_with_a_message if {
	whole([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
	]) == {
		"evidence": {fixtures.digests.sig2},
		"reason": null,
		"violations": {{
			"artifact": "summarizer",
			"code": "artifact.signed.missing",
			"evidence": [],
			"file": null,
			"message": "no verified signature of a trusted signer covers it",
		}},
	}
}

test_fails_when_another_claim_covers_it if {
	answer([
		fixtures.put(fixtures.statement("sig1", "claim"), "sbom"),
		fixtures.put("/claims/sbom", {"all": [fixtures.digests.sig1], "by_artifact": {"summarizer": [fixtures.digests.sig1]}}),
		fixtures.put("/claims/artifact.signature", {"all": [fixtures.digests.sig2], "by_artifact": {"server": [fixtures.digests.sig2], "tickets": [fixtures.digests.sig2]}}),
	]) == ["fail", {["artifact.signed.missing", "summarizer", null]}]
}

test_fails_when_adapter_is_unsigned if {
	answer([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
		fixtures.put("/artifacts/summarizer/kind", "adapter"),
	]) == ["fail", {["artifact.signed.missing", "summarizer", null]}]
}

test_fails_when_dataset_is_unsigned if {
	answer([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
		fixtures.put("/artifacts/summarizer/kind", "dataset"),
	]) == ["fail", {["artifact.signed.missing", "summarizer", null]}]
}

test_fails_when_package_is_unsigned if {
	answer([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
		fixtures.put("/artifacts/summarizer/kind", "package"),
	]) == ["fail", {["artifact.signed.missing", "summarizer", null]}]
}

test_fails_when_container_is_unsigned if {
	answer([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
		fixtures.put("/artifacts/summarizer/kind", "container"),
	]) == ["fail", {["artifact.signed.missing", "summarizer", null]}]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {})]) == {
		"evidence": set(),
		"reason": "no artifact of a kind that is signed",
		"violations": set(),
	}
}

test_is_not_applicable_without_artifacts if {
	answer([fixtures.put("/artifacts", {})]) == ["not_applicable", set()]
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put(fixtures.statement("sig1", "artifacts"), [])])[0] == "error"
}

test_errors_when_there_are_no_artifacts_at_all if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_errors_when_there_are_no_statements_at_all if {
	answer([fixtures.remove("/attestations"), fixtures.put("/claims", {})])[0] == "error"
}
