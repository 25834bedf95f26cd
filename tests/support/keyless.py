"""Keyless evidence for tests: one virtual Sigstore, its identities, and a trust store that pins it."""

from __future__ import annotations

import base64
import copy
import dataclasses
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from gate.model.digest import hex_of, sha256_digest
from gate.model.evidence import Stage, Verified
from gate.model.settings import IdentitySettings, Revocations, SignerSettings, TrustSettings
from gate.verify.trust import TrustStore, build_trust_store
from tests.support.evidence import NOW_S, digest_of, encode, only_rejected, only_verified, provenance, verify
from tests.support.virtual_sigstore import ISSUER, WORKFLOW, Person, VirtualSigstore

AT: Final = datetime.fromtimestamp(NOW_S - 3600, UTC)
AT_S: Final = NOW_S - 3600
PAYLOAD: Final = provenance({"model.bin": digest_of("weights")})
ROOT_PATH: Final = "trust/trusted_root.json"
MAINTAINER: Final = Person("ann@acme.test", "https://accounts.test", {})

Change = Callable[[Any], Any]


def sigstore(name: str = "virtual.test") -> VirtualSigstore:
    """The instance of a name, with the same keys for the whole run."""
    return _sigstore(name)


@functools.cache
def _sigstore(name: str) -> VirtualSigstore:
    return VirtualSigstore(name, now=lambda: AT)


def root_bytes(name: str = "virtual.test") -> bytes:
    return encode(sigstore(name).trusted_root())


@functools.cache
def _good(log: str, stamped: bool | None) -> bytes:
    return encode(sigstore().sign(PAYLOAD, log=log, stamped=stamped))


def good(log: str = "v1", *, stamped: bool | None = None) -> dict[str, Any]:
    """A bundle that verifies, of one's own to change."""
    return dict(json.loads(_good(log, stamped)))


def keyless(
    name: str = "builder",
    subject: str = WORKFLOW,
    issuer: str = ISSUER,
    repository: str | None = None,
    claims: Sequence[str] = ("build.provenance", "approval"),
    **more: Any,
) -> SignerSettings:
    """A keyless signer; `more` are words of its identity, or of the signer."""
    words = {item.name for item in dataclasses.fields(IdentitySettings)}
    said = {word: value for word, value in more.items() if word in words}
    rest = {word: value for word, value in more.items() if word not in words}
    fields: dict[str, Any] = {"valid_from_s": None, "valid_until_s": None, "scheme": None} | rest
    identity = IdentitySettings(issuer, subject, repository, **said)
    return SignerSettings(name, tuple(claims), None, None, identity, **fields)


def keyless_trust(
    *signers: SignerSettings,
    root: bytes | None = None,
    thresholds: Mapping[str, int] | None = None,
    keys: Sequence[str] = (),
    identities: Sequence[str] = (),
    now_s: int = NOW_S,
) -> TrustStore:
    """A trust store that pins the virtual root. `keys` and `identities` are revoked."""
    root = root_bytes() if root is None else root
    named = {item.name: item for item in signers or (keyless(),)}
    revoked = Revocations(frozenset(keys), frozenset(identities), frozenset())
    digest = sha256_digest(root)
    return build_trust_store(
        TrustSettings(named, dict(thresholds or {}), revoked, ROOT_PATH, hex_of(digest), digest, root), now_s
    )


def changed(value: dict[str, Any], path: str, change: Any) -> dict[str, Any]:
    """A copy with one member changed: `a.b.0`; by a function of it, to a value, or away (`...`)."""
    found = copy.deepcopy(value)
    holder: Any = found
    *parents, last = path.split(".")
    for name in parents:
        holder = holder[int(name)] if isinstance(holder, list) else holder[name]
    key: Any = int(last) if isinstance(holder, list) else last
    if change is ...:
        del holder[key]
    else:
        holder[key] = change(holder[key]) if callable(change) else change
    return found


def code(bundle: Any, store: TrustStore | None = None) -> str:
    """How a bundle is refused. Its exit code is 11 or 14, and what is said about it fits on a screen."""
    item = only_rejected(verify(encode(bundle), store=store or keyless_trust()))
    assert item.stage in {Stage.ENVELOPE, Stage.SIGNATURE, Stage.STATEMENT}
    assert item.stage.exit_code in {11, 14}
    assert 10 < len(item.detail) < 700
    return item.code


def admitted(bundle: Any, store: TrustStore | None = None) -> Verified:
    return only_verified(verify(encode(bundle), store=store or keyless_trust()))


def with_certificate(person: Person | None = None, **more: Any) -> dict[str, Any]:
    """A bundle whose certificate is made in an unusual way."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = sigstore().issue(key.public_key(), person or Person(), AT, **more)
    return sigstore().sign(PAYLOAD, key=key, certificate=certificate)


def signature_of(bundle: Mapping[str, Any]) -> bytes:
    return base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
