package gate.tests.project.health_test

import data.gate.built
import data.gate.controls.project.health
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.artifact] | some entry in found}] if {
	doc := built.after(patches)
	status := health.status with input as doc
	found := health.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := built.after(patches)
	evidence := health.evidence with input as doc
	reason := health.reason with input as doc
	found := health.violations with input as doc
}

# The status when what the host says is not as it has to be.
unsound(patches) := status if {
	doc := json.patch(built.after([]), patches)
	status := health.status with input as doc
}

test_passes_when_all_is_good if answer([]) == ["pass", set()]

test_errors_when_the_sections_disagree if unsound([fixtures.put("/claims", {})]) == "error"

test_errors_when_there_are_no_artifacts if unsound([fixtures.remove("/artifacts")]) == "error"

test_errors_when_there_are_no_statements if unsound([fixtures.remove("/attestations")]) == "error"

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {built.digests.scorecard}, "reason": null, "violations": set()}
}

settings(values) := fixtures.put("/parameters/project.health", values)

both(code) := ["fail", {[code, "server"], [code, "wheel"]}]

test_passes_when_the_score_is_the_limit if {
	answer([settings({"limit": 7100})]) == ["pass", set()]
	answer([settings({"limit": 1})]) == ["pass", set()]
}

test_fails_when_the_score_is_too_low if {
	answer([settings({"limit": 7101})]) == both("project.health.score")
	answer([built.put("scorecard", "facts/score_bp", null)]) == both("project.health.score")
	answer([built.remove("scorecard", "facts/score_bp")]) == both("project.health.score")
	answer([built.put("scorecard", "facts/score_bp", "9")]) == both("project.health.score")
}

test_passes_when_nothing_is_set_and_the_score_is_half if {
	patches := [settings({}), built.put("scorecard", "facts/score_bp", 5000)]
	answer(patches) == ["pass", set()]
}

test_fails_when_nothing_is_set_and_the_score_is_below_half if {
	answer([settings({}), built.put("scorecard", "facts/score_bp", 4999)]) == both("project.health.score")
}

test_passes_when_a_check_is_as_good_as_asked_for if {
	answer([settings({"checks": {"Code-Review": 9000}})]) == ["pass", set()]
}

test_fails_when_a_check_is_too_low if {
	answer([settings({"checks": {"Code-Review": 9001}})]) == both("project.health.check")
}

test_fails_when_a_check_is_inconclusive if {
	answer([settings({"checks": {"Fuzzing": 1}})]) == both("project.health.check")
}

test_passes_when_nothing_is_asked_of_an_inconclusive_check if {
	answer([settings({"checks": {"Fuzzing": 0}})]) == ["pass", set()]
}

test_fails_when_a_check_is_not_there if {
	answer([settings({"checks": {"Unknown": 0}})]) == both("project.health.check")
	answer([built.put("scorecard", "facts/checks", [])]) == both("project.health.check")
	answer([built.put("scorecard", "facts/checks/Code-Review/score_bp", "9000")]) == both("project.health.check")
}

test_fails_with_messages if {
	found := whole([fixtures.put("/parameters/project.health/kinds", ["package"]), built.put("scorecard", "facts/score_bp", 1), built.put("scorecard", "facts/checks/Code-Review/score_bp", 1)])
	found.violations == {
		{
			"artifact": "wheel",
			"code": "project.health.check",
			"evidence": [built.digests.scorecard],
			"file": null,
			"message": "its project scores too low, or nothing, in Code-Review",
		},
		{
			"artifact": "wheel",
			"code": "project.health.score",
			"evidence": [built.digests.scorecard],
			"file": null,
			"message": "the score of its project is too low",
		},
	}
}

test_fails_when_there_is_no_result if answer([built.drop("scorecard")]) == both("project.health.missing")

