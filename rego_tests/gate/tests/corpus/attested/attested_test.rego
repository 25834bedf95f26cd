package gate.tests.corpus.attested_test

import data.gate.application
import data.gate.controls.corpus.attested
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := application.after(patches)
	status := attested.status with input as doc
	found := attested.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := application.after(patches)
	evidence := attested.evidence with input as doc
	reason := attested.reason with input as doc
	found := attested.violations with input as doc
}

# Patches that add another statement about the same artifact.
two(facts) := [
	fixtures.put(concat("/", ["/attestations", application.digests.other]), object.union(
		application.good.attestations[application.digests.corpus],
		{"facts": object.union({"result": null, "decision": null}, facts)},
	)),
	fixtures.put("/claims/corpus", {"all": both, "by_artifact": {"documents": both}}),
]

both := [application.digests.corpus, application.digests.other]

test_passes_when_a_collected_statement_covers_it if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {application.digests.corpus}, "reason": null, "violations": set()}
}

test_fails_when_nothing_covers_it if {
	answer(application.uncover("corpus")) == ["fail", {["corpus.attested.missing", "documents", null]}]
}

test_fails_when_a_statement_of_another_claim_covers_it if {
	answer([
		fixtures.put("/artifacts/documents/kind", "plugin"),
		fixtures.put("/artifacts/prompts/kind", "corpus"),
	]) == ["fail", {["corpus.attested.missing", "prompts", null]}]
}

test_fails_when_it_says_failed if {
	answer([application.put("corpus", "facts/result", "failed")]) == ["fail", {["corpus.attested.failed", "documents", null]}]
}

test_fails_when_it_says_rejected if {
	answer([application.put("corpus", "facts/decision", "rejected")]) == ["fail", {["corpus.attested.failed", "documents", null]}]
}

test_fails_when_nothing_was_collected if {
	answer([application.put("corpus", "facts/collected", false)]) == ["fail", {["corpus.attested.uncollected", "documents", null]}]
}

test_fails_when_collected_is_not_exactly_true if {
	answer([application.put("corpus", "facts/collected", "true")]) == ["fail", {["corpus.attested.uncollected", "documents", null]}]
}

test_fails_when_it_does_not_say_whether_it_was_collected if {
	answer([application.remove("corpus", "facts/collected")]) == ["fail", {["corpus.attested.uncollected", "documents", null]}]
}

test_fails_with_a_message if {
	whole([application.put("corpus", "facts/collected", false)]).violations == {{
		"artifact": "documents",
		"code": "corpus.attested.uncollected",
		"evidence": [application.digests.corpus],
		"file": null,
		"message": "what covers it is its signer's word; nothing was collected",
	}}
}

test_fails_when_document_manifest_is_empty if {
	answer([application.put("corpus", "facts/roles/document_manifest", [])]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_document_manifest_is_absent if {
	answer([application.remove("corpus", "facts/roles/document_manifest")]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_there_are_no_roles if {
	answer([application.put("corpus", "facts/roles", {})]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_the_count_is_zero if {
	answer([application.put("corpus", "facts/documents/count", 0)]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_the_count_is_text if {
	answer([application.put("corpus", "facts/documents/count", "1")]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_the_count_is_negative if {
	answer([application.put("corpus", "facts/documents/count", -1)]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_the_root_is_no_digest if {
	answer([application.put("corpus", "facts/documents/root", "x")]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_there_are_no_documents if {
	answer([application.remove("corpus", "facts/documents")]) == ["fail", {["corpus.attested.incomplete", "documents", null]}]
}

test_fails_when_one_of_two_says_no if {
	answer(two({"result": "failed"})) == ["fail", {["corpus.attested.failed", "documents", null]}]
}

test_passes_when_a_plain_one_is_beside_it if {
	answer(two({})) == ["pass", set()]
}

test_passes_when_an_incomplete_one_is_beside_it if {
	answer(two({"collected": true})) == ["pass", set()]
}

test_is_not_applicable_without_one if {
	answer([fixtures.remove("/artifacts/documents")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.remove("/artifacts/documents")]).reason == "no corpus asks for admission"
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})]) == ["error", set()]
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")]) == ["error", set()]
}

test_errors_when_there_are_no_statements if {
	answer([fixtures.remove("/attestations"), fixtures.put("/claims", {})]) == ["error", set()]
}
