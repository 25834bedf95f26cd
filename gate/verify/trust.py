"""Who may say what, at one time: the trusted keys, their windows, their claims, and what is revoked.

Keys come only from the configuration. Nothing inside evidence (key ids, hints, embedded keys) chooses or adds one
(SECURITY 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gate.errors import ConfigError
from gate.formats.strict_yaml import suggestion
from gate.model.digest import Digest, parse_digest
from gate.model.evidence import SignerIdentity
from gate.model.settings import SignerSettings, TrustSettings
from gate.verify.keys import KeyFormatError, TrustedKey, load_key


class Untrusted(Exception):  # noqa: N818 - a verdict about a signature, not an error of the program
    """No trusted signer stands behind an envelope. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Signer:
    settings: SignerSettings
    key: TrustedKey

    @property
    def identity(self) -> SignerIdentity:
        return SignerIdentity(self.settings.name, "key", self.key.spki)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The trusted signers at `now_s`, the time of the decision. Keys are revoked by SPKI, whatever their names."""

    signers: tuple[_Signer, ...]
    thresholds: Mapping[str, int]
    revoked_keys: frozenset[Digest]
    revoked_evidence: frozenset[str]
    now_s: int

    def identify(self, signatures: tuple[bytes, ...], signed: bytes) -> tuple[SignerSettings, ...]:
        """The signers whose valid signature is among these; raises `Untrusted` when there is none.

        Every trusted key is tried on every signature; one that is revoked or outside its window does not count.
        Without a trusted timestamp the time of signing is unknown, so the window must hold now (SECURITY 7).
        """
        if not signatures:
            raise Untrusted("none", "the envelope holds no signature")
        matching = [s for s in self.signers if any(s.key.verifies(signature, signed) for signature in signatures)]
        if not matching:
            raise Untrusted("untrusted", f"no trusted key made the signature ({len(self.signers)} were tried)")
        good = [s for s in matching if s.key.spki not in self.revoked_keys]
        if not good:
            raise Untrusted("revoked", f"the key of {matching[0].settings.name} is revoked")
        current = [s for s in good if self._is_current(s.settings)]
        if not current:
            raise Untrusted("expired", f"the key of {good[0].settings.name} is outside its validity window")
        return tuple(signer.settings for signer in current)

    def authorised(self, names: frozenset[str], claim: str) -> tuple[SignerIdentity, ...]:
        """The identities among some signers that may speak for a claim, sorted by name; raises `Untrusted`.

        The threshold counts distinct public keys, never names or signatures (SECURITY 3).
        """
        allowed = [s for s in self.signers if s.settings.name in names and s.settings.may_claim(claim)]
        if not allowed:
            raise Untrusted("claim", f"{', '.join(sorted(names))} may not speak for {claim}")
        needed = self.thresholds.get(claim, 1)
        distinct = len({signer.key.spki for signer in allowed})
        if distinct < needed:
            raise Untrusted("threshold", f"{distinct} distinct trusted keys signed, {claim} needs {needed}")
        return tuple(signer.identity for signer in sorted(allowed, key=lambda signer: signer.settings.name))

    def is_revoked_evidence(self, *digests: Digest) -> bool:
        """Whether one of these digests is revoked."""
        return not self.revoked_evidence.isdisjoint(digests)

    def _is_current(self, settings: SignerSettings) -> bool:
        begins, ends = settings.valid_from_s, settings.valid_until_s
        return (begins is None or begins <= self.now_s) and (ends is None or self.now_s <= ends)


def build_trust_store(trust: TrustSettings, now_s: int) -> TrustStore:
    """Loads the configured keys.

    Raises `ConfigError` for one that is no key, a threshold nobody can reach, or a revocation that would be of
    nothing: neither a signer's name nor a SHA-256.
    """
    signers = []
    for settings in trust.signers.values():
        if settings.key_pem is None:
            continue  # a keyless identity: no managed key, so it can vouch for nothing here
        try:
            signers.append(_Signer(settings, load_key(settings.key_pem, settings.scheme)))
        except KeyFormatError as error:
            raise ConfigError(f"{settings.key_path}: key of signer {settings.name!r}: {error}") from None
    for claim, needed in trust.thresholds.items():
        distinct = len({signer.key.spki for signer in signers if signer.settings.may_claim(claim)})
        if distinct < needed:
            raise ConfigError(f"the threshold of {claim} is {needed}, but {distinct} distinct keys may speak for it")
    return TrustStore(tuple(signers), trust.thresholds, _revoked_keys(trust, signers), trust.revoked.evidence, now_s)


def _revoked_keys(trust: TrustSettings, signers: Sequence[_Signer]) -> frozenset[Digest]:
    """The revoked keys by SPKI. A name stands for its key, so another signer's name does not bring that key back."""
    found = {signer.key.spki for signer in signers if signer.settings.name in trust.revoked.keys}
    for entry in trust.revoked.keys - trust.signers.keys():
        digest = parse_digest(entry)
        if digest is None:
            known = suggestion(entry, sorted(trust.signers))
            raise ConfigError(f"revoked key {entry[:80]!r} is neither a signer nor the sha256:<hex> of a key{known}")
        found.add(digest)
    return frozenset(found)
