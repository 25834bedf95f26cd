"""`gate init`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.init import KEY, carry_out, carry_out_conversion, plan, plan_conversion
from gate.app.ladder import APPLICATION, BASELINE, LEVELS
from gate.cli.output import show
from gate.cli.params import now_or_clock, start_folder
from gate.errors import ConfigError
from gate.report.escape import terminal


@click.command(
    "init",
    epilog="""\b
Examples:
  gate init                  proposes a gate.yaml with the profile baseline
  gate init --level 1        asks for no signature yet: digests, and files that are safe to load
  gate init --from llmsa.yaml
  gate init --from llmsa.yaml --from policy/gates.yaml --yes
""",
)
@click.option(
    "--level",
    type=click.Choice([str(number) for number in LEVELS]),
    help="How much to ask for: 1 hashes and safe files, 2 signatures too, 3 provenance too.  [default: the baseline]",
)
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to look at  [default: the top of this repository, else this folder]",
)
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Convert llmsa.yaml, and with a second --from its policy  [default policy: policy/examples/mvp-gates.yaml]",
)
def command(level: str | None, yes: bool, root: Path | None, sources: tuple[Path, ...]) -> int:
    """Look at this repository and propose a gate.yaml.

    Finds models, adapters, datasets, lock files, Dockerfiles and the parts of an LLM application (prompts, documents,
    evaluations, routes) by their names, shows the configuration and, when you agree, writes it, with a development
    key where signatures are asked for. Nothing that exists is overwritten. Start with --level 1 where there are models
    and nothing is signed yet; docs/explanation/adoption-ladder.md says what each level supports.

    --from converts a configuration of llmsa instead: collectors, path rules and gates. What has no counterpart is
    said, and no key that llmsa used becomes trusted.
    """
    if sources and level:
        raise ConfigError("--level and --from are two ways to a gate.yaml", hint="convert, then edit its profile")
    if sources:
        return _convert(yes, root, sources)
    planned = plan(start_folder(root), root, now_or_clock(None), LEVELS[int(level)] if level else BASELINE)
    show(planned.proposal.text)
    if not yes:
        _ask(f"Write this to {terminal(str(planned.root / 'gate.yaml'))}?")
    done = carry_out(planned)
    for path in done.written:
        show(f"written: {path}")
    name = terminal(done.first.path)
    steps = ["gate check                                  says what is missing"]
    if planned.proposal.level is APPLICATION:
        steps.append("gate attest create --type TYPE --config attest/TYPE.yaml")
        steps.append(f"gate sign --in .gate/statements --key {KEY}")
        steps.append("docs/tutorial.md                            what attest/TYPE.yaml holds, for each type")
    elif planned.signs:
        steps.append(f"gate sign {name} --key {KEY}")
        steps.append("gate attest create --help                   for provenance and other claims")
    steps.append("gate doctor                                 what is weak in the configuration")
    show("\nNext:\n  " + "\n  ".join(steps))
    return 0


def _convert(yes: bool, root: Path | None, sources: tuple[Path, ...]) -> int:
    planned = plan_conversion(start_folder(root), root, sources, now_or_clock(None))
    for path, text in planned.files.items():
        show(f"==> {path}\n{text}")
    for note in planned.notes:
        show(f"note: {terminal(note)}")
    if not yes:
        _ask(f"Write {len(planned.files)} files below {terminal(str(planned.root))}?")
    for path in carry_out_conversion(planned):
        show(f"written: {path}")
    words = [path for path in planned.files if path.startswith("attest/")]
    lines = [f"  gate attest create --type {Path(path).stem} --config {path}" for path in words]
    lines += [f"  gate sign --in .gate/statements --key {KEY}", "  gate check", "  gate doctor"]
    show("\nNext:\n" + "\n".join(lines))
    return 0


def _ask(question: str) -> None:
    """Goes on after a yes. Where nobody is there to answer, the way without questions is told."""
    try:
        click.confirm(question, abort=True, err=True)
    except click.Abort:
        click.echo("\nNothing was written. With --yes nobody is asked.", err=True)
        raise
