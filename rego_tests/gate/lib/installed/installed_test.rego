package gate.lib.installed_test

import data.gate.deployed
import data.gate.fixtures
import data.gate.lib.installed
import future.keywords.not

torch := deployed.part("torch", "2.10.0", "pkg:pypi/torch@2.10.0")

one(facts) := deployed.billed({"bill": [["server"], facts]})

good := deployed.bill({"torch": torch})

after(fields) := object.union(object.remove(good, object.keys(fields)), fields)

bills(patches) := found if {
	doc := deployed.after(patches)
	found := installed.bills with input as doc
}

known(patches) := found if {
	doc := deployed.after(patches)
	found := installed.known with input as doc
}

# Without the image itself.
packages(patches) := {[name, version] | some [image, name, version] in found; image == deployed.digests.image} if {
	doc := deployed.after(array.concat(patches, deployed.asking({"pkg:pypi/torch": "1"})))
	found := installed.packages with input as doc
}

older(patches, minimums) := found if {
	doc := deployed.after(array.concat(patches, deployed.asking(minimums)))
	found := installed.older(deployed.digests.image, minimums) with input as doc
}

unclear(patches, minimums) := found if {
	doc := deployed.after(array.concat(patches, deployed.asking(minimums)))
	found := installed.unclear(deployed.digests.image, minimums) with input as doc
}

current(patches, image, minimums) := found if {
	doc := deployed.after(array.concat(patches, deployed.asking(minimums)))
	found := installed.is_current(image, minimums) with input as doc
}

whole := {deployed.digests.image}

of(components) := packages(one(deployed.bill(components)))

test_bills_are_of_images_that_ask_for_admission if {
	bills(one(good)) == {[deployed.digests.image, "server", deployed.digests.bill]}
	bills([]) == set()
	bills(array.concat(one(good), [fixtures.put("/artifacts/server/kind", "weights")])) == set()
	bills(array.concat(one(good), [fixtures.put("/artifacts/server/digest", null)])) == set()
	bills(array.concat(one(good), [fixtures.remove("/artifacts/server")])) == set()
	bills(deployed.billed({"bill": [[], good]})) == set()
}

test_an_image_is_known_by_a_complete_bill if {
	known(one(good)) == whole
	known(array.concat(one(good), [fixtures.put("/artifacts/server/digest", deployed.digests.other)])) == set()
	known([]) == set()
	every fields in [
		{"completeness": "incomplete"},
		{"completeness": "unknown"},
		{"format": "spdx", "version": "SPDX-2.3", "completeness": "unknown"},
		{"root": null},
		{"root": "nothing"},
	] {
		known(one(after(fields))) == set()
	}
	other := object.union(torch, {"digests": {"sha256": trim_prefix(deployed.digests.other, "sha256:")}})
	known(one(object.union(deployed.bill({"torch": other}), {"root": "torch"}))) == set()
	known(one(object.union(good, {"root": "torch"}))) == whole
}

test_an_image_that_the_bill_does_not_name_is_not_known if {
	path := sprintf("/attestations/%s/facts/components/server/digests/sha256", [deployed.digests.bill])
	known(array.concat(one(good), [fixtures.put(path, trim_prefix(deployed.digests.other, "sha256:"))])) == set()
}

test_spdx_2_is_known_where_it_is_accepted if {
	facts := after({"format": "spdx", "version": "SPDX-2.3", "completeness": "unknown"})
	accepting := fixtures.put("/parameters/sbom.complete", {"accept_spdx_2": true})
	known(array.concat(one(facts), [accepting])) == whole
	known(array.concat(one(facts), [fixtures.put("/parameters/sbom.complete", {"accept_spdx_2": false})])) == set()
	known(array.concat(one(after({"completeness": "unknown"})), [accepting])) == set()
}

two(first, second) := deployed.billed({"bill": [["server"], first], "second": [["server"], second]})

test_a_bill_that_says_that_parts_are_missing_stands_against_another if {
	known(two(good, good)) == whole
	known(two(good, after({"completeness": "unknown"}))) == whole
	known(two(good, after({"completeness": "incomplete"}))) == set()
	known(two(good, after({"completeness": "incomplete", "components": {"torch": torch}}))) == whole
}

