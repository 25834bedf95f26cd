"""`gate attest create`."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

import click

from gate.app.attest import CreateRequest, create
from gate.app.attest_changed import CONFIGS, ChangedRequest, create_changed
from gate.app.attest_create import TypedRequest, create_typed
from gate.app.attest_scan import ScanRequest, create_scan
from gate.app.produce import Made, Place
from gate.attest.predicates import collectors
from gate.attest.statement import makeable_claims
from gate.cli.output import progress, show
from gate.cli.params import TimeParameter
from gate.cli.signing import ask_passphrase, result_text, shown
from gate.errors import ConfigError
from gate.model.claim import CLAIMS, is_plugin_claim
from gate.report.escape import terminal

_TYPE_HELP: Final = f"What --config describes, one of: {', '.join(sorted(collectors()))}."
_CLAIM_HELP: Final = f"What --predicate states, one of: {', '.join(makeable_claims())}."
_FILE: Final = click.Path(path_type=Path)
_WAYS: Final = {
    "type": frozenset({"config", "report", "artifact", "tool"}),
    "changed-only": frozenset({"base", "configs"}),
    "claim": frozenset({"predicate", "subject", "predicate-type", "key"}),
}
_OPTIONS: Final = (
    *("type", "config", "report", "artifact", "tool", "changed-only", "base", "configs"),
    *("claim", "predicate", "subject", "predicate-type", "key"),
)


@click.command(
    "create",
    epilog="""\b
Examples:
  gate attest create --type prompt --config attest/prompt.yaml
  gate attest create --type eval --config attest/eval.yaml --determinism-check 3
  gate attest create --type scan --report reports/grype.json --artifact server --tool grype
  gate attest create --changed-only --base origin/main
  gate attest create --claim build.provenance --predicate slsa.json --subject models/summarizer --key keys/builder.key
