package gate.lib.builds_test

import data.gate.built
import data.gate.fixtures
import data.gate.lib.builds
import future.keywords.not

subjects(patches) := names if {
	doc := json.patch(built.after([]), patches)
	names := builds.subjects with input as doc
}

sources(patches) := found if {
	doc := built.after(patches)
	digests := {built.digests.provserver, built.digests.provwheel}
	found := builds.sources(digests) with input as doc
}

test_what_is_built_has_a_kind_that_is_built if {
	subjects([]) == {"server", "wheel"}
	every kind in ["adapter", "container", "package", "weights"] {
		subjects([fixtures.put("/artifacts/wheel/kind", kind)]) == {"server", "wheel"}
	}
	subjects([fixtures.put("/artifacts/wheel/kind", "dataset")]) == {"server"}
}

test_nothing_is_built_when_sections_have_no_shape if {
	not subjects([fixtures.remove("/artifacts")])
	not subjects([fixtures.put("/claims", {})])
}

repository := "code.example/acme/app"

test_sources_are_repository_and_commit if {
	sources([]) == {
		[built.digests.provserver, repository, built.commit],
		[built.digests.provwheel, repository, built.commit],
	}
}

only_server := {[built.digests.provserver, repository, built.commit]}

wheel(value) := sources([built.put("provwheel", "facts/source", value)])

long := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

test_sources_may_have_long_commits if {
	found := wheel({"uri": "x", "digests": {"gitCommit": long, "sha1": long}})
	found == only_server | {[built.digests.provwheel, "x", long]}
}

test_sources_without_one_commit_are_none if {
	wheel({"uri": "x", "digests": {}}) == only_server
	wheel({"uri": "x", "digests": {"sha256": long}}) == only_server
	wheel({"uri": "x", "digests": {"sha1": "main"}}) == only_server
	wheel({"uri": "x", "digests": {"sha1": "xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}) == only_server
	wheel({"uri": "x", "digests": {"sha1": 5}}) == only_server
	wheel({"uri": "x", "digests": {"sha1": built.commit, "gitCommit": long}}) == only_server
	wheel({"uri": "x", "digests": built.commit}) == only_server
}

test_sources_take_a_text_where_two_differ_in_type if {
	wheel({"uri": "x", "digests": {"sha1": 5, "gitCommit": long}}) == only_server | {[built.digests.provwheel, "x", long]}
}

test_sources_without_repository_are_none if {
	wheel({"uri": null, "digests": {"sha1": built.commit}}) == only_server
	wheel({"uri": "", "digests": {"sha1": built.commit}}) == only_server
	wheel(null) == only_server
}

test_a_repository_is_one_however_it_is_written if {
	every start in ["", "https://", "git+https://"] {
		every end in ["", ".git"] {
			builds.plain(concat("code.example/a/b", [start, end])) == "code.example/a/b"
		}
	}
	builds.plain("http://code.example/a/b") == "http://code.example/a/b"
	not builds.plain("")
	not builds.plain(5)
}

wanted := {"source": "https://code.example/a/b", "refs": ["refs/heads/main"]}

expected(value) := builds.are_expectations({"sound": wanted, "x": value})

test_expectations_are_an_object if {
	builds.are_expectations({})
	not builds.are_expectations([])
	not builds.are_expectations([wanted])
}

test_an_expectation_has_a_source_and_refs if {
	expected(wanted)
	expected(object.union(wanted, {"values": {"a": [1], "b": []}, "ignore": ["x"]}))
	not expected(object.remove(wanted, ["source"]))
	not expected(object.remove(wanted, ["refs"]))
	not expected(object.union(wanted, {"source": ""}))
	not expected(object.union(wanted, {"refs": "main"}))
	not expected(object.union(wanted, {"ignore": "x"}))
	not expected(object.union(wanted, {"values": [[1]]}))
	not expected(object.union(wanted, {"values": {"a": [1], "b": 2}}))
	not expected(object.union(wanted, {"valuez": {"a": [1]}}))
	not expected(object.union(wanted, {"values": {"a": [1]}, "ref": "main"}))
	not expected("x")
}

facts(parts) := object.union({"source": {"uri": "git+https://code.example/a/b", "ref": "refs/heads/main"}, "parameters": {}}, parts)

test_deviations_are_none_when_it_is_as_expected if {
	builds.deviations(facts({}), wanted) == set()
	every value in ["x", 1, true, null] {
		builds.deviations(facts({"parameters": {"a": value}}), object.union(wanted, {"values": {"a": ["x", 1, true, null]}})) == set()
	}
}

test_deviations_of_the_source if {
	builds.deviations(facts({"source": {"uri": "x"}}), wanted) == {["source", ""]}
	builds.deviations(facts({"source": {"uri": null}}), wanted) == {["source", ""]}
	builds.deviations(object.remove(facts({}), ["source"]), wanted) == {["source", ""], ["ref", ""]}
}

test_deviations_of_the_ref if {
	builds.deviations(facts({"source": {"ref": "refs/heads/x"}}), wanted) == {["ref", ""]}
	builds.deviations(facts({"source": {"ref": null}}), object.union(wanted, {"refs": ["*"]})) == {["ref", ""]}
	builds.deviations(facts({}), object.union(wanted, {"refs": []})) == {["ref", ""]}
}

test_deviations_of_parameters if {
	listed := object.union(wanted, {"values": {"a": ["x"]}, "ignore": ["b", "c.*"]})
	builds.deviations(facts({"parameters": {"a": "x", "b": 1, "c.d": 2}}), listed) == set()
	builds.deviations(facts({"parameters": {"a": "y"}}), listed) == {["value", "a"]}
	builds.deviations(facts({}), listed) == {["value", "a"]}
	builds.deviations(facts({"parameters": {"a": "x", "d": 1, "bb": 1}}), listed) == {["unknown", "d"], ["unknown", "bb"]}
	builds.deviations(facts({"parameters": {"d": 1}}), wanted) == {["unknown", "d"]}
}

test_deviations_when_parameters_cannot_be_read if {
	every value in [null, "x", [], 5] {
		builds.deviations(json.patch(facts({}), [{"op": "replace", "path": "/parameters", "value": value}]), wanted) == {["unread", ""]}
	}
	builds.deviations(object.remove(facts({}), ["parameters"]), wanted) == {["unread", ""]}
}

test_patterns_fit_exactly_or_as_far_as_their_star if {
	builds.fits("refs/tags/v1", ["x", "refs/tags/v1"])
	builds.fits("refs/tags/v1", ["refs/tags/*"])
	builds.fits("anything", ["*"])
	not builds.fits("refs/tags/v1", ["refs/tags/v"])
	not builds.fits("refs/heads/x", ["refs/tags/*"])
	not builds.fits("refs/tags/v1", ["refs/*/v1"])
	not builds.fits(null, ["*"])
	not builds.fits("x", [])
}
