"""What `gate.yaml` says, checked and frozen (DOCUMENTS 1). Paths are relative to the root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from gate.model.admission_settings import AdmissionSettings
from gate.model.artifact import ArtifactKind
from gate.model.claim import claim_matches
from gate.model.digest import Digest
from gate.model.json import JsonObject
from gate.model.path import fold
from gate.model.registry import OciEvidence
from gate.model.reuse import Verifier

ENVELOPE_SUFFIX: Final = ".sigstore.json"
"""What is appended to the name of a policy bundle for the name of the file that signs it."""
LOG_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")
"""What is appended to the name of a decision log for the names of what SQLite lays beside it, and for its own."""


class Target(Enum):
    """The trusted environment that artifacts want to enter."""

    TRAINING = "training"
    FINE_TUNING = "fine-tuning"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read before the gate gives up with a clear error."""

    evidence_bytes: int = 1 << 20
    """Bytes of one evidence file or report line."""
    evidence_count: int = 10_000
    """Number of envelopes and bundles."""
    report_bytes: int = 64 << 20
    """Bytes of one scanner report."""
    files: int = 100_000
    """Number of files in an artifact or a change."""
    document_bytes: int = 64 << 20
    """Bytes of the input document."""


@dataclass(frozen=True, slots=True)
class ArtifactSettings:
    """One entry of `artifacts`: a path below the root, or an image reference.

    `ignore` are exact paths below a folder: what lies there is no part of the artifact.
    """

    name: str
    kind: ArtifactKind
    path: str | None
    image: str | None
    base: str | None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """One entry of `reports`; `path` may be a glob."""

    tool: str
    path: str
    artifact: str | None


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """One entry of `signals`: a log, which may be a glob, the plugin that reads it, and the image that was watched."""

    plugin: str
    path: str
    artifact: str


@dataclass(frozen=True, slots=True)
class GateSettings:
    """One path-triggered gate."""

    id: str
    trigger_paths: tuple[str, ...]
    required_attestations: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """A keyless signer: everything that is not `None` has to match exactly, `subject_pattern` in full.

    There is a subject or a pattern of one. `timestamps_only` lets a signature count that is in no transparency log.
    """

    issuer: str
    subject: str | None
    source_repository: str | None
    subject_pattern: str | None = None
    source_repository_id: str | None = None
    source_ref: str | None = None
    source_digest: str | None = None
    build_trigger: str | None = None
    runner_environment: str | None = None
    timestamps_only: bool = False


@dataclass(frozen=True, slots=True)
class SignerSettings:
    """A trusted signer: a public key (PEM text, read with the configuration) or a keyless identity."""

    name: str
    claims: tuple[str, ...]
    key_path: str | None
    key_pem: bytes | None
    identity: IdentitySettings | None
    scheme: str | None
    valid_from_s: int | None
    valid_until_s: int | None

    def may_claim(self, claim: str) -> bool:
        """Whether the signer may speak for a claim."""
        return any(claim_matches(pattern, claim) for pattern in self.claims)


@dataclass(frozen=True, slots=True)
class Revocations:
    """What is no longer trusted: keys by SPKI digest or signer name, identities by subject, evidence by digest."""

    keys: frozenset[str]
    identities: frozenset[str]
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class BuilderSettings:
    """A builder that is known: its id in provenance, who signs for it, and the SLSA build level that it deserves."""

    id: str
    signers: tuple[str, ...]
    level: int


@dataclass(frozen=True, slots=True)
class TrustSettings:
    """Who may say what. `digest` is over everything in it, keys included.

    `drafts` are the names of the predicate types that are read though they are no standards yet.
    `sigstore_root` are the bytes of the trusted root, those whose SHA-256 was checked.
    """

    signers: Mapping[str, SignerSettings]
    thresholds: Mapping[str, int]
    revoked: Revocations
    sigstore_trusted_root: str | None
    sigstore_sha256: str | None
    digest: Digest
    sigstore_root: bytes | None = None
    sigstore_max_age_s: int | None = None
    """How old the trusted root may be before that is reported."""
    builders: Mapping[str, BuilderSettings] = field(default_factory=dict)
    drafts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Which policy judges: the packaged library with own controls beside it, or a signed bundle of both.

    `files` are what lies in `directories`, by path below the root. `bundle` and `envelope` are the bytes of a bundle
    and of the statement that signs it, `None` when nobody did; its serial must be at least `serial`.
    """

    directories: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    bundle_path: str | None = None
    bundle: bytes | None = None
    envelope: bytes | None = None
    serial: int = 0

    @property
    def paths(self) -> tuple[str, ...]:
        """The single files that the policy is read from."""
        return () if self.bundle_path is None else (self.bundle_path, self.bundle_path + ENVELOPE_SUFFIX)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What evaluates the policy: `regorus`, embedded or in a worker process, or an OPA server at `url`.

    What is not said about isolation depends on the policy: one with own controls that nobody signed is isolated.

    `ca` is the PEM text of the only authorities that may vouch for the server. `token_file` lies on the machine that
    runs the gate, not in the repository. `timeout_s` is for one evaluation, connecting included.
    """

    name: str = "regorus"
    isolated: bool | None = None
    url: str | None = None
    ca_path: str | None = None
    ca: bytes | None = None
    token_file: str | None = None
    timeout_s: int = 10


