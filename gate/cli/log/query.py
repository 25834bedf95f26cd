"""`gate log query`."""

from __future__ import annotations

import click

from gate.app.log import found_records, log_of
from gate.cli.log_options import chosen_log, log_options
from gate.cli.output import show
from gate.cli.params import TimeParameter
from gate.formats.canonical_json import dumps
from gate.model.record import Query
from gate.report.log import FORMATS, record_json, records_text


@click.command(
    "query",
    epilog="""\b
Examples:
  gate log query --artifact summarizer --verdict deny
  gate log query --signer release --since 2026-11-01T00:00:00Z
  gate log query --control scan.malware --format json
""",
)
@click.option("--artifact", metavar="NAME|DIGEST", help="Decisions about an artifact.")
@click.option("--signer", metavar="NAME|DIGEST|SUBJECT", help="Decisions with evidence by a signer.")
@click.option("--control", metavar="ID", help="Decisions in which a control did not simply pass.")
@click.option("--verdict", type=click.Choice(["allow", "deny", "error"]))
@click.option("--since", "since_s", type=TimeParameter(), metavar="TIME", help="Recorded then or later (RFC 3339).")
@click.option("--until", "until_s", type=TimeParameter(), metavar="TIME", help="Recorded before.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="How many at most.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="json: a record a line."
)
@log_options
def command(*, limit: int, form: str, since_s: int | None, until_s: int | None, **wanted: str | None) -> int:
    """List decisions by artifact, signer, control, verdict and time.

    The newest come first; everything that is given has to fit.
    """
    with log_of(chosen_log()) as log:
        found, more = found_records(log, Query(**wanted, since_s=since_s, until_s=until_s), limit)
    if form == "json":
        show("".join(dumps(record_json(record)).decode() + "\n" for record in found))
    else:
        show(records_text(found, more=more))
    return 0
