"""What each plugin makes of a log: a good one, a partial one, an empty one, one that was cut, one about others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gate.formats.signals import BUILT_IN, load_plugin
from gate.formats.signals.answer import MAX_PROBLEMS, MAX_RULES, from_json, to_json
from gate.formats.signals.tally import OVERFLOW, Tally, inner, whole
from gate.model.digest import Digest
from gate.model.scan import Severity
from gate.model.signal import Events, Observation, SignalLog

VECTORS = Path(__file__).resolve().parents[3] / "vectors/signals"
IMAGE, OTHER = Digest("sha256:" + "b2" * 32), Digest("sha256:" + "ef" * 32)
TEN = 1795168800
SAMPLES = {"falco": "falco.jsonl", "tetragon": "tetragon.jsonl", "runtime-trace": "runtime-trace.json"}
FALCO = [json.loads(line) for line in (VECTORS / "falco.jsonl").read_text().splitlines()]
TETRAGON = [json.loads(line) for line in (VECTORS / "tetragon.jsonl").read_text().splitlines()]
TRACE = json.loads((VECTORS / "runtime-trace.json").read_text())


def sample(plugin: str) -> bytes:
    return (VECTORS / SAMPLES[plugin]).read_bytes()


def seen(plugin: str, data: bytes, digest: Digest = IMAGE) -> Observation:
    found = load_plugin(plugin)(SignalLog(data, digest))
    assert from_json(json.dumps(to_json(found)).encode()) == found, "what a plugin of the gate says is an answer"
    return found


def lines(*records: object) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def changed(record: Any, change: Callable[[Any], object]) -> Any:
    copy = json.loads(json.dumps(record))
    change(copy)
    return copy


# -- good --------------------------------------------------------------------------------------------------------------


def test_falco_tells_what_happened_in_the_image_and_what_may_have() -> None:
    assert seen("falco", sample("falco")) == Observation(
        started_at_s=TEN,
        finished_at_s=TEN + 2700,
        gap_s=1800,
        sightings=2,
        dropped=14,
        events={
            "Container started": Events(Severity.LOW, 1, TEN + 60, TEN + 60),
            "Terminal shell in container": Events(Severity.MEDIUM, 1, TEN + 120, TEN + 120),
            "Contact K8S API Server From Container": Events(Severity.HIGH, 1, TEN + 300, TEN + 300),
        },
    )


def test_tetragon_tells_what_happened_in_the_image_and_what_may_have() -> None:
    assert seen("tetragon", sample("tetragon")) == Observation(
        started_at_s=TEN,
        finished_at_s=TEN + 3000,
        gap_s=600,
        sightings=3,
        dropped=4,
        events={
            "process_exec": Events(Severity.NONE, 1, TEN, TEN),
            "file-monitoring": Events(Severity.CRITICAL, 1, TEN + 600, TEN + 600),
            "process_loader": Events(Severity.CRITICAL, 1, TEN + 1800, TEN + 1800),
            "by-configuration": Events(Severity.CRITICAL, 1, TEN + 1860, TEN + 1860),
            "process_exit": Events(Severity.NONE, 1, TEN + 3000, TEN + 3000),
        },
    )


def test_a_trace_tells_what_happened_and_not_how_bad_it_was() -> None:
    assert seen("runtime-trace", sample("runtime-trace")) == Observation(
        started_at_s=TEN,
        finished_at_s=TEN + 3600,
        sightings=1,
        events={"process": Events(Severity.NONE, 2), "network": Events(Severity.CRITICAL, 1)},
    )


# -- about other images ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plugin", BUILT_IN)
def test_an_image_that_is_not_in_a_log_is_not_sighted(plugin: str) -> None:
    assert seen(plugin, sample(plugin), Digest("sha256:" + "00" * 32)).sightings == 0


def test_what_happened_in_other_images_is_theirs() -> None:
    assert set(seen("falco", lines(*FALCO), OTHER).events) == {
        "Terminal shell in container",
        "Contact K8S API Server From Container",
    }
    assert set(seen("tetragon", lines(*TETRAGON), OTHER).events) == {
        "file-monitoring",
        "process_loader",
        "by-configuration",
    }


# -- empty, cut and junk -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\n \n", b"{}", b"[]\n", b"\xff\n", b'{"a": 1, "a": 2}\n', b"Falco 0.41\n"])
@pytest.mark.parametrize("plugin", BUILT_IN)
def test_a_log_that_shows_nothing_is_not_complete(plugin: str, data: bytes) -> None:
    found = seen(plugin, data)
    assert found.problems
    assert (found.started_at_s, found.sightings) == (None, 0)


@pytest.mark.parametrize("plugin", BUILT_IN)
def test_no_end_of_a_log_can_be_cut_without_a_problem(plugin: str) -> None:
    data = sample(plugin).rstrip(b"\n")
    for size in range(len(data) - 40, len(data)):
        assert seen(plugin, data[:size]).problems
    if plugin != "runtime-trace":
        assert seen(plugin, data).problems == ("the last line has no end: the log may be cut",)


@pytest.mark.parametrize(("plugin", "records"), [("falco", FALCO), ("tetragon", TETRAGON)])
@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, -1, {"a": {}}], ids=str)
def test_no_record_of_another_shape_is_passed_over(plugin: str, records: list[Any], junk: object) -> None:
    for number, record in enumerate(records):
        for name in record:
            broken = [*records[:number], {**record, name: junk}, *records[number + 1 :]]
            seen(plugin, lines(*broken))
        assert seen(plugin, lines(*records[:number], junk, *records[number:])).problems


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda record: record.pop("time"), "a record has no time"),
        (lambda record: record.update(time=1), "a record has no time"),
        (lambda record: record.update(hostname="node-2"), "it holds records of several hosts: keep one log for each"),
        (lambda record: record.update(rule=None), "a record is no alert of a rule"),
    ],
)
def test_an_alert_of_falco_has_a_rule_a_time_and_one_host(change: Callable[[Any], object], problem: str) -> None:
    found = seen("falco", lines(*FALCO[:2], changed(FALCO[2], change), *FALCO[3:]))
    assert found.problems == (problem,)
    assert sum(events.count for events in found.events.values()) == 3


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ("Emergency", "critical"),
        ("ALERT", "critical"),
        ("error", "high"),
        ("Notice", "low"),
        ("Informational", "low"),
        ("Debug", "none"),
        ("Severe", "critical"),
        (None, "critical"),
    ],
)
def test_a_priority_that_nobody_knows_is_critical(priority: str | None, severity: str) -> None:
    found = seen("falco", lines(*FALCO[:1], {**FALCO[1], "priority": priority}))
    assert found.events["Container started"].severity.value == severity


def test_what_was_sighted_before_the_window_or_after_it_was_not_watched() -> None:
    early = {**FALCO[1], "time": "2026-11-20T09:59:59Z"}
    late = {**FALCO[1], "time": "2026-11-20T10:45:01Z"}
    timeless = {**FALCO[1], "time": None}
    assert seen("falco", lines(FALCO[0], early, late, timeless, FALCO[-1])).sightings == 0
    assert seen("falco", lines(FALCO[0], FALCO[1], early, FALCO[-1])).sightings == 1
    assert seen("falco", lines(FALCO[1])).sightings == 0
    assert seen("tetragon", lines({**TETRAGON[0], "time": "yesterday"}, TETRAGON[0])).sightings == 1


def test_falco_has_to_tell_what_it_lost() -> None:
    bare = changed(FALCO[0], lambda record: record["output_fields"].pop("scap.n_drops"))
    problem = "a snapshot does not tell how many events of the kernel were lost (scap.n_drops)"
    assert seen("falco", lines(bare, FALCO[-1])).problems == (problem,)
    again = changed(FALCO[0], lambda record: record["output_fields"].update({"falco.start_ts": 1}))
    assert seen("falco", lines(again, FALCO[-1])).problems == ("Falco was started again meanwhile",)
    lost = changed(FALCO[0], lambda record: record["output_fields"].update({"falco.outputs_queue_num_drops": 5}))
    assert seen("falco", lines(lost, FALCO[6])).dropped == 5
    assert seen("falco", lines(FALCO[0], {**FALCO[7], "output_fields": {}})).dropped == 1


@pytest.mark.parametrize("start", [1795150000000000001, "1795150000000000001", 1, None])
def test_a_restart_of_falco_is_noticed_by_the_nanosecond(start: Any) -> None:
    again = changed(FALCO[-1], lambda record: record["output_fields"].update({"falco.start_ts": start}))
    problem = "Falco was started again meanwhile"
    untold = "a snapshot does not tell when Falco was started (falco.start_ts)"
    assert seen("falco", lines(FALCO[0], again)).problems == ((problem,) if start else (untold, problem))
    bare = [
        changed(record, lambda item: item["output_fields"].pop("falco.start_ts")) for record in (FALCO[0], FALCO[-1])
    ]
    assert seen("falco", lines(*bare)).problems == (untold,)


def test_whatever_else_falco_says_of_itself_is_a_problem() -> None:
    said = {**FALCO[0], "rule": "Falco internal: timeouts notification", "priority": "Debug"}
    problem = ("Falco says of itself: Falco internal: timeouts notification",)
    assert seen("falco", lines(FALCO[0], said, FALCO[-1])).problems == problem


def test_a_record_that_names_the_image_is_about_it_wherever_it_ran() -> None:
    both = changed(FALCO[2], lambda record: record["output_fields"].update({"container.id": "host"}))
    assert list(seen("falco", lines(both)).events) == [FALCO[2]["rule"]]


def test_a_record_of_tetragon_is_one_event() -> None:
    problem = ("a record is no event of one kind",)
    two = {**TETRAGON[0], "process_exit": {}}
    assert seen("tetragon", lines(TETRAGON[0], two)).problems == problem
    assert (
        seen("tetragon", lines(TETRAGON[0], {"time": TETRAGON[0]["time"], "node_name": "node-1"})).problems == problem
    )
    bare = {**TETRAGON[6], "rate_limit_info": {}}
    assert seen("tetragon", lines(TETRAGON[0], bare)).dropped == 1
    unnamed = changed(TETRAGON[1], lambda record: record["process_kprobe"].pop("policy_name"))
    assert set(seen("tetragon", lines(unnamed)).events) == {"process_kprobe"}
    odd = {**TETRAGON[1], "process_kprobe": {"process": "x", "policy_name": "odd"}}
    assert set(seen("tetragon", lines(odd)).events) == {"odd"}


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (lambda trace: trace.update(predicateType="https://slsa.dev/provenance/v1"), ("it is no runtime trace",)),
        (
            lambda trace: trace["predicate"].pop("metadata"),
            ("it does not tell when it started and finished",),
        ),
        (
            lambda trace: trace["predicate"]["metadata"].update(buildStartedOn="2026-11-20T12:00:00Z"),
            ("it does not tell when it started and finished",),
        ),
        (
            lambda trace: trace["predicate"]["monitorLog"].pop("network"),
            ("it recorded no events of the kind network",),
        ),
    ],
)
def test_a_trace_that_leaves_something_out_is_not_complete(
    change: Callable[[Any], object], problems: tuple[str, ...]
) -> None:
    assert seen("runtime-trace", json.dumps(changed(TRACE, change)).encode()).problems == problems


# -- what they share ---------------------------------------------------------------------------------------------------


def test_the_highest_severity_of_a_rule_counts_and_all_its_times() -> None:
    tally = Tally()
    for severity, at_s in ((Severity.LOW, 5), (Severity.HIGH, 3), (Severity.NONE, None), (Severity.LOW, 9)):
        tally.event("rule", severity, at_s)
    tally.event(" ", Severity.LOW, None)
    assert tally.observation().events == {
        "rule": Events(Severity.HIGH, 4, 3, 9),
        "a rule without a name": Events(Severity.LOW, 1),
    }


def test_many_rules_and_problems_are_summed_up() -> None:
    tally = Tally()
    for number in range(2 * MAX_RULES):
        tally.event(f"rule {number}", Severity.LOW, number)
        tally.problem(f"problem {number}")
    tally.event("worst", Severity.CRITICAL, None)
    tally.event("rule 0", Severity.NONE, None)
    found = tally.observation()
    assert (len(found.events), len(found.problems)) == (MAX_RULES, MAX_PROBLEMS)
    assert found.events[OVERFLOW] == Events(Severity.CRITICAL, MAX_RULES + 2, MAX_RULES - 1, 2 * MAX_RULES - 1)
    assert found.events["rule 0"].count == 2


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        ("3", 3),
        (True, None),
        (-1, None),
        (2**53, None),
        ("1" * 16, None),
        ("²", None),
        ("-1", None),
        (1.0, None),
    ],
)
def test_numbers_of_things(value: Any, number: int | None) -> None:
    assert whole(value) == number
    assert inner({"a": {"b": value}}, "a", "b") == value
    assert inner({"a": value}, "a", "b", "c") is None
