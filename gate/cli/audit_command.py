"""`gate audit`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from gate.app.audit import AuditAsked, Namespaces, audit
from gate.app.audit_source import FileListing, cluster_listing
from gate.app.workspace import Request
from gate.cli.output import OutputFile, progress, show
from gate.cli.params import TimeParameter, now_or_clock, start_folder
from gate.report.audit import FORMATS, audit_summary, render_audit

_PATH = click.Path(path_type=Path)


@click.command(
    "audit",
    epilog="""\b
Examples:
  kubectl get pods -A -o json | gate audit --from -
  gate audit --from running.json --namespace payments --format json --output audit.json
  gate audit --cluster --exclude-namespace kube-system --exclude-namespace gate
  gate audit --cluster --kubeconfig admin.conf --context production --kinds all
""",
)
@click.option(
    "--from", "listing", metavar="FILE|-", help="A listing as kubectl writes it, in JSON or YAML; -: standard input."
)
@click.option("--cluster", is_flag=True, help="Ask the API server; without --kubeconfig that of the pod this runs in.")
@click.option("--kubeconfig", metavar="FILE", help="With --cluster: where it is, and who asks it.")
@click.option("--context", metavar="NAME", help="With --kubeconfig: the context in it  [default: its current one]")
@click.option(
    "--kinds",
    type=click.Choice(["pods", "all"]),
    help="With --cluster: pods, or all built-in and configured kinds that have images  [default: pods]",
)
@click.option("--namespace", "namespaces", multiple=True, metavar="NAME", help="Only this namespace; repeatable.")
@click.option("--exclude-namespace", "excluded", multiple=True, metavar="NAME", help="Not this namespace; repeatable.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="The folder of gate.yaml.")
@click.option("--config", metavar="FILE", default="gate.yaml", show_default=True, help="The configuration.")
@click.option("--now", type=TimeParameter(), metavar="TIME", help="Time at which everything is judged (RFC 3339).")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=_PATH, metavar="FILE", help="Write the report to a file.")
def command(
    *,
    cluster: bool,
    namespaces: tuple[str, ...],
    excluded: tuple[str, ...],
    root: Path | None,
    config: str,
    now: int | None,
    form: str,
    output: Path | None,
    **reached: str | None,
) -> int:
    """Judge what a cluster runs already, as the webhook would judge it now.

    Each object of a listing is judged as if it was to be made, in the mode `enforce`, whatever the mode of the webhook
    is. The report says what admission missed, what rests on something that has expired or is revoked now, and what
    could not be judged. Nothing in the cluster is changed and nothing is recorded. Exit code 0: everything was judged
    and would be let in. 13: something runs that would be refused. 3: something could not be judged.
    """
    listing, kubeconfig, context, kinds = (reached[name] for name in ("listing", "kubeconfig", "context", "kinds"))
    if (listing is None) != cluster:
        raise click.UsageError("give either --from FILE or --cluster")
    if not cluster and (kubeconfig or context or kinds):
        raise click.UsageError("--kubeconfig, --context and --kinds are for --cluster")
    if context and not kubeconfig:
        raise click.UsageError("--context is for --kubeconfig")
    chosen = Namespaces(frozenset(namespaces), frozenset(excluded))
    if both := chosen.only & chosen.excluded:
        raise click.UsageError(f"--namespace and --exclude-namespace both name {', '.join(sorted(both))}")
    file = None if output is None else OutputFile(output)
    request = Request(start_folder(root), root, config, None, True, now_or_clock(now))
    if listing is not None:
        file_listing = FileListing(listing, _standard_input())
        asked = AuditAsked(file_listing.name, file_listing, chosen)
    else:
        of_cluster = cluster_listing(kubeconfig, context, templates=kinds == "all", namespaces=chosen.only)
        asked = AuditAsked(of_cluster.name, of_cluster, chosen)
    found = audit(request, asked, progress)
    text = render_audit(form, found)
    if file is None:
        show(text)
    else:
        file.write(text if text.endswith("\n") else f"{text}\n")
        show(audit_summary(found))
    return found.exit_code


def _standard_input() -> Iterable[bytes]:
    while piece := sys.stdin.buffer.read(1 << 20):
        yield piece
