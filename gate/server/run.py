"""Starts the server, keeps it going and ends it: two listeners, the threads beside them, and the order of the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import uvicorn
import uvloop

from gate import __version__
from gate.formats.admission_review import write_review
from gate.model.admission import Answer
from gate.model.admission_settings import AdmissionLimits
from gate.server.certificates import Certificates, Looked
from gate.server.crew import Crew
from gate.server.health import Every, Health, Readiness
from gate.server.interface import Reloaded, ServeOptions, Service
from gate.server.listener import Listener, bind
from gate.server.logs import Handler, Log, write_error
from gate.server.metrics import Latest, Metrics
from gate.server.protocol import Bounds, Shared
from gate.server.webhook import Judged, Webhook

_HEALTH_S: Final = 2.0
_STUCK_S: Final = 30.0
_STEP_S: Final = 0.05
_LAST_S: Final = 1.0
_BOUNDS: Final = Bounds()
_HEALTH_BOUNDS: Final = Bounds(connections=64, first_s=10.0, idle_s=30)


def serve(
    service: Service,
    limits: AdmissionLimits,
    options: ServeOptions,
    write: Callable[[Answer], bytes] = write_review,
    write_log: Callable[[bytes], object] = write_error,
) -> int:
    """Serves until a signal ends it, and closes the service. Raises `ConfigError` for a certificate or an address.

    SIGTERM ends it with consideration, SIGINT and a second signal sooner; SIGHUP has it look at its files. The result
    is the program's exit code: 0, or 1 when requests were in flight at the end of their time.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(service.close)
        certificates = Certificates(options.certificate, options.key, options.client_ca)
        listening = stack.enter_context(bind(options.host, options.port, "--port"))
        health = stack.enter_context(bind(options.host, options.health_port, "--health-port"))
        log = Log(write_log)
        stack.callback(log.close)
        stack.enter_context(_library_logs(log))
        server = _Server(service, limits, options, certificates, log, write)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(server.run(listening, health))