test_an_image_with_an_odd_component_is_not_known if {
	known(one(deployed.bill({"a": deployed.part("x", null, null)}))) == whole
	known(one(deployed.bill({"a": deployed.part("", "", "")}))) == whole
	every value in [1, true, [], {}] {
		known(one(deployed.bill({"a": deployed.part(value, null, null)}))) == set()
		known(one(deployed.bill({"a": deployed.part("x", value, null)}))) == set()
		known(one(deployed.bill({"a": deployed.part("x", null, value)}))) == set()
	}
	every field in ["name", "version", "purl"] {
		known(one(deployed.bill({"a": object.remove(torch, [field])}))) == set()
	}
}

test_packages_have_each_version_that_is_said if {
	of({"a": torch}) == {["pkg:pypi/torch", "2.10.0"]}
	of({"a": torch, "b": object.union(torch, {"version": "2.9"})}) == {["pkg:pypi/torch", "2.10.0"], ["pkg:pypi/torch", "2.9"]}
	of({"a": deployed.part("x", null, "pkg:pypi/Torch@2.9?x=y")}) == {["pkg:pypi/torch", "2.9"]}
	of({"a": deployed.part("x", "2.9", "pkg:pypi/torch")}) == {["pkg:pypi/torch", "2.9"]}
	of({"a": deployed.part("x", "", "pkg:pypi/torch")}) == {["pkg:pypi/torch", ""]}
	of({"a": deployed.part("x", null, " PKG:pypi/torch")}) == {["pkg:pypi/torch", "unknown"]}
	of({"a": deployed.part("x", "1", "pkg:pypi/x@1"), "b": deployed.part("x", "1", null)}) == set()
	of({}) == set()
}

test_a_component_without_package_url_has_its_name if {
	every purl in [null, "", "torch"] {
		of({"a": deployed.part("Torch", "2.10", purl)}) == {["torch", "unknown"]}
	}
}

test_packages_of_all_bills_count if {
	second := object.union(deployed.bill({"a": deployed.part("torch", "2.9", "pkg:pypi/torch")}), {"completeness": "unknown"})
	packages(two(good, second)) == {["pkg:pypi/torch", "2.10.0"], ["pkg:pypi/torch", "2.9"]}
	known(two(good, second)) == whole
	older(two(good, second), {"pkg:pypi/torch": "2.10"}) == {"pkg:pypi/torch 2.9, older than 2.10"}
}

test_older_versions_are_told if {
	older(one(good), {"pkg:pypi/torch": "2.10"}) == set()
	older(one(good), {"pkg:pypi/Torch": "2.10.1", "pkg:pypi/vllm": "9"}) == {"pkg:pypi/Torch 2.10.0, older than 2.10.1"}
	older(one(deployed.bill({"a": deployed.part("torch", "2.10rc1", "pkg:pypi/torch")})), {"pkg:pypi/torch": "9"}) == set()
	older([], {"pkg:pypi/torch": "2.10"}) == set()
	older(one(good), {}) == set()
}

test_what_nobody_can_tell_is_unclear if {
	unclear(one(good), {"pkg:pypi/torch": "2.10", "pkg:pypi/vllm": "0.18"}) == set()
	unclear([], {"pkg:pypi/torch": "2.10"}) == {"no complete SBOM of its image says which pkg:pypi/torch it has"}
	unclear([], {}) == set()
	message := {"its image has pkg:pypi/torch 2.10rc1, which cannot be compared with 2.10"}
	unclear(one(deployed.bill({"a": deployed.part("torch", "2.10rc1", "pkg:pypi/torch")})), {"pkg:pypi/torch": "2.10"}) == message
	unnamed := {"its image has pkg:pypi/torch unknown, which cannot be compared with 2.10"}
	unclear(one(deployed.bill({"a": deployed.part("torch", "2.10", null)})), {"pkg:pypi/torch": "2.10"}) == unnamed
}

test_an_image_is_current_when_it_is_known_to_be if {
	minimums := {"pkg:pypi/torch": "2.10"}
	current(one(good), deployed.digests.image, minimums) == true
	current(one(good), deployed.digests.image, {"pkg:pypi/torch": "2.11"}) == false
	current(one(good), deployed.digests.other, minimums) == false
	current(one(good), null, minimums) == false
	current(one(good), null, {}) == true
	current([], deployed.digests.image, minimums) == false
}
