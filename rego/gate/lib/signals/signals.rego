# METADATA
# title: Runtime signals
# description: What monitors saw while images ran.
# schemas:
#   - input: schema.input
package gate.lib.signals

import data.gate.lib.shape
import future.keywords.not

# METADATA
# description: The severities, with their rank.
ranks[severity] := rank if some rank, severity in ["none", "low", "medium", "high", "critical"]

# METADATA
# description: Observations, by id. Undefined unless every field that some rule reads has its type.
seen := value if {
	value := input.signals
	is_object(value)
	every signal in value {
		shape.is_text(signal.plugin)
		shape.is_text(signal.artifact)
		shape.is_text(signal.origin)
		signal.basis in {"attested", "observed"}
		shape.is_optional_digest(signal.digest)
		shape.is_optional_digest(signal.statement)
		is_boolean(signal.complete)
		shape.is_count(signal.sightings)
		shape.is_count(signal.dropped)
		_are_events(signal.events)
	}
}

default _are_events(_) := false

_are_events(events) if {
	is_object(events)
	every rule, item in events {
		shape.is_text(rule)
		is_number(ranks[item.severity])
		shape.is_count(item.count)
		item.count > 0
	}
}

# METADATA
# scope: document
# description: Whether it saw an image of this digest, from beginning to end, and lost nothing.
default is_whole(_, _) := false

is_whole(signal, digest) if {
	shape.is_digest(digest)
	signal.digest == digest
	signal.complete == true
	is_null(signal.problem)
	signal.dropped == 0
	signal.sightings > 0
}

# METADATA
# scope: document
# description: |
#   Whether the monitor ran for as long as asked, until a time that is not long past, without longer silences. `asked`
#   holds the seconds `window_s`, `max_age_s` and `gap_s`.
default has_window(_, _, _) := false

has_window(signal, asked, now_s) if {
	shape.is_count(signal.window.started_at_s)
	shape.is_count(signal.window.finished_at_s)
	shape.is_count(signal.window.gap_s)
	signal.window.finished_at_s - signal.window.started_at_s >= asked.window_s
	signal.window.gap_s <= asked.gap_s
	signal.window.finished_at_s <= now_s
	now_s - signal.window.finished_at_s <= asked.max_age_s
}

# METADATA
# scope: document
# description: Why an observation that is not whole is not.
default told(_) := "it does not name the digest of the image, or events were lost"

told(signal) := signal.problem if shape.is_text(signal.problem)
