package gate.tests.artifact.integrity_test

import data.gate.controls.artifact.integrity
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := integrity.status with input as doc
	found := integrity.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := integrity.evidence with input as doc
	reason := integrity.reason with input as doc
	found := integrity.violations with input as doc
}

test_passes_when_all_are_equal if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {
		"evidence": {fixtures.digests.sig1, fixtures.digests.sig2},
		"reason": null,
		"violations": set(),
	}
}

test_passes_when_one_of_two_signatures_fits if {
	answer([
		fixtures.put(fixtures.statement("sig2", "artifacts"), ["server", "summarizer", "tickets"]),
		fixtures.put("/claims/artifact.signature/by_artifact/summarizer", [fixtures.digests.sig1, fixtures.digests.sig2]),
	]) == ["pass", set()]
}

test_fails_when_nothing_is_signed if {
	answer([
		fixtures.put(fixtures.statement("sig1", "artifacts"), []),
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
	]) == ["fail", {["artifact.integrity.missing", "summarizer", null]}]
}

test_fails_when_a_file_is_extra if {
	answer([
		fixtures.put("/artifacts/summarizer/files/new.txt", {"digest": fixtures.digests.rows, "format": "text"}),
	]) == ["fail", {["artifact.integrity.differs", "summarizer", null]}]
}

test_fails_when_a_file_is_absent if {
	answer([fixtures.remove("/artifacts/summarizer/files/config.json")]) == ["fail", {["artifact.integrity.differs", "summarizer", null]}]
}

test_fails_when_bytes_differ if {
	answer([
		fixtures.put("/artifacts/summarizer/files/config.json/digest", fixtures.digests.rows),
	]) == ["fail", {["artifact.integrity.differs", "summarizer", null]}]
}

test_fails_when_both_lists_are_empty if {
	answer([
		fixtures.put("/artifacts/summarizer/files", {}),
		fixtures.put(fixtures.statement("sig1", "facts/files"), {}),
	]) == ["fail", {["artifact.integrity.differs", "summarizer", null]}]
}

test_fails_with_the_signature_that_differs if {
	whole([fixtures.remove("/artifacts/summarizer/files/config.json")]) == {
		"evidence": {fixtures.digests.sig2},
		"reason": null,
		"violations": {{
			"artifact": "summarizer",
			"code": "artifact.integrity.differs",
			"evidence": [fixtures.digests.sig1],
			"file": null,
			"message": "its files are not exactly those that were signed",
		}},
	}
}

test_fails_when_a_file_is_a_link if {
	answer([
		fixtures.put("/artifacts/summarizer/files/config.json", {"digest": null, "format": "symlink"}),
	]) == ["fail", {
		["artifact.integrity.differs", "summarizer", null],
		["artifact.integrity.link", "summarizer", "config.json"],
	}]
}

test_fails_when_a_link_is_signed_as_such if {
	answer([
		fixtures.put("/artifacts/summarizer/files/config.json", {"digest": null, "format": "symlink"}),
		fixtures.put(fixtures.statement("sig1", "facts/files/config.json"), null),
	]) == ["fail", {["artifact.integrity.link", "summarizer", "config.json"]}]
}

test_fails_when_a_file_is_a_device if {
	answer([
		fixtures.put("/artifacts/summarizer/files/config.json", {"digest": null, "format": "special"}),
	]) == ["fail", {
		["artifact.integrity.differs", "summarizer", null],
		["artifact.integrity.special", "summarizer", "config.json"],
	}]
}

test_fails_when_a_list_of_files_is_no_list if {
	answer([fixtures.put(fixtures.statement("sig1", "facts/files"), null)]) == ["fail", {["artifact.integrity.differs", "summarizer", null]}]
}

test_is_not_applicable_without_files if {
	answer([
		fixtures.remove("/artifacts/summarizer"),
		fixtures.remove("/artifacts/tickets"),
	]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/artifacts", {})]) == {
		"evidence": set(),
		"reason": "no artifact has files",
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

# A signature of one file names it `.`; `path` is where the artifact lies, `listing` what it holds.
single(path, listing, signed) := answer([
	fixtures.put("/artifacts/tickets/path", path),
	fixtures.put("/artifacts/tickets/files", {name: {"digest": digest, "format": "text"} | some name, digest in listing}),
	fixtures.put(fixtures.statement("sig2", "facts"), {"files": signed}),
])

test_passes_when_a_single_file_is_signed_as_such if {
	single("data/rows.csv", {"rows.csv": fixtures.digests.rows}, {".": fixtures.digests.rows}) == ["pass", set()]
}

test_fails_when_a_single_file_has_other_bytes if {
	single("data/rows.csv", {"rows.csv": fixtures.digests.config}, {".": fixtures.digests.rows}) == differs
}

test_fails_when_a_folder_is_signed_as_a_single_file if {
	single("data/tickets", {"rows.csv": fixtures.digests.rows}, {".": fixtures.digests.rows}) == differs
}

test_fails_when_a_second_file_lies_beside_a_single_one if {
	listing := {"rows.csv": fixtures.digests.rows, "more.csv": fixtures.digests.rows}
	single("data/rows.csv", listing, {".": fixtures.digests.rows}) == differs
}

test_fails_when_more_was_signed_than_a_single_file if {
	signed := {".": fixtures.digests.rows, "more.csv": fixtures.digests.rows}
	single("data/rows.csv", {"rows.csv": fixtures.digests.rows}, signed) == differs
}

differs := ["fail", {["artifact.integrity.differs", "tickets", null]}]
