"""Registries as a webhook asks them, with a clock that tests turn on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gate.collect.admission import Fetched, Registries
from gate.formats.oci import INDEX, MANIFEST
from gate.model.admission_settings import AdmissionRegistry, AdmissionSettings
from gate.model.registry import RegistryAccess
from gate.model.settings import Limits
from tests.support.hostile_registry import Handler, HostileRegistry

LIMITS = Limits(evidence_bytes=1 << 16, evidence_count=50)
OTHER = "sha256:" + "7" * 64


class Clock:
    """A clock that tests turn on."""

    def __init__(self) -> None:
        self.more = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.more


def settings_for(*registries: HostileRegistry, timeout_s: int = 5, **more: Any) -> AdmissionSettings:
    access = RegistryAccess(timeout_s=timeout_s)
    return AdmissionSettings(registries={item.host: AdmissionRegistry(access) for item in registries}, **more)


def opened(*registries: HostileRegistry, clock: Clock | None = None, **more: Any) -> Registries:
    return Registries(settings_for(*registries, **more), LIMITS, clock or Clock())


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


def fetch(registries: Registries, registry: HostileRegistry, seconds: float = 10.0) -> Fetched:
    return registries.fetched(registries.resolve(registry.reference, soon(seconds)), soon(seconds))


Lie = Callable[[Handler], bool]
DOWN: dict[str, Lie] = {
    "503": lambda asked: asked.say(503),
    "429": lambda asked: asked.say(429),
    "closes": lambda asked: asked.raw(b""),
    "silence": lambda asked: not asked.registry.ended.wait(1.5) or asked.raw(b""),
}
ANSWERS: dict[str, Lie] = {
    "404": lambda asked: asked.say(404),
    "403": lambda asked: asked.say(403),
    "401": lambda asked: asked.say(401),
    "other bytes": lambda asked: asked.say(200, b"{}", MANIFEST),
    "no list": lambda asked: asked.say(200, b"<html>", INDEX),
    "an empty list": lambda asked: asked.say(200, asked.registry.index("nothing"), INDEX),
    "no HTTP": lambda asked: asked.raw(b"220 smtp.example ESMTP\r\n\r\n"),
    "too little": lambda asked: asked.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"),
    "elsewhere": lambda asked: asked.say(302, Location="http://127.0.0.1:1/"),
}
