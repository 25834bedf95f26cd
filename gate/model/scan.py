"""Scans, what they covered, and what they found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gate.model.digest import Digest


class Basis(Enum):
    """Why a scan may be believed."""

    ATTESTED = "attested"
    """A signed statement binds the report to digests."""
    OBSERVED = "observed"
    """A report that lies in the workspace, unsigned: it can refuse, and satisfies only where the profile says so."""
    INSPECTED = "inspected"
    """The gate read the bytes itself."""


class ScanStatus(Enum):
    """Whether the scan came to its end."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Some files were skipped or met an error."""
    FAILED = "failed"
    """The report is missing, unreadable, or says that the tool failed."""


class Severity(Enum):
    """The closed scale of severities, in rising order. A severity nobody knows counts as CRITICAL."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Category(Enum):
    """What kind of thing was found, and so which controls it concerns."""

    UNSAFE = "unsafe"
    """The bytes can run code, or harm what loads them."""
    VULNERABILITY = "vulnerability"
    SECRET = "secret"
    CONFIGURATION = "configuration"
    OTHER = "other"
    """The report does not tell: it concerns every control that looks at findings."""


class FindingStatus(Enum):
    """Whether somebody already judged the finding."""

    OPEN = "open"
    SUPPRESSED = "suppressed"
    NOT_AFFECTED = "not_affected"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `file` is relative to the artifact's path; both are `None` when the report does not say.

    `score_bp` is a score out of ten in basis points of ten (9.8 is 9800), 0 when there is none.
    """

    rule: str
    severity: Severity
    message: str
    artifact: str | None = None
    file: str | None = None
    score_bp: int = 0
    aliases: tuple[str, ...] = ()
    purl: str | None = None
    fixed_in: str | None = None
    status: FindingStatus = FindingStatus.OPEN
    justification: str | None = None
    category: Category = Category.OTHER


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a scan looked at, by path relative to the artifact.

    `scanned` maps each judged file to the digest of the bytes it was judged by. `missing` and `errors` say why
    a file was not judged. `expected` counts the files there are.
    """

    expected: int
    scanned: Mapping[str, Digest] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of one artifact (or of no particular one) with its findings."""

    tool: str
    version: str
    basis: Basis
    artifact: str | None
    report: Digest | None
    status: ScanStatus
    coverage: Coverage
    findings: tuple[Finding, ...] = ()
    arguments: tuple[str, ...] = ()
    database_at_s: int = 0
    origin: str = ""
    problem: str | None = None
    """Why the status is FAILED or INCOMPLETE, for people."""


@dataclass(frozen=True, slots=True)
class RawReport:
    """A report as it lies in the workspace, before it is read. `data` is `None` when it could not be read."""

    tool: str
    origin: str
    artifact: str | None
    data: bytes | None
    problem: str | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """One chat template: the SHA-256 of its UTF-8 text, and what in it no chat template needs."""

    digest: Digest
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileInspection:
    """What static inspection says about one file's bytes.

    `format` is the recognised format. `inspected` is false for an unknown format: then nothing is claimed about
    the file, and `reason` says why. `findings` are about these bytes. `templates` are the chat templates in them, by
    their place in the file. `base` is the model that an adapter says it is for.
    """

    format: str
    inspected: bool
    reason: str | None = None
    findings: tuple[Finding, ...] = ()
    templates: Mapping[str, Template] = field(default_factory=dict)
    base: str | None = None
