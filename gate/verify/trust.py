"""Who may say what, at one time: the trusted keys and identities, their windows, their claims, and what is revoked.

Keys and identities come only from the configuration. Nothing inside evidence (key ids, hints, embedded keys and
certificates) chooses or adds one (SECURITY 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gate.errors import ConfigError
from gate.formats.bundle import Container
from gate.formats.strict_yaml import suggestion
from gate.formats.trusted_root import TrustedRootError, parse_trusted_root
from gate.model.digest import Digest, parse_digest
from gate.model.evidence import SignerIdentity, TimeSource
from gate.model.settings import IdentitySettings, SignerSettings, TrustSettings
from gate.verify.certificate import KeylessError
from gate.verify.keyless import KeylessVerifier
from gate.verify.keys import KeyFormatError, TrustedKey, load_key


class Untrusted(Exception):  # noqa: N818 - a verdict about a signature, not an error of the program
    """No trusted signer stands behind an envelope. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Proof:
    """Who signed an envelope. `signed_at_s` is trusted time; there is none for a managed key, and no log."""

    signers: tuple[SignerSettings, ...]
    signed_at_s: int | None = None
    time_source: TimeSource = TimeSource.NONE
    log_included: bool = False


@dataclass(frozen=True, slots=True)
class _Signer:
    """A signer by what proves it: the SPKI of a managed key, or the issuer and subject of certificates."""

    settings: SignerSettings
    proved_by: Digest | tuple[str, str]

    @property
    def identity(self) -> SignerIdentity:
        if isinstance(self.proved_by, str):
            return SignerIdentity(self.settings.name, "key", self.proved_by)
        return SignerIdentity(self.settings.name, "identity", None, *self.proved_by)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The trusted signers at `now_s`, the time of the decision.

    What is revoked is revoked whatever its name: keys by SPKI, identities by issuer and subject or by subject alone.
    """

    signers: Mapping[str, _Signer]
    keys: Mapping[str, TrustedKey]
    keyless: KeylessVerifier | None
    thresholds: Mapping[str, int]
    revoked: frozenset[Digest | tuple[str, str]]
    revoked_subjects: frozenset[str]
    revoked_evidence: frozenset[str]
    now_s: int

    def prove(self, container: Container) -> Proof:
        """Who signed an envelope, in the one mode of trust that its container is of; raises `Untrusted`."""
        envelope, material = container.envelope, container.material
        if material is None:
            return Proof(self.identify(envelope.signatures, envelope.signed_bytes))
        if self.keyless is None:
            raise Untrusted(
                "keyless_unconfigured",
                "a keyless signature: gate.yaml has no trust.sigstore (trusted_root and sha256) to verify it with",
            )
        try:
            found = self.keyless.verify(envelope, material)
        except KeylessError as error:
            raise Untrusted(f"keyless_{error.code}", str(error)) from None
        # Short-lived keys are judged at the time of their signature, not now (SECURITY 7).
        signers = self._accepted(found.names, f"identity {found.identity.subject}", found.signed_at_s)
        return Proof(signers, found.signed_at_s, found.time_source, log_included=True)

    def identify(
        self, signatures: tuple[bytes, ...], signed: bytes, algorithm: str | None = None
    ) -> tuple[SignerSettings, ...]:
        """The signers whose valid signature is among these; raises `Untrusted` when there is none.

        Every trusted key (of the algorithm, if one is given) is tried on every signature; one that is revoked or
        outside its window does not count.
        Without a trusted timestamp the time of signing is unknown, so the window must hold now (SECURITY 7).
        """
        if not signatures:
            raise Untrusted("none", "the envelope holds no signature")
        tried = {name: key for name, key in self.keys.items() if algorithm in {None, key.algorithm}}
        matching = tuple(n for n, key in tried.items() if any(key.verifies(item, signed) for item in signatures))
        if not matching:
            raise Untrusted("untrusted", f"no trusted key made the signature ({len(tried)} were tried)")
        return self._accepted(matching, "key", self.now_s)

    def _accepted(self, names: tuple[str, ...], what: str, at_s: int) -> tuple[SignerSettings, ...]:
        good = [self.signers[name] for name in names if not self._is_revoked(self.signers[name])]
        if not good:
            raise Untrusted("revoked", f"the {what} of {names[0]} is revoked")
        current = tuple(signer.settings for signer in good if _is_current(signer.settings, at_s))
        if not current:
            raise Untrusted("expired", f"the {what} of {good[0].settings.name} is outside its validity window")
        return current

    def authorised(self, names: frozenset[str], claim: str) -> tuple[SignerIdentity, ...]:
        """The identities among some signers that may speak for a claim, sorted by name; raises `Untrusted`.

        The threshold counts distinct public keys and distinct identities, never names or signatures (SECURITY 3).
        """
        allowed = [s for n, s in sorted(self.signers.items()) if n in names and s.settings.may_claim(claim)]
        if not allowed:
            raise Untrusted("claim", f"{', '.join(sorted(names))} may not speak for {claim}")
        needed = self.thresholds.get(claim, 1)
        distinct = len({signer.proved_by for signer in allowed})
        if distinct < needed:
            raise Untrusted("threshold", f"{distinct} distinct trusted signers signed, {claim} needs {needed}")
        return tuple(signer.identity for signer in allowed)

    def _is_revoked(self, signer: _Signer) -> bool:
        identity = signer.settings.identity
        return signer.proved_by in self.revoked or (identity is not None and identity.subject in self.revoked_subjects)

    def is_revoked_evidence(self, *digests: Digest) -> bool:
        """Whether one of these digests is revoked."""
        return not self.revoked_evidence.isdisjoint(digests)


def build_trust_store(trust: TrustSettings, now_s: int) -> TrustStore:
    """Loads the configured keys and the trusted root.

    Raises `ConfigError` for one that is none, a threshold nobody can reach, or a revocation that would be of
    nothing: neither a signer's name nor a SHA-256.
    """
    keys = {name: _key(item) for name, item in trust.signers.items() if item.key_pem is not None}
    keyless = _keyless(trust)
    identities = keyless.identities if keyless is not None else {}
    signers = {
        name: _Signer(item, keys[name].spki if name in keys else _pair(identities[name]))
        for name, item in trust.signers.items()
        if name in keys or name in identities
    }
    for claim, needed in trust.thresholds.items():
        distinct = len({signer.proved_by for signer in signers.values() if signer.settings.may_claim(claim)})
        if distinct < needed:
            raise ConfigError(f"the threshold of {claim} is {needed}, but {distinct} distinct signers may speak for it")
    revoked = _revoked(trust, signers)
    subjects, evidence = trust.revoked.identities, trust.revoked.evidence
    return TrustStore(signers, keys, keyless, trust.thresholds, revoked, subjects, evidence, now_s)


def _key(settings: SignerSettings) -> TrustedKey:
    try:
        return load_key(settings.key_pem or b"", settings.scheme)
    except KeyFormatError as error:
        raise ConfigError(f"{settings.key_path}: key of signer {settings.name!r}: {error}") from None


def _keyless(trust: TrustSettings) -> KeylessVerifier | None:
    """What verifies keyless signatures; without a trusted root no identity can be proved."""
    path = trust.sigstore_trusted_root
    if path is None or trust.sigstore_root is None:
        return None
    try:
        root = parse_trusted_root(trust.sigstore_root)
    except TrustedRootError as error:
        raise ConfigError(f"{path}: {error}") from None
    identities = {name: item.identity for name, item in trust.signers.items() if item.identity is not None}
    return KeylessVerifier(root, path, identities)


def _pair(identity: IdentitySettings) -> tuple[str, str]:
    return identity.issuer, identity.subject


def _is_current(settings: SignerSettings, at_s: int) -> bool:
    begins, ends = settings.valid_from_s, settings.valid_until_s
    return (begins is None or begins <= at_s) and (ends is None or at_s <= ends)


def _revoked(trust: TrustSettings, signers: Mapping[str, _Signer]) -> frozenset[Digest | tuple[str, str]]:
    """What is revoked. A name stands for what proves it, so another signer's name does not bring that back."""
    found: set[Digest | tuple[str, str]] = set()
    for entry in trust.revoked.keys | trust.revoked.identities:
        if entry in signers:
            found.add(signers[entry].proved_by)
    for entry in trust.revoked.keys - trust.signers.keys():
        digest = parse_digest(entry)
        if digest is None:
            known = suggestion(entry, sorted(trust.signers))
            raise ConfigError(f"revoked key {entry[:80]!r} is neither a signer nor the sha256:<hex> of a key{known}")
        found.add(digest)
    return frozenset(found)
