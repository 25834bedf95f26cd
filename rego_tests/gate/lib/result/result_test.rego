package gate.lib.result_test

import data.gate.lib.result
import future.keywords.not

test_violation_has_all_fields if {
	result.violation("a.b.c", "m", {}) == {
		"artifact": null,
		"code": "a.b.c",
		"evidence": [],
		"file": null,
		"message": "m",
	}
}

test_violation_sorts_evidence if {
	result.violation("a.b.c", "m", {"artifact": "a", "file": "f", "evidence": {"y", "x"}}) == {
		"artifact": "a",
		"code": "a.b.c",
		"evidence": ["x", "y"],
		"file": "f",
		"message": "m",
	}
}

test_passes_when_all_is_proved if result.status({"a"}, {"a", "b"}, set()) == "pass"

test_errors_when_something_is_not_proved if {
	result.status({"a", "b"}, {"a"}, set()) == "error"
	result.status({"a", "b"}, {"b"}, set()) == "error"
	result.status({"a"}, set(), set()) == "error"
}

test_fails_when_something_is_wrong if {
	result.status({"a"}, {"a"}, {"v"}) == "fail"
	result.status(set(), set(), {"v"}) == "fail"
	result.status({"a"}, set(), {"v"}) == "fail"
}

test_is_not_applicable_when_there_is_nothing if result.status(set(), set(), set()) == "not_applicable"
