"""Keyless signatures: a certificate that names who signed, judged offline against a pinned trusted root.

The obligations of SECURITY 8, in their order. `gate.verify.sigstore` asks for all of them. Where the sigstore library
verifies what is there, it has to agree to 2 to 4, 6, 7 and 9.

 1. One signature; one entry, of a log of the root; a checkpoint of that log, and of the tree the proof is about
 2. The certificate chains up to an authority, at every trusted time
 3. A certificate log promised it (SCT)
 4. It may sign code
 5. Its identity is one that gate.yaml trusts: issuer, subject, and whatever else it says, each exactly
 6. The entry is in a transparency log (inclusion proof, signed checkpoint, promise when there is one)
 7. The trusted times lie within the validity of the certificate
 8. Every timestamp is by an authority of the root, and authorities and logs were trusted while the certificate lived,
    the log and the timestamp authority at the trusted times too
 9. The signature is over the payload, and the log entry is about this very signature
10. What the library verified is what the gate parsed

Two things are less than that, and say so. A bundle v0.1 may have the promise of its log and no proof: its time counts,
and it is in no log for the controls that ask. A signature in no log at all counts for signers that say
`timestamps_only`, with a timestamp.

Trusted time is the earliest that a log promised or a timestamp authority signed: the signature was there by then.
Nothing is read from a cache of the user and nothing is fetched.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gate.errors import ConfigError
from gate.formats.bundle import rewritten
from gate.formats.certificate_material import CertificateMaterial, LogEntry, Material
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
from gate.verify.identity import matching
from gate.verify.keys import TrustedKey
from gate.verify.sigstore import own
from gate.verify.sigstore.chain import check_others
from gate.verify.sigstore.log import check_logged, read_checkpoint
from gate.verify.sigstore.own import Content, Times
from gate.verify.sigstore.root import Root, read_root

if TYPE_CHECKING:
    from cryptography import x509
    from sigstore.verify import Verifier

_RECORD: Final = "hashedrekord/0.0.2"
# What the library compares with the bundle, by what is signed.
_OF_ENVELOPES: Final = frozenset({"dsse/0.0.1", _RECORD})
_OF_MESSAGES: Final = frozenset({"hashedrekord/0.0.1", _RECORD})
_CONFIG: Final = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_SIGNING_CONFIG: Final = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
# What the library says, told apart; anything else is `invalid`. The order matters: texts quote one another.
_REASONS: Final = (
    ("failed to verify SCT", "sct"),
    ("Key usage", "usage"),
    ("Extended usage", "usage"),
    ("invalid log entry", "log"),
    ("log entry", "log"),
    ("not enough sources of verified time", "time"),
    ("expired at time of signing", "time"),
    ("invalid signature", "signature"),
    ("Signature is invalid", "signature"),
)


@dataclass(frozen=True, slots=True)
class Identified:
    """A signature whose obligations all hold: by which of the trusted identities, and when."""

    identity: CertificateIdentity
    names: tuple[str, ...]
    signed_at_s: int
    time_source: TimeSource
    log_included: bool


@dataclass(frozen=True, slots=True)
class KeylessVerifier:
    """Verifies against one trusted root, which `path` names for people, and these identities by signer."""

    root: TrustedRoot
    path: str
    identities: Mapping[str, IdentitySettings]

    @quiet()
    def verify(self, content: Content, material: CertificateMaterial, now_s: int) -> Identified:
        """Who signed this, and when, `now_s` at the latest; raises `KeylessError`, whatever is wrong with the bundle.

        Raises `ConfigError` when a library is missing or cannot read the trusted root.
        """
        _require_library()
        signature = own.signature_of(content)
        self._check_entries(material)
        certificate = read_certificate(material)
        during, root = self._root_during(*life_of(certificate), material), self._members()
        try:
            check_others(certificate, material, root)
            times = self._times(material, signature, root, now_s)
            own.check_certificate(certificate, root, times, is_logged=bool(material.entries))
            names = self._proved(content, material, certificate, during)
            identity = identity_of(certificate)
        except (KeylessError, ConfigError):
            raise
        except Exception as error:  # whatever a library says about a bundle: it is not verified
            raise KeylessError(_code(error), short_text(error)) from error
        at_s, source = earliest(times)
        is_included = any(entry.proof is not None for entry in material.entries)
        return Identified(identity, names, at_s, source, is_included)

    def beside_key(
        self, content: Content, material: Material, keys: Sequence[TrustedKey], now_s: int
    ) -> tuple[Times, bool]:
        """The times, and whether a log holds it, of a signature that managed keys made; raises `KeylessError`."""
        _require_library()
        root = self._members()
        try:
            return own.beside_key(content, material, keys, root, now_s)
        except KeylessError:
            raise
        except Exception as error:  # as above
            raise KeylessError("invalid", short_text(error)) from error

    def _proved(
        self, content: Content, material: CertificateMaterial, certificate: x509.Certificate, during: JsonObject
    ) -> tuple[str, ...]:
        """Obligations 5, 9 and 10, and what the library says; the signers that are the certificate's identity."""
        policy = _Policy(self.identities, is_logged=bool(material.entries))
        library = self._load(during) if _library_can(content, material, certificate) else None
        if library is not None:
            _verify(library.verifier, content, material, policy)
        names = matching(identity_of(certificate), self.identities, logged=policy.is_logged)
        own.check_entry(content, material)
        own.check_signature(certificate, content, own.signature_of(content))
        return names

    def _check_entries(self, material: CertificateMaterial) -> None:
        """Obligation 1."""
        is_enough = any(item.timestamps_only for item in self.identities.values()) and material.timestamps
        if len(material.entries) != 1 and not (is_enough and not material.entries):
            raise KeylessError("log", f"{len(material.entries)} log entries; exactly one is verified")
        for entry in material.entries:
            _check_entry(entry, self.root.logs)

    def _times(self, material: CertificateMaterial, signature: bytes, root: Root, now_s: int) -> Times:
        """All trusted times of a signature, at least one, with the log's word for its own; raises `KeylessError`."""
        times = own.trusted_times(material, signature, root, now_s)
        if not times:
            raise KeylessError("time", "neither a log nor a timestamp authority says when the signature was made")
        for entry in material.entries:
            check_logged(entry, root.logs, [at_s for at_s, _ in times])
        return times

    def _root_during(self, begins_s: int, ends_s: int, material: CertificateMaterial) -> JsonObject:
        """What of the trusted root was trusted while the certificate lived."""
        root = self.root.during(begins_s, ends_s)
        is_logged = bool(material.entries)
        needed = ["certificateAuthorities", *["tlogs"] * is_logged]
        if is_logged or self.root.document["ctlogs"]:
            needed.append("ctlogs")
        for name in needed:
            if not root[name]:
                raise KeylessError("root", f"none of the {name} in {self.path} was valid when the certificate was")
        return root

    def _members(self) -> Root:
        try:
            return read_root(self.root.data)
        except Exception as error:  # the libraries document no closed set, and read nothing from outside here
            raise ConfigError(f"{self.path}: the trusted root cannot be used: {short_text(error)}") from error

    def _load(self, root: JsonObject) -> _Library | None:
        """The library's verifier; `None` for a root that it does not read, such as one whose names are short."""
        # Ends belong to times, which the library does not say of those of timestamp authorities. Every timestamp was
        # compared with them before.
        return _library(json.dumps(self.root.without_stamp_ends(root)))


