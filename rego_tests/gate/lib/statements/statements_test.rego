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
