"""Options that several commands share, and how options become typed requests."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from gate.app.engines import EngineOptions
from gate.errors import ConfigError
from gate.formats.rfc3339 import parse_time

P = ParamSpec("P")
R = TypeVar("R")
_META: Final = "gate.option."
_SIZE: Final = re.compile(r"([0-9]{1,16})(KiB|MiB|GiB)?")
_SHIFTS: Final = {"": 0, "KiB": 10, "MiB": 20, "GiB": 30}


class TimeParameter(click.ParamType[int, object]):
    """An RFC 3339 time, as seconds since 1970."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds since 1970; fails for anything that is no complete RFC 3339 time."""
        seconds = value if isinstance(value, int) else parse_time(str(value))
        if seconds is None:
            self.fail(f"{value!r} is not an RFC 3339 time such as 2026-11-20T12:00:00Z", param, ctx)
        return seconds


class SizeParameter(click.ParamType[int, object]):
    """A positive number of bytes, also as KiB, MiB or GiB."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes; fails for anything that is none."""
        match = _SIZE.fullmatch(str(value))
        size = int(match[1]) << _SHIFTS[match[2] or ""] if match else 0
        if not 0 < size <= 1 << 53:
            self.fail(f"{value!r} is not a number of bytes, such as 1000000000 or 512MiB", param, ctx)
        return size


def workspace_options(function: Callable[P, R]) -> Callable[P, R]:
    """`--root`, `--config`, `--base`, `--config-from` and `--now`."""
    for option in reversed(
        (
            click.option(
                "--base",
                metavar="REF",
                help="Judge the change from the merge base with REF to HEAD. Without it everything counts as changed.",
            ),
            click.option(
                "--config",
                metavar="FILE",
                default="gate.yaml",
                show_default=True,
                help="The configuration, relative to the root.",
            ),
            click.option(
                "--config-from",
                type=click.Choice(["merge-base", "worktree"]),
                default="merge-base",
                show_default=True,
                help="Where configuration, keys and waivers are read with --base.",
            ),
            click.option(
                "--root",
                type=click.Path(path_type=Path, file_okay=False),
                help="The folder to judge  [default: the top of this repository, else this folder]",
            ),
            click.option("--now", type=TimeParameter(), metavar="TIME", help="Time of the decision (RFC 3339)."),
        )
    ):
        function = option(function)
    return function


def engine_options(function: Callable[P, R]) -> Callable[P, R]:
    """`--engine`, `--isolation`, `--opa-url`, `--opa-ca` and `--opa-token-file`, which `engine_choice` collects."""
    file = click.Path(path_type=Path)
    kept = functools.partial(click.option, expose_value=False, callback=_keep)
    for option in reversed(
        (
            kept(
                "--engine",
                type=click.Choice(["regorus", "opa"]),
                help="What evaluates the policy: the embedded engine, or an OPA server.",
            ),
            kept(
                "--isolation",
                type=click.Choice(["none", "process"]),
                help="Whether the embedded engine gets a process of its own.",
            ),
            kept("--opa-url", metavar="URL", help="Address of the OPA server; http on this machine only."),
            kept(
                "--opa-ca", type=file, metavar="FILE", help="The only authorities for the server's certificate (PEM)."
            ),
            kept("--opa-token-file", type=file, metavar="FILE", help="The token that the server asks for."),
        )
    ):
        function = option(function)
    return function


def engine_choice() -> EngineOptions:
    """What the running command's `engine_options` were given."""
    meta = click.get_current_context().meta
    return EngineOptions(
        *(meta[_META + name] for name in ("engine", "isolation", "opa_url", "opa_ca", "opa_token_file"))
    )


def jobs_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--jobs`, which `jobs` gives."""
    text = "Processes that verify attestations, or inspect files; 1 starts none.  [default: one for each core]"
    number = click.IntRange(1, 256)
    return click.option("--jobs", type=number, metavar="N", expose_value=False, callback=_keep, help=text)(function)


def jobs() -> int:
    """The number of processes that the running command was given, or that of the cores which this one may use."""
    given = click.get_current_context().meta[f"{_META}jobs"]
    return given if isinstance(given, int) else len(os.sched_getaffinity(0))


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta[f"{_META}{parameter.name}"] = value


def now_or_clock(now_s: int | None) -> int:
    """The given time, or this moment; in whole seconds since 1970."""
    return int(time.time()) if now_s is None else now_s


def start_folder(root: Path | None) -> Path:
    """The folder that `--root` names, or the current one; raises `ConfigError` when there is none."""
    folder = Path.cwd() if root is None else root
    if not folder.is_dir():
        raise ConfigError(f"--root: there is no folder {str(folder)!r}")
    return folder
