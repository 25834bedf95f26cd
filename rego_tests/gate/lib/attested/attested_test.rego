package gate.lib.attested_test

import data.gate.application
import data.gate.fixtures
import data.gate.lib.attested
import future.keywords.not

of_kind(patches, kind) := value if {
	doc := application.after(patches)
	value := attested.of_kind(kind) with input as doc
}

collected(patches, digests) := value if {
	doc := application.after(patches)
	value := attested.collected(digests) with input as doc
}

problems(patches, proved) := value if {
	doc := application.after(patches)
	value := attested.problems("prompt", "prompt", proved) with input as doc
}

digest := application.digests.prompt

test_kinds_are_told_apart if {
	of_kind([], "prompt") == {"prompts"}
	of_kind([], "plugin") == set()
}

test_errors_when_a_section_is_unsound if {
	not of_kind([fixtures.remove("/artifacts")], "prompt")
	not of_kind([fixtures.put("/claims", {})], "prompt")
}

test_collected_are_those_that_say_so_and_speak_for_it if {
	collected([], {digest}) == {digest}
	collected([], set()) == set()
	collected([application.put("prompt", "facts/collected", false)], {digest}) == set()
	collected([application.put("prompt", "facts/collected", 1)], {digest}) == set()
	collected([application.put("prompt", "facts/result", "failed")], {digest}) == set()
}

test_nothing_is_wrong_with_what_is_proved if problems([], {"prompts"}) == set()

test_each_problem_has_its_name if {
	problems([], set()) == {["incomplete", "prompts", [digest]]}
	problems(application.uncover("prompt"), set()) == {["missing", "prompts", []]}
	problems([application.put("prompt", "facts/collected", false)], set()) == {["uncollected", "prompts", [digest]]}
	problems([application.put("prompt", "facts/result", "failed")], set()) == {["failed", "prompts", [digest]]}
}

test_roles_need_paths if {
	attested.has_roles({"roles": {"a": ["x"], "b": ["y"]}}, {"a", "b"})
	attested.has_roles({"roles": {"a": ["x"], "b": []}}, {"a"})
	attested.has_roles({"roles": {}}, set())
	not attested.has_roles({"roles": {"a": ["x"]}}, {"a", "b"})
	not attested.has_roles({"roles": {"a": ["x"], "b": []}}, {"a", "b"})
	not attested.has_roles({"roles": {"a": [""]}}, {"a"})
	not attested.has_roles({"roles": {"a": "x"}}, {"a"})
	not attested.has_roles({"roles": []}, set())
	not attested.has_roles({}, set())
}
