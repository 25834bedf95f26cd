package gate.lib.lineage_test

import data.gate.application
import data.gate.fixtures
import data.gate.lib.lineage
import future.keywords.not

shaped(patches) := value if {
	doc := application.after(patches)
	value := lineage.shaped with input as doc
}

ancestors(patches) := value if {
	doc := application.after(patches)
	value := lineage.ancestors with input as doc
}

at_stake(patches) := value if {
	doc := application.after(patches)
	value := lineage.at_stake with input as doc
}

digests := application.digests

covering_nothing := array.concat(
	array.concat(application.uncover("prompt"), application.uncover("corpus")),
	array.concat(application.uncover("eval"), array.concat(application.uncover("route"), application.uncover("slo"))),
)

# Patches after which only the statements of one claim cover something: a changed file.
changed(claim) := array.concat(covering_nothing, [
	fixtures.put("/gates/G1", {"required_attestations": ["prompt"], "files": ["app/a.txt"]}),
	fixtures.put("/change/files", {"app/a.txt": {
		"status": "added",
		"old": null,
		"new": {"mode": "100644", "digest": null},
		"role": null,
		"gates": ["G1"],
		"covered_by": {claim: [digests[claim]]},
	}}),
])

test_passes_when_all_is_listed if shaped([]) == application.good.attestations

test_errors_when_a_list_is_absent if {
	not shaped([application.remove("prompt", "depends_on")])
	not shaped([application.remove("prompt", "ancestors")])
	not shaped([application.put("prompt", "depends_on", ["x"])])
	not shaped([application.put("prompt", "ancestors", {})])
}

test_errors_when_the_index_disagrees if {
	not shaped([fixtures.put("/claims", {})])
	not ancestors([fixtures.put("/claims", {})])
}

test_ancestors_are_those_of_all_steps if {
	ancestors([]) == {
		digests.prompt: set(),
		digests.corpus: set(),
		digests.eval: {digests.prompt, digests.corpus},
		digests.route: {digests.prompt, digests.corpus, digests.eval},
		digests.slo: {digests.prompt, digests.corpus, digests.eval, digests.route},
	}
}

test_errors_when_an_ancestor_is_left_out if {
	not ancestors([application.put("slo", "ancestors", [digests.prompt, digests.eval, digests.route])])
}

test_errors_when_an_ancestor_is_too_many if {
	not ancestors([application.put("prompt", "ancestors", [digests.corpus])])
}

test_errors_when_a_step_is_left_out if {
	not ancestors([application.put("slo", "ancestors", [])])
}

test_errors_when_a_step_is_not_verified if {
	not ancestors([
		application.put("prompt", "depends_on", [digests.other]),
		application.put("prompt", "ancestors", [digests.other]),
		application.put("eval", "ancestors", [digests.prompt, digests.corpus, digests.other]),
		application.put("route", "ancestors", [digests.prompt, digests.corpus, digests.other, digests.eval]),
		application.put("slo", "ancestors", [digests.prompt, digests.corpus, digests.other, digests.eval, digests.route]),
	])
}

test_at_stake_is_what_covers_artifacts if at_stake([]) == object.keys(application.good.attestations)

test_nothing_is_at_stake_when_nothing_is_covered if at_stake(covering_nothing) == set()

test_at_stake_is_what_covers_changed_files if at_stake(changed("slo")) == object.keys(application.good.attestations)

test_at_stake_is_what_builds_on_it if {
	at_stake(changed("prompt")) == {digests.prompt, digests.eval, digests.route, digests.slo}
}

test_at_stake_is_what_it_builds_on if {
	at_stake(changed("eval")) == {digests.prompt, digests.corpus, digests.eval, digests.route, digests.slo}
}

test_at_stake_is_no_statement_that_is_not_verified if at_stake(changed("other")) == set()

test_errors_when_nothing_says_what_is_at_stake if {
	not at_stake([fixtures.remove("/change")])
	not at_stake([fixtures.remove("/artifacts")])
	not at_stake([application.put("slo", "ancestors", [])])
}

# Written a second time, so that no edge is lost or added by mistake.
test_edges_are_these if {
	{claim: concat(" ", sort(before)) | some claim, before in lineage.edges} == object.union(
		{claim: decided | some claim in ["approval", "review", "waiver"]},
		{
			"composition": "composition training.provenance",
			"corpus": "corpus dataset",
			"dataset": "dataset",
			"eval": "composition corpus dataset plugin prompt training.provenance",
			"model.card": "composition dataset eval training.provenance",
			"prompt": "plugin",
			"route": "eval",
			"scan.report": "composition training.provenance",
			"slo": "route",
			"training.provenance": "dataset eval training.provenance",
		},
	)
}

decided := concat(" ", [
	"approval artifact.signature attributes build.provenance composition corpus dataset eval eval.result link",
	"model.card package.publication plugin prompt properties references release review route runtime.trace sbom",
	"scan.report scorecard slo source.summary test.result training.provenance verification.summary vex",
])

test_claims_of_third_parties_are_only_decided_upon if {
	lineage.may_build_on("approval", "x.acme.check")
	lineage.may_build_on("review", "x.acme.check")
	lineage.may_build_on("waiver", "x.acme.check")
	not lineage.may_build_on("eval", "x.acme.check")
	not lineage.may_build_on("x.acme.check", "eval")
	not lineage.may_build_on("x.acme.check", "x.acme.check")
	not lineage.may_build_on("approval", "waiver")
	not lineage.may_build_on("approval", "policy.bundle")
	lineage.may_build_on("slo", "route")
	not lineage.may_build_on("route", "slo")
}
