package gate.lib.statements_test

import data.gate.fixtures
import data.gate.lib.statements
import future.keywords.not

verified(patches) := value if {
	doc := fixtures.after(patches)
	value := statements.verified with input as doc
}

about(patches, claim, artifact) := value if {
	doc := fixtures.after(patches)
	value := statements.about(claim, artifact) with input as doc
}

making(claim, names) := value if {
	doc := fixtures.good
	digests := [digest | some name in names; digest := fixtures.digests[name]]
	value := statements.making(claim, digests) with input as doc
}

test_passes_when_the_index_agrees if {
	verified([]) == fixtures.attestations
}

test_errors_when_all_is_short if {
	not verified([
		fixtures.put("/claims/artifact.signature/all", [fixtures.digests.sig1]),
	])
}

test_errors_when_all_is_long if {
	not verified([
		fixtures.put("/claims/artifact.signature/all", object.keys(fixtures.attestations)),
	])
}

test_errors_when_a_claim_is_absent if {
	not verified([fixtures.remove("/claims/approval")])
}

test_errors_when_by_artifact_is_short if {
	not verified([
		fixtures.remove("/claims/artifact.signature/by_artifact/summarizer"),
	])
}

test_errors_when_by_artifact_is_long if {
	not verified([
		fixtures.put("/claims/artifact.signature/by_artifact/x", [fixtures.digests.sig1]),
	])
}

test_errors_when_a_statement_is_absent if {
	not verified([
		fixtures.remove(concat("/", ["/attestations", fixtures.digests.sig1])),
	])
}

test_errors_when_a_claim_differs if {
	not verified([fixtures.put(fixtures.statement("approval", "claim"), "x")])
}

test_errors_when_there_are_no_claims if {
	not verified([fixtures.remove("/claims"), fixtures.put("/attestations", {})])
}

test_errors_when_there_are_no_statements if {
	not verified([fixtures.remove("/attestations"), fixtures.put("/claims", {})])
}

test_finds_by_claim_and_artifact if {
	about([], "artifact.signature", "summarizer") == {fixtures.digests.sig1}
	about([], "artifact.signature", "nothing") == set()
	about([], "nothing", "summarizer") == set()
}

test_errors_when_asked_of_a_broken_index if {
	not about([fixtures.remove("/claims/approval")], "artifact.signature", "summarizer")
}

test_keeps_what_makes_the_claim if {
	making("approval", ["approval", "prov"]) == {fixtures.digests.approval}
	making("build.*", ["approval", "prov"]) == {fixtures.digests.prov}
	making("build.provenance.*", ["prov"]) == set()
	making("build*", ["prov"]) == set()
	making("*", ["prov"]) == set()
	making("build", ["prov"]) == set()
	making("approval", ["rejected"]) == set()
}

# Whether a statement of a claim with these facts speaks for what it covers.
speaks(claim, facts) if {
	nothing := [fixtures.put("/attestations", {}), fixtures.put("/claims", {})]
	doc := fixtures.after(array.concat(nothing, fixtures.said("other", claim, facts)))
	found := statements.supporting([fixtures.digests.other, fixtures.digests.rejected]) with input as doc
	found == {fixtures.digests.other}
}

test_supports_when_it_is_silent if {
	speaks("build.provenance", {})
	speaks("eval", {"decision": null, "result": null})
}

test_supports_when_it_says_yes if {
	speaks("test.result", {"result": "passed"})
	speaks("eval", {"result": "passed"})
	speaks("eval", {"result": "warned"})
	speaks("eval", {"decision": "approved"})
	speaks("approval", {"decision": "approved"})
	speaks("approval", {"decision": "approved", "result": "warned"})
	speaks("review", {"decision": "approved", "result": null})
}

test_does_not_support_when_it_says_no if {
	not speaks("test.result", {"result": "failed"})
	not speaks("eval", {"result": "failed"})
	not speaks("eval", {"decision": "rejected"})
	not speaks("eval", {"decision": "rejected", "result": "passed"})
	not speaks("eval", {"decision": "approved", "result": "failed"})
	not speaks("test.result", {"decision": "rejected", "result": "passed"})
	not speaks("approval", {"decision": "rejected"})
	not speaks("approval", {"decision": "approved", "result": "failed"})
	not speaks("review", {"decision": "rejected"})
}

test_does_not_support_when_it_must_say_yes if {
	not speaks("test.result", {})
	not speaks("test.result", {"result": null})
	not speaks("test.result", {"result": "warned"})
	not speaks("test.result", {"decision": "approved"})
	not speaks("approval", {})
	not speaks("approval", {"result": "passed"})
	not speaks("approval", {"decision": null})
	not speaks("review", {"decision": null})
}

test_does_not_support_when_it_says_something_else if {
	every value in ["", "x", "PASSED", "approved", 0, true, [], {}, ["passed"]] {
		not speaks("eval", {"result": value})
	}
	every value in ["", "x", "passed", 0, false, [], {}] {
		not speaks("eval", {"decision": value})
	}
}

test_nothing_supports_in_a_broken_index if {
	doc := fixtures.after([fixtures.remove("/claims/approval")])
	found := statements.supporting([fixtures.digests.approval]) with input as doc
	found == set()
}
