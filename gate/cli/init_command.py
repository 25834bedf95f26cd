"""`gate init`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.init import KEY, carry_out, plan
from gate.cli.output import show
from gate.cli.params import now_or_clock, start_folder
from gate.report.escape import terminal


@click.command("init")
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to look at  [default: the top of this repository, else this folder]",
)
def command(yes: bool, root: Path | None) -> int:
    """Look at this repository and propose a gate.yaml.

    Finds models, adapters, datasets, lock files, prompts and Dockerfiles by their names, shows the configuration
    and, when you agree, writes it together with a development key. Nothing that exists is overwritten.
    """
    planned = plan(start_folder(root), root, now_or_clock(None))
    show(planned.proposal.text)
    if not yes:
        click.confirm(f"Write this to {terminal(str(planned.root / 'gate.yaml'))}?", abort=True, err=True)
    done = carry_out(planned)
    for path in done.written:
        show(f"written: {path}")
    name = terminal(done.first.path)
    show(
        f"\nNext:\n"
        f"  gate check                                  says what is missing\n"
        f"  gate sign {name} --key {KEY}\n"
        f"  gate attest create --help                   for provenance and other claims\n"
        f"  gate doctor                                 what is weak in the configuration"
    )
    return 0
