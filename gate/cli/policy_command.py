"""`gate policy`: the workshop for people who write controls, and the bundles that carry them."""

from __future__ import annotations

from typing import Final

import click

from gate.cli.lazy import LazyGroup

# In the order of use; each is `command` in the module of that name below `gate.cli.policy`.
COMMANDS: Final = {
    "new": "Start a control: rules, tests, scenarios and a page that already work.",
    "test": "Run the tests of controls, and say which lines none of them reaches.",
    "eval": "Evaluate an expression against an input document.",
    "lint": "Find what is not portable, misspelt, undocumented or untested.",
    "mutate": "Weaken the controls in every way, and say what no test notices.",
    "sweep": "Take passing inputs apart, and say what a control does not miss.",
    "impact": "Say what past decisions would become under the policy of the work tree.",
    "fmt": "Format Rego with OPA.",
    "check": "Check Rego with OPA and Regal, types of the input included.",
    "bundle": "Build a signed bundle of the library and own controls.",
    "verify": "Verify a signed bundle as the gate does before it judges.",
}


@click.group("policy", cls=LazyGroup, commands_below="gate.cli.policy", lines=COMMANDS)
def command() -> None:
    """Write, test and ship controls.

    A policy directory has the layout of the library: gate/controls/<family>/<name>/<name>.rego with its test beside
    it. The page docs/how-to/write-a-control.md goes through all of it.
    """
