package gate.lib.measures_test

import data.gate.lib.measures
import future.keywords.not

facts := {
	"metrics": {
		"accuracy": {"candidate": exactly(910000), "baseline": exactly(880000), "better": "higher"},
		"latency": {"candidate": exactly(300000), "baseline": exactly(310000), "better": "lower"},
		"length": {"candidate": exactly(5), "baseline": null, "better": null},
	},
	"thresholds": {"accuracy": {"min": 800000, "max": null}},
	"tolerances": {},
	"samples": {"evaluated": 200, "expected": 200},
}

exactly(value) := {"low": value, "high": value}

between(low, high) := {"low": low, "high": high}

put(path, value) := {"op": "add", "path": path, "value": value}

remove(path) := {"op": "remove", "path": path}

faults(patches) := measures.faults(json.patch(facts, patches))

# Of an accuracy: what it was, is, may be worse by, and which direction is better.
compared(baseline, candidate, tolerances, better) := faults([
	put("/metrics/accuracy", {"candidate": candidate, "baseline": baseline, "better": better}),
	put("/tolerances", tolerances),
])

worse := {["regressed", "accuracy"]}

test_passes_when_all_is_well if faults([]) == set()

test_passes_when_nobody_counts_samples if faults([put("/samples", null)]) == set()

test_passes_when_more_was_evaluated if faults([put("/samples/evaluated", 201)]) == set()

test_fails_when_a_sample_is_left_out if {
	faults([put("/samples/evaluated", 199)]) == {["incomplete", "samples"]}
}

test_fails_when_no_sample_was_evaluated if {
	faults([put("/samples", {"evaluated": 0, "expected": 0})]) == {["incomplete", "samples"]}
}

test_passes_when_one_sample_is_all if {
	faults([put("/samples", {"evaluated": 1, "expected": 1})]) == set()
}

test_fails_when_samples_are_no_numbers if {
	faults([put("/samples/evaluated", "200")]) == {["incomplete", "samples"]}
	faults([put("/samples/expected", null)]) == {["incomplete", "samples"]}
	faults([remove("/samples")]) == {["incomplete", "samples"]}
}

test_fails_when_there_is_no_threshold if {
	faults([put("/thresholds", {})]) == {["unlimited", "thresholds"]}
}

test_fails_when_a_threshold_has_no_measure if {
	faults([put("/thresholds/recall", {"min": 0, "max": null})]) == {["unmeasured", "recall"]}
	faults([
		put("/thresholds/length", {"min": 0, "max": null}),
		put("/metrics/length/candidate", null),
	]) == {["outside", "length"], ["regressed", "length"], ["unmeasured", "length"]}
}

test_fails_when_a_tolerance_has_no_baseline if {
	faults([put("/tolerances/length", 5)]) == {["unmeasured", "length"]}
	faults([put("/tolerances/recall", 5)]) == {["unmeasured", "recall"]}
}

test_passes_when_a_value_is_at_its_threshold if {
	faults([put("/thresholds/accuracy", {"min": 910000, "max": 910000})]) == set()
}

test_fails_when_a_value_is_beyond_its_threshold if {
	faults([put("/thresholds/accuracy/min", 910001)]) == {["outside", "accuracy"]}
	faults([put("/thresholds/accuracy/max", 909999)]) == {["outside", "accuracy"]}
}

test_fails_when_rounding_could_hide_it if {
	candidate := put("/metrics/accuracy/candidate", between(910000, 910001))
	faults([candidate, put("/thresholds/accuracy/min", 910000)]) == set()
	faults([candidate, put("/thresholds/accuracy/min", 910001)]) == {["outside", "accuracy"]}
	faults([candidate, put("/thresholds/accuracy/max", 910001)]) == set()
	faults([candidate, put("/thresholds/accuracy/max", 910000)]) == {["outside", "accuracy"]}
}

test_fails_when_a_threshold_has_no_limit if {
	faults([put("/thresholds/accuracy", {"min": null, "max": null})]) == {["outside", "accuracy"]}
	faults([put("/thresholds/accuracy", {"min": 800000})]) == {["outside", "accuracy"]}
	faults([put("/thresholds/accuracy", {"max": 990000})]) == {["outside", "accuracy"]}
	faults([put("/thresholds/accuracy", null)]) == {["outside", "accuracy"]}
}

