"""The options of the commands that talk to a registry."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from gate.attest.files import read_file
from gate.config.nodes import HOST, MAX_TIMEOUT_S
from gate.errors import AttestError, ConfigError
from gate.model.path import path_text
from gate.model.registry import RegistryAccess

P = ParamSpec("P")
R = TypeVar("R")
_META: Final = "gate.registry."
_CA_BYTES: Final = 1 << 20


def registry_options(function: Callable[P, R]) -> Callable[P, R]:
    """`--insecure`, `--private`, `--ca`, `--token-host` and `--timeout`, which `registry_access` collects."""
    kept = functools.partial(click.option, expose_value=False, callback=_keep)
    for option in reversed(
        (
            kept("--insecure", is_flag=True, help="Plain HTTP, without credentials; on this machine it is allowed."),
            kept("--private", is_flag=True, help="The registry may have an address that is not public."),
            kept(
                "--ca",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="The only authorities for the registry's certificate (PEM).",
            ),
            kept("--token-host", metavar="HOST", help="The host of its token server, which is given the credentials."),
            kept(
                "--timeout",
                type=click.IntRange(1, MAX_TIMEOUT_S),
                default=RegistryAccess().timeout_s,
                show_default=True,
                metavar="SECONDS",
                help="For everything that is asked of the registry.",
            ),
        )
    ):
        function = option(function)
    return function


def registry_access() -> RegistryAccess:
    """What the running command's `registry_options` were given; raises `ConfigError`."""
    meta = click.get_current_context().meta
    insecure, private, ca, host, timeout_s = (
        meta[_META + name] for name in ("insecure", "private", "ca", "token_host", "timeout")
    )
    if insecure and ca is not None:
        raise ConfigError("--insecure and --ca: over plain HTTP there is no certificate to check")
    if host is not None and not HOST.fullmatch(host):
        raise ConfigError(f"--token-host: {host[:100]!r} is not a host such as auth.example")
    try:
        pem = None if ca is None else read_file(ca, _CA_BYTES)
    except AttestError as error:
        raise ConfigError(f"--ca: {error}") from None
    return RegistryAccess(
        insecure=insecure, private=private, ca=pem, token_host=host and host.lower(), timeout_s=timeout_s
    )


def shown_path(path: Path) -> str:
    """A path as text that can be written out."""
    return path_text(os.fsencode(path))


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta[f"{_META}{parameter.name}"] = value
