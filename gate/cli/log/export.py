"""`gate log export`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.log import acknowledge, export, log_of
from gate.cli.log_options import chosen_log, log_options
from gate.cli.output import OutputFile, show


@click.command(
    "export",
    epilog="""\b
Examples:
  gate log export > decisions.jsonl
  gate log export --consumer siem --output batch.jsonl
  gate log export --consumer siem --acknowledge 4711
""",
)
@click.option("--consumer", metavar="NAME", help="Who gets the records: begin behind what it acknowledged.")
@click.option("--from", "start", type=click.IntRange(0), metavar="SEQ", help="Begin with this record.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="So many records at most.")
@click.option("--acknowledge", "size", type=click.IntRange(1), metavar="N", help="It has the first N records now.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the lines to a file.")
@log_options
def command(
    *, consumer: str | None, start: int | None, limit: int | None, size: int | None, output: Path | None
) -> int:
    """Write records as JSON Lines, for other systems.

    A line is a record with its decision, or a checkpoint. A consumer gets every record at least once: the same ones
    again until it acknowledges them, so that nothing is lost whatever fails. Records that came twice have one id.
    """
    if size is not None and (consumer is None or start is not None or limit is not None or output is not None):
        raise click.UsageError("--acknowledge goes with --consumer alone")
    if start is not None and consumer is not None:
        raise click.UsageError("--consumer knows where to begin: leave out --from")
    file = None if output is None else OutputFile(output)
    place = chosen_log()
    if size is not None and consumer is not None:
        with log_of(place, append=True) as log:
            acknowledge(log, consumer, size)
        show(f"{consumer} has the first {size} records")
        return 0
    with log_of(place) as log:
        text = export(log, consumer, start, limit)
    if file is not None:
        file.write(text)
    elif text:
        show(text)
    return 0
