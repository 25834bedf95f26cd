# METADATA
# title: Nothing happened while it ran
# description: Each image was watched for long enough without a gap, and no monitor saw an event at or above the limit.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [runtime.trace]
#   artifacts: [container]
#   targets: [deployment]
#   waivable: true
#   fix: Look at what the monitor saw; watch the image again for as long as is asked, and keep the whole log.
#   parameters:
#     - {name: limit, type: string, choices: [low, medium, high, critical],
#        default: medium, meaning: events of this severity or above refuse}
#     - {name: expected, type: list, default: [], meaning: rules whose events are expected and do not refuse}
#     - {name: observed, type: boolean, default: false, meaning: whether an unsigned log may show that it was quiet}
#     - {name: window_s, type: seconds, default: 86400, meaning: for how long it was watched at least}
#     - {name: max_age_s, type: seconds, default: 604800, meaning: how long ago the last of it may be}
#     - {name: gap_s, type: seconds, default: 3600, meaning: the longest silence of the monitor}
#   frameworks:
#     NIST-800-218A: {relation: partly supports, ids: [RV.1.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.4, MANAGE 4.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [CA-7, SI-4]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 72]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.6]}
#     CoSAI: {relation: partly supports, ids: [controlThreatDetection]}
package gate.controls.runtime.quiet

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.signals
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(signals.seen)
	is_number(document.now_s)
	is_number(limit)
	is_array(expected)
	count(asked) == 3
}

settings := parameters.of("runtime.quiet")

limit := rank if {
	rank := signals.ranks[object.get(settings, "limit", "medium")]
	rank > 0
}

expected := values if {
	values := object.get(settings, "expected", [])
	shape.is_texts(values)
}

asked[name] := value if {
	some name, usual in {"window_s": 86400, "max_age_s": 604800, "gap_s": 3600}
	value := object.get(settings, name, usual)
	shape.is_count(value)
}

subjects := {name | some name, artifact in document.artifacts; artifact.kind == "container"}

# Each of them can refuse; those whose basis is enough can show that it was quiet.
about contains [name, id] if {
	some id, signal in signals.seen
	name := signal.artifact
	name in subjects
}

usable contains [name, id] if {
	some [name, id] in about
	signals.seen[id].basis in bases
}

bases := {"attested"} | {"observed" | settings.observed == true}

whole contains [name, id] if {
	some [name, id] in about
	signals.is_whole(signals.seen[id], document.artifacts[name].digest)
}

watched contains [name, id] if {
	some [name, id] in (usable & whole)
	signals.has_window(signals.seen[id], asked, document.now_s)
}

proved := {name | some [name, _] in watched}

violations contains entry if {
	some name in (subjects - {one | some [one, _] in usable})
	message := "nothing that counts shows what happened while it ran"
	entry := result.violation("runtime.quiet.missing", message, {"artifact": name})
}

violations contains entry if {
	some [name, id] in (about - whole)
	message := sprintf("what it did is not known from %s: %s", [signals.seen[id].origin, signals.told(signals.seen[id])])
	entry := result.violation("runtime.quiet.incomplete", message, {"artifact": name})
}

violations contains entry if {
	some name in ({one | some [one, _] in usable} - proved)
	message := "it was not watched for as long, as lately and with as few gaps as is asked"
	entry := result.violation("runtime.quiet.window", message, {"artifact": name})
}

violations contains entry if {
	some [name, id] in about
	some rule, item in signals.seen[id].events
	not rule in expected
	signals.ranks[item.severity] >= limit
	message := sprintf("%s saw %s (%s, %d times)", [signals.seen[id].plugin, rule, item.severity, item.count])
	entry := result.violation("runtime.quiet.event", message, {"artifact": name})
}

evidence := {digest | some [_, id] in watched; digest := signals.seen[id].statement; is_string(digest)}

default reason := "no container asks for admission"

reason := sprintf("observations that were long enough: %d", [count(watched)]) if count(subjects) > 0
