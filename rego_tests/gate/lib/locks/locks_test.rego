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
