package gate.tests.change.plain_files_test

import data.gate.controls.change.plain_files
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(patches)
	status := plain_files.status with input as doc
	found := plain_files.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(patches)
	evidence := plain_files.evidence with input as doc
	reason := plain_files.reason with input as doc
	found := plain_files.violations with input as doc
}

test_passes_when_all_are_plain if {
	answer([]) == ["pass", set()]
}

test_passes_with_a_reason if {
	whole([]) == {
		"evidence": set(),
		"reason": "protected files that are plain: 2",
		"violations": set(),
	}
}

test_passes_when_an_unprotected_file_is_a_link if {
	answer([fixtures.put("/change/files/README.md/new/mode", "120000")]) == ["pass", set()]
}

test_passes_when_an_executable_stays_one if {
	answer([
		fixtures.put("/change/files/weights.bin/new/mode", "100755"),
		fixtures.put("/change/files/weights.bin/old/mode", "100755"),
	]) == ["pass", set()]
}

test_passes_when_a_file_is_added if {
	answer([
		fixtures.put("/change/files/weights.bin/old", null),
		fixtures.put("/change/files/weights.bin/status", "added"),
	]) == ["pass", set()]
}

test_passes_when_a_file_is_deleted if {
	answer([
		fixtures.put("/change/files/weights.bin/new", null),
		fixtures.put("/change/files/weights.bin/status", "deleted"),
	]) == ["pass", set()]
}

test_passes_without_a_base if {
	answer([fixtures.put("/change/status", "everything")]) == ["pass", set()]
}

test_fails_when_it_becomes_a_link if {
	answer([fixtures.put("/change/files/weights.bin/new/mode", "120000")]) == ["fail", {["change.plain_files.link", null, "weights.bin"]}]
}

test_fails_when_it_becomes_a_submodule if {
	answer([fixtures.put("/change/files/weights.bin/new/mode", "160000")]) == ["fail", {["change.plain_files.submodule", null, "weights.bin"]}]
}

test_fails_when_it_becomes_something_else if {
	answer([fixtures.put("/change/files/weights.bin/new/mode", "100664")]) == ["fail", {["change.plain_files.special", null, "weights.bin"]}]
}

test_fails_when_it_changes_its_mode if {
	answer([fixtures.put("/change/files/weights.bin/new/mode", "100755")]) == ["fail", {["change.plain_files.mode", null, "weights.bin"]}]
}

test_fails_when_it_was_a_link if {
	answer([fixtures.put("/change/files/weights.bin/old/mode", "120000")]) == ["fail", {["change.plain_files.link", null, "weights.bin"]}]
}

test_fails_when_it_stays_a_link if {
	answer([
		fixtures.put("/change/files/weights.bin/old/mode", "120000"),
		fixtures.put("/change/files/weights.bin/new/mode", "120000"),
	]) == ["fail", {["change.plain_files.link", null, "weights.bin"]}]
}

test_fails_when_a_file_of_the_gate_is_a_link if {
	answer([fixtures.put("/change/files/gate.yaml/new/mode", "120000")]) == ["fail", {["change.plain_files.link", null, "gate.yaml"]}]
}

test_fails_when_a_link_is_added if {
	answer([
		fixtures.put("/change/files/weights.bin/old", null),
		fixtures.put("/change/files/weights.bin/status", "added"),
		fixtures.put("/change/files/weights.bin/new/mode", "120000"),
	]) == ["fail", {["change.plain_files.link", null, "weights.bin"]}]
}

test_fails_when_the_type_changes if {
	answer([fixtures.put("/change/files/weights.bin/status", "type_changed")]) == ["fail", {["change.plain_files.type", null, "weights.bin"]}]
}

test_fails_with_a_message if {
	whole([fixtures.put("/change/files/weights.bin/new/mode", "120000")]) == {
		"evidence": set(),
		"reason": "protected files that are plain: 1",
		"violations": {{
			"artifact": null,
			"code": "change.plain_files.link",
			"evidence": [],
			"file": "weights.bin",
			"message": "it is a symbolic link (mode 120000)",
		}},
	}
}

test_is_not_applicable_when_nothing_is_protected if {
	answer([
		fixtures.remove("/change/files/weights.bin"),
		fixtures.put("/gates", {}),
		fixtures.remove("/change/files/gate.yaml"),
	]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.put("/change/files", {}), fixtures.put("/gates", {})]) == {
		"evidence": set(),
		"reason": "no changed file is under a gate or steers it",
		"violations": set(),
	}
}

test_errors_when_there_is_no_change_at_all if {
	answer([fixtures.remove("/change")])[0] == "error"
}

test_errors_when_a_side_is_absent if {
	answer([fixtures.put("/change/files/weights.bin/old", null)])[0] == "error"
}

test_errors_when_a_mode_is_none if {
	answer([fixtures.put("/change/files/weights.bin/new/mode", "x")])[0] == "error"
}