@dataclass(frozen=True, slots=True)
class _Policy:
    """The identities that may sign, as the library asks for them: never none, never any."""

    identities: Mapping[str, IdentitySettings]
    is_logged: bool

    def verify(self, cert: x509.Certificate) -> None:
        """Raises `KeylessError` for a certificate of anybody else."""
        matching(identity_of(cert), self.identities, logged=self.is_logged)


@dataclass(frozen=True, slots=True)
class _Library:
    verifier: Verifier


def earliest(times: Times) -> tuple[int, TimeSource]:
    """The earliest of some times."""
    return min(times, key=lambda item: (item[0], item[1].value))


def _check_entry(entry: LogEntry, logs: frozenset[str]) -> None:
    if entry.log not in logs:
        raise KeylessError("log", f"the log {entry.log[:80]!r} is not in the trusted root")
    if entry.proof is None:
        return
    if entry.kind == _RECORD and entry.index != entry.proof.index:
        raise KeylessError("log", "the log entry and its inclusion proof name different places")
    checkpoint = read_checkpoint(entry.proof.checkpoint)
    if checkpoint.tree_size != entry.proof.tree_size:
        raise KeylessError("log", "the checkpoint is of another tree than the inclusion proof")
    if not any(name == checkpoint.name for name, _, _ in checkpoint.signatures):
        raise KeylessError("log", "the checkpoint is not signed in the name of its log")


def _library_can(content: Content, material: CertificateMaterial, certificate: x509.Certificate) -> bool:
    """Whether the library verifies such a signature; what it refuses as a kind is ours to judge."""
    from cryptography.hazmat.primitives.asymmetric import ec

    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        return False
    kinds = _OF_ENVELOPES if isinstance(content, Envelope) else _OF_MESSAGES
    entries = [entry for entry in material.entries if entry.proof is not None]
    is_hashed = isinstance(content, Envelope) or content.algorithm == "sha256"
    return len(entries) == 1 and entries[0].kind in kinds and is_hashed


def _verify(verifier: Verifier, content: Content, material: CertificateMaterial, policy: _Policy) -> None:
    from sigstore.hashes import Hashed
    from sigstore.models import Bundle
    from sigstore_models.common.v1 import HashAlgorithm

    bundle = Bundle.from_json(rewritten(content, material))
    if isinstance(content, Envelope):
        if verifier.verify_dsse(bundle, policy) != (content.payload_type, content.payload):
            raise KeylessError("payload", "the signature is over another payload than the one that was read")
    else:
        verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=content.digest), bundle, policy)


def _require_library() -> None:
    try:
        import sigstore.verify  # noqa: F401 - says whether it is there, once for all that follows
    except ImportError as error:
        raise ConfigError(
            f"a keyless signature cannot be verified without the sigstore library: {error}",
            hint="pip install 'gate[sigstore]'",
        ) from None


@functools.lru_cache(maxsize=16)
def _library(root: str) -> _Library | None:
    """The library's verifier for a trusted root; `None` for one that it does not read."""
    from sigstore.models import ClientTrustConfig
    from sigstore.verify import Verifier

    # The library warns about what it then refuses. What there is to say is in the report.
    logging.getLogger("sigstore").addHandler(logging.NullHandler())
    config = {
        "mediaType": _CONFIG,
        "trustedRoot": json.loads(root),
        "signingConfig": {"mediaType": _SIGNING_CONFIG},
    }
    try:
        return _Library(Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root))
    except Exception:  # noqa: BLE001 - the library documents no closed set; what it does not read is ours to judge by
        return None


def _code(error: Exception) -> str:
    from sigstore.errors import CertValidationError
    from sigstore.models import InvalidBundle

    if isinstance(error, InvalidBundle):
        return "bundle"
    if isinstance(error, CertValidationError):
        return "certificate"
    return next((code for text, code in _REASONS if text in str(error)), "invalid")