@contextlib.contextmanager
def _library_logs(log: Log) -> Iterator[None]:
    root, handler = logging.getLogger(), Handler(log)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _Server:
    def __init__(
        self,
        service: Service,
        limits: AdmissionLimits,
        options: ServeOptions,
        certificates: Certificates,
        log: Log,
        write: Callable[[Answer], bytes],
    ) -> None:
        self._service, self._limits, self._options = service, limits, options
        self._certificates, self._log, self._write = certificates, log, write
        self._metrics = Metrics()
        self._readiness = Readiness(self._find_problems)
        self._figures: Mapping[str, float] = {}
        self._problems: dict[str, str | None] = {}
        self._was_ready: tuple[str, ...] | None = None
        self._notes: tuple[str, ...] = ()
        self._signals: asyncio.Queue[signal.Signals] = asyncio.Queue()

    async def run(self, listening: socket.socket, health: socket.socket) -> int:
        crew: Crew[Judged] = Crew(self._limits.concurrent, self._limits.queue)
        webhook = Webhook(self._service, self._write, crew, self._limits, self._metrics, self._log)
        reviews = Listener(
            listening,
            Shared(
                _config(webhook, _BOUNDS.idle_s),
                replace(_BOUNDS, connections=self._limits.connections),
                self._not_taken,
            ),
            lambda: self._certificates.context,
        )
        probes = Health(self._readiness, lambda: self._stuck(crew, reviews), Latest(self._metrics.text))
        probing = Listener(
            health, Shared(_config(probes, _HEALTH_BOUNDS.idle_s), _HEALTH_BOUNDS, lambda: None), lambda: None
        )
        self._measure(crew, reviews)
        threads = [
            Every(_HEALTH_S, self._look_at_readiness, "readiness"),
            Every(self._options.watch_s, self._look_at_configuration, "configuration"),
            Every(self._options.watch_s, self._look_at_certificate, "certificate"),
        ]
        self._take_signals(threads)
        threads[0].now()
        reviews.start()
        probing.start()
        # What is there now stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        self._log.say("started", version=__version__, port=reviews.port, health_port=probing.port)
        try:
            return await self._until_the_end(webhook, reviews, probing)
        finally:
            for thread in threads:
                thread.stop()
            crew.close()

    async def _until_the_end(self, webhook: Webhook, reviews: Listener, probing: Listener) -> int:
        first = await self._signals.get()
        self._readiness.is_stopping = True
        reviews.begin_end()
        linger_s = self._options.linger_s if first is signal.SIGTERM else 0.0
        self._log.say("stopping", signal=first.name, linger_s=linger_s, in_flight=reviews.in_flight)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._signals.get(), linger_s)
        await reviews.stop()
        reviews.close_idle()
        end = time.monotonic() + self._options.drain_s
        while reviews.in_flight and time.monotonic() < end and self._signals.empty():
            await asyncio.wait(reviews.tasks, timeout=_STEP_S)
        left = reviews.in_flight
        webhook.give_up()
        if left:
            await asyncio.wait(reviews.tasks, timeout=_LAST_S)
        await reviews.abort()
        await probing.stop()
        await probing.abort()
        self._log.say("stopped", "error" if left else "info", refused=left)
        return 1 if left else 0

    def _take_signals(self, threads: Sequence[Every]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signals.put_nowait, number)
        loop.add_signal_handler(signal.SIGHUP, _now, threads)

    def _measure(self, crew: Crew[Judged], reviews: Listener) -> None:
        add = self._metrics.add
        add("gate_webhook_queue", "Reviews that wait.", lambda: crew.waiting)
        add("gate_webhook_judging", "Reviews that are judged.", lambda: crew.working)
        add("gate_webhook_in_flight", "Requests that are worked on.", lambda: reviews.in_flight)
        add("gate_webhook_connections", "Connections.", lambda: reviews.connections)
        add("gate_webhook_ready", "1 while it can judge.", lambda: not self._readiness.problems())
        add("gate_webhook_attention", "1 while something is wrong that refuses nothing.", lambda: bool(self._notes))
        add("gate_webhook_log_lines_dropped", "Lines of the log that nobody read.", lambda: self._log.dropped)
        add(
            "gate_webhook_certificate_end_timestamp_seconds",
            "When the certificate that is used ends.",
            lambda: self._certificates.ends_at_s,
        )
        self._metrics.add_figures(lambda: self._figures)

    def _not_taken(self) -> None:
        self._metrics.refused(0)

    def _stuck(self, crew: Crew[Judged], reviews: Listener) -> str | None:
        if not reviews.is_taking and not self._readiness.is_stopping:
            return "no connections are taken"
        return "every thread hangs" if crew.late(_STUCK_S) >= self._limits.concurrent else None

    def _find_problems(self) -> Sequence[str]:
        self._figures = self._service.figures()
        problems = list(self._service.ready())
        if not self._certificates.is_valid():
            problems.append("the certificate has ended")
        return problems

    def _look_at_readiness(self) -> None:
        self._readiness.look()
        problems = self._readiness.problems()
        if problems != self._was_ready:
            event, level = ("not ready", "warning") if problems else ("ready", "info")
            self._log.say(event, level, problems=list(problems))
            self._was_ready = problems

        self._look_at_notes()

    def _look_at_notes(self) -> None:
        notes = tuple(self._service.notes())
        if notes != self._notes:
            self._log.say("attention", "warning" if notes else "info", notes=list(notes))
            self._notes = notes

    def _look_at_configuration(self) -> None:
        try:
            found: Reloaded | Looked = self._service.reload()
        except Exception as error:  # noqa: BLE001 - the old one is used
            found = Looked(changed=False, problem=f"{type(error).__name__}: {error}")
        self._reloaded("configuration", found)

    def _look_at_certificate(self) -> None:
        self._reloaded("certificate", self._certificates.look())

    def _reloaded(self, what: str, found: Reloaded | Looked) -> None:
        if found.changed:
            self._metrics.reloaded(what, is_used=True)
            self._log.say("reloaded", what=what)
        if found.problem is not None and found.problem != self._problems.get(what):
            self._metrics.reloaded(what, is_used=False)
            self._log.say("not reloaded", "error", what=what, message=f"{found.problem}; what was used before still is")
        self._problems[what] = found.problem
        self._metrics.kept(what, is_kept=found.problem is not None)


def _now(threads: Sequence[Every]) -> None:
    for thread in threads:
        thread.now()


def _config(app: Webhook | Health, idle_s: int) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        loop="none",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        # What is no HTTP is counted; whoever sends it fills no log.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=1,
        timeout_keep_alive=idle_s,
    )
    config.load()
    return config