test_fails_when_the_result_is_of_another_commit if {
	answer([built.put("scorecard", "facts/commit", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]) == both("project.health.missing")
	answer([built.put("scorecard", "facts/commit", null)]) == both("project.health.missing")
}

test_fails_when_the_result_is_of_another_repository if {
	answer([built.put("scorecard", "facts/repository", "code.example/other/app")]) == both("project.health.elsewhere")
}

bad(parts) := built.add("other", "scorecard", {"facts": object.union_n([built.told.scorecard.facts, {"score_bp": 1}, parts])})

test_fails_when_a_bad_result_writes_the_repository_in_another_way if {
	every name in ["Code.Example/Acme/app", "git@code.example:acme/app", "code.example/fork/app"] {
		answer([bad({"repository": name})]) == both("project.health.score")
	}
	answer([bad({"commit": upper(built.commit)})]) == both("project.health.score")
}

test_passes_when_a_bad_result_is_of_another_commit if {
	answer([bad({"commit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"})]) == ["pass", set()]
	answer([bad({"commit": null})]) == ["pass", set()]
}

test_fails_when_the_result_covers_the_artifact_and_names_another_project if {
	direct := built.put("scorecard", "artifacts", ["server", "wheel"])
	another := {"repository": "code.example/other/app", "commit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}
	every field, value in another {
		answer([direct, built.put("scorecard", concat("/", ["facts", field]), value)]) == both("project.health.elsewhere")
	}
	found := whole([direct, built.put("scorecard", "facts/commit", another.commit), fixtures.put("/parameters/project.health/kinds", ["package"])])
	found.violations == {{
		"artifact": "wheel",
		"code": "project.health.elsewhere",
		"evidence": [built.digests.scorecard],
		"file": null,
		"message": "the Scorecard results that are here are not about each commit of each repository that it was built from",
	}}
}

test_passes_when_the_result_covers_what_has_no_source if {
	direct := built.put("scorecard", "artifacts", ["server", "wheel"])
	answer([direct, built.put("provwheel", "facts/source", null)]) == ["pass", set()]
}

test_fails_when_it_is_another_claim if {
	answer([built.put("scorecard", "claim", "attributes")]) == both("project.health.missing")
}

test_passes_when_the_result_covers_the_artifacts if {
	direct := built.put("scorecard", "artifacts", ["server", "wheel"])
	answer([direct, built.put("scorecard", "facts/commit", null)]) == ["pass", set()]
	answer([direct, built.put("scorecard", "facts/repository", null)]) == ["pass", set()]
	answer([direct, built.drop("provwheel"), built.drop("provserver")]) == ["pass", set()]
}

test_fails_when_one_of_two_results_is_too_low if {
	answer([built.add("other", "scorecard", {"facts": object.union(built.told.scorecard.facts, {"score_bp": 1})})]) == both("project.health.score")
}

test_passes_when_the_kind_is_not_judged if {
	answer([built.drop("provwheel"), fixtures.put("/artifacts/wheel/kind", "weights")]) == ["pass", set()]
	answer([built.drop("provwheel"), fixtures.put("/parameters/project.health/kinds", ["container"])]) == ["pass", set()]
	answer([built.drop("provserver"), fixtures.put("/parameters/project.health/kinds", ["package"])]) == ["pass", set()]
}

test_fails_when_the_kind_is_judged if {
	answer([built.drop("provwheel"), fixtures.remove("/parameters/project.health")]) == ["fail", {["project.health.missing", "wheel"]}]
	answer([built.drop("provserver"), fixtures.remove("/parameters/project.health")]) == ["fail", {["project.health.missing", "server"]}]
}

test_errors_when_parameters_have_no_shape if {
	answer([settings({"limit": 0})])[0] == "error"
	answer([settings({"limit": 0.5})])[0] == "error"
	answer([settings({"limit": "1"})])[0] == "error"
	answer([settings({"checks": []})])[0] == "error"
	answer([settings({"checks": {"Code-Review": "8"}})])[0] == "error"
	answer([settings({"checks": {"Fuzzing": 0, "Code-Review": "8"}})])[0] == "error"
	answer([settings({"kinds": "package"})])[0] == "error"
	answer([settings({"kinds": [1]})])[0] == "error"
}

test_errors_when_parameters_are_unsound_and_nothing_asks_for_admission if {
	answer([settings({"limit": 0}), fixtures.put("/artifacts", {})])[0] == "error"
	answer([settings({"checks": []}), fixtures.put("/artifacts", {})])[0] == "error"
}

test_is_not_applicable_without_artifacts if {
	patches := [fixtures.put("/artifacts", {})]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "nothing asks for admission whose project is judged"
}

elsewhere := object.union(built.facts, {"source": {
	"uri": "git+https://code.example/acme/other.git",
	"ref": null,
	"digests": {"gitCommit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
}})

test_fails_when_one_of_two_projects_has_no_result if {
	answer([built.add("other", "provwheel", {"facts": elsewhere})]) == ["fail", {["project.health.elsewhere", "wheel"]}]
}

test_fails_when_a_result_about_the_artifact_itself_names_one_of_two_projects if {
	direct := built.put("scorecard", "artifacts", ["wheel"])
	answer([built.add("other", "provwheel", {"facts": elsewhere}), direct]) == ["fail", {["project.health.elsewhere", "wheel"]}]
}
