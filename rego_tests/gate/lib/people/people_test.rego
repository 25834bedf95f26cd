package gate.lib.people_test

import data.gate.fixtures
import data.gate.lib.people
import data.gate.tuned
import future.keywords.not

signers(patches) := value if {
	doc := tuned.after(patches)
	value := people.signers with input as doc
}

authors(patches, name) := value if {
	doc := tuned.after(patches)
	value := people.authors(name) with input as doc
}

deciding(patches, claims, name) := value if {
	doc := tuned.after(patches)
	value := people.deciding(claims, name) with input as doc
}

key(name) := ["key", tuned.statements[name].signers[0].spki]

test_signers_are_keys_and_accounts if {
	found := signers([])
	found[tuned.digests.sigbase] == {key("sigbase")}
	found[tuned.digests.approval] == {["identity", "https://issuer.example", "approver@example.com"]}
	object.keys(found) == object.keys(tuned.good.attestations)
}

test_a_workflow_is_one_whatever_ref_it_ran_for if {
	every subject in ["https://code.example/a/w.yml@refs/tags/v1", "https://code.example/a/w.yml@refs/tags/v2@x"] {
		found := signers([tuned.put("approval", "signers/0/subject", subject)])
		found[tuned.digests.approval] == {["identity", "https://issuer.example", "https://code.example/a/w.yml"]}
	}
}

test_errors_when_a_signer_cannot_be_told_from_others if {
	not signers([tuned.put("sigbase", "signers/0/spki", null)])
	not signers([tuned.put("sigbase", "signers/0/spki", "x")])
	not signers([tuned.put("sigbase", "signers/0/kind", "x")])
	not signers([tuned.put("sigbase", "signers/0/kind", "identity")])
	not signers([tuned.put("approval", "signers/0/kind", "x")])
	not signers([tuned.put("approval", "signers/0/issuer", "")])
	not signers([tuned.put("approval", "signers/0/subject", null)])
	not signers([tuned.put("approval", "signers/1", {"name": "x"})])
}

test_errors_when_subjects_have_no_shape if not signers([tuned.put("sigbase", "subjects", [])])

test_errors_when_steps_have_no_shape if not signers([tuned.put("sigbase", "depends_on", null)])

test_authors_made_what_covers_it if {
	authors([], "base") == {key("sigbase"), key("pretraining")}
	authors([], "rows") == {key("dataset")}
}

test_those_who_decide_are_no_authors if {
	authors([], "tools") == {key("plugin")}
	authors(tuned.add("plugin", {"claim": "waiver", "signers": [tuned.key("a1a1")]}), "tools") == {key("plugin")}
}

test_decisions_are_about_what_they_cover if {
	deciding([], {"approval"}, "tools") == {tuned.digests.approval}
	deciding([], {"approval", "review"}, "tools") == {tuned.digests.approval, tuned.digests.review}
	deciding([], {"review"}, "rows") == set()
}

test_plain_decisions_do_not_count if {
	deciding([tuned.put("review", "facts/collected", false)], {"review"}, "tools") == set()
	deciding([tuned.remove("review", "facts/collected")], {"review"}, "tools") == set()
}

concerning(patches, name) := value if {
	doc := tuned.after(patches)
	value := people.concerning({"review"}, name) with input as doc
}

about(subjects) := array.concat(tuned.cover("review", []), [tuned.put("review", "subjects", {item: {"name": "x"} | some item in subjects})])

test_statements_concern_what_they_cover_or_name if {
	found := {tuned.digests.review}
	concerning([], "tools") == found
	concerning([], "rows") == set()
	concerning(array.concat(tuned.cover("review", ["rows"]), [tuned.put("review", "subjects", {})]), "rows") == found
	concerning(about({tuned.whole.rows}), "rows") == found
	concerning(about({"sha256:0404040404040404040404040404040404040404040404040404040404040404"}), "rows") == found
	concerning(about({tuned.digests.dataset}), "rows") == found
	concerning(about({tuned.digests.dataset}), "tools") == set()
	concerning(about({}), "tools") == set()
}

test_statements_concern_what_a_statement_names_that_they_are_about if {
	patches := array.concat(about({tuned.digests.dataset}), tuned.cover("dataset", []))
	concerning(patches, "rows") == {tuned.digests.review}
	concerning(array.concat(patches, [tuned.put("dataset", "subjects", {})]), "rows") == set()
	concerning(about({tuned.digests.approval}), "rows") == set()
}

test_subjects_of_no_shape_name_nothing if {
	every subjects in ["x", [tuned.whole.rows], null] {
		concerning(array.concat(about({}), [tuned.put("review", "subjects", subjects)]), "rows") == set()
	}
}

test_a_no_counts_however_it_was_made if {
	no := [tuned.put("review", "facts/decision", "rejected"), tuned.put("review", "facts/collected", false)]
	deciding(array.concat(about({tuned.whole.rows}), no), {"review"}, "rows") == {tuned.digests.review}
	deciding(array.concat(about({tuned.whole.rows}), no), {"review"}, "tools") == set()
}

test_a_yes_counts_for_all_of_it_only if {
	deciding(about({tuned.whole.rows}), {"review"}, "rows") == set()
}

test_those_against_say_no if {
	doc := tuned.after([tuned.put("review", "facts/decision", "rejected")])
	both := {tuned.digests.approval, tuned.digests.review}
	against := people.against(both) with input as doc
	against == {tuned.digests.review}
	approving := people.approving(both) with input as doc
	approving == {["identity", "https://issuer.example", "approver@example.com"]}
}

test_a_decision_about_an_exception_is_about_nothing_else if {
	patches := array.concat(tuned.add("plugin", {"claim": "waiver"}), [
		tuned.put("review", "artifacts", []),
		fixtures.put("/claims/review/by_artifact", {}),
		tuned.put("review", "depends_on", [tuned.digests.other]),
		fixtures.put(concat("/", [tuned.at("review", "subjects"), tuned.digests.other]), {"name": "x"}),
	])
	deciding(patches, {"review"}, "tools") == set()
	concerning(patches, "tools") == {tuned.digests.review}
	concerning(array.concat(patches, [tuned.put("review", "subjects", {tuned.digests.other: {"name": "x"}})]), "tools") == set()
}

makers(patches, name) := value if {
	doc := tuned.after(patches)
	value := people.makers(name) with input as doc
}

signing(patches, claims, name) := value if {
	doc := tuned.after(patches)
	value := people.signing(claims, name) with input as doc
}

test_makers_are_those_who_neither_judge_nor_watch if {
	makers([], "base") == {key("sigbase"), key("pretraining")}
	every claim in [
		"approval", "eval", "eval.result", "properties", "references", "review", "runtime.trace", "scan.report", "scorecard",
		"source.summary", "test.result", "verification.summary", "waiver",
	] {
		found := makers(tuned.add("plugin", {"claim": claim, "signers": [tuned.key("a1a1")]}), "tools")
		found == {key("plugin")}
	}
	count(makers(tuned.add("plugin", {"claim": "sbom", "signers": [tuned.key("a1a1")]}), "tools")) == 2
}

test_those_sign_whose_statements_cover_it_or_build_on_one_that_does if {
	signing([], {"plugin"}, "tools") == {key("plugin")}
	signing([], {"training.provenance"}, "rows") == {key("training")}
	signing([], {"plugin"}, "rows") == set()
	signing([], {"dataset", "training.provenance"}, "rows") == {key("dataset"), key("training")}
	signing([tuned.put("training", "ancestors", [])], {"dataset"}, "base") == set()
}
