package gate.lib.parameters_test

import data.gate.lib.parameters
import future.keywords.not

of(doc) := value if {
	value := parameters.of("a.b") with input as doc
}

test_passes_when_they_are_set if of({"parameters": {"a.b": {"x": 1}}}) == {"x": 1}

test_passes_when_none_are_set if of({"parameters": {}}) == {}

test_errors_when_they_are_no_object if {
	not of({"parameters": {"a.b": null}})
	not of({"parameters": {"a.b": []}})
	not of({"parameters": []})
	not of({"parameters": null})
	not of({})
}
