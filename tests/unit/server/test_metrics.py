"""Metrics: labels have closed sets of values, however many images and names there are [K8S-18]."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from gate.model.admission import Cause
from gate.server.metrics import STAGES, Latest, Metrics

ROOT = Path(__file__).resolve().parents[3]


def series(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_s42_a_million_names_add_no_series() -> None:
    metrics = Metrics()
    before = set(series(metrics))
    for number in range(2_000):
        metrics.reviewed(Cause.ALLOWED, f"verdict {number}", 0.01)
        metrics.staged({f"stage {number}": 1.0})
        metrics.refused(number)
    assert set(series(metrics)) == before
    assert len(before) < 150


def test_every_cause_is_there_from_the_beginning() -> None:
    found = series(Metrics())
    assert {f'gate_webhook_reviews_total{{cause="{cause.value}"}}' for cause in Cause} <= found.keys()


def test_what_happens_is_counted() -> None:
    metrics = Metrics()
    metrics.reviewed(Cause.REFUSED, "deny", 0.02)
    metrics.reviewed(Cause.BUG, None, 3.0)
    metrics.staged({"evaluate": 0.5, "unheard of": 0.25, "verify": -1.0})
    metrics.refused(413)
    metrics.refused(599)
    metrics.late()
    metrics.reloaded("certificate", is_used=True)
    metrics.reloaded("configuration", is_used=False)
    metrics.kept("configuration", is_kept=True)
    found = series(metrics)
    assert found['gate_webhook_reviews_total{cause="refused"}'] == 1
    assert found['gate_webhook_decisions_total{verdict="deny"}'] == 1
    assert found["gate_webhook_seconds_count"] == 2
    assert found['gate_webhook_seconds_bucket{le="0.025"}'] == 1
    assert found['gate_webhook_stage_seconds_total{stage="evaluate"}'] == 0.5
    assert found['gate_webhook_stage_seconds_total{stage="other"}'] == 0.25
    assert found['gate_webhook_stage_seconds_total{stage="verify"}'] == 0
    assert found['gate_webhook_http_refused_total{status="413"}'] == 1
    assert found['gate_webhook_http_refused_total{status="0"}'] == 1
    assert found["gate_webhook_late_total"] == 1
    assert found['gate_webhook_reloads_total{result="used",what="certificate"}'] == 1
    assert found['gate_webhook_reload_refused{what="configuration"}'] == 1


def test_figures_of_the_use_case_are_bounded_and_named_by_the_program() -> None:
    metrics = Metrics()
    figures = {f"figure_{number:03}": float(number) for number in range(500)}
    metrics.add_figures(lambda: {**figures, "a/b": 1.0, "A": 1.0, "x" * 80: 1.0, "a\nb 1": 1.0})
    names = [name for name in series(metrics) if re.match(r"gate_figure|gate_a|gate_A|gate_x", name)]
    assert 0 < len(names) <= 64
    assert all(re.fullmatch(r"gate_figure_\d{3}", name) for name in names)


def test_gauges_are_read_when_somebody_looks() -> None:
    metrics, value = Metrics(), [1.0]
    metrics.add("gate_webhook_queue", "Reviews that wait.", lambda: value[0])
    value[0] = 7.0
    assert series(metrics)["gate_webhook_queue"] == 7


def test_whoever_asks_often_makes_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"%d" % len(made)

    latest = Latest(make, 60.0)
    assert [latest.text() for _ in range(50)] == [b"1"] * 50
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert latest.text() == b"2"


def test_the_reference_lists_every_metric_and_label() -> None:
    page = (ROOT / "docs" / "reference" / "webhook.md").read_text("utf-8")
    for family in Metrics().registry.collect():
        if not family.name.startswith("process_"):
            assert f"`{family.name}" in page, family.name
    for name in [*(cause.value for cause in Cause), *STAGES]:
        assert f"`{name}`" in page, name
