"""Who may say what, at one time: the trusted keys and identities, their windows, their claims, and what is revoked.

Keys and identities come only from the configuration. Nothing inside evidence (key ids, hints, embedded keys and
certificates) chooses or adds one (SECURITY 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gate.errors import ConfigError
from gate.formats.bundle import Container
from gate.formats.certificate_material import Material
from gate.formats.dsse import Envelope
from gate.formats.lru import sealed
from gate.formats.predicates import PLAIN, Reading
from gate.formats.strict_yaml import suggestion
from gate.formats.trusted_root import TrustedRootError, parse_trusted_root
from gate.model.claim import is_predicate_type
from gate.model.digest import Digest, parse_digest
from gate.model.evidence import SignerIdentity, TimeSource
from gate.model.settings import IdentitySettings, SignerSettings, TrustSettings
from gate.verify.cache import Matched, SignatureCache
from gate.verify.certificate import CertificateIdentity, KeylessError
from gate.verify.identity import matches
from gate.verify.keyless import KeylessVerifier, earliest
from gate.verify.keys import KeyFormatError, TrustedKey, load_key
from gate.verify.sigstore.own import Content, is_signed_by

Proven = tuple[str, CertificateIdentity | None]
"""A signer's name, and whom its certificate named; `None` for a managed key."""


