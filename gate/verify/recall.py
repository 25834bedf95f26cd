"""Who signed a piece of evidence, asked of one key or identity and of nobody else.

What gate.yaml trusts now does not matter: the key may be revoked or gone. A signature counts as proved when the key
itself verifies it, or for an identity when the pinned root does; what evidence only says of itself is a claim.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from gate.formats.bundle import BundleError, Container
from gate.formats.strict_json import loads
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonValue
from gate.model.recall import Standing, Target
from gate.model.settings import IdentitySettings, Revocations, SignerSettings, TrustSettings
from gate.verify.certificate import KeylessError, identity_of, read_certificate
from gate.verify.containers import Opened, prove
from gate.verify.keys import SCHEMES, KeyFormatError, load_key
from gate.verify.trust import TrustStore, Untrusted, build_trust_store

_NOBODY: Final = Revocations(frozenset(), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Match:
    """That something says that it is signed by what is recalled, and whether that is proved."""

    standing: Standing
    note: str = ""


class Matcher(Protocol):
    """Asks whether what is recalled signed a container."""

    def match(self, data: bytes, container: Opened, /) -> Match | None:
        """`None` when it neither signed it nor is said to; `data` is what the container was read from."""


@dataclass(frozen=True, slots=True)
class KeyMatcher:
    """A public key, or as long as nobody has it, its digest. `store` trusts nothing but the key.

    `pem` is the key's text, which OpenSSF model signing names it by.
    """

    spki: Digest
    pem: bytes | None
    store: TrustStore | None
    limit: int

    def match(self, data: bytes, container: Opened, /) -> Match | None:
        """Proved by the key alone, whatever else the container brings."""
        if self.store is not None and _made_by(self.store, container):
            return Match(Standing.PROVED)
        if certified_key(container, self.spki) is None and self._spellings().isdisjoint(_hints(data, self.limit)):
            return None
        if self.store is None:
            return Match(Standing.UNPROVED, "it names the key; without the public key nothing can be checked")
        return Match(Standing.UNPROVED, "it names the key, and the signature is not the key's")

    def _spellings(self) -> set[str]:
        """What evidence may call the key."""
        digest = self.spki.removeprefix("sha256:")
        found = {self.spki, digest, base64.b64encode(bytes.fromhex(digest)).decode("ascii")}
        return found | ({hashlib.sha256(self.pem).hexdigest()} if self.pem is not None else set())


@dataclass(frozen=True, slots=True)
class IdentityMatcher:
    """The subject of certificates, of one issuer or of any. `trust` holds the pinned root, if there is one."""

    subject: str
    issuer: str | None
    trust: TrustSettings | None
    now_s: int
    stores: dict[str, TrustStore] = field(default_factory=dict)

    def match(self, _data: bytes, container: Opened, /) -> Match | None:
        """Proved when the root verifies that this identity signed it."""
        if not isinstance(container, Container) or container.material is None:
            return None
        try:
            found = identity_of(read_certificate(container.material))
        except KeylessError:
            return None
        if found.subject != self.subject or self.issuer not in {None, found.issuer}:
            return None
        if self.trust is None or self.trust.sigstore_root is None:
            return Match(Standing.UNPROVED, "its certificate says so; no trusted root is there to check it with")
        try:
            prove(container, self._store(self.trust, found.issuer))
        except Untrusted as error:
            return Match(Standing.UNPROVED, f"its certificate says so, and it does not verify: {error}")
        return Match(Standing.PROVED)

    def _store(self, trust: TrustSettings, issuer: str) -> TrustStore:
        if issuer not in self.stores:
            identity = IdentitySettings(issuer, self.subject, None, timestamps_only=True)
            signer = _signer("recalled", identity=identity)
            self.stores[issuer] = build_trust_store(
                replace(trust, signers={"recalled": signer}, thresholds={}, revoked=_NOBODY), self.now_s
            )
        return self.stores[issuer]


def key_store(pem: bytes, now_s: int) -> tuple[Digest, TrustStore]:
    """The digest of a key, and a store that trusts it alone, in all schemes of it; raises `KeyFormatError`."""
    key = load_key(pem)
    signers = {"recalled": _signer("recalled", pem=pem)}
    for scheme in SCHEMES:
        try:
            load_key(pem, scheme)
        except KeyFormatError:
            continue
        signers[scheme] = _signer(scheme, pem=pem, scheme=scheme)
    return key.spki, build_trust_store(TrustSettings(signers, {}, _NOBODY, None, None, key.spki), now_s)


def certified_key(container: Opened, spki: Digest) -> bytes | None:
    """The public key of a digest, in PEM, when the certificate of a container holds it: the digest proves it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if not isinstance(container, Container) or container.material is None:
        return None
    try:
        key = read_certificate(container.material).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception:  # noqa: BLE001 - the library documents no closed set; what cannot be read holds no key
        return None
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) if sha256_digest(der) == spki else None


def without(trust: TrustSettings, target: Target) -> TrustSettings:
    """The trust of gate.yaml as if what is recalled were revoked."""
    revoked = trust.revoked
    keys = revoked.keys | ({target.spki} if target.spki is not None else set())
    identities = revoked.identities | ({target.subject} if target.subject is not None else set())
    return replace(trust, revoked=replace(revoked, keys=keys, identities=identities))


def _signer(
    name: str, *, pem: bytes | None = None, scheme: str | None = None, identity: IdentitySettings | None = None
) -> SignerSettings:
    return SignerSettings(
        name=name,
        claims=(),
        key_path=None if pem is None else "the key that is recalled",
        key_pem=pem,
        identity=identity,
        scheme=scheme,
        valid_from_s=None,
        valid_until_s=None,
    )


def _made_by(store: TrustStore, container: Opened) -> bool:
    """Whether the one key of a store made a signature, also where a certificate stands beside it."""
    try:
        prove(container, store)
    except Untrusted:
        if not isinstance(container, Container) or container.material is None:
            return False
    else:
        return True
    try:
        store.identify(container.envelope.signatures, container.envelope.signed_bytes)
    except (Untrusted, BundleError):
        return False
    return True


def _hints(data: bytes, limit: int) -> Iterator[str]:
    """The key hint of a bundle, and the key ids of an envelope; the bytes are those of a container that was read."""
    value = loads(data, limit=limit)
    envelope = value if _below(value, "dsseEnvelope") is None else _below(value, "dsseEnvelope")
    signatures = _below(envelope, "signatures")
    named = [_below(_below(_below(value, "verificationMaterial"), "publicKey"), "hint")]
    named += [_below(one, "keyid") for one in signatures] if isinstance(signatures, list) else []
    for text in named:
        if isinstance(text, str):
            yield text


def _below(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, Mapping) else None
