package gate.tests.artifact.transparent_test

import data.gate.built
import data.gate.controls.artifact.transparent
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := transparent.status with input as doc
	found := transparent.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := transparent.evidence with input as doc
	reason := transparent.reason with input as doc
	found := transparent.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := transparent.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {built.digests.sigserver, built.digests.sigwheel}, "reason": null, "violations": set()}
}

test_passes_when_the_log_holds_it_and_no_time_is_trusted if {
	answer([built.put("sigserver", "signed_at", built.silent)]) == ["pass", set()]
}

test_passes_when_a_trusted_time_is_from_the_log if {
	answer([built.put("sigwheel", "signed_at/source", "log")]) == ["pass", set()]
}

test_passes_when_a_trusted_time_is_long_ago if answer([built.put("sigwheel", "signed_at/at_s", 1)]) == ["pass", set()]

test_passes_when_one_of_two_signatures_is_public if {
	patches := [built.add("other", "sigwheel", {"signed_at": built.silent})]
	answer(patches) == ["pass", set()]
	whole(patches).evidence == {built.digests.sigserver, built.digests.sigwheel}
}

test_fails_when_nothing_covers_it if {
	answer([built.drop("sigwheel")]) == ["fail", {["artifact.transparent.missing", "wheel"]}]
}

kind(value) := [
	fixtures.put("/artifacts/wheel/kind", value),
	built.drop("sigwheel"),
]

test_fails_when_any_kind_that_is_signed_is_not if {
	expected := ["fail", {["artifact.transparent.missing", "wheel"]}]
	every value in ["adapter", "container", "dataset", "package", "weights"] {
		answer(kind(value)) == expected
	}
}

test_passes_when_another_kind_is_not_signed if answer(kind("prompt")) == ["pass", set()]

test_fails_when_it_is_in_no_log if {
	answer([built.put("sigwheel", "signed_at", built.silent)]) == ["fail", {["artifact.transparent.unlogged", "wheel"]}]
	answer([built.put("sigwheel", "signed_at/at_s", 0)]) == ["fail", {["artifact.transparent.unlogged", "wheel"]}]
	answer([
		built.put("sigserver", "log", "x"),
		built.put("sigserver", "signed_at", built.silent),
	]) == ["fail", {["artifact.transparent.unlogged", "server"]}]
}

test_fails_when_the_source_of_the_time_is_none_though_there_is_one if {
	patches := [built.put("sigwheel", "signed_at", {"at_s": 1795170000, "source": "none"})]
	answer(patches) == ["fail", {["artifact.transparent.unlogged", "wheel"]}]
}

test_fails_with_the_statement_that_is_in_no_log if {
	whole([built.put("sigwheel", "signed_at", built.silent)]).violations == {{
		"artifact": "wheel",
		"code": "artifact.transparent.unlogged",
		"evidence": [built.digests.sigwheel],
		"file": null,
		"message": "no log holds its signature, and no authority says when it was made",
	}}
}

claims(values) := fixtures.put("/parameters/artifact.transparent", {"claims": values})

test_passes_when_the_statements_of_a_claim_are_public if {
	answer([
		claims(["build.provenance"]),
		built.put("provserver", "log/included", true),
		built.put("provwheel", "log/included", true),
	]) == ["pass", set()]
}

test_passes_when_a_claim_has_no_statement if answer([claims(["eval"])]) == ["pass", set()]

test_fails_when_a_statement_of_a_claim_is_in_no_log if {
	found := whole([claims(["build.provenance"]), built.put("provserver", "log/included", true)])
	found.violations == {{
		"artifact": "wheel",
		"code": "artifact.transparent.unlogged_claim",
		"evidence": [built.digests.provwheel],
		"file": null,
		"message": "no log holds its build.provenance statement, and no authority says when it was made",
	}}
}

test_fails_when_one_signature_is_in_no_log_and_all_have_to if {
	patches := [claims(["artifact.signature"]), built.add("other", "sigwheel", {"signed_at": built.silent})]
	answer(patches) == ["fail", {["artifact.transparent.unlogged_claim", "wheel"]}]
}

test_errors_when_claims_are_no_list if answer([claims("eval")])[0] == "error"

test_errors_when_claims_are_unsound_and_nothing_asks_for_admission if {
	answer([claims([1]), fixtures.put("/artifacts", {})])[0] == "error"
}

test_is_not_applicable_without_artifacts if {
	patches := [fixtures.put("/artifacts", {})]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "no artifact of a kind that is signed"
}
