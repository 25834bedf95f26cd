"""Everything that can stop the gate from doing its work.

    GateError            exit code and a hint for the person who reads it
    ├── ConfigError      2   usage, gate.yaml, keys, waivers, profiles
    ├── EvidenceError    3   something that must be read could not be read
    │   ├── HistoryError     git: missing base, shallow or broken history
    │   ├── LimitError       a size or count limit was reached
    │   └── UnavailableError a server could not be reached, or did not answer in time
    ├── PolicyError      4   the policy could not be loaded or evaluated
    │   └── PolicyTimeout    its time limit was used up
    ├── AttestError      5   creating, signing, publishing or writing failed
    ├── RecordError      5   a decision could not be recorded, so it is not given
    └── ClockError       3   the clock jumped, or is behind what is recorded already

A bad signature is none of these: it is a `Rejected` item in the document. An exception means that no
decision was made, and that blocks too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class GateError(Exception):
    """The gate could not do its work. `str()` says what happened and where, `hint` what to do about it.

    `details` names each of many things that are wrong, one a line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.details = tuple(details)


class ConfigError(GateError):
    """Usage, configuration, trusted keys, waivers or profile are wrong."""

    exit_code = 2


class EvidenceError(GateError):
    """Something that has to be read (history, file, report, registry) could not be read."""

    exit_code = 3


class HistoryError(EvidenceError):
    """Git cannot say what changed. Never to be taken for "no changes" (SECURITY: git)."""


class LimitError(EvidenceError):
    """A limit of size or number was reached; nothing is silently cut off."""


class UnavailableError(EvidenceError):
    """A server that must be asked could not be reached, is overloaded or too slow: another time it may answer."""


class PolicyError(GateError):
    """The policy could not be loaded, or its answer is not a complete evaluation."""

    exit_code = 4


class PolicyTimeout(PolicyError):
    """The evaluation used up its time limit."""


class AttestError(GateError):
    """Creating, signing, publishing or writing an attestation failed."""

    exit_code = 5


class RecordError(GateError):
    """The decision log could not be written or synced. Without a durable record there is no answer (SECURITY 36)."""

    exit_code = 5


class ClockError(GateError):
    """The clock of this machine cannot be believed: it jumped, or stands before what was recorded."""

    exit_code = 3