test_fails_when_a_limit_is_no_whole_number if {
	faults([put("/thresholds/accuracy/min", "0")]) == {["outside", "accuracy"]}
	faults([put("/thresholds/accuracy/max", "z")]) == {["outside", "accuracy"]}
	faults([put("/thresholds/accuracy/max", 910000.5)]) == {["outside", "accuracy"]}
	faults([put("/thresholds/accuracy/min", 1.5)]) == {["outside", "accuracy"]}
}

test_fails_when_a_measure_is_no_measure if {
	both := {["outside", "accuracy"], ["regressed", "accuracy"]}
	every value in [{}, between("a", 1), between(1, "a"), between(910001, 910000), between(0.5, 1), between(1, 1.5)] {
		faults([put("/metrics/accuracy/candidate", value)]) == both
	}
}

test_fails_when_a_measure_is_no_whole_number if {
	both := {["outside", "accuracy"], ["regressed", "accuracy"]}
	every value in [between(900000.5, 910000), between(910000, 910000.5)] {
		faults([put("/metrics/accuracy/candidate", value)]) == both
	}
}

test_fails_when_a_measure_that_nothing_limits_is_no_measure if {
	faults([put("/metrics/length/candidate", {})]) == {["regressed", "length"]}
	faults([put("/metrics/length", {"candidate": {}, "baseline": {}, "better": null})]) == {["regressed", "length"]}
	faults([put("/metrics/length", {"candidate": {}, "baseline": exactly(1), "better": null})]) == {["regressed", "length"]}
}

test_fails_when_a_baseline_is_no_measure if {
	compared({}, exactly(910000), {}, "higher") == worse
	compared({}, exactly(910000), {}, "lower") == worse
	compared("a", exactly(910000), {}, "higher") == worse
	compared({"high": 880000}, exactly(910000), {}, "higher") == worse
	compared({"low": 910000}, exactly(880000), {}, "lower") == worse
	compared(exactly(880000), {"high": 870000, "low": "x"}, {}, "lower") == {["outside", "accuracy"], ["regressed", "accuracy"]}
}

test_passes_when_it_is_no_worse if {
	compared(exactly(910000), exactly(910000), {}, "higher") == set()
	compared(exactly(910000), exactly(910000), {}, "lower") == set()
	compared(exactly(900000), exactly(910000), {}, "higher") == set()
	compared(exactly(910000), exactly(900000), {}, "lower") == set()
}

test_fails_when_it_is_worse if {
	compared(exactly(910001), exactly(910000), {}, "higher") == worse
	compared(exactly(909999), exactly(910000), {}, "lower") == worse
}

test_passes_when_it_is_worse_by_its_tolerance if {
	compared(exactly(920000), exactly(910000), {"accuracy": 10000}, "higher") == set()
	compared(exactly(900000), exactly(910000), {"accuracy": 10000}, "lower") == set()
}

test_fails_when_it_is_worse_by_more_than_its_tolerance if {
	compared(exactly(920001), exactly(910000), {"accuracy": 10000}, "higher") == worse
	compared(exactly(899999), exactly(910000), {"accuracy": 10000}, "lower") == worse
}

test_passes_when_no_difference_can_be_seen if {
	compared(between(910000, 910001), between(910000, 910001), {}, "higher") == set()
	compared(between(910000, 910001), between(910000, 910001), {}, "lower") == set()
	compared(between(910000, 910001), between(910000, 910001), {}, "sideways") == set()
}

test_fails_when_rounding_could_hide_that_it_is_worse if {
	compared(between(910000, 910001), exactly(910000), {}, "higher") == worse
	compared(exactly(910001), between(910000, 910001), {}, "higher") == worse
	compared(between(909999, 910000), exactly(910000), {}, "lower") == worse
	compared(exactly(909999), between(909999, 910000), {}, "lower") == worse
}

test_passes_when_rounding_hides_nothing if {
	compared(between(909999, 910000), exactly(910000), {}, "higher") == set()
	compared(exactly(910000), between(910000, 910001), {}, "higher") == set()
	compared(between(910000, 910001), exactly(910000), {}, "lower") == set()
	compared(exactly(910000), between(909999, 910000), {}, "lower") == set()
}

test_fails_when_a_direction_is_unknown if {
	compared(exactly(880000), exactly(910000), {}, "sideways") == worse
	compared(exactly(880000), exactly(910000), {"accuracy": 30000}, "sideways") == worse
}

