package gate.tests.deps.pinned_test

import data.gate.controls.deps.pinned
import data.gate.fixtures
import data.gate.locked
import future.keywords.not

uv := "/dependencies/service/uv.lock"

torch := "/dependencies/service/uv.lock/packages/torch-lite@2.0"

serde := "/dependencies/service/Cargo.lock/packages/serde@1.0.0"

app := "/dependencies/service/Cargo.lock/packages/app@0.1.0"

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := locked.after(patches)
	status := pinned.status with input as doc
	found := pinned.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := locked.after(patches)
	evidence := pinned.evidence with input as doc
	reason := pinned.reason with input as doc
	found := pinned.violations with input as doc
}

refused(code, file) := ["fail", {[code, "service", file]}]

said(patches) := {entry.message | some entry in whole(patches).violations}

test_passes_when_all_are_locked_and_attested_as_asked if {
	answer([]) == ["pass", set()]
}

test_passes_with_a_reason_and_evidence if {
	whole([]) == {
		"evidence": {locked.digests.publication, locked.digests.provenance},
		"reason": "packages that are locked: 3",
		"violations": set(),
	}
}

test_passes_when_nothing_is_asked_and_nothing_attested if {
	patches := [
		fixtures.remove("/parameters/deps.pinned/attested"),
		fixtures.put(sprintf("%s/attested", [torch]), {}),
	]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == set()
}

test_passes_without_evidence_when_nothing_is_asked if {
	patches := [fixtures.remove("/parameters/deps.pinned/attested")]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == set()
}

test_passes_when_one_lock_is_enough if {
	answer([fixtures.remove("/dependencies/service/Cargo.lock")]) == ["pass", set()]
}

test_passes_when_other_artifacts_have_locks if {
	answer([
		fixtures.put("/dependencies/weights", {"x.lock": {"format": null, "problems": ["x"], "packages": {}}}),
		fixtures.put("/dependencies/weights/uv.lock", locked.lock("uv", "torch", false)),
		fixtures.put("/artifacts/weights", object.union(locked.good.artifacts.service, {"kind": "weights"})),
	]) == ["pass", set()]
}

test_passes_when_own_code_is_not_asked_for_attestations if {
	answer([
		fixtures.put("/parameters/deps.pinned/attested", ["*"]),
		fixtures.put(sprintf("%s/attested", [serde]), {locked.digests.crate: [locked.digests.provenance]}),
	]) == ["pass", set()]
}

test_fails_when_all_need_attestations_and_one_has_none if {
	patches := [fixtures.put("/parameters/deps.pinned/attested", ["*"])]
	answer(patches) == refused("deps.pinned.unattested", "Cargo.lock")
	said(patches) == {"serde@1.0.0 has no verified publication or provenance for each of its files"}
}

test_fails_when_there_is_no_lock if {
	patches := [fixtures.put("/dependencies/service", {})]
	answer(patches) == refused("deps.pinned.missing", null)
	whole(patches) == {
		"evidence": set(),
		"reason": "packages that are locked: 0",
		"violations": {{
			"artifact": "service",
			"code": "deps.pinned.missing",
			"evidence": [],
			"file": null,
			"message": "it holds no lock file that the gate reads",
		}},
	}
}

test_fails_when_the_artifact_was_not_looked_at if {
	answer([fixtures.remove("/dependencies/service")]) == refused("deps.pinned.missing", null)
}

test_fails_when_a_lock_has_a_problem if {
	patches := [fixtures.put(sprintf("%s/problems", [uv]), ["it is odd", "and more"])]
	answer(patches) == refused("deps.pinned.unreadable", "uv.lock")
	said(patches) == {"it is odd; and more; nothing in it is relied on"}
}

test_fails_when_a_format_is_unknown if {
	answer([fixtures.put(sprintf("%s/format", [uv]), null)]) == refused("deps.pinned.unreadable", "uv.lock")
}

test_fails_when_a_lock_is_empty if {
	patches := [fixtures.put(sprintf("%s/packages", [uv]), {})]
	answer(patches) == refused("deps.pinned.unreadable", "uv.lock")
	said(patches) == {"nothing in it is relied on"}
}

test_fails_when_a_package_is_not_pinned if {
	patches := [fixtures.put(sprintf("%s/pinned", [serde]), false)]
	answer(patches) == refused("deps.pinned.unlocked", "Cargo.lock")
	said(patches) == {"serde@1.0.0 is not locked with a hash from a source that stays"}
}

test_fails_when_a_package_is_code_from_elsewhere if {
	answer([fixtures.put(sprintf("%s/local", [serde]), true)]) == refused("deps.pinned.unlocked", "Cargo.lock")
}

test_fails_when_a_package_has_no_hash if {
	answer([fixtures.put(sprintf("%s/digests", [serde]), [])]) == refused("deps.pinned.unlocked", "Cargo.lock")
}

test_fails_when_own_code_is_not_named if {
	answer([fixtures.put("/parameters/deps.pinned/own", [])]) == refused("deps.pinned.unlocked", "Cargo.lock")
}

