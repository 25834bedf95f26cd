"""`gate policy verify`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.policy_bundle import OpenedBundle, open_bundle, read_pair
from gate.app.workspace import Request, configured_trust
from gate.cli.output import show
from gate.cli.params import TimeParameter, now_or_clock, start_folder
from gate.cli.signing import shown
from gate.report.escape import terminal


@click.command(
    "verify",
    epilog="""\b
Examples:
  gate policy verify policy.tar.gz
  gate policy verify policy.tar.gz --config ci/gate.yaml
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--config",
    metavar="FILE",
    default="gate.yaml",
    show_default=True,
    help="The configuration in the work tree that says who is trusted, relative to the root.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the configuration  [default: the top of this repository, else this folder]",
)
@click.option("--now", type=TimeParameter(), metavar="TIME", help="Time of the decision (RFC 3339).")
def command(file: Path, config: str, root: Path | None, now: int | None) -> None:
    """Verify a signed bundle as the gate does before it judges.

    Its envelope FILE.sigstore.json has to lie beside it. Exit code 4 says that no gate with this configuration judges
    by the bundle, and why.
    """
    request = Request(start_folder(None), root, config, None, config_from_worktree=True, now_s=now_or_clock(now))
    settings, trust = configured_trust(request)
    opened = open_bundle(*read_pair(file), trust, settings.policy.serial)
    show(_text(file, opened, settings.policy.serial))


def _text(file: Path, opened: OpenedBundle, asked: int) -> str:
    policy = opened.policy
    least = f"at least {asked} is asked for" if asked else "gate.yaml asks for none"
    return "\n".join(
        (
            f"verified  {shown(file)}  ({opened.files} files)",
            f"signers   {terminal(', '.join(f'{one.name} {one.spki}' for one in opened.signers), 2000)}",
            f"serial    {opened.manifest.serial}  ({least})",
            f"revision  {policy.digest}",
            f"digest    {opened.archive}",
            f"made by   gate {terminal(opened.manifest.gate_version, 40)}",
            f"controls  {len(policy.catalogue)}, profiles {terminal(', '.join(sorted(policy.profiles)), 400)}",
            f"own       {terminal(', '.join(policy.own) or 'none', 2000)}",
            f"replaced  {terminal(', '.join(policy.replaced) or 'none', 2000)}",
        )
    )
