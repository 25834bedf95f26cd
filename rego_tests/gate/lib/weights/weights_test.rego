package gate.lib.weights_test

import data.gate.fixtures
import data.gate.lib.weights
import data.gate.tuned
import future.keywords.not

whole(patches, name) := value if {
	doc := tuned.after(patches)
	value := weights.whole(name) with input as doc
}

parts(patches, name) := value if {
	doc := tuned.after(patches)
	value := weights.parts(name) with input as doc
}

is_named(patches, name, digests) := value if {
	doc := tuned.after(patches)
	value := weights.is_named(name, digests) with input as doc
}

files := {file.digest | some file in tuned.artifacts.base.files}

test_a_whole_has_its_own_digest_and_that_which_was_signed if {
	whole([], "base") == {tuned.whole.base, tuned.roots.base}
	whole([], "rows") == {tuned.whole.rows}
	whole([fixtures.put("/artifacts/rows/digest", null)], "rows") == set()
	whole([tuned.put("sigbase", "subjects", null)], "base") == {tuned.whole.base}
}

test_parts_are_regular_files if {
	parts([], "base") == files
	patches := [fixtures.put("/artifacts/base/files/link", {"digest": null, "format": "symlink"})]
	parts(patches, "base") == files
}

test_names_are_wholes_or_all_parts if {
	is_named([], "base", {tuned.whole.base})
	is_named([], "base", {tuned.roots.base, tuned.whole.rows})
	is_named([], "base", files)
	is_named([], "base", files | {tuned.whole.rows})
	is_named([], "style", {tuned.artifacts.style.files["adapter.safetensors"].digest})
}

test_nothing_else_is_a_name if {
	not is_named([], "base", set())
	not is_named([], "base", {tuned.whole.rows})
	not is_named([], "base", {tuned.artifacts.base.files["config.json"].digest})
	not is_named([fixtures.put("/artifacts/base/files", {})], "base", {tuned.whole.rows})
	not is_named([], "nothing", files)
}
