"""Own controls that loop, explode or crash the engine: `gate check` ends with exit 4, says why and gives no verdict."""

from __future__ import annotations

import json
import time

import pytest

from tests.acceptance.world import World
from tools.scenario_draft import config

EVALUATION_S = 1
DEADLINE_S = EVALUATION_S + 20
"""What a worker process may take: the time limit, and 20 seconds for starting and loading."""
MARGIN_S = 20
CONTROL = "policy/custom/test/own/own.rego"
PROFILE = "policy/gate/profiles/own/data.json"
METADATA = """\
# METADATA
# title: A control of the test
# description: Does what the test wants.
# custom:
#   severity: high
#   claims: []
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: true
#   fix: Do something else.
package custom.test.own

"""
GOOD = 'status := "pass"\n\nevidence := set()\n\nviolations := set()\n\nreason := "always"\n'
ENGINES = {"embedded": "none", "isolated": "process"}


def use(world: World, rules: str, isolation: str) -> None:
    """Puts the control and the engine into the base, from where the policy is read."""
    engine = f"engine: {{name: regorus, isolation: {isolation}, timeout_s: {EVALUATION_S}}}\n"
    text = config(profile="own").decode()
    profile = {"name": "own", "extends": "baseline", "controls": {"custom.test.own": {"mode": "enforce"}}}
    world.on_main(
        {
            "gate.yaml": f"{text}policy: {{directories: [policy]}}\n{engine}".encode(),
            CONTROL: (METADATA + rules).encode(),
            PROFILE: json.dumps(profile).encode(),
        }
    )


@pytest.mark.parametrize("isolation", ENGINES.values(), ids=ENGINES)
def test_a_good_control_of_ones_own_passes(world: World, isolation: str) -> None:
    use(world, GOOD, isolation)
    done = world.check()
    assert done.code == 0, done.text
    assert done.decision["controls"]["custom.test.own"]["status"] == "pass"


LONG = "numbers.range(1, 99999)"
# What happens, the rules, and what the error says about it.
ATTACKS = {
    "loops": (f"status := count([1 | some i in {LONG}; some j in {LONG}; i + j < 0])\n", "longer than 1 seconds"),
    "loops where nobody asks": (
        f"{GOOD}\nviolations contains 1 if {{ every i in {LONG} {{ every j in {LONG} {{ i + j > 0 }} }} }}\n".replace(
            "violations := set()\n\n", ""
        ),
        "longer than 1 seconds",
    ),
    "calls itself twice, 60 times": (
        "f0(x) := x\n\n"
        + "\n\n".join(f"f{n}(x) := f{n - 1}(x) + f{n - 1}(x)" for n in range(1, 60))
        + "\n\nstatus := f59(1)\n",
        "longer than 1 seconds",
    ),
    "needs itself": ("status := status\n", "recursion"),
    "is a sum without end": ("status := 1" + "\n+1" * 18000 + "\n", "too long or too deeply nested"),
    "nests": ("status := " + "[" * 100 + "]" * 100 + "\n", "nested brackets"),
    "asks the clock": ('status := "pass" if time.now_ns() > 0\n', "time.now_ns"),
    "fails": ('status := "pass" if to_number(input.schema) > 0\n', "the policy failed"),
    "has no portable meaning": ('status := "pass" if 1 / count(set()) > 0\n', "the policy does not load"),
    "says two things": ('status := "pass"\n\nstatus := "fail"\n', "the policy failed"),
}


@pytest.mark.parametrize("isolation", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("name", ATTACKS)
def test_a_control_that_cannot_be_evaluated_is_exit_4(world: World, name: str, isolation: str) -> None:
    rules, said = ATTACKS[name]
    use(world, rules, isolation)
    began = time.monotonic()
    done = world.check()
    assert time.monotonic() - began < EVALUATION_S + MARGIN_S
    assert done.code == 4, done.text
    assert done.out == ""
    assert said in done.text


CRASHES = {
    "has too many signs": "status := " + ("-" * 900 + "\n") * 250 + "1\n",
    "asks for too much memory at once": "status := count(numbers.range(1, 3000000000000))\n",
    "doubles": "a0 := numbers.range(1, 3000000)\n\n"
    + "\n\n".join(f"a{n} := array.concat(a{n - 1}, a{n - 1})" for n in range(1, 40))
    + "\n\nstatus := count(a39)\n",
    "builds a value deeper than the stack": (
        f"d0(x) := {'[' * 10}x{']' * 10}\n\n"
        + "\n\n".join(f"d{n}(x) := {f'd{n - 1}(' * 10}x{')' * 10}" for n in range(1, 6))
        + "\n\nstatus := count(d5(1))\n"
    ),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_control_that_crashes_the_engine_is_exit_4_when_it_is_isolated(world: World, name: str) -> None:
    use(world, CRASHES[name], "process")
    began = time.monotonic()
    done = world.check()
    assert time.monotonic() - began < DEADLINE_S + MARGIN_S
    assert done.code == 4, done.text
    assert done.out == ""
    # On a slow machine the time may be up before the memory is.
    said = ("it crashed, or needed more than 1024 MiB of memory", f"took longer than {EVALUATION_S} seconds")
    assert any(text in done.text for text in said), done.text


def test_a_crash_leaves_no_older_verdict(world: World) -> None:
    """The output file is emptied first, so that nothing stale can be read after a run that ended badly."""
    output = world.root.parent / "decision.json"
    use(world, CRASHES["asks for too much memory at once"], "process")
    output.write_text('{"verdict": "allow"}')
    assert world.check("--output", str(output)).code == 4
    assert output.read_text() == ""
