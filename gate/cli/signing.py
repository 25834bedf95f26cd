"""What the commands that make keys and signatures share: passphrases, and how results are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import click

from gate.app.produce import Made
from gate.app.sign import Batch
from gate.cli.output import size_text
from gate.errors import AttestError
from gate.report.escape import terminal

KEY_HELP: Final = (
    "The private key: a PEM file (PKCS#8) or file:PATH; env:NAME for a variable that holds one; awskms:, gcpkms:, "
    "azurekms:, hashivault:, pkcs11: or sigstore:."
)


def ask_passphrase(what: str) -> str:
    """Asks on the terminal without showing what is typed; raises `AttestError` where there is none.

    Nothing else supplies a passphrase: environments and command lines are read by others and end up in logs.
    """
    return _prompt(what, confirm=False)


def ask_new_passphrase(*, required: bool) -> str | None:
    """A passphrase typed twice, `None` for an empty one; raises `AttestError` if one is required and none came."""
    text = _prompt("Passphrase for the new key" + ("" if required else " (empty for none)"), confirm=True)
    if required and not text:
        raise AttestError("the passphrase is empty")
    return text or None


def has_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _prompt(what: str, *, confirm: bool) -> str:
    if not has_terminal():
        raise AttestError(
            f"{what}: there is no terminal to ask on",
            hint="use a key without passphrase, kept by the CI system's secret store",
        )
    text: str = click.prompt(terminal(what), default="", hide_input=True, show_default=False, err=True)
    if confirm and text != click.prompt("Again", default="", hide_input=True, show_default=False, err=True):
        raise AttestError("the two passphrases differ")
    return text


def shown(path: Path) -> str:
    """A path for people: relative to the current folder where it lies below it."""
    absolute, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100 - links are shown as they were given
    return terminal(str(absolute.relative_to(here) if here in absolute.parents else path))


def result_text(made: Made, next_command: str) -> str:
    """What was made, by which key, where it is, and what to do next."""
    number = f"{made.files} file{'' if made.files == 1 else 's'}"
    size = f", {size_text(made.size)}" if made.size else ""
    lines = [
        f"{'signed' if made.signed_by else 'made':<10}{terminal(made.subject)}: {made.claim}, {number}{size}",
        f"{'digest':<10}{made.digest}",
    ]
    if made.signed_by is not None:
        lines.append(f"{made.signed_by.word:<10}{terminal(made.signed_by.text, 2000)}")
    lines.append(f"{'replaced' if made.replaced else 'written':<10}{shown(made.path)}")
    if made.advice is not None:
        lines.append(f"{'note':<10}{made.advice}")
    lines.append(f"{'next':<10}{next_command}")
    return "\n".join(lines)


def batch_text(batch: Batch, next_command: str) -> str:
    """The statements that were signed together, by which key, where their bundles are, and what to do next."""
    count = sum(batch.claims.values())
    claims = ", ".join(f"{number} {claim}" for claim, number in sorted(batch.claims.items()))
    lines = [
        f"{'signed':<10}{terminal(batch.subject)}: {count} statement{'' if count == 1 else 's'} ({claims})",
        f"{batch.signed_by.word:<10}{terminal(batch.signed_by.text, 2000)}",
        f"{'written':<10}{shown(batch.folder)} ({count - batch.replaced} new, {batch.replaced} replaced)",
    ]
    if batch.advice is not None:
        lines.append(f"{'note':<10}{batch.advice}")
    lines.append(f"{'next':<10}{next_command}")
    return "\n".join(lines)
