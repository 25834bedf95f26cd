"""What the server needs of the use case behind it, and what it is started with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from gate.model.admission import Answer

Scope: TypeAlias = MutableMapping[str, object]
Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Answered(Protocol):
    """An answer, and what is told of it in logs and metrics: the stages took so many seconds."""

    @property
    def answer(self) -> Answer:
        """What the API server is told."""

    @property
    def decision_id(self) -> str | None:
        """The decision that it rests on, if one was made."""

    @property
    def verdict(self) -> str | None:
        """Of that decision."""

    @property
    def controls(self) -> Sequence[str]:
        """Those that refuse."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """How long each stage took."""

    @property
    def trace(self) -> str | None:
        """For developers, where it is a bug."""


class Judge(Protocol):
    """Answers reviews; called by several threads at a time."""

    def answer(self, body: bytes, ends_at: float, /) -> Answered:
        """The answer to the body of a request, before `ends_at` on the monotonic clock. Raises nothing."""


class Reloaded(Protocol):
    """What became of looking for changes of policy, configuration and trust."""

    @property
    def changed(self) -> bool:
        """What is new is used from now on."""

    @property
    def problem(self) -> str | None:
        """Why what is new is not used, so that the old still is."""


class Service(Judge, Protocol):
    """Everything behind the server."""

    def ready(self) -> Sequence[str]:
        """Why it cannot do its work now; empty when it can."""

    def notes(self) -> Sequence[str]:
        """What is wrong and keeps nobody from answering."""

    def reload(self) -> Reloaded:
        """Looks for changes."""

    def figures(self) -> Mapping[str, float]:
        """Counters and sizes for metrics, by names from a closed set."""

    def close(self) -> None:
        """Gives back what is held. Nothing is asked afterwards."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where the server listens and with which certificate. Times in seconds.

    After SIGTERM it answers new requests for `linger_s` more, while it is not ready, and then waits up to `drain_s`
    for those in flight. Files are looked at every `watch_s`.
    """

    host: str
    port: int
    health_port: int
    certificate: Path
    key: Path
    client_ca: Path | None = None
    linger_s: float = 5.0
    drain_s: float = 10.0
    watch_s: float = 5.0
