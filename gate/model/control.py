"""Controls, profiles, and what an evaluation says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gate.model.artifact import ArtifactKind
from gate.model.digest import Digest
from gate.model.json import JsonObject, JsonValue

# Families whose controls look at statements, waivers or a change, and pass over an artifact without any.
_NOT_OF_ARTIFACTS: Final = frozenset({"chain", "change", "evidence", "privacy", "waiver"})
# Families whose controls look at what runs: how it loads a model, and not at the model.
_OF_WORKLOADS: Final = frozenset({"deploy"})
ARTIFACT_KINDS: Final = "<artifact-kinds>"
"""The choices of a parameter that says which kinds of artifacts a control judges."""


class Mode(Enum):
    """What a profile wants of a control."""

    ENFORCE = "enforce"
    WARN = "warn"
    OFF = "off"


class Status(Enum):
    """What the Rego library may say about a control."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason for a refusal. `code` is `<control>.<reason>`; `artifact` and `file` say where."""

    code: str
    message: str
    artifact: str | None
    file: str | None
    evidence: tuple[Digest, ...]

    @property
    def is_missing(self) -> bool:
        """Whether it says that evidence is absent, rather than that something is wrong (exit 10, not 13)."""
        return self.code.rpartition(".")[2].endswith("missing")


@dataclass(frozen=True, slots=True)
class ControlResult:
    """The status of one control, exactly as the library returned it and the host accepted it."""

    status: Status
    violations: tuple[Violation, ...]
    evidence: tuple[Digest, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """Which controls are asked for, and with which parameters. At least one is enforced."""

    name: str
    controls: Mapping[str, Mode]
    parameters: Mapping[str, JsonObject]

    @property
    def asked(self) -> frozenset[str]:
        """The controls that an evaluation must answer: all but those that are off."""
        return frozenset(control for control, mode in self.controls.items() if mode is not Mode.OFF)


@dataclass(frozen=True, slots=True)
class FrameworkReference:
    """The requirements of one framework that evidence for a control supports. `relation`: supports, partly supports."""

    relation: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a control, which a profile or `gate.yaml` may set. `<claim>` stands for any claim's name.

    `default` is what the control takes where neither sets it; `None` where its METADATA names none. `choices` are the
    only words that it takes, or a set of words such as `<claims>`; none for any. `least` is how many a list holds, or
    the least that a number is.
    """

    name: str
    type: str
    meaning: str
    default: JsonValue = None
    choices: tuple[str, ...] = ()
    least: int | None = None

    @property
    def expected(self) -> str:
        """Its type and its words, for people."""
        words = f" of {', '.join(word.strip('<>').replace('-', ' ') for word in self.choices)}" if self.choices else ""
        return f"{self.type}{words}" + (f", at least {self.least}" if self.least is not None else "")


@dataclass(frozen=True, slots=True)
class ControlInfo:
    """A control's METADATA block (CONTROLS 1)."""

    id: str
    title: str
    description: str
    severity: str
    claims: tuple[str, ...]
    artifacts: tuple[str, ...]
    targets: tuple[str, ...]
    waivable: bool
    fix: str
    frameworks: Mapping[str, FrameworkReference]
    parameters: tuple[Parameter, ...] = ()

    @property
    def family(self) -> str:
        """The id without the control's own name: `scan` of `scan.malware`, `custom.scan` of `custom.scan.virus`."""
        return self.id.rpartition(".")[0]

    def judges(self, settings: JsonObject) -> tuple[str, ...]:
        """The kinds of artifacts that it judges itself, and not only statements, waivers, a change or what runs.

        `settings` are its parameters as the profile has them: one that says which kinds are judged leaves others out.
        """
        family = self.id.partition(".")[0]
        kinds = () if family in _NOT_OF_ARTIFACTS else self.artifacts
        if family in _OF_WORKLOADS:
            kinds = tuple(kind for kind in kinds if kind == ArtifactKind.CONTAINER.value)
        for parameter in self.parameters:
            if parameter.choices == (ARTIFACT_KINDS,):
                words = settings.get(parameter.name, parameter.default)
                kinds = tuple(kind for kind in kinds if isinstance(words, list | tuple) and kind in words)
        return kinds


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A complete, accepted answer of a policy engine: exactly the controls that were asked for."""

    results: Mapping[str, ControlResult]
    engine: str
    engine_version: str
    policy: Digest
    input: Digest
