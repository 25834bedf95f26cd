"""What evaluates the policy, as `gate.yaml` and the command line ask for it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gate.config.policy import url_problem
from gate.errors import ConfigError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.evaluate.loaded import loaded
from gate.model.settings import EngineSettings

if TYPE_CHECKING:
    from gate.evaluate.opa import OpaEngine

EngineFactory = Callable[[EngineSettings, PolicyBundle], Engine]

_TOKEN: Final = re.compile(rb"[!-~]{32,4096}")
_TOKEN_BYTES: Final = 8192
_CA_BYTES: Final = 1 << 20
_TOKEN_HELP: Final = "one line of 32 or more characters, as of `openssl rand -hex 32`"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What the command line says about the engine; `None` leaves it to `gate.yaml`."""

    name: str | None = None
    isolation: str | None = None
    url: str | None = None
    ca: Path | None = None
    token_file: Path | None = None


def open_engine(settings: EngineSettings, bundle: PolicyBundle) -> Engine:
    """The engine, loaded with a policy; raises `PolicyError` when it cannot be, `ConfigError` for bad settings."""
    if settings.name == "opa":
        return opa_engine(settings, bundle)
    unsigned = bool(bundle.own) and bundle.serial is None
    if unsigned if settings.isolated is None else settings.isolated:
        from gate.evaluate.isolated import IsolatedEngine, IsolationLimits

        return IsolatedEngine(loaded(bundle), limits=IsolationLimits(evaluation_s=settings.timeout_s))
    from gate.evaluate.regorus import RegorusEngine

    return RegorusEngine(loaded(bundle), time_limit_s=settings.timeout_s)


def opa_engine(settings: EngineSettings, bundle: PolicyBundle) -> OpaEngine:
    """An OPA server, asked with the token that the settings name; raises like `open_engine`."""
    try:
        from gate.evaluate.opa import OpaEngine
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the engine opa needs the package {error.name}, which is not installed",
            hint="install it with gate: pip install 'gate[opa]'",
        ) from None
    return OpaEngine(bundle, settings, token_of(settings))


def engine_with(options: EngineOptions) -> EngineFactory:
    """Like `open_engine`, where the command line is stronger than the settings."""
    return lambda settings, bundle: open_engine(overridden(settings, options), bundle)


def overridden(settings: EngineSettings, options: EngineOptions) -> EngineSettings:
    """The settings with what the command line says; raises `ConfigError` for what does not go together.

    Authority and token belong to an address: with another one, those of `gate.yaml` are not used.
    """
    name = options.name or settings.name
    start = settings if name == settings.name else EngineSettings(name, timeout_s=settings.timeout_s)
    if name == "regorus":
        for option, value in (("url", options.url), ("ca", options.ca), ("token-file", options.token_file)):
            if value is not None:
                raise ConfigError(f"--opa-{option} is for an OPA server", hint="add --engine opa")
        return replace(start, isolated=start.isolated if options.isolation is None else options.isolation == "process")
    if options.isolation is not None:
        raise ConfigError("--isolation is for the embedded engine", hint="leave it out, or add --engine regorus")
    if options.url is not None:
        problem = url_problem(options.url)
        if problem is not None:
            raise ConfigError(f"--opa-url {options.url!r}: {problem}")
        if (url := options.url.rstrip("/")) != start.url:
            start = EngineSettings(name, url=url, timeout_s=start.timeout_s)
    if start.url is None:
        raise ConfigError("--engine opa needs the address of the server", hint="add --opa-url https://<host>:<port>")
    if options.ca is not None:
        start = replace(start, ca_path=None, ca=_read(options.ca, "--opa-ca", _CA_BYTES)[0])
    return replace(start, token_file=str(options.token_file)) if options.token_file is not None else start


def token_of(settings: EngineSettings) -> str | None:
    """The token for the OPA server, if there is to be one; raises `ConfigError` for a file that is not kept secret.

    The file may be read by its group, as Kubernetes mounts secrets for a user that is not root, and by nobody else.
    """
    if settings.token_file is None:
        return None
    data, mode = _read(Path(settings.token_file), "token file", _TOKEN_BYTES)
    if mode & (stat.S_IWGRP | stat.S_IRWXO):
        raise ConfigError(
            f"token file {settings.token_file}: others can read or change it",
            hint=f"chmod 600 {settings.token_file}, and give the server a new token",
        )
    token = data.removesuffix(b"\n").removesuffix(b"\r")
    if not _TOKEN.fullmatch(token):
        raise ConfigError(f"token file {settings.token_file} holds no token", hint=_TOKEN_HELP)
    return token.decode("ascii")


def _read(path: Path, what: str, limit: int) -> tuple[bytes, int]:
    """The bytes of a regular file on this machine, and its mode."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            data = file.read(limit + 1) if stat.S_ISREG(mode) else b""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{what} {path} cannot be read: {reason}") from None
    if not data or len(data) > limit:
        raise ConfigError(f"{what} {path} is empty, no file, or longer than {limit} bytes")
    return data, mode
