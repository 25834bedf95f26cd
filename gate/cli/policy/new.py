"""`gate policy new`."""

from __future__ import annotations

import click

from gate.app.policy_new import Begun, NewControl, new_control
from gate.cli.output import show
from gate.cli.params import start_folder
from gate.report.escape import terminal


@click.command("new")
@click.argument("control", metavar="<family>.<name>")
@click.option("--directory", metavar="DIR", default="policy", show_default=True, help="The policy directory.")
@click.option("--title", metavar="TEXT", help="What the control is called, in one line.")
@click.option("--claim", metavar="CLAIM", default="eval", show_default=True, help="The claim that it asks for.")
@click.option("--kind", metavar="KIND", default="weights", show_default=True, help="The artifacts that it is about.")
def command(control: str, directory: str, title: str | None, claim: str, kind: str) -> int:
    """Start a control: rules, tests, scenarios and a page that already work.

    The name is <family>.<name>, beside the library's own, or custom.<family>.<name>. The control asks for a verified
    statement of one claim for each artifact of one kind: change it into what you need. Nothing that exists is
    overwritten.
    """
    wanted = NewControl(control, directory.rstrip("/"), title, claim, kind)
    show(_text(wanted, new_control(start_folder(None), wanted)))
    return 0


def _text(wanted: NewControl, begun: Begun) -> str:
    lines = [f"written: {terminal(path)}" for path in begun.written]
    lines += ["", "In gate.yaml:", f"  policy: {{directories: [{terminal(wanted.directory)}]}}"]
    if begun.profile is not None:
        lines += [f"  profile: {begun.profile}"]
    else:
        lines += ["", "In the controls of your profile:", f'  "{wanted.id}": {{"mode": "enforce"}}']
    place = "" if wanted.directory == "policy" else f" {terminal(wanted.directory)}"
    lines += [
        "",
        "Next:",
        f"  gate policy test{place}      run its tests",
        f"  gate policy lint{place}      find what is not portable, misspelt or missing",
        f"  gate policy mutate{place}    find what no test notices",
        "  gate check            judge with it, once gate.yaml names it",
    ]
    return "\n".join(lines)
