"""What is compiled (see `native/`): the embedded Rego engine, and canonical JSON.

Only `gate.evaluate.regorus` imports the engine, and only `gate.formats` the other.
"""

from collections.abc import Sequence
from typing import final

__all__ = [
    "Evaluation",
    "PolicyCompileError",
    "PolicyError",
    "PolicyInputError",
    "PolicyPanic",
    "PolicyRuntimeError",
    "PolicySet",
    "PolicySyntaxError",
    "PolicyTimeout",
    "builtins",
    "canonical_json",
    "syntax",
]

class PolicyError(Exception):
    """Base class of all errors of this module."""

class PolicySyntaxError(PolicyError):
    """A module does not parse."""

class PolicyCompileError(PolicyError):
    """Modules, data and entrypoints do not fit, or the engine would get them wrong."""

class PolicyInputError(PolicyError):
    """Not an entrypoint, not a usable limit, or the input is not JSON."""

class PolicyRuntimeError(PolicyError):
    """A rule failed while it was evaluated."""

class PolicyTimeout(PolicyError):
    """The evaluation used up its time limit."""

class PolicyPanic(PolicyError):
    """The engine itself failed."""

@final
class PolicySet:
    """Modules that passed all checks. Immutable, and free to be used by several threads at once.

    Threads that share one gain nothing: for speed give each its own.
    """

    @staticmethod
    def compile(modules: dict[str, str], data_json: bytes | str, entrypoints: Sequence[str]) -> PolicySet:
        """Check and prepare modules, which are source text by file name.

        What OPA would understand differently is refused, so a policy that loads means the same in both engines.

        Args:
            modules: at most 256 KiB each.
            data_json: the base document, an object that has no value at or below a package.
            entrypoints: rules such as `data.gate.main.decision`. Test rules need not be named.

        Raises:
            PolicySyntaxError: for the first module that does not parse.
            PolicyCompileError: with all other mistakes, each with file, line, column and what to write instead.
            PolicyPanic: the engine failed.
        """

    def evaluate(
        self,
        entrypoint: str,
        input_json: bytes | str,
        *,
        time_limit_s: float,
        coverage: bool = False,
    ) -> Evaluation:
        """The value of an entrypoint or test rule for an input document.

        An overrun of the limit inside one builtin function is noticed only when that function returns.

        Raises:
            PolicyInputError: not an entrypoint, not a limit, or not JSON.
            PolicyRuntimeError: a rule or a builtin function failed.
            PolicyTimeout: the evaluation took longer than `time_limit_s` seconds.
            PolicyPanic: the engine failed.
        """

    def test_rules(self) -> list[str]:
        """The rules named `test_*`, sorted. They can be evaluated like entrypoints."""

@final
class Evaluation:
    """The result of an evaluation."""

    @property
    def json(self) -> str | None:
        """The value as JSON text; `None` if the rule is undefined, which is not the text `null`."""

    @property
    def coverage_json(self) -> str | None:
        """`{file: {"covered": [line], "not_covered": [line]}}`, without files of which nothing ran."""

def builtins() -> dict[str, int]:
    """The builtin functions that a policy may call, with their number of arguments."""

def canonical_json(value: object) -> str:
    """The canonical JSON (RFC 8785) of a value.

    Raises:
        ValueError: a number that no double holds exactly, NaN, infinity, a lone surrogate, too many levels.
        TypeError: what is no JSON.
    """

def syntax(file: str, source: str) -> str:
    """The engine's syntax tree of one module, as JSON text. Only the parser looks at the source.

    Raises:
        PolicySyntaxError: it does not parse.
        PolicyPanic: the engine failed.
    """
