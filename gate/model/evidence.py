"""Evidence, and what verification makes of it: `Verified` or `Rejected`, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gate.model.digest import Digest
from gate.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Evidence:
    """Bytes from outside: one envelope or bundle. Nothing in it is believed.

    `origin` is where it came from, for people: a path, with `#<line>` for a line of a JSON Lines file. `is_legacy`
    tells that the configuration calls what lies there bundles of llmsa, which are read as nothing else. `message` is
    what a message signature in the bundle was made over, where the place tells: a registry's, of a container image.
    """

    origin: str
    data: bytes
    is_legacy: bool = False
    message: bytes | None = None


class Stage(Enum):
    """The obligation that a rejected item did not meet, in the order in which they are checked."""

    ENVELOPE = "envelope"
    SIGNATURE = "signature"
    STATEMENT = "statement"
    SUBJECT = "subject"
    CHAIN = "chain"

    @property
    def exit_code(self) -> int:
        """The cause's exit code (ARCHITECTURE 6)."""
        return {Stage.SIGNATURE: 11, Stage.SUBJECT: 12}.get(self, 14)


class TimeSource(Enum):
    """Who says when something was signed."""

    NONE = "none"
    LOG = "log"
    TIMESTAMP_AUTHORITY = "timestamp-authority"


class Concern(Enum):
    """Whether rejected evidence is about what asks for admission."""

    AT_STAKE = "at_stake"
    """It names an artifact or changed file, or its content cannot be read."""
    OTHERS = "others"
    """It names only digests and names that are not at stake."""


@dataclass(frozen=True, slots=True)
class BuildIdentity:
    """What a certificate says of the job that it was issued to (sigstore/fulcio, oid-info.md); `None` for silence."""

    source_repository: str | None = None
    source_repository_id: str | None = None
    source_ref: str | None = None
    source_digest: str | None = None
    build_trigger: str | None = None
    runner_environment: str | None = None
    build_signer_uri: str | None = None
    build_signer_digest: str | None = None
    build_config_uri: str | None = None


@dataclass(frozen=True, slots=True)
class SignerIdentity:
    """Who signed, as proved by a trusted key or a certificate; `kind` is `key` or `identity`.

    `spki` is the SHA-256 of the key's SubjectPublicKeyInfo, `None` for an identity: its keys live for minutes.
    `build` is what the certificate of an identity says of the job that signed.
    """

    name: str
    kind: str
    spki: Digest | None
    issuer: str | None = None
    subject: str | None = None
    build: BuildIdentity | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A Git commit, in hex, and the refs that are said to have pointed to it.

    Its hash may be a weak one, so it is compared with other commit ids and never with files (SECURITY 11).
    """

    commit: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A named resource with its SHA-256. `other_digests` holds secure digests by algorithm (sha384, sha512), in hex.

    `revision` is there only where there is no secure digest at all: such a subject is no file.
    """

    name: str
    digest: Digest | None
    other_digests: Mapping[str, str] = field(default_factory=dict)
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed in-toto statement. Made only from bytes whose signature was verified.

    `resources` are what it covers: its subjects, or the files of a model signature. `exhaustive` tells that the
    resources must be exactly the files of the artifact (model signing). `facts` has one shape per claim.

    `located` tells that the subjects' names are paths below the root: what it names must be there, as it says.
    Below the paths of `folders` nothing else may be. `statement_type` is the version of in-toto's frame, as signed.
    """

    claim: str
    predicate_type: str
    subjects: tuple[Subject, ...]
    resources: tuple[Subject, ...]
    exhaustive: bool
    depends_on: tuple[Digest, ...]
    stated_at_s: int | None
    facts: JsonObject
    predicate: JsonObject
    located: bool = False
    folders: tuple[str, ...] = ()
    statement_type: str = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement whose obligations all hold.

    `payload` is the digest of the signed bytes, `evidence` that of the bundle or envelope. `artifacts` names
    the artifacts that it is about, each of whose files it covers. `ancestors` are all statements that it
    depends on, directly or not. `signed_at_s` is trusted time, the earliest of its signatures that count;
    `log_included` tells that a transparency log holds one of them.
    """

    payload: Digest
    evidence: Digest
    origin: str
    statement: Statement
    signers: tuple[SignerIdentity, ...]
    artifacts: tuple[str, ...] = ()
    ancestors: tuple[Digest, ...] = ()
    signed_at_s: int | None = None
    time_source: TimeSource = TimeSource.NONE
    log_included: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """An obligation that was not met: where, the word for why, and what was found."""

    stage: Stage
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Evidence that does not count, and why. `code` is `<stage>.<reason>`, `detail` says what was found.

    `also` is what else was found wrong; what comes after a failed signature is not looked at. `payload` and
    `depends_on` are as it says too, unproved, for drawing chains with their gaps.
    `claimed` is the claim it says it makes, unproved; `None` when that cannot be read.
    """

    evidence: Digest
    origin: str
    stage: Stage
    code: str
    detail: str
    claimed: str | None = None
    concern: Concern = Concern.AT_STAKE
    artifacts: tuple[str, ...] = ()
    also: tuple[Failure, ...] = ()
    payload: Digest | None = None
    depends_on: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedSet:
    """All evidence, sorted by digest: what counts and what does not. `skipped` names files that are no evidence."""

    verified: tuple[Verified, ...]
    rejected: tuple[Rejected, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