class Untrusted(Exception):  # noqa: N818 - a verdict about a signature, not an error of the program
    """No trusted signer stands behind an envelope. `code` is the reason word of the rejection."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Proof:
    """Who signed something. `signed_at_s` is trusted time; a managed key has none unless a log or a timestamp says it.

    `identity` is whom the certificate names, `None` for managed keys.
    """

    signers: tuple[SignerSettings, ...]
    signed_at_s: int | None = None
    time_source: TimeSource = TimeSource.NONE
    log_included: bool = False
    identity: CertificateIdentity | None = None

    @property
    def proven(self) -> frozenset[Proven]:
        """The signers with what proved each of them."""
        return frozenset((signer.name, self.identity) for signer in self.signers)


@dataclass(frozen=True, slots=True)
class _Signer:
    """A signer with the SPKI of its managed key; an identity has none, and is who its certificate names.

    `provable` is what can prove it, as far as the configuration tells: a pattern counts as one, whomever it matches.
    """

    settings: SignerSettings
    spki: Digest | None
    provable: Digest | tuple[str, str]

    def proved_by(self, identity: CertificateIdentity | None) -> Digest | tuple[str, str]:
        """What makes two signatures of one person's: the key, or issuer and subject of a certificate.

        A workflow is one whatever ref it ran for.
        """
        return self.provable if identity is None else _person(*identity.who)

    def identity(self, named: CertificateIdentity | None) -> SignerIdentity:
        """The signer as it was proved."""
        if named is None:
            return SignerIdentity(self.settings.name, "key", self.spki)
        return SignerIdentity(self.settings.name, "identity", None, named.issuer, named.subject, named.build)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The trusted signers at `now_s`, the time of the decision; `reading` is what the configuration lets them say.

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
    reading: Reading = PLAIN
    revoked_patterns: tuple[IdentitySettings, ...] = ()
    cache: SignatureCache | None = field(default=None, repr=False, compare=False)
    """What remembers whose signatures hold; without one everything is found out each time."""
    fingerprint: bytes = b""
    """What entries of the cache are for, beside the bytes of the evidence."""

    def at(self, now_s: int) -> TrustStore:
        """The same signers at another time."""
        return replace(self, now_s=now_s)

    def prove(self, container: Container) -> Proof:
        """Who signed something, in the one mode of trust that its container is of; raises `Untrusted`."""
        return self.accept(self.match(container))

    def match(self, container: Container) -> Matched:
        """Whose signature it is, `now_s` at the latest; raises `Untrusted`. Whether a signer counts is not asked."""
        content, material = container.content, container.material
        if material is None:
            return self._match_keys(content, container.beside)
        if self.keyless is None:
            raise Untrusted(
                "keyless_unconfigured",
                "a keyless signature: gate.yaml has no trust.sigstore (trusted_root and sha256) to verify it with",
            )
        try:
            found = self.keyless.verify(content, material, self.now_s)
        except KeylessError as error:
            raise Untrusted(f"keyless_{error.code}", str(error)) from None
        return Matched(found.names, found.signed_at_s, found.time_source, found.log_included, found.identity)

    def accept(self, matched: Matched) -> Proof:
        """Who of them counts at the time of the signature or, if nobody says that, now; raises `Untrusted`.

        Short-lived keys are judged at the time of their signature, not now (SECURITY 7).
        """
        identity = matched.identity
        what = "key" if identity is None else f"identity {identity.subject}"
        at_s = self.now_s if matched.signed_at_s is None else matched.signed_at_s
        signers = self._accepted(matched.names, what, at_s, identity)
        return Proof(signers, matched.signed_at_s, matched.time_source, matched.log_included, identity)

    def _match_keys(self, content: Content, beside: Material | None) -> Matched:
        """What managed keys signed. What stands beside their signature is verified where there is a trusted root."""
        names = self._matching(content)
        if beside is None or self.keyless is None:
            return Matched(names)
        try:
            keys = [self.keys[name] for name in names]
            times, is_logged = self.keyless.beside_key(content, beside, keys, self.now_s)
        except KeylessError as error:
            raise Untrusted(f"keyless_{error.code}", str(error)) from None
        at_s, source = earliest(times) if times else (None, TimeSource.NONE)
        return Matched(names, at_s, source, is_logged)

    def _matching(self, content: Content) -> tuple[str, ...]:
        """The trusted keys that signed; raises `Untrusted` when there is none."""
        if isinstance(content, Envelope):
            return self._keys_of(content.signatures, content.signed_bytes)
        found = tuple(name for name, key in self.keys.items() if is_signed_by(key, content.signature, content))
        if not found and content.message is None and any(key.hash is None for key in self.keys.values()):
            raise Untrusted("untrusted", "no trusted key made the signature; one of Ed25519 needs the file itself")
        if not found:
            raise Untrusted("untrusted", f"no trusted key made the signature ({len(self.keys)} were tried)")
        return found

    def identify(
        self, signatures: tuple[bytes, ...], signed: bytes, algorithm: str | None = None
    ) -> tuple[SignerSettings, ...]:
        """The signers whose valid signature is among these; raises `Untrusted` when there is none.

        Every trusted key (of the algorithm, if one is given) is tried on every signature; one that is revoked or
        outside its window does not count.
        Without a trusted timestamp the time of signing is unknown, so the window must hold now (SECURITY 7).
        """
        return self._accepted(self._keys_of(signatures, signed, algorithm), "key", self.now_s)

    def _keys_of(self, signatures: tuple[bytes, ...], signed: bytes, algorithm: str | None = None) -> tuple[str, ...]:
        if not signatures:
            raise Untrusted("none", "the envelope holds no signature")
        tried = {name: key for name, key in self.keys.items() if algorithm in {None, key.algorithm}}
        matching = tuple(n for n, key in tried.items() if any(key.verifies(item, signed) for item in signatures))
        if not matching:
            raise Untrusted("untrusted", f"no trusted key made the signature ({len(tried)} were tried)")
        return matching

    def _accepted(
        self, names: tuple[str, ...], what: str, at_s: int, identity: CertificateIdentity | None = None
    ) -> tuple[SignerSettings, ...]:
        good = [self.signers[name] for name in names if not self._is_revoked(self.signers[name], identity)]
        if not good:
            raise Untrusted("revoked", f"the {what} of {names[0]} is revoked")
        current = tuple(signer.settings for signer in good if _is_current(signer.settings, at_s))
        if not current:
            raise Untrusted("expired", f"the {what} of {good[0].settings.name} is outside its validity window")
        return current

    def authorised(self, proven: frozenset[Proven], claim: str) -> tuple[SignerIdentity, ...]:
        """The identities among some signers that may speak for a claim, sorted by name; raises `Untrusted`.

        The threshold counts distinct public keys and distinct identities of certificates, never names or signatures:
        one person is one under several names, and a pattern that two people match is two (SECURITY 3).
        """
        listed = sorted(proven, key=lambda one: (one[0], repr(one[1])))
        allowed = [
            (self.signers[name], named) for name, named in listed if self.signers[name].settings.may_claim(claim)
        ]
        if not allowed:
            names = sorted({name for name, _ in proven})
            raise Untrusted("claim", f"{', '.join(names)} may not speak for {claim}")
        needed = self.thresholds.get(claim, 1)
        distinct = len({signer.proved_by(named) for signer, named in allowed})
        if distinct < needed:
            raise Untrusted("threshold", f"{distinct} distinct trusted signers signed, {claim} needs {needed}")
        return tuple(signer.identity(named) for signer, named in allowed)

    def _is_revoked(self, signer: _Signer, named: CertificateIdentity | None) -> bool:
        if signer.provable in self.revoked:
            return True
        if named is None:
            return False
        is_named = named.who in self.revoked or named.subject in self.revoked_subjects
        return is_named or any(
            item.issuer == named.issuer and matches(item.subject_pattern or "", named.subject)
            for item in self.revoked_patterns
        )

    def is_revoked_evidence(self, *digests: Digest) -> bool:
        """Whether one of these digests is revoked."""
        return not self.revoked_evidence.isdisjoint(digests)


def build_trust_store(trust: TrustSettings, now_s: int, cache: SignatureCache | None = None) -> TrustStore:
    """Loads the configured keys and the trusted root. With a cache, `TrustStore.at` is for one decision after another.

    Raises `ConfigError` for one that is none, a threshold nobody can reach, or a revocation that would be of
    nothing: neither a signer's name nor a SHA-256.
    """
    keys = {name: _key(item) for name, item in trust.signers.items() if item.key_pem is not None}
    keyless = _keyless(trust)
    identities = keyless.identities if keyless is not None else {}
    signers = {
        name: _signer(item, keys[name].spki if name in keys else None)
        for name, item in trust.signers.items()
        if name in keys or name in identities
    }
    for claim, needed in trust.thresholds.items():
        distinct = len({_counted(signer) for signer in signers.values() if signer.settings.may_claim(claim)})
        if distinct < needed:
            raise ConfigError(f"the threshold of {claim} is {needed}, but {distinct} distinct signers may speak for it")
    revoked = _revoked(trust, signers)
    subjects, evidence = trust.revoked.identities, trust.revoked.evidence
    types = frozenset(claim for item in trust.signers.values() for claim in item.claims if is_predicate_type(claim))
    reading = Reading(types, trust.drafts)
    names = (trust.revoked.keys | trust.revoked.identities) & identities.keys()
    patterns = tuple(identities[name] for name in sorted(names) if identities[name].subject_pattern is not None)
    return TrustStore(
        signers,
        keys,
        keyless,
        trust.thresholds,
        revoked,
        subjects,
        evidence,
        now_s,
        reading,
        patterns,
        cache,
        _fingerprint(trust, keys, reading),
    )


def _fingerprint(trust: TrustSettings, keys: Mapping[str, TrustedKey], reading: Reading) -> bytes:
    """What a cache is for: what is known of evidence depends on keys, identities, the root and what is read."""
    parts = [str(trust.digest), str(len(keys))]
    for name, key in keys.items():
        parts += name, key.spki, key.algorithm
    parts += (f"{name} {item.identity!r}" for name, item in trust.signers.items() if item.identity is not None)
    parts += (*sorted(reading.types), "", *sorted(reading.drafts))
    return sealed(part.encode() for part in parts) + sealed((trust.sigstore_root or b"",))


def root_weaknesses(trust: TrustSettings, now_s: int) -> tuple[str, ...]:
    """What of the pinned root is over; it still judges what was signed before. Raises `ConfigError` for no root."""
    keyless = _keyless(trust)
    return () if keyless is None else tuple(keyless.root.weaknesses(now_s, trust.sigstore_max_age_s))


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


def _signer(settings: SignerSettings, spki: Digest | None) -> _Signer:
    identity = settings.identity
    if identity is None:
        return _Signer(settings, spki, spki or Digest(""))
    return _Signer(settings, spki, (identity.issuer, identity.subject_pattern or identity.subject or ""))


def _counted(signer: _Signer) -> Digest | tuple[str, str]:
    """What can prove a signer, as thresholds count it."""
    return signer.provable if isinstance(signer.provable, str) else _person(*signer.provable)


def _person(issuer: str, subject: str) -> tuple[str, str]:
    """Who stands behind a certificate. The subject of a workflow is its address, `@` and a ref that may be any."""
    return issuer, subject.partition("@")[0] if "://" in subject else subject


def _is_current(settings: SignerSettings, at_s: int) -> bool:
    begins, ends = settings.valid_from_s, settings.valid_until_s
    return (begins is None or begins <= at_s) and (ends is None or at_s <= ends)


def _revoked(trust: TrustSettings, signers: Mapping[str, _Signer]) -> frozenset[Digest | tuple[str, str]]:
    """What is revoked. A name stands for what proves it, so another signer's name does not bring that back."""
    found: set[Digest | tuple[str, str]] = set()
    for entry in trust.revoked.keys | trust.revoked.identities:
        if entry in signers:
            found.add(signers[entry].provable)
    for entry in trust.revoked.keys - trust.signers.keys():
        digest = parse_digest(entry)
        if digest is None:
            known = suggestion(entry, sorted(trust.signers))
            raise ConfigError(f"revoked key {entry[:80]!r} is neither a signer nor the sha256:<hex> of a key{known}")
        found.add(digest)
    return frozenset(found)
