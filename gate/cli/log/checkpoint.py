"""`gate log checkpoint`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.log import log_of, make_checkpoint_now
from gate.cli.log_options import chosen_log, log_options
from gate.cli.output import OutputFile, show
from gate.cli.signing import KEY_HELP, ask_passphrase


@click.command(
    "checkpoint",
    epilog="""\b
Examples:
  gate log checkpoint --output /backup/checkpoint
  gate log checkpoint --key keys/log.key --origin acme.example/gate
  gate log checkpoint --verifier-key
""",
)
@click.option("--key", metavar="KEY", help=f"Instead of the one of gate.yaml. {KEY_HELP}")
@click.option("--origin", metavar="NAME", help="The log's name, where gate.yaml does not give it.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file.")
@click.option("--verifier-key", is_flag=True, help="Print the key in the form that other programs take instead.")
@log_options
def command(*, key: str | None, origin: str | None, output: Path | None, verifier_key: bool) -> int:
    """Sign the head of the log.

    The checkpoint (tlog-checkpoint of C2SP) is stored in the log and printed. Keep it where who can write the log
    cannot: then nobody rewrites or cuts off what it signs without being found.
    """
    file = None if output is None else OutputFile(output)
    place = chosen_log()
    with log_of(place, append=True) as log:
        made, text = make_checkpoint_now(log, place, key, origin, ask_passphrase)
    if file is not None:
        file.write(made.note)
    show(text if verifier_key else made.note)
    return 0
