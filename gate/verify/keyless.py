"""Keyless signatures: a certificate that names who signed, judged offline against a pinned trusted root.

The obligations of SECURITY 8, in their order. 2 to 7 and 9 are those of the sigstore library, which is told the root
and the identities; the others are ours, because it leaves them open.

 1. One signature; one entry, of a log of the root; a checkpoint of that log, and of the tree the proof is about
 2. The certificate chains up to an authority, at every trusted time
 3. A certificate log promised it (SCT)
 4. It may sign code
 5. Its identity is one that gate.yaml trusts: issuer, subject, and source repository when given, each exactly
 6. The entry is in a transparency log (inclusion proof, signed checkpoint, promise when there is one)
 7. The trusted times lie within the validity of the certificate
 8. Every timestamp is by an authority of the root, and authorities and logs were trusted while the certificate lived
 9. The signature is over the payload, and the log entry is about this very signature
10. What the library verified is what the gate parsed

Trusted time is the earliest that a log promised or a timestamp authority signed: the signature was there by then.
Nothing is read from a cache of the user and nothing is fetched.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gate.errors import ConfigError
from gate.formats.certificate_material import CertificateMaterial
from gate.formats.dsse import Envelope
from gate.formats.trusted_root import TrustedRoot
from gate.model.evidence import TimeSource
from gate.model.json import JsonObject
from gate.model.settings import IdentitySettings
from gate.verify.certificate import (
    CertificateIdentity,
    KeylessError,
    identity_of,
    life_of,
    quiet,
    read_certificate,
    short_text,
)

if TYPE_CHECKING:
    from cryptography import x509
    from rfc3161_client import TimeStampResponse
    from rfc3161_client import Verifier as TimestampVerifier
    from sigstore.verify import Verifier

_MAX_TIMESTAMPS: Final = 32
_SHOWN: Final = 200  # characters of a name in a message
_RECORD: Final = "hashedrekord/0.0.2"
_KINDS: Final = ("dsse/0.0.1", _RECORD)
_CONFIG: Final = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_SIGNING_CONFIG: Final = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
# What the library says, told apart; anything else is `invalid`. The order matters: texts quote one another.
_REASONS: Final = (
    ("failed to verify SCT", "sct"),
    ("invalid log entry", "log"),
    ("log entry", "log"),
    ("not enough sources of verified time", "time"),
    ("expired at time of signing", "time"),
    ("invalid signature", "signature"),
)


@dataclass(frozen=True, slots=True)
class Identified:
    """A signature whose obligations all hold: by which of the trusted identities, and when."""

    identity: CertificateIdentity
    names: tuple[str, ...]
    signed_at_s: int
    time_source: TimeSource


@dataclass(frozen=True, slots=True)
class KeylessVerifier:
    """Verifies against one trusted root, which `path` names for people, and these identities by signer."""

    root: TrustedRoot
    path: str
    identities: Mapping[str, IdentitySettings]

    @quiet()
    def verify(self, envelope: Envelope, material: CertificateMaterial) -> Identified:
        """Who signed the envelope, and when; raises `KeylessError`, whatever is wrong with the bundle.

        Raises `ConfigError` when the library is missing or cannot read the trusted root.
        """
        _require_library()
        _check_entry(envelope, material, self.root.logs)
        certificate = read_certificate(material)
        library = self._load(self._root_during(*life_of(certificate)))
        try:
            times = _times(library, material, envelope.signatures[0])
            payload = _verify(library.verifier, material, _Policy(self.identities))
            identity = identity_of(certificate)
        except KeylessError:
            raise
        except Exception as error:  # whatever a library says about a bundle: it is not verified
            raise KeylessError(_code(error), short_text(error)) from error
        if payload != (envelope.payload_type, envelope.payload):
            raise KeylessError("payload", "the signature is over another payload than the one that was read")
        signed_at_s, source = min(times, key=lambda item: (item[0], item[1].value))
        return Identified(identity, matching(identity, self.identities), signed_at_s, source)

    def _root_during(self, begins_s: int, ends_s: int) -> JsonObject:
        """What of the trusted root was trusted while the certificate lived."""
        root = self.root.during(begins_s, ends_s)
        for name in ("certificateAuthorities", "ctlogs", "tlogs"):
            if not root[name]:
                raise KeylessError("root", f"none of the {name} in {self.path} was valid when the certificate was")
        return root

    def _load(self, root: JsonObject) -> _Library:
        try:
            return _library(json.dumps(root))
        except Exception as error:  # the library documents no closed set, and reads nothing from outside here
            raise ConfigError(f"{self.path}: the trusted root cannot be used: {short_text(error)}") from error


@dataclass(frozen=True, slots=True)
class _Policy:
    """The identities that may sign, as the library asks for them: never none, never any."""

    identities: Mapping[str, IdentitySettings]

    def verify(self, cert: x509.Certificate) -> None:
        """Raises `KeylessError` for a certificate of anybody else."""
        matching(identity_of(cert), self.identities)


@dataclass(frozen=True, slots=True)
class _Authority:
    """A timestamp authority, and when it is trusted."""

    verifier: TimestampVerifier
    begins: datetime
    ends: datetime | None

    def time_of(self, response: TimeStampResponse, signature: bytes) -> int | None:
        """When it saw the signature; `None` unless it is this authority that says so."""
        from rfc3161_client import VerificationError

        at = response.tst_info.gen_time
        try:
            self.verifier.verify_message(response, signature)
        except VerificationError:
            return None
        return int(at.timestamp()) if self.begins <= at and (self.ends is None or at <= self.ends) else None


@dataclass(frozen=True, slots=True)
class _Library:
    verifier: Verifier
    authorities: tuple[_Authority, ...]


def matching(identity: CertificateIdentity, identities: Mapping[str, IdentitySettings]) -> tuple[str, ...]:
    """The signers that are this identity; raises `KeylessError` that says what differs when there is none."""
    who, issuer = identity.subject[:_SHOWN], identity.issuer[:_SHOWN]
    named = {name: item for name, item in identities.items() if item.subject == identity.subject}
    if not named:
        raise KeylessError("identity", f"{who} of {issuer} is no signer in gate.yaml")
    issued = {name: item for name, item in named.items() if item.issuer == identity.issuer}
    if not issued:
        raise KeylessError("issuer", f"{who} comes from {issuer}, which is not its issuer")
    found = tuple(n for n, item in issued.items() if item.source_repository in {None, identity.source_repository})
    if not found:
        ran = (identity.source_repository or "no source repository")[:_SHOWN]
        raise KeylessError("repository", f"{who} signed from {ran}, which is not its source repository")
    return found


def _check_entry(envelope: Envelope, material: CertificateMaterial, logs: frozenset[str]) -> None:
    """Obligation 1, and that the entry is of a kind whose content the library compares with the bundle."""
    if len(envelope.signatures) != 1:
        raise KeylessError("signatures", f"{len(envelope.signatures)} signatures; a certificate makes exactly one")
    if len(material.entries) != 1:
        raise KeylessError("log", f"{len(material.entries)} log entries; exactly one is verified")
    entry = material.entries[0]
    if entry.kind not in _KINDS:
        raise KeylessError("log", f"a log entry of kind {entry.kind[:80]!r}; known are {', '.join(_KINDS)}")
    if entry.log not in logs:
        raise KeylessError("log", f"the log {entry.log[:80]!r} is not in the trusted root")
    if entry.kind == _RECORD and entry.index != entry.proof_index:
        raise KeylessError("log", "the log entry and its inclusion proof name different places")
    note, _, signatures = entry.checkpoint.partition("\n\n")
    origin, size, *_ = [*note.split("\n"), "", ""]
    if size != str(entry.tree_size):
        raise KeylessError("log", "the checkpoint is of another tree than the inclusion proof")
    if not any(line.startswith(f"\u2014 {origin.partition(' ')[0]} ") for line in signatures.split("\n")):
        raise KeylessError("log", "the checkpoint is not signed in the name of its log")


def _times(library: _Library, material: CertificateMaterial, signature: bytes) -> list[tuple[int, TimeSource]]:
    """All trusted times of a signature, at least one; raises `KeylessError`.

    That of the log entry is promised: the library refuses the entry when the promise is not the log's.
    """
    from rfc3161_client import decode_timestamp_response

    times = [(entry.promised_s, TimeSource.LOG) for entry in material.entries if entry.promised_s]
    if len(material.timestamps) > _MAX_TIMESTAMPS:
        raise KeylessError("timestamp", f"{len(material.timestamps)} timestamps, at most {_MAX_TIMESTAMPS} are read")
    for number, data in enumerate(material.timestamps):
        try:
            response = decode_timestamp_response(data)
        except ValueError as error:
            raise KeylessError("timestamp", f"timestamp {number} cannot be read: {short_text(error)}") from error
        found = [item.time_of(response, signature) for item in library.authorities]
        at_s = next((item for item in found if item is not None), None)
        if at_s is None:
            raise KeylessError("timestamp", f"timestamp {number} is by no timestamp authority of the trusted root")
        times.append((at_s, TimeSource.TIMESTAMP_AUTHORITY))
    if not times:
        raise KeylessError("time", "neither a log nor a timestamp authority says when the signature was made")
    return times


def _verify(verifier: Verifier, material: CertificateMaterial, policy: _Policy) -> tuple[str, bytes]:
    from sigstore.models import Bundle

    return verifier.verify_dsse(Bundle.from_json(material.bundle), policy)


def _require_library() -> None:
    try:
        import sigstore.verify  # noqa: F401 - says whether it is there, once for all that follows
    except ImportError as error:
        raise ConfigError(
            f"a keyless signature cannot be verified without the sigstore library: {error}",
            hint="pip install 'gate[sigstore]'",
        ) from None


@functools.lru_cache(maxsize=16)
def _library(root: str) -> _Library:
    """The library's verifiers for a trusted root; raises whatever the library does."""
    from rfc3161_client import VerifierBuilder
    from sigstore.models import ClientTrustConfig
    from sigstore.verify import Verifier

    # The library warns about what it then refuses. What there is to say is in the report.
    logging.getLogger("sigstore").addHandler(logging.NullHandler())
    config = {
        "mediaType": _CONFIG,
        "trustedRoot": json.loads(root),
        "signingConfig": {"mediaType": _SIGNING_CONFIG},
    }
    trusted = ClientTrustConfig.from_json(json.dumps(config)).trusted_root
    authorities = []
    for authority in trusted.get_timestamp_authorities():
        first, *others = authority.certificates(allow_expired=True)
        verifier = VerifierBuilder(tsa_certificate=first, intermediates=others[:-1], roots=others[-1:]).build()
        authorities.append(_Authority(verifier, authority.validity_period_start, authority.validity_period_end))
    return _Library(Verifier(trusted_root=trusted), tuple(authorities))


def _code(error: Exception) -> str:
    from sigstore.errors import CertValidationError
    from sigstore.models import InvalidBundle

    if isinstance(error, InvalidBundle):
        return "bundle"
    if isinstance(error, CertValidationError):
        return "certificate"
    return next((code for text, code in _REASONS if text in str(error)), "invalid")
