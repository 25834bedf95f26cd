"""The options of the commands that look at a decision log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from gate.app.log import Asked, LogPlace, log_place
from gate.app.workspace import Request
from gate.cli.params import start_folder
from gate.errors import ConfigError

P = ParamSpec("P")
R = TypeVar("R")
_META = "gate.log."


def log_options(function: Callable[P, R]) -> Callable[P, R]:
    """`--root`, `--config` and `--sqlite`, which `chosen_log` collects."""
    for option in reversed(
        (
            click.option(
                "--root",
                type=click.Path(path_type=Path, file_okay=False),
                expose_value=False,
                callback=_keep,
                help="The folder of gate.yaml  [default: the top of this repository, else this folder]",
            ),
            click.option(
                "--config",
                metavar="FILE",
                default="gate.yaml",
                show_default=True,
                expose_value=False,
                callback=_keep,
                help="The configuration, relative to the root.",
            ),
            click.option(
                "--sqlite",
                type=click.Path(path_type=Path),
                metavar="FILE",
                expose_value=False,
                callback=_keep,
                help="A log in this file, whatever gate.yaml says.",
            ),
        )
    ):
        function = option(function)
    return function


def trust_options(function: Callable[P, R]) -> Callable[P, R]:
    """`--key`, which `asked` collects."""
    text = "A public key (PEM) that checkpoints are signed with, beside those of gate.yaml; can be repeated."
    return click.option(
        "--key",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=_keep,
        help=text,
    )(function)


def chosen_log() -> LogPlace:
    """The log that the running command was given; raises `ConfigError`."""
    meta = click.get_current_context().meta
    root, config, sqlite = (meta[_META + name] for name in ("root", "config", "sqlite"))
    return log_place(Request(start_folder(root), root, config, None, True, 0), sqlite)


def configured_log() -> LogPlace | None:
    """Like `chosen_log`, where there need be none: the file to look at is named."""
    try:
        return chosen_log()
    except ConfigError:
        return None


def asked(witnesses: tuple[Path, ...] = ()) -> Asked:
    """What the running command was given to compare the log with."""
    keys: tuple[Path, ...] = click.get_current_context().meta[f"{_META}key"]
    return Asked(keys, witnesses)


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta[f"{_META}{parameter.name}"] = value
