package gate.tests.artifact.pinned_test

import data.gate.controls.artifact.pinned
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := pinned.status with input as doc
	found := pinned.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := pinned.evidence with input as doc
	reason := pinned.reason with input as doc
	found := pinned.violations with input as doc
}

test_passes_when_all_have_digests if {
	answer([]) == ["pass", set()]
}

test_passes_with_a_reason if {
	whole([]) == {
		"evidence": set(),
		"reason": "artifacts with a digest: 3",
		"violations": set(),
	}
}

test_passes_with_one if {
	whole([
		fixtures.remove("/artifacts/server"),
		fixtures.remove("/artifacts/tickets"),
	]) == {
		"evidence": set(),
		"reason": "artifacts with a digest: 1",
		"violations": set(),
	}
}

test_fails_when_a_tag_is_admitted if {
	answer([fixtures.put("/artifacts/server/mutable_reference", true)]) == ["fail", {["artifact.pinned.mutable", "server", null]}]
}

test_fails_when_an_image_has_no_digest if {
	answer([fixtures.put("/artifacts/server/digest", null)]) == ["fail", {["artifact.pinned.mutable", "server", null]}]
}

test_fails_when_a_path_is_mutable if {
	answer([fixtures.put("/artifacts/summarizer/mutable_reference", true)]) == ["fail", {["artifact.pinned.mutable", "summarizer", null]}]
}

test_fails_when_a_folder_has_no_digest if {
	answer([fixtures.put("/artifacts/summarizer/digest", null)]) == ["fail", {["artifact.pinned.undigested", "summarizer", null]}]
}

test_is_not_applicable_without_artifacts if {
	answer([fixtures.put("/artifacts", {})]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {})]) == {
		"evidence": set(),
		"reason": "no artifact asks for admission",
		"violations": set(),
	}
}

test_errors_when_a_kind_is_unknown if {
	answer([fixtures.put("/artifacts/summarizer/kind", "x")])[0] == "error"
}

test_errors_when_there_are_no_artifacts_at_all if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}