test_fails_when_a_package_has_the_name_of_own_code if {
	answer([fixtures.put(sprintf("%s/local", [app]), false)]) == refused("deps.pinned.unlocked", "Cargo.lock")
}

test_fails_when_another_name_is_own if {
	answer([fixtures.put("/parameters/deps.pinned/own", ["App"])]) == refused("deps.pinned.unlocked", "Cargo.lock")
}

test_fails_when_one_file_is_not_attested if {
	attested := {locked.digests.wheel: [locked.digests.publication]}
	answer([fixtures.put(sprintf("%s/attested", [torch]), attested)]) == refused("deps.pinned.unattested", "uv.lock")
}

test_fails_when_a_file_is_attested_by_nothing if {
	path := sprintf("%s/attested/%s", [torch, locked.digests.wheel])
	answer([fixtures.put(path, [])]) == refused("deps.pinned.unattested", "uv.lock")
}

test_fails_when_an_attestation_is_not_there if {
	path := sprintf("%s/attested/%s", [torch, locked.digests.wheel])
	answer([fixtures.put(path, [locked.digests.other])]) == refused("deps.pinned.unattested", "uv.lock")
}

test_fails_when_an_attestation_is_of_another_claim if {
	answer([
		fixtures.put(sprintf("/attestations/%s/claim", [locked.digests.publication]), "prompt"),
		fixtures.put("/claims", {
			"build.provenance": {"all": [locked.digests.provenance], "by_artifact": {}},
			"prompt": {"all": [locked.digests.publication], "by_artifact": {}},
		}),
	]) == refused("deps.pinned.unattested", "uv.lock")
}

test_fails_when_an_attestation_says_no if {
	path := sprintf("/attestations/%s/facts", [locked.digests.publication])
	answer([fixtures.put(path, {"result": "failed"})]) == refused("deps.pinned.unattested", "uv.lock")
}

# One file under two names, of which the statements call it one.
renamed := [
	fixtures.put("/dependencies/service/uv.lock/packages/left@2.0", object.union(
		locked.good.dependencies.service["uv.lock"].packages["torch-lite@2.0"],
		{"name": "left"},
	)),
	fixtures.put("/dependencies/service/uv.lock/packages/left@2.0/attested", {}),
	fixtures.remove("/dependencies/service/Cargo.lock"),
]

test_passes_when_all_are_asked_and_a_file_is_attested_under_one_name if {
	put := fixtures.put("/parameters/deps.pinned/attested", ["*"])
	answer(array.concat(renamed, [put])) == ["pass", set()]
	whole(array.concat(renamed, [put])).evidence == {locked.digests.publication, locked.digests.provenance}
}

test_fails_when_the_name_that_is_asked_is_not_attested if {
	every names in [["left"], ["*", "left"]] {
		put := fixtures.put("/parameters/deps.pinned/attested", names)
		answer(array.concat(renamed, [put])) == refused("deps.pinned.unattested", "uv.lock")
		said(array.concat(renamed, [put])) == {"left@2.0 has no verified publication or provenance for each of its files"}
	}
}

test_fails_when_the_other_name_is_in_another_lock if {
	patches := [
		fixtures.put("/parameters/deps.pinned/attested", ["*"]),
		fixtures.put("/dependencies/service/Cargo.lock/packages/serde@1.0.0/digests", [locked.digests.wheel]),
	]
	answer(patches) == refused("deps.pinned.unattested", "Cargo.lock")
}

test_fails_when_what_is_asked_has_no_hash if {
	answer([fixtures.put(sprintf("%s/digests", [torch]), [])]) == ["fail", {
		["deps.pinned.unlocked", "service", "uv.lock"],
		["deps.pinned.unattested", "service", "uv.lock"],
	}]
}

test_is_not_applicable_without_packages if {
	patches := [fixtures.put("/artifacts/service/kind", "weights")]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "no package asks for admission"
}

test_errors_when_the_section_is_missing if {
	answer([fixtures.remove("/dependencies")])[0] == "error"
}

test_errors_when_a_lock_is_malformed if {
	answer([fixtures.put(uv, [])])[0] == "error"
	answer([fixtures.remove(sprintf("%s/problems", [uv]))])[0] == "error"
	answer([fixtures.put("/dependencies/service", [])])[0] == "error"
}

test_errors_when_a_package_is_malformed if {
	every field in ["name", "pinned", "local", "digests", "attested"] {
		answer([fixtures.put(sprintf("%s/%s", [serde, field]), 7)])[0] == "error"
	}
}

test_errors_when_parameters_are_malformed if {
	answer([fixtures.put("/parameters/deps.pinned/attested", "*")])[0] == "error"
	answer([fixtures.put("/parameters/deps.pinned/own", {"app": true})])[0] == "error"
	answer([fixtures.put("/parameters/deps.pinned", [])])[0] == "error"
}

test_errors_when_there_are_no_artifacts_at_all if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_errors_when_claims_do_not_fit if {
	answer([fixtures.put("/claims", {})])[0] == "error"
}