""",
)
@click.option("--type", "word", metavar="TYPE", help=_TYPE_HELP)
@click.option("--config", type=_FILE, metavar="FILE", help="The files of a TYPE, in YAML; paths are relative to it.")
@click.option("--report", type=_FILE, metavar="FILE", help="With --type scan, for --config: the report of a scanner.")
@click.option("--artifact", metavar="NAME", help="With --report: the artifact of gate.yaml that it is about.")
@click.option("--tool", metavar="TOOL", help="With --report: the scanner  [default: that of the report in gate.yaml]")
@click.option("--changed-only", is_flag=True, help="Every configuration whose files differ from --base.")
@click.option("--base", metavar="REF", help="With --changed-only: the branch or commit to compare with.")
@click.option(
    "--configs",
    type=_FILE,
    metavar="DIR",
    help="With --changed-only: where TYPE.yaml and NAME.TYPE.yaml lie below the root  [default: attest]",
)
@click.option("--claim", metavar="CLAIM", help=_CLAIM_HELP)
@click.option("--predicate", type=_FILE, metavar="FILE", help="With --claim: a JSON object that fits its type.")
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    type=_FILE,
    metavar="PATH",
    help="With --claim: what it is about, a file or a folder with all its files. May be given again.",
)
@click.option("--predicate-type", metavar="URI", help="Another predicate type of the claim, such as SLSA v0.2.")
@click.option(
    "--depends-on",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="A statement or bundle that this one builds on. May be given again."
    "  [default with --type: those in --out, else the signed ones where gate.yaml has evidence]",
)
@click.option(
    "--determinism-check",
    "checks",
    type=click.IntRange(1, 100),
    default=1,
    metavar="N",
    help="Collect N times, in processes, folders and locales of their own, and compare the bytes.",
)
@click.option("--created-at", type=TimeParameter(), metavar="TIME", help="created_at of the predicate (RFC 3339).")
@click.option("--key", metavar="KEY", help="With --claim: sign it with this private key; see `gate sign --help`.")
@click.option(
    "--out",
    type=_FILE,
    metavar="PATH",
    help="The folder to write to, with --claim a file  [default: .gate/statements, with --key .gate/attestations]",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The root that names are relative to  [default: the top of this repository, else this folder]",
)
def command(  # noqa: PLR0913 - one parameter an option
    *,
    word: str | None,
    config: Path | None,
    report: Path | None,
    artifact: str | None,
    tool: str | None,
    changed_only: bool,
    base: str | None,
    configs: Path | None,
    claim: str | None,
    predicate: Path | None,
    subjects: tuple[Path, ...],
    predicate_type: str | None,
    depends_on: tuple[Path, ...],
    checks: int,
    created_at: int | None,
    key: str | None,
    out: Path | None,
    root: Path | None,
) -> None:
    """Create an in-toto statement about files.

    --type collects what belongs together, as a configuration says: every file is a subject, folders are attested
    whole, values are read from result files, and statements that it builds on are named by digest. For a scan,
    --report and --artifact say enough without one. `gate sign --in` signs the folder of statements. --changed-only
    does that for each configuration that a change affects. --claim takes a predicate that something else made.

    The same input gives the same bytes. created_at is that of --created-at or of SOURCE_DATE_EPOCH; no clock is read.
    What the gate would refuse when it verifies is refused here.
    """
    described = (word, config, report, artifact, tool)
    values = (*described, changed_only, base, configs, claim, predicate, subjects, predicate_type, key)
    _check_way({option for option, value in zip(_OPTIONS, values, strict=True) if value})
    place = Place(Path(), root)
    epoch = source_date_epoch()
    if claim:
        if predicate is None or not subjects or checks > 1:
            raise click.UsageError("--claim needs --predicate FILE and --subject PATH, and has no --determinism-check")
        told = (predicate_type, depends_on, key, out, created_at, epoch)
        _stated(CreateRequest(place, claim, predicate, subjects, *told))
        return
    created_s = epoch if created_at is None else created_at
    if word and (report or artifact or tool):
        if word != "scan" or report is None or artifact is None or config or checks > 1:
            raise click.UsageError("--report and --artifact go together, with --type scan and without --config")
        request = ScanRequest(place, report, artifact, tool, out, depends_on, created_s)
        _show_made(create_scan(request, progress))
        return
    if word:
        if config is None:
            raise click.UsageError("--type needs --config FILE, or --report and --artifact for a scan")
        _show_made(create_typed(TypedRequest(place, word, config, out, depends_on, created_s, checks), progress))
        return
    if base is None or depends_on:
        raise click.UsageError("--changed-only needs --base REF, and finds what statements build on in --out")
    _changed(ChangedRequest(place, base, configs or CONFIGS, out, created_s, checks))


def _check_way(given: AbstractSet[str]) -> None:
    """The statement is described in exactly one way, with no option of another."""
    chosen = [way for way in _WAYS if way in given]
    if len(chosen) != 1:
        raise click.UsageError("give exactly one of --type, --changed-only and --claim")
    for way, options in _WAYS.items():
        strange = sorted(given & options) if way != chosen[0] else []
        if strange:
            raise click.UsageError(f"--{strange[0]} belongs to --{way}, not to --{chosen[0]}")


def _stated(request: CreateRequest) -> None:
    if request.claim not in CLAIMS and not is_plugin_claim(request.claim):
        known = ", ".join(makeable_claims())
        raise click.BadParameter(f"{request.claim!r} is no claim; one of: {known}", param_hint="--claim")
    made = create(request, ask_passphrase, progress)
    show(result_text(made, "gate verify" if request.key else _sign_next(made)))


def _changed(request: ChangedRequest) -> None:
    found = create_changed(request, progress)
    for made in found.made:
        _show_made(made)
    for config in found.unchanged:
        show(f"{'same':<10}{terminal(config)}: nothing that it names differs from {terminal(request.base)}")
    for config, claims in found.stale.items():
        word = Path(config).stem.rpartition(".")[2]
        show(f"{'stale':<10}{terminal(config)}: builds on {' and '.join(claims)}; if it holds for what is new:")
        show(f"{'':<10}gate attest create --type {word} --config {terminal(config)}")


def _show_made(made: Made) -> None:
    show(result_text(made, _sign_next(made)))


def _sign_next(made: Made) -> str:
    return f"gate sign {shown(made.path)} --key KEY"


def source_date_epoch() -> int | None:
    """The build's time (reproducible-builds.org): it describes content, and is no security option."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise ConfigError("SOURCE_DATE_EPOCH is not a number of seconds since 1970")
    return int(text)