test_passes_when_nobody_says_that_a_difference_matters if {
	compared(exactly(880000), exactly(910000), {}, null) == set()
	compared(exactly(990000), exactly(910000), {}, null) == set()
}

test_fails_when_a_difference_is_beyond_a_tolerance_in_either_direction if {
	compared(exactly(880000), exactly(910000), {"accuracy": 30000}, null) == set()
	compared(exactly(940000), exactly(910000), {"accuracy": 30000}, null) == set()
	compared(exactly(880000), exactly(910000), {"accuracy": 29999}, null) == worse
	compared(exactly(940000), exactly(910000), {"accuracy": 29999}, null) == worse
}

test_fails_when_a_tolerance_is_no_count if {
	compared(exactly(880000), exactly(910000), {"accuracy": -1}, "higher") == worse
	compared(exactly(920000), exactly(910000), {"accuracy": -1}, "lower") == worse
	compared(exactly(880000), exactly(910000), {"accuracy": "1"}, "higher") == worse
	compared(exactly(880000), exactly(910000), {"accuracy": 0.5}, "higher") == worse
	compared(exactly(910001), exactly(910000), {"accuracy": "1"}, null) == worse
}

test_errors_when_a_part_has_no_shape if {
	not faults([put("/metrics", [])])
	not faults([put("/thresholds", [])])
	not faults([put("/tolerances", null)])
	not faults([remove("/metrics")])
	not faults([remove("/thresholds")])
	not faults([remove("/tolerances")])
}

detail(fault, patches, name) := measures.detail(fault, json.patch(facts, patches), name)

test_details_name_the_values if {
	detail("outside", [], "accuracy") == " (0.91, at least 0.8)"
	detail("outside", [put("/thresholds/accuracy", {"min": null, "max": 2000000})], "accuracy") == " (0.91, at most 2)"
	detail("outside", [put("/thresholds/accuracy/max", -500000)], "accuracy") == " (0.91, 0.8 to -0.5)"
	detail("outside", [put("/metrics/accuracy/candidate", between(5, 6))], "accuracy") == " (0.000005 to 0.000006, at least 0.8)"
	detail("outside", [put("/metrics/accuracy/candidate", exactly(0))], "accuracy") == " (0, at least 0.8)"
	detail("outside", [put("/metrics/accuracy/candidate", exactly(1234567890))], "accuracy") == " (1234.56789, at least 0.8)"
	detail("outside", [put("/metrics/accuracy/candidate", exactly(100000000))], "accuracy") == " (100, at least 0.8)"
	detail("regressed", [], "accuracy") == " (0.91, before 0.88)"
	detail("incomplete", [], "samples") == " (200 of 200)"
}

test_details_are_empty_when_there_are_none if {
	detail("unlimited", [], "thresholds") == ""
	detail("incomplete", [put("/samples", null)], "samples") == ""
	detail("incomplete", [put("/samples/evaluated", "x")], "samples") == ""
	detail("incomplete", [put("/samples/expected", "x")], "samples") == ""
	detail("outside", [], "recall") == ""
	detail("regressed", [], "recall") == ""
}

test_details_say_when_there_is_no_value if {
	detail("outside", [put("/thresholds/accuracy", {"min": null, "max": null})], "accuracy") == " (0.91, no limit)"
	detail("outside", [put("/thresholds/accuracy", {"min": "x", "max": null})], "accuracy") == " (0.91, no limit)"
	detail("outside", [put("/thresholds/accuracy", {"min": null, "max": "x"})], "accuracy") == " (0.91, no limit)"
	detail("outside", [put("/thresholds/accuracy", {"min": "x", "max": 1})], "accuracy") == " (0.91, no limit)"
	detail("outside", [put("/thresholds/accuracy", {"min": 1, "max": "x"})], "accuracy") == " (0.91, no limit)"
	detail("outside", [put("/metrics/accuracy/candidate", between(2, 1))], "accuracy") == " (no value, at least 0.8)"
	detail("outside", [put("/metrics/accuracy/candidate", exactly(0.5))], "accuracy") == " (no value, at least 0.8)"
	detail("outside", [put("/metrics/accuracy/candidate", between(0.5, 1.5))], "accuracy") == " (no value, at least 0.8)"
	detail("regressed", [put("/metrics/accuracy/baseline", null)], "accuracy") == " (0.91, before no value)"
}
