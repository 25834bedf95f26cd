package gate.tests.runtime.quiet_test

import data.gate.controls.runtime.quiet
import data.gate.fixtures
import data.gate.watched
import future.keywords.not

settings := "/parameters/runtime.quiet"

# What the control says of the good document after `patches`: its status and the codes of what it found.
answer(patches) := [status, {entry.code | some entry in found}] if {
	doc := watched.after(patches)
	status := quiet.status with input as doc
	found := quiet.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := watched.after(patches)
	evidence := quiet.evidence with input as doc
	reason := quiet.reason with input as doc
	found := quiet.violations with input as doc
}

said(patches) := {entry.message | some entry in whole(patches).violations}

log(path, value) := fixtures.put(sprintf("/signals/log/%s", [path]), value)

traced(path, value) := fixtures.put(sprintf("/signals/trace/%s", [path]), value)

both(path, value) := [log(path, value), traced(path, value)]

event(severity) := log("events/Shell", {"severity": severity, "count": 2, "first_at_s": null, "last_at_s": null})

passes := ["pass", set()]

refused(codes) := ["fail", {code | some word in codes; code := sprintf("runtime.quiet.%s", [word])}]

test_passes_with_a_reason_and_evidence if {
	answer([]) == passes
	whole([]) == {
		"evidence": {watched.digests.trace},
		"reason": "observations that were long enough: 2",
		"violations": set(),
	}
}

test_passes_when_a_log_is_enough if {
	answer([fixtures.remove("/signals/trace")]) == passes
	whole([fixtures.remove("/signals/trace")]).evidence == set()
}

test_passes_when_only_what_is_attested_counts if {
	answer([fixtures.put(sprintf("%s/observed", [settings]), false)]) == passes
	answer([fixtures.remove(sprintf("%s/observed", [settings]))]) == passes
}

test_passes_when_events_are_below_the_limit if {
	answer([event("low")]) == passes
	answer([event("none")]) == passes
	answer([event("medium"), fixtures.put(sprintf("%s/limit", [settings]), "high")]) == passes
	answer([event("high"), fixtures.put(sprintf("%s/limit", [settings]), "critical")]) == passes
}

test_passes_when_one_of_two_is_long_enough if {
	answer([log("window/started_at_s", 1795172400)]) == passes
	answer([log("window/finished_at_s", null), log("window/started_at_s", null)]) == passes
}

test_passes_when_a_window_is_exactly_as_asked if {
	answer([
		fixtures.put(sprintf("%s/window_s", [settings]), 60),
		fixtures.put(sprintf("%s/max_age_s", [settings]), 0),
		fixtures.put(sprintf("%s/gap_s", [settings]), 10),
		fixtures.remove("/signals/log"),
		traced("window", {"started_at_s": 1795175940, "finished_at_s": 1795176000, "gap_s": 10}),
	]) == passes
}

test_passes_when_it_was_watched_a_week_ago if {
	old := {"started_at_s": 1794484800, "finished_at_s": 1794571200, "gap_s": 3600}
	answer(both("window", old)) == passes
}

# Which image each violation is about.
about(patches) := {[entry.code, entry.artifact] | some entry in whole(patches).violations}

test_says_which_image_it_is_about if {
	about([log("complete", false)]) == {["runtime.quiet.incomplete", "server"]}
	about(both("window/gap_s", 3601)) == {["runtime.quiet.window", "server"]}
	about([event("high")]) == {["runtime.quiet.event", "server"]}
	about([fixtures.put("/signals", {})]) == {["runtime.quiet.missing", "server"]}
}

test_fails_when_nothing_counts if {
	answer([fixtures.put("/signals", {})]) == refused(["missing"])
	said([fixtures.put("/signals", {})]) == {"nothing that counts shows what happened while it ran"}
	unsigned := [fixtures.remove("/signals/trace"), fixtures.put(sprintf("%s/observed", [settings]), "yes")]
	answer(unsigned) == refused(["missing"])
	answer(both("artifact", "another")) == refused(["missing"])
}

test_fails_when_an_observation_is_incomplete if {
	patches := [log("complete", false), log("problem", "it was cut")]
	answer(patches) == refused(["incomplete"])
	said(patches) == {"what it did is not known from runtime/falco: it was cut"}
	answer([log("dropped", 1)]) == refused(["incomplete"])
	lost := "it does not name the digest of the image, or events were lost"
	said([log("sightings", 0)]) == {sprintf("what it did is not known from runtime/falco: %s", [lost])}
	answer([log("digest", watched.digests.other)]) == refused(["incomplete"])
	answer([log("digest", null)]) == refused(["incomplete"])
	answer([log("problem", "it was cut")]) == refused(["incomplete"])
	answer([log("problem", "")]) == refused(["incomplete"])
}