@dataclass(frozen=True, slots=True)
class Steering:
    """The files and folders that steer the gate, with their roles; a change to them is judged itself."""

    files: Mapping[str, str]
    folders: tuple[str, ...]

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self.role(path) is not None

    def role(self, path: str) -> str | None:
        """What a path steers, or would on a file system that takes it for another; also one that was not there."""
        folded = fold(path)
        for file, role in self.files.items():
            if fold(file) == folded:
                return role
        return "policy" if any(f"{folded}/".startswith(f"{fold(folder)}/") for folder in self.folders) else None


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """What signs checkpoints of the decision log: the reference of a private key, and the log's name in them.

    `every` is how many records may follow a checkpoint before the next one. `public_keys` are PEM texts by path that
    checkpoints are proved with, beside the signing key itself.
    """

    key: str
    origin: str
    every: int = 100
    public_keys: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """Where decisions are recorded: a file, below the root or with an absolute path, or a PostgreSQL database."""

    sqlite: str | None = None
    service: str | None = None
    dsn_file: str | None = None
    checkpoint: CheckpointSettings | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """What the log is kept in below the root: the file, and what SQLite lays beside it."""
        if self.sqlite is None or self.sqlite.startswith("/"):
            return ()
        return tuple(f"{self.sqlite}{suffix}" for suffix in LOG_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration. `digest` is that of the file's bytes, `source` says where it was read."""

    path: str
    source: str
    digest: Digest
    target: Target
    environment: str
    profile: str
    artifacts: Mapping[str, ArtifactSettings]
    evidence_directories: tuple[str, ...]
    reports: tuple[ReportSettings, ...]
    gates: Mapping[str, GateSettings]
    trust: TrustSettings
    parameters: Mapping[str, JsonObject]
    waivers_path: str | None
    waivers: bytes | None
    allow_empty_diff: bool
    limits: Limits
    profile_text: bytes | None
    """The profile's document when `profile` names a file."""
    policy: PolicySettings = PolicySettings()
    engine: EngineSettings = EngineSettings()
    evidence_registries: tuple[OciEvidence, ...] = ()
    legacy_directories: tuple[str, ...] = ()
    """Those of the evidence directories that hold bundles of llmsa."""
    reuse: Mapping[str, Verifier] = field(default_factory=dict)
    """The verifiers whose summaries stand for evidence that is not here."""
    manifests: tuple[str, ...] = ()
    """Paths or globs of the deployment manifests that will run what is admitted."""
    signals: tuple[SignalSettings, ...] = ()
    allow_globals: frozenset[str] = frozenset()
    """Globals that pickles of this repository's artifacts may name, beside those that the gate knows to be harmless."""
    record: RecordSettings | None = None
    """Where decisions are recorded before they are given."""
    admission: AdmissionSettings | None = None
    """How a webhook judges; without it there is none."""

    @property
    def steering(self) -> Steering:
        """What of the repository steers the gate."""
        roles = {self.path: "configuration"}
        for signer in self.trust.signers.values():
            if signer.key_path is not None:
                roles[signer.key_path] = "key"
        if self.waivers_path is not None:
            roles[self.waivers_path] = "waivers"
        if self.profile_text is not None:
            roles[self.profile] = "profile"
        if self.trust.sigstore_trusted_root is not None:
            roles[self.trust.sigstore_trusted_root] = "trust_root"
        if self.engine.ca_path is not None:
            roles[self.engine.ca_path] = "key"
        authorities = [
            source.access.ca_path for source in self.evidence_registries if source.access.ca_path is not None
        ]
        if self.admission is not None:
            accesses = (registry.access for registry in self.admission.registries.values())
            authorities += [access.ca_path for access in accesses if access.ca_path is not None]
        roles |= dict.fromkeys(authorities, "key")
        roles |= dict.fromkeys(self.policy.paths, "policy")
        if self.record is not None and self.record.checkpoint is not None:
            roles |= dict.fromkeys(self.record.checkpoint.public_keys, "key")
        return Steering(roles, self.policy.directories)
