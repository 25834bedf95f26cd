# METADATA
# title: Measures
# description: |
#   Judges what an evaluation measured. Values are millionths: `low` and `high` are the same number, or the two around a
#   value with more digits. What rounding hides counts against the candidate.
# schemas:
#   - input: schema.input
package gate.lib.measures

import data.gate.lib.shape
import future.keywords.not

# METADATA
# description: |
#   What is wrong with the facts of an evaluation, as [reason, name]: `unlimited` (without any threshold), `unmeasured`
#   (a threshold without a measure, a tolerance without a baseline), `outside` of a threshold, `regressed` from the
#   baseline, `incomplete` samples. Undefined unless the facts have the shape to tell.
faults(facts) := {[reason, name] |
	some reason, names in {
		"unlimited": {"thresholds" | count(facts.thresholds) == 0},
		"unmeasured": _unmeasured(facts),
		"outside": outside(facts.metrics, facts.thresholds),
		"regressed": _regressed(facts),
		"incomplete": {"samples" | not _is_complete(facts.samples)},
	}
	some name in names
} if {
	is_object(facts.metrics)
	is_object(facts.thresholds)
	is_object(facts.tolerances)
}

_unmeasured(facts) := (object.keys(facts.thresholds) - measured) | (object.keys(facts.tolerances) - compared) if {
	measured := {name | some name, metric in facts.metrics; is_object(metric.candidate)}
	compared := {name | some name, metric in facts.metrics; is_object(metric.baseline)}
}

# METADATA
# description: Those of `metrics` whose measured value is not between the `min` and the `max` of its `limits`.
outside(metrics, limits) := {name |
	some name, limit in limits
	metric := metrics[name]
	not _is_within(metric.candidate, limit)
}

default _is_within(_, _) := false

_is_within(measured, limits) if {
	_is_measured(measured)
	count([limit | some limit in [limits.min, limits.max]; is_number(limit)]) > 0
	_is_at_least(measured, limits.min)
	_is_at_most(measured, limits.max)
}

default _is_measured(_) := false

_is_measured(value) if {
	shape.is_whole(value.low)
	shape.is_whole(value.high)
	value.low <= value.high
}

default _is_at_least(_, _) := false

_is_at_least(_, limit) if is_null(limit)

_is_at_least(measured, limit) if {
	shape.is_whole(limit)
	measured.low >= limit
}

default _is_at_most(_, _) := false

_is_at_most(_, limit) if is_null(limit)

_is_at_most(measured, limit) if {
	shape.is_whole(limit)
	measured.high <= limit
}

_regressed(facts) := {name |
	some name, metric in facts.metrics
	not _is_kept(metric, object.get(facts.tolerances, name, null))
}

default _is_kept(_, _) := false

# Nothing to compare with.
_is_kept(metric, _) if {
	_is_measured(metric.candidate)
	is_null(metric.baseline)
}

# No difference that could be seen.
_is_kept(metric, _) if {
	_is_measured(metric.candidate)
	metric.candidate == metric.baseline
}

# Nobody said which direction is better, or how far it may go.
_is_kept(metric, tolerance) if {
	_is_measured(metric.candidate)
	is_null(metric.better)
	is_null(tolerance)
}

_is_kept(metric, tolerance) if {
	metric.better == "higher"
	_is_no_lower(metric.candidate, metric.baseline, _margin(tolerance))
}

_is_kept(metric, tolerance) if {
	metric.better == "lower"
	_is_no_higher(metric.candidate, metric.baseline, _margin(tolerance))
}

_is_kept(metric, tolerance) if {
	is_null(metric.better)
	_is_no_lower(metric.candidate, metric.baseline, tolerance)
	_is_no_higher(metric.candidate, metric.baseline, tolerance)
}

_margin(tolerance) := 0 if is_null(tolerance)

_margin(tolerance) := tolerance if is_number(tolerance)

default _is_no_lower(_, _, _) := false

_is_no_lower(candidate, baseline, margin) if {
	_is_measured(candidate)
	_is_measured(baseline)
	shape.is_count(margin)
	candidate.low >= baseline.high - margin
}

default _is_no_higher(_, _, _) := false

_is_no_higher(candidate, baseline, margin) if {
	_is_measured(candidate)
	_is_measured(baseline)
	shape.is_count(margin)
	candidate.high <= baseline.low + margin
}

# Where nobody counts samples, nothing says that some are left out.
default _is_complete(_) := false

_is_complete(samples) if is_null(samples)

_is_complete(samples) if {
	shape.is_count(samples.evaluated)
	shape.is_count(samples.expected)
	samples.evaluated > 0
	samples.evaluated >= samples.expected
}

# METADATA
# description: The values behind a fault, for people.
# scope: document
default detail(_, _, _) := ""

detail("outside", facts, name) := text if {
	measured := _span(facts.metrics[name].candidate)
	text := sprintf(" (%s, %s)", [measured, _range(facts.thresholds[name])])
}

detail("regressed", facts, name) := text if {
	measured := _span(facts.metrics[name].candidate)
	text := sprintf(" (%s, before %s)", [measured, _span(facts.metrics[name].baseline)])
}

detail("incomplete", facts, _) := text if {
	shape.is_count(facts.samples.evaluated)
	shape.is_count(facts.samples.expected)
	text := sprintf(" (%d of %d)", [facts.samples.evaluated, facts.samples.expected])
}

default _span(_) := "no value"

_span(value) := _decimal(value.low) if {
	_is_measured(value)
	value.low == value.high
}

_span(value) := text if {
	_is_measured(value)
	value.low < value.high
	text := sprintf("%s to %s", [_decimal(value.low), _decimal(value.high)])
}

default _range(_) := "no limit"

_range(limits) := text if {
	is_null(limits.max)
	shape.is_whole(limits.min)
	text := sprintf("at least %s", [_decimal(limits.min)])
}

_range(limits) := text if {
	is_null(limits.min)
	shape.is_whole(limits.max)
	text := sprintf("at most %s", [_decimal(limits.max)])
}

_range(limits) := text if {
	shape.is_whole(limits.min)
	shape.is_whole(limits.max)
	text := sprintf("%s to %s", [_decimal(limits.min), _decimal(limits.max)])
}

# Millionths as a decimal fraction.
_decimal(value) := trim_suffix(trim_right(text, "0"), ".") if {
	digits := sprintf("%d", [abs(value)])
	padded := concat("", [substring("000000", 0, max([0, 7 - count(digits)])), digits])
	point := count(padded) - 6
	text := sprintf("%s%s.%s", [_sign(value), substring(padded, 0, point), substring(padded, point, -1)])
}

_sign(value) := "-" if value < 0

_sign(value) := "" if value >= 0