test_fails_when_an_unsigned_observation_is_incomplete_that_does_not_count if {
	patches := [fixtures.remove(sprintf("%s/observed", [settings])), log("complete", false)]
	answer(patches) == refused(["incomplete"])
}

test_fails_when_the_image_has_no_digest if {
	nobody := fixtures.put("/artifacts/server/digest", null)
	answer([nobody]) == refused(["incomplete", "window"])
	answer(array.concat([nobody], both("digest", null))) == refused(["incomplete", "window"])
}

test_fails_when_no_window_is_good_enough if {
	answer(both("window/started_at_s", 1795086001)) == refused(["window"])
	answer(both("window/gap_s", 3601)) == refused(["window"])
	answer(both("window/started_at_s", null)) == refused(["window"])
	answer(both("window/finished_at_s", null)) == refused(["window"])
	answer(both("window/gap_s", null)) == refused(["window"])
	answer(both("window/finished_at_s", 1795176001)) == refused(["window"])
	old := {"started_at_s": 1794484799, "finished_at_s": 1794571199, "gap_s": 0}
	answer(both("window", old)) == refused(["window"])
	said(both("window", old)) == {"it was not watched for as long, as lately and with as few gaps as is asked"}
}

test_fails_when_only_a_log_that_does_not_count_has_a_window if {
	patches := [fixtures.remove(sprintf("%s/observed", [settings])), traced("window/gap_s", 3601)]
	answer(patches) == refused(["window"])
}

test_fails_when_something_happened if {
	answer([event("medium")]) == refused(["event"])
	answer([event("critical")]) == refused(["event"])
	said([event("high")]) == {"falco saw Shell (high, 2 times)"}
	answer([event("low"), fixtures.put(sprintf("%s/limit", [settings]), "low")]) == refused(["event"])
	answer([fixtures.remove(sprintf("%s/expected", [settings]))]) == refused(["event"])
	answer([event("high"), fixtures.remove(sprintf("%s/observed", [settings]))]) == refused(["event"])
}

test_fails_for_each_of_several_images if {
	second := fixtures.put("/artifacts/second", watched.good.artifacts.server)
	found := whole([second]).violations
	{[entry.code, entry.artifact] | some entry in found} == {["runtime.quiet.missing", "second"]}
}

status_after(patches) := status if {
	doc := watched.after(patches)
	status := quiet.status with input as doc
}

test_errors_when_parameters_are_malformed if {
	status_after([fixtures.put(sprintf("%s/limit", [settings]), "none")]) == "error"
	status_after([fixtures.put(sprintf("%s/limit", [settings]), "severe")]) == "error"
	status_after([fixtures.put(sprintf("%s/expected", [settings]), "network")]) == "error"
	status_after([fixtures.put(sprintf("%s/expected", [settings]), ["network", 1])]) == "error"
	status_after([fixtures.put(sprintf("%s/window_s", [settings]), "1d")]) == "error"
	status_after([fixtures.put(sprintf("%s/max_age_s", [settings]), -1)]) == "error"
	status_after([fixtures.put(sprintf("%s/gap_s", [settings]), null)]) == "error"
	status_after([fixtures.put("/parameters", [])]) == "error"
}

test_never_passes_when_signals_are_malformed if {
	places := {
		"plugin", "artifact", "origin", "basis", "digest", "statement", "complete", "sightings", "dropped", "events",
		"events/Container started/severity", "events/Container started/count", "events/Container started",
	}
	every place in places {
		status_after([log(place, 0.5)]) == "error"
	}
	every place in {"plugin", "artifact", "origin", "basis", "complete", "sightings", "dropped", "events"} {
		status_after([fixtures.remove(sprintf("/signals/log/%s", [place]))]) == "error"
	}
	status_after([log("events/", {"severity": "low", "count": 1})]) == "error"
	status_after([log("events/Container started/count", 0)]) == "error"
	not status_after([fixtures.put("/signals", [])]) == "pass"
	not status_after([fixtures.remove("/signals")]) == "pass"
}

test_errors_without_the_time if {
	status_after([fixtures.remove("/context/now_s")]) != "pass"
	status_after([fixtures.remove("/context/now_s"), fixtures.put("/artifacts", {})]) == "error"
}

test_errors_when_artifacts_are_malformed if {
	status_after([fixtures.put("/artifacts", [])]) == "error"
}

test_is_not_applicable_without_containers if {
	patches := [fixtures.put("/artifacts", {})]
	status_after(patches) == "not_applicable"
	whole(patches).reason == "no container asks for admission"
	status_after([fixtures.put("/artifacts/server/kind", "weights")]) == "not_applicable"
}
