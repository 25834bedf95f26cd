"""An error as a person reads it: what happened and where, then what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from gate.cli.exit_codes import EXIT_CODES
from gate.errors import GateError, PolicyError


def error_text(error: GateError) -> str:
    """An error of the gate.

    An engine shows the line of the policy that it means; no line of it begins where a message of ours does.
    """
    if isinstance(error, PolicyError):
        first, *lines = str(error).split("\n")
        return failure_text(first, error.hint, error.exit_code, lines)
    return failure_text(str(error), error.hint, error.exit_code, error.details)


def failure_text(message: str, hint: str, code: int, more: Sequence[str] = ()) -> str:
    """A failure with its exit code; `more` are further lines."""
    from gate.report.escape import terminal

    lines = [f"gate: {EXIT_CODES.get(code, 'error')}: {terminal(message)}"]
    lines += [f"        {terminal(line)}" for line in more]
    if hint:
        lines.append(f"      try: {terminal(hint)}")
    return "\n".join(lines)
