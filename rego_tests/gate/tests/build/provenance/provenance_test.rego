package gate.tests.build.provenance_test

import data.gate.controls.build.provenance
import data.gate.fixtures
import data.gate.tuned
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := provenance.status with input as doc
	found := provenance.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := provenance.evidence with input as doc
	reason := provenance.reason with input as doc
	found := provenance.violations with input as doc
}

test_passes_when_it_is_complete if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.prov},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_a_dataset_has_none if {
	answer([
		fixtures.put(fixtures.statement("prov", "artifacts"), ["server"]),
		fixtures.remove("/claims/build.provenance/by_artifact/summarizer"),
		fixtures.put("/artifacts/summarizer/kind", "dataset"),
	]) == ["pass", set()]
}

test_passes_when_two_agree if {
	answer([
		fixtures.put("/attestations/sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", object.union(
			fixtures.attestations[fixtures.digests.prov],
			{"artifacts": ["summarizer"], "facts": {}},
		)),
		fixtures.put("/claims/build.provenance/all", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
		fixtures.put("/claims/build.provenance/by_artifact/summarizer", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
	]) == ["pass", set()]
}

test_fails_when_there_is_none if {
	answer([
		fixtures.put(fixtures.statement("prov", "artifacts"), ["server"]),
		fixtures.remove("/claims/build.provenance/by_artifact/summarizer"),
	]) == ["fail", {["build.provenance.missing", "summarizer", null]}]
}

test_fails_when_an_adapter_has_none if {
	answer([
		fixtures.put(fixtures.statement("prov", "artifacts"), ["server"]),
		fixtures.remove("/claims/build.provenance/by_artifact/summarizer"),
		fixtures.put("/artifacts/summarizer/kind", "adapter"),
	]) == ["fail", {["build.provenance.missing", "summarizer", null]}]
}

test_fails_when_a_container_has_none if {
	answer([
		fixtures.put(fixtures.statement("prov", "artifacts"), ["summarizer"]),
		fixtures.remove("/claims/build.provenance/by_artifact/server"),
	]) == ["fail", {["build.provenance.missing", "server", null]}]
}

test_fails_when_the_builder_is_absent if {
	answer([fixtures.remove(fixtures.statement("prov", "facts/builder_id"))]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_the_builder_is_empty if {
	answer([fixtures.put(fixtures.statement("prov", "facts/builder_id"), "")]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_the_builder_is_null if {
	answer([fixtures.put(fixtures.statement("prov", "facts/builder_id"), null)]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_the_type_is_absent if {
	answer([fixtures.remove(fixtures.statement("prov", "facts/build_type"))]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_the_type_is_empty if {
	answer([fixtures.put(fixtures.statement("prov", "facts/build_type"), "")]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_the_inputs_are_absent if {
	answer([fixtures.remove(fixtures.statement("prov", "facts/dependencies"))]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_there_is_no_input if {
	answer([fixtures.put(fixtures.statement("prov", "facts/dependencies"), {})]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_the_inputs_are_a_list if {
	answer([
		fixtures.put(fixtures.statement("prov", "facts/dependencies"), [{"sha1": "0123456789012345678901234567890123456789"}]),
	]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_inputs_have_no_digest if {
	answer([
		fixtures.put(fixtures.statement("prov", "facts/dependencies"), {"git+https://example.com/app": {}}),
	]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_a_digest_is_no_text if {
	answer([
		fixtures.put(fixtures.statement("prov", "facts/dependencies"), {"x": {"sha256": 5}}),
	]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_digests_are_a_list if {
	answer([
		fixtures.put(fixtures.statement("prov", "facts/dependencies"), {"x": ["0123456789012345678901234567890123456789"]}),
	]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_when_a_digest_is_no_digest if {
	answer([
		fixtures.put(fixtures.statement("prov", "facts/dependencies"), {"x": {"sha256": "latest"}}),
	]) == ["fail", {
		["build.provenance.incomplete", "server", null],
		["build.provenance.incomplete", "summarizer", null],
	}]
}

test_fails_with_the_statement_that_is_incomplete if {
	whole([
		fixtures.remove(fixtures.statement("prov", "facts/builder_id")),
		fixtures.remove("/artifacts/server"),
	]) == {
		"evidence": set(),
		"reason": null,
		"violations": {{
			"artifact": "summarizer",
			"code": "build.provenance.incomplete",
			"evidence": [fixtures.digests.prov],
			"file": null,
			"message": "its provenance lacks the builder, the build type or an input with a digest",
		}},
	}
}

test_fails_when_two_disagree_on_builder if {
	answer([
		fixtures.put("/attestations/sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", object.union(
			fixtures.attestations[fixtures.digests.prov],
			{"artifacts": ["summarizer"], "facts": {"builder_id": "x"}},
		)),
		fixtures.put("/claims/build.provenance/all", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
		fixtures.put("/claims/build.provenance/by_artifact/summarizer", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
	]) == ["fail", {["build.provenance.conflict", "summarizer", null]}]
}

test_fails_when_two_disagree_on_type if {
	answer([
		fixtures.put("/attestations/sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", object.union(
			fixtures.attestations[fixtures.digests.prov],
			{"artifacts": ["summarizer"], "facts": {"build_type": "x"}},
		)),
		fixtures.put("/claims/build.provenance/all", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
		fixtures.put("/claims/build.provenance/by_artifact/summarizer", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
	]) == ["fail", {["build.provenance.conflict", "summarizer", null]}]
}

test_fails_when_two_disagree_on_inputs if {
	answer([
		fixtures.put("/attestations/sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", object.union(
			fixtures.attestations[fixtures.digests.prov],
			{"artifacts": ["summarizer"], "facts": {"dependencies": {"x": {"sha1": "0123456789012345678901234567890123456789"}}}},
		)),
		fixtures.put("/claims/build.provenance/all", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
		fixtures.put("/claims/build.provenance/by_artifact/summarizer", [fixtures.digests.prov, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]),
	]) == ["fail", {["build.provenance.conflict", "summarizer", null]}]
}

test_is_not_applicable_to_a_dataset if {
	answer([
		fixtures.remove("/artifacts/server"),
		fixtures.remove("/artifacts/summarizer"),
	]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {})]) == {
		"evidence": set(),
		"reason": "no weights, adapter or container asks for admission",
		"violations": set(),
	}
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

test_fails_with_the_statements_that_disagree if {
	both := [fixtures.digests.prov, fixtures.digests.other]
	whole([
		fixtures.put("/attestations/sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", object.union(
			fixtures.attestations[fixtures.digests.prov],
			{"artifacts": ["summarizer"], "facts": {"build_type": "x"}},
		)),
		fixtures.put("/claims/build.provenance/all", both),
		fixtures.put("/claims/build.provenance/by_artifact/summarizer", both),
	]).violations == {{
		"artifact": "summarizer",
		"code": "build.provenance.conflict",
		"evidence": both,
		"file": null,
		"message": "its provenance statements disagree on builder, build type or inputs",
	}}
}

# Of a model with an adapter, whose trainings were collected.
trained(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := tuned.after(patches)
	status := provenance.status with input as doc
	found := provenance.violations with input as doc
}

test_passes_when_its_training_is_known if {
	trained([]) == ["pass", set()]
	doc := tuned.good
	evidence := provenance.evidence with input as doc
	evidence == {tuned.digests.pretraining, tuned.digests.training}
}

test_fails_when_its_training_was_not_collected if {
	trained([tuned.put("training", "facts/collected", false)]) == ["fail", {["build.provenance.missing", "style", null]}]
}

test_fails_when_a_training_has_another_method if {
	trained([tuned.put("training", "facts/method", "guessing")]) == ["fail", {["build.provenance.incomplete", "style", null]}]
}

# Patches after which a training has these inputs only.
inputs(base, datasets, commit) := [
	tuned.put("training", "facts/base", base),
	tuned.put("training", "facts/datasets", datasets),
	tuned.put("training", "facts/code/commit", commit),
]

test_passes_when_a_training_has_one_input if {
	trained(inputs({"a": tuned.whole.base}, {}, null)) == ["pass", set()]
	trained(inputs({}, {"a": tuned.whole.rows}, null)) == ["pass", set()]
	trained(inputs({}, {}, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) == ["pass", set()]
}

test_fails_when_a_training_has_no_input if {
	incomplete := ["fail", {["build.provenance.incomplete", "style", null]}]
	trained(inputs({}, {}, null)) == incomplete
	trained(inputs({}, {}, "main")) == incomplete
	trained(inputs({"a": "x"}, {"a": 1}, null)) == incomplete
	trained(inputs([tuned.whole.base], {}, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) == incomplete
	trained(inputs({}, [tuned.whole.base], "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) == incomplete
}
