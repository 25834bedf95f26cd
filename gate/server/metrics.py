"""Metrics in the text form of Prometheus. Every label has a closed set of values: no image or namespace [K8S-18].

What is asked of a webhook comes from anybody who may create an object; a label made from it would grow without end.
"""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import UnknownMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gate import __version__
from gate.model.admission import Cause
from gate.model.decision import Verdict

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
STAGES: Final = ("wait", "read", "registry", "verify", "evaluate", "record")
"""Stages whose time is told; that of any other is told as `other`."""
STATUSES: Final = (400, 404, 405, 408, 411, 413, 415, 503)
"""HTTP statuses of what is no review."""
SEEN: Final = ("configuration", "certificate")
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
_FIGURES: Final = 64
_FIGURE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Metrics:
    """The metrics of a server. All series are there from the beginning, so that a first event is seen as one."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Gauge("gate_build_info", "What runs here.", ["version", "python"], registry=self.registry)
        build.labels(__version__, platform.python_version()).set(1)
        reviews = Counter("gate_webhook_reviews", "Reviews answered, by cause.", ["cause"], registry=self.registry)
        self._reviews = {cause: reviews.labels(cause.value) for cause in Cause}
        decisions = Counter("gate_webhook_decisions", "Decisions, by verdict.", ["verdict"], registry=self.registry)
        self._decisions = {verdict.value: decisions.labels(verdict.value) for verdict in Verdict}
        refused = Counter("gate_webhook_http_refused", "Other requests.", ["status"], registry=self.registry)
        self._refused = {status: refused.labels(str(status)) for status in (*STATUSES, 0)}
        self._seconds = Histogram(
            "gate_webhook_seconds", "Seconds from request to answer.", buckets=_SECONDS, registry=self.registry
        )
        stages = Counter("gate_webhook_stage_seconds", "Seconds in each stage.", ["stage"], registry=self.registry)
        self._stages = {stage: stages.labels(stage) for stage in (*STAGES, "other")}
        self._late = Counter("gate_webhook_late", "Answers that came after nobody waited.", registry=self.registry)
        reloads = Counter("gate_webhook_reloads", "Reloads, by result.", ["what", "result"], registry=self.registry)
        self._reloads = {(what, good): reloads.labels(what, good) for what in SEEN for good in ("used", "refused")}
        kept = Gauge(
            "gate_webhook_reload_refused",
            "1 while the old is used, as the new is not valid.",
            ["what"],
            registry=self.registry,
        )
        self._kept = {what: kept.labels(what) for what in SEEN}

    def add(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks."""
        Gauge(name, text, registry=self.registry).set_function(value)

    def add_figures(self, figures: Callable[[], Mapping[str, float]]) -> None:
        """What the use case behind the server tells of itself."""
        self.registry.register(_Figures(figures))

    def reviewed(self, cause: Cause, verdict: str | None, seconds: float) -> None:
        """A review was answered after so many seconds."""
        self._reviews[cause].inc()
        self._seconds.observe(seconds)
        if (counter := self._decisions.get(verdict or "")) is not None:
            counter.inc()

    def staged(self, seconds: Mapping[str, float]) -> None:
        """The stages of a review took so long."""
        for stage, value in seconds.items():
            self._stages.get(stage, self._stages["other"]).inc(max(value, 0.0))

    def late(self) -> None:
        """An answer came when its request was answered already."""
        self._late.inc()

    def refused(self, status: int) -> None:
        """A request was refused that is no review."""
        self._refused.get(status, self._refused[0]).inc()

    def reloaded(self, what: str, *, is_used: bool) -> None:
        """Something new was found, and is used or not."""
        self._reloads[what, "used" if is_used else "refused"].inc()

    def kept(self, what: str, *, is_kept: bool) -> None:
        """Whether something old is used although there is a new one."""
        self._kept[what].set(is_kept)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Figures(Collector):
    """Figures by names of the program's own; whatever looks otherwise is left out, and so is what is too many."""

    def __init__(self, figures: Callable[[], Mapping[str, float]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """One series for each."""
        for name, value in sorted(self._figures().items())[:_FIGURES]:
            if _FIGURE.fullmatch(name):
                yield UnknownMetricFamily(f"gate_{name}", "Told by the use case.", value=value)

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked for before somebody looks."""
        return iter(())


class Latest:
    """A text that is made at most so often, however often it is asked for."""

    def __init__(self, make: Callable[[], bytes], seconds: float = 1.0) -> None:
        self._make, self._seconds = make, seconds
        self._made_at = -seconds
        self._text = b""

    def text(self) -> bytes:
        """The text, at most so many seconds old."""
        now = time.monotonic()
        if now - self._made_at >= self._seconds:
            self._text, self._made_at = self._make(), now
        return self._text
