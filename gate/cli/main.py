"""`gate`: the lazy group of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from typing import Final, Never

import click

from gate import __version__
from gate.cli.exit_codes import BUG, EXIT_CODES, INTERRUPTED, UNWRITTEN
from gate.cli.failure import error_text, failure_text
from gate.cli.lazy import LazyGroup
from gate.errors import GateError

_EPILOG: Final = "\b\nExit codes:\n" + "\n".join(f"  {code:>2}  {text}" for code, text in EXIT_CODES.items())
COMPLETE: Final = "_GATE_COMPLETE"
"""The variable by which a shell asks for completion."""
# Commands are imported when they run. Their help lines stand here, and a test holds them to the commands.
COMMANDS: Final = {
    "check": "Decide whether a change may be promoted.",
    "webhook": "Decide what a cluster may run.",
    "audit": "Judge what a cluster runs already, as the webhook would judge it now.",
    "verify": "Verify the evidence and say what counts and what does not.",
    "scan": "Look inside model files, without loading them.",
    "chain": "Show how statements build on one another.",
    "lineage": "Draw where artifacts come from, and where nothing says so.",
    "recall": "List what rests on a key, an identity, a statement or an artifact.",
    "input": "Print the normalised document that the policy judges.",
    "replay": "Make a recorded decision again, and compare it byte by byte.",
    "diff": "Say what differs between two decisions, or between two input documents.",
    "log": "Look at the decisions that were recorded.",
    "init": "Look at this repository and propose a gate.yaml.",
    "attest": "Create attestations.",
    "sign": "Sign a model folder, a file or statements.",
    "publish": "Attach signed bundles to an image in a registry.",
    "pull": "Write the bundles that are attached to an image in a registry.",
    "keygen": "Make a signing key, and say how to trust it.",
    "controls": "List, show and compare the controls, and map them to frameworks.",
    "report": "Show a saved decision in another form.",
    "explain": "Say why a control passes or refuses an input, condition by condition.",
    "policy": "Write, test and ship controls.",
    "demo": "See what the gate notices, on an application that it brings along.",
    "scenarios": "Judge the gate by supply-chain scenarios, or another gate by the same.",
    "doctor": "Say what is missing, and what is weak in the configuration.",
    "completion": "Print the shell's completion script.",
}


@click.command(
    cls=LazyGroup,
    commands_below="gate.cli",
    lines=COMMANDS,
    suffix="_command",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="gate")
def main() -> None:
    """Decide whether an AI artifact may be trained on, fine-tuned or deployed.

    Evidence (signatures, attestations, scans) is verified, normalised into one document and judged by a Rego
    library of controls. The answer is yes only when every required control passed.
    """


def run(arguments: Sequence[str] | None = None) -> Never:
    """Runs the program and exits. No traceback reaches a person, and no error looks like a yes."""
    # Most of a short run is imports, which make no garbage: the collector would only look at it again and again.
    gc.set_threshold(50_000)
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    if getattr(sys, "stdout", None) is None:
        return _fail("standard output is closed, so nobody could read the answer", "", UNWRITTEN)
    try:
        code = _answer(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except GateError as error:
        _say(error_text(error))
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _fail("interrupted", "", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        _say(error.format_message())
        return error.exit_code
    except click.UsageError as error:
        return _fail(error.format_message(), _usage_hint(error), error.exit_code)
    except click.ClickException as error:
        return _fail(error.format_message(), "", error.exit_code)
    except OSError as error:
        # Also when whoever read our output is gone: an answer that was not delivered is no success.
        _abandon_output()
        message = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        return _fail(message, "", UNWRITTEN)
    except BaseException as error:  # noqa: BLE001 - also SystemExit(0) from a library must not look like a yes
        return _bug(error)
    return code


def _answer(arguments: list[str]) -> int:
    """The exit code of a command.

    Click's own `main` is not used: it turns a broken pipe into an exit of its own, and lets a variable of the
    environment turn any command into completion. Here that is answered only where the shell asks: without arguments.
    """
    instruction = os.environ.get(COMPLETE, "")
    if instruction and not arguments:
        from click.shell_completion import shell_complete

        return shell_complete(main, {}, "gate", COMPLETE, instruction)
    try:
        with main.make_context("gate", arguments) as context:
            code = main.invoke(context)
    except click.exceptions.Exit as end:
        code = end.exit_code
    if code is not None and type(code) is not int:
        raise TypeError(f"a command answered {code!r}")
    return code or 0


def _abandon_output() -> None:
    """What could not be written is given up, or the interpreter would try again at its end and fail."""
    with contextlib.suppress(OSError, ValueError):
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage_hint(error: click.UsageError) -> str:
    return f"{error.ctx.command_path} --help" if error.ctx is not None else "gate --help"


def _fail(message: str, hint: str, code: int) -> int:
    _say(failure_text(message, hint, code))
    return code


def _say(text: str) -> None:
    """Tells a person, if there is one; nothing else depends on it."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _bug(error: BaseException) -> int:
    from gate.report.escape import terminal

    place = "unknown place"
    trace = error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
        trace = trace.tb_next
    _say(
        f"gate: this is a bug in the gate: {type(error).__name__} at {place}: {terminal(str(error))}\n"
        "      No decision was made. Please report it with this line and the command you ran."
    )
    return BUG
