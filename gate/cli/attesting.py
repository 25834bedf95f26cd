"""`--key`, `--verifier` and `--resource`: reports that are statements, signed by the gate."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from gate.app.produce import AnySigner, open_key
from gate.app.verdict import ATTESTATIONS, refuse_tracked_decision, verdict_lines
from gate.cli.signing import KEY_HELP, ask_passphrase
from gate.model.decision import Decision
from gate.report.attested import VERIFIER, Naming
from gate.report.interface import render

P = ParamSpec("P")
R = TypeVar("R")
_META: Final = "gate.option."
_SIGNER: Final = "gate.signer"


class ResourceParameter(click.ParamType[tuple[str, str], object]):
    """The name of an artifact and the URI by which others know it."""

    name = "resource"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Name and URI; fails without either."""
        name, _, uri = str(value).partition("=")
        if not name or not uri:
            self.fail(f"{value!r} is not NAME=URI", param, ctx)
        return name, uri


def attesting_options(function: Callable[P, R]) -> Callable[P, R]:
    """The options, for whoever calls `prepare_signing` and then `rendered`."""
    kept = functools.partial(click.option, expose_value=False, callback=_keep)
    for option in reversed(
        (
            kept("--key", metavar="KEY", help=f"Sign the reports vsa and svr. {KEY_HELP}"),
            kept(
                "--verifier",
                metavar="URI",
                default=VERIFIER,
                show_default=True,
                help="What this gate calls itself in the reports vsa and svr.",
            ),
            kept(
                "--resource",
                multiple=True,
                type=ResourceParameter(),
                metavar="NAME=URI",
                help="What others call an artifact, in the reports vsa and svr; can be repeated"
                "  [default: the repository of an image, urn:gate:artifact:NAME]",
            ),
        )
    ):
        function = option(function)
    return function


def prepare_signing(forms: Collection[str], sources: Collection[Path] = ()) -> None:
    """Opens the key, if one is given, before any work is done.

    `forms` are the reports that are asked for, `sources` the files that a saved decision is read from. Where nothing
    that is asked for can be signed it is a usage error, where the key cannot be opened an `AttestError`.
    """
    context = click.get_current_context()
    key = context.meta[f"{_META}key"]
    if key is None:
        return
    if not ATTESTATIONS.keys() & set(forms):
        raise click.UsageError(f"--key signs reports of {' and '.join(ATTESTATIONS)}, and none is asked for.")
    for path in sources:
        refuse_tracked_decision(path)
    context.meta[_SIGNER] = open_key(Path(), key, [], ask_passphrase)


def rendered(form: str, decision: Decision, *, colour: bool = False) -> str:
    """The report of that name, signed where it can be and a key was given; raises `ConfigError` or `AttestError`."""
    if form not in ATTESTATIONS:
        return render(form, decision, colour=colour)
    meta = click.get_current_context().meta
    naming = Naming(meta[f"{_META}verifier"], dict(meta[f"{_META}resource"]))
    signer: AnySigner | None = meta.get(_SIGNER)
    return verdict_lines(form, decision, naming, signer)


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta[f"{_META}{parameter.name}"] = value
