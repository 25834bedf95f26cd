"""`--input` and `--policy` of the commands that look at one input document."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from gate.app.explain import INPUT_BYTES
from gate.errors import EvidenceError

P = ParamSpec("P")
R = TypeVar("R")


def document_options(function: Callable[P, R]) -> Callable[P, R]:
    """`--input` and `--policy`."""
    option = click.option("--input", "document", metavar="FILE", help="The input document; - reads standard input.")
    policy = click.option(
        "--policy",
        multiple=True,
        metavar="DIR",
        help="A policy directory; can be repeated  [default: those of gate.yaml, policy/, else the library alone]",
    )
    return option(policy(function))


def read_bytes(name: str, option: str = "--input") -> tuple[str, bytes]:
    """What to call a file or standard input, and what is in it; raises `EvidenceError`, which names the option."""
    if name == "-":
        place, data = "standard input", sys.stdin.buffer.read(INPUT_BYTES + 1)
    else:
        place = name
        try:
            with Path(name).open("rb") as file:
                data = file.read(INPUT_BYTES + 1)
        except (OSError, ValueError) as error:
            raise EvidenceError(f"{option}: {name} cannot be read: {getattr(error, 'strerror', error)}") from None
    if len(data) > INPUT_BYTES:
        raise EvidenceError(f"{option}: {place} has more than the {INPUT_BYTES} bytes allowed")
    return place, data
