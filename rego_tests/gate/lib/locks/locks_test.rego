package gate.lib.locks_test

import data.gate.fixtures
import data.gate.lib.locks
import data.gate.locked
import future.keywords.not

good_item := {"pinned": true, "local": false, "digests": ["sha256:01"]}

test_passes_when_nothing_else_can_be_installed if {
	locks.is_pinned(good_item)
}

test_fails_when_something_else_can_be_installed if {
	every change in [{"pinned": false}, {"local": true}, {"digests": []}, {"pinned": "true"}] {
		not locks.is_pinned(object.union(good_item, change))
	}
}

test_passes_when_a_name_is_written_otherwise if {
	locks.is_named("torch-lite", ["x", "Torch.Lite"])
	locks.is_named("torch_lite", ["torch-lite"])
	locks.is_named("anything", ["*"])
}

test_fails_when_a_name_is_another if {
	not locks.is_named("torch-lite", [])
	not locks.is_named("torch-lite", ["torch", "torch-lite-2"])
	not locks.is_named("torch-lite", ["torch*"])
	not locks.is_named("torch-lite", ["torchlite"])
}

test_passes_when_items_are_those_of_sound_files if {
	doc := locked.good
	items := locks.items with input as doc
	object.keys(items) == {
		["service", "Cargo.lock", "app@0.1.0"],
		["service", "Cargo.lock", "serde@1.0.0"],
		["service", "uv.lock", "torch-lite@2.0"],
	}
}

test_fails_when_a_file_has_a_problem if {
	doc := locked.after([fixtures.put("/dependencies/service/uv.lock/problems", ["x"])])
	found := locks.packages with input as doc
	object.keys(found) == {["service", "Cargo.lock"]}
}

formats := {
	"cargo", "go", "go.mod", "npm", "pdm", "pipenv", "pnpm",
	"poetry", "pylock", "requirements", "uv", "yarn",
}

test_passes_when_a_format_is_known if {
	every format in formats {
		doc := {"dependencies": {"a": {"x": locked.lock(format, "n", true)}}}
		found := locks.packages with input as doc
		count(found) == 1
	}
}

test_passes_when_a_file_of_an_unknown_format_is_told if {
	doc := {"dependencies": {"a": {"x": {"format": null, "problems": ["odd"], "packages": {}}}}}
	files := locks.files with input as doc
	count(files) == 1
	found := locks.packages with input as doc
	count(found) == 0
}

# How many lock files can be relied on after a change: none where one field of one of them is malformed.
relied_on(patches) := count(found) if {
	doc := locked.after(patches)
	found := locks.packages with input as doc
}

test_errors_when_a_field_is_malformed if {
	relied_on([]) == 2
	lock := "/dependencies/service/uv.lock"
	relied_on([fixtures.put(sprintf("%s/problems", [lock]), "x")]) == 0
	relied_on([fixtures.put(sprintf("%s/problems", [lock]), [""])]) == 0
	relied_on([fixtures.put(sprintf("%s/format", [lock]), "odd")]) == 0
	item := "/dependencies/service/uv.lock/packages/torch-lite@2.0"
	relied_on([fixtures.put(sprintf("%s/name", [item]), "torch")]) == 0
	relied_on([fixtures.put(sprintf("%s/name", [item]), "torch-lit")]) == 0
	relied_on([fixtures.put(sprintf("%s/digests", [item]), ["md5:00"])]) == 0
	relied_on([fixtures.put(sprintf("%s/digests", [item]), [7])]) == 0
	relied_on([fixtures.put(sprintf("%s/digests", [item]), {})]) == 0
}
