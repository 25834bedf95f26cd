"""Signed policy bundles: built from a policy's sources, and opened only when everything about them holds.

The obligations of a bundle, in their order; the first that it misses is a `PolicyError` (SECURITY 27):

 1. The envelope is a bundle or an envelope, exactly, and neither it nor the archive is revoked
 2. Trusted, current, unrevoked keys that may speak for `policy.bundle` made its signatures
 3. It is a statement about this very archive
 4. The archive is laid out as the gate does, and holds what a policy may hold
 5. Manifest, statement and files agree: revision, roots, serial, own controls, each file
 6. The signature for OPA is for exactly these files, by one of those keys
 7. The serial is not older than what is asked for
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate import __version__, resources
from gate.app.produce import scheme_of
from gate.app.workshop import load_sources
from gate.attest.envelope import signed_bundle
from gate.attest.files import read_file, replace_file
from gate.attest.signer import Signer, open_signer
from gate.attest.signers import Passphrase
from gate.errors import AttestError, ConfigError, PolicyError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.opa_bundle import (
    MAX_PACKED,
    MAX_SERIAL,
    ROOTS,
    Manifest,
    bundle_files,
    pack,
    read_bundle,
    unpack,
)
from gate.evaluate.policy_diff import catalogue_of
from gate.formats import opa_signatures
from gate.formats.bundle import BundleError, parse_container
from gate.formats.dsse import Envelope
from gate.formats.intoto import StatementError, parse_statement
from gate.formats.opa_signatures import OpaSignatureError, read_signature, signature_file, signing_input
from gate.formats.predicates.policy_bundle import CLAIM, PolicyBundlePredicate, check_statement
from gate.formats.strict_json import StrictJsonError
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import SignerIdentity
from gate.model.settings import ENVELOPE_SUFFIX, Revocations, SignerSettings, TrustSettings
from gate.verify.trust import Proof, TrustStore, Untrusted, build_trust_store

BUNDLE_SUFFIX: Final = ".tar.gz"
"""How the name of a bundle ends: OPA takes a file of another name for no bundle."""
_ASK: Final = "use the bundle as it was made, or make one with `gate policy bundle` and a trusted key"
_OWN_KEY: Final = "the signing key"


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """A bundle that met all obligations. `archive` is the digest of the file."""

    policy: PolicyBundle
    manifest: Manifest
    archive: Digest
    signers: tuple[SignerIdentity, ...]
    files: int


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """The bundle to make. Directories, `key` and `out` are relative to `start`, or absolute."""

    start: Path
    out: Path
    key: str
    serial: int
    directories: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A bundle that was written. `algorithm` is OPA's name of the key's."""

    bundle: OpenedBundle
    path: Path
    envelope: Path
    algorithm: str
    spki: Digest


def open_bundle(data: bytes, envelope: bytes, trust: TrustStore, serial: int) -> OpenedBundle:
    """The policy in a signed bundle; raises `PolicyError` for the first obligation that is not met."""
    archive = sha256_digest(data)
    found = _envelope(envelope, archive, trust)
    try:
        proof = Proof(trust.identify(found.signatures, found.signed_bytes))
        signers = trust.authorised(proof.proven, CLAIM)
        statement = parse_statement(found.payload, limit=len(found.payload))
    except Untrusted as error:
        raise PolicyError(
            f"the policy bundle is not signed by whom gate.yaml trusts: {error}",
            hint=f"a signer in gate.yaml needs the claim {CLAIM}, and its key must be in force",
        ) from None
    except StatementError as error:
        raise PolicyError(f"the policy bundle's envelope: {error}", hint=_ASK) from None
    if [subject.digest for subject in statement.subjects] != [archive]:
        raise PolicyError(
            f"the policy bundle is {archive}, but its envelope signs {statement.subjects[0].digest}", hint=_ASK
        )
    files = unpack(data)
    policy, manifest = read_bundle(files)
    try:
        check_statement(statement, _predicate(files, policy, manifest.serial))
    except StatementError as error:
        raise PolicyError(f"the policy bundle's envelope: {error}", hint=_ASK) from None
    _check_opa_signature(files, trust, frozenset(signer.name for signer in signers))
    if manifest.serial < serial:
        raise PolicyError(
            f"the policy bundle has the serial {manifest.serial}, but gate.yaml asks for at least {serial}",
            hint="an older policy does not come back: use the newest bundle",
        )
    return OpenedBundle(policy, manifest, archive, signers, len(files))


def read_unverified(data: bytes) -> tuple[PolicyBundle, Manifest]:
    """The policy in an archive, whoever made it: to be looked at, never to judge. Raises `PolicyError`."""
    return read_bundle(unpack(data))


def build_bundle(request: BuildRequest, passphrase: Passphrase) -> Built:
    """Writes a bundle and its envelope, both verified before; raises a `GateError` and then writes nothing.

    The same sources, serial and key give the same bytes, wherever and whenever, except for RSA keys, whose
    signatures are random.
    """
    from gate.evaluate.regorus import RegorusEngine

    if not 1 <= request.serial <= MAX_SERIAL:
        raise ConfigError(f"--serial is a whole number from 1 to {MAX_SERIAL}")
    if not request.out.name.endswith(BUNDLE_SUFFIX):
        raise ConfigError(f"--out {request.out}: OPA reads a bundle only from a file named *{BUNDLE_SUFFIX}")
    out = request.start / request.out
    envelope_path = out.with_name(out.name + ENVELOPE_SUFFIX)
    _check_target(out, envelope_path, request.serial)
    policy = load_sources(request.start, request.directories, replaces=request.replaces).bundle
    catalogue_of(policy)  # profiles that do not load, and rules that do not compile, are not shipped
    RegorusEngine(policy)
    signer = open_signer(request.key, request.start, passphrase)
    algorithm = opa_signatures.ALGORITHMS[signer.algorithm]
    data, envelope = _make(policy, request.serial, out.name, signer)
    bundle = open_bundle(data, envelope, _own_trust(signer), request.serial)
    replace_file(out, data)
    replace_file(envelope_path, envelope)
    return Built(bundle, out, envelope_path, algorithm, signer.spki)


def read_pair(path: Path) -> tuple[bytes, bytes]:
    """The bytes of a bundle and of the envelope beside it; raises `ConfigError` when they cannot be read."""
    envelope = path.with_name(path.name + ENVELOPE_SUFFIX)
    try:
        return read_file(path, MAX_PACKED), read_file(envelope, MAX_PACKED)
    except AttestError as error:
        raise ConfigError(str(error), hint=f"a bundle is signed by the file {ENVELOPE_SUFFIX} beside it") from None


def _envelope(envelope: bytes, archive: Digest, trust: TrustStore) -> Envelope:
    try:
        found = parse_container(envelope, limit=MAX_PACKED).envelope
    except BundleError as error:
        raise PolicyError(f"the policy bundle's envelope: {error}", hint=_ASK) from None
    if trust.is_revoked_evidence(archive, sha256_digest(envelope), sha256_digest(found.payload)):
        raise PolicyError("the policy bundle is revoked in gate.yaml", hint="use a newer bundle")
    return found


def _check_opa_signature(files: Mapping[str, bytes], trust: TrustStore, allowed: frozenset[str]) -> None:
    try:
        signature, signed = read_signature(files[opa_signatures.PATH], files)
        names = {signer.name for signer in trust.identify((signature,), signed)}
    except (OpaSignatureError, StrictJsonError, Untrusted) as error:
        raise PolicyError(f"the policy bundle's signature for OPA: {error}", hint=_ASK) from None
    if names.isdisjoint(allowed):
        raise PolicyError(
            f"the policy bundle's signature for OPA is by {', '.join(sorted(names))}, its envelope's is not", hint=_ASK
        )


def _make(policy: PolicyBundle, serial: int, name: str, signer: Signer) -> tuple[bytes, bytes]:
    algorithm = opa_signatures.ALGORITHMS[signer.algorithm]
    files = dict(bundle_files(policy, resources.authz_policy(), serial, __version__))
    try:
        signed = signing_input(files, algorithm)
    except StrictJsonError as error:
        raise PolicyError(f"a profile is no JSON that all engines read alike: {error}") from None
    files[opa_signatures.PATH] = signature_file(signed, algorithm, signer.sign(signed))
    data = pack(files)
    statement = _predicate(files, policy, serial).statement(name, sha256_digest(data))
    return data, signed_bundle(statement, signer)


def _predicate(files: Mapping[str, bytes], policy: PolicyBundle, serial: int) -> PolicyBundlePredicate:
    digests = {path: sha256_digest(data) for path, data in files.items()}
    return PolicyBundlePredicate(serial, policy.digest, ROOTS, digests)


def _own_trust(signer: Signer) -> TrustStore:
    """Trust in the key that has just signed, so that the result is verified as it will be elsewhere."""
    settings = SignerSettings(_OWN_KEY, (CLAIM,), None, signer.public_key_pem, None, scheme_of(signer), None, None)
    nothing = Revocations(frozenset(), frozenset(), frozenset())
    trust = TrustSettings({_OWN_KEY: settings}, {}, nothing, None, None, sha256_digest(b""))
    return build_trust_store(trust, 0)


def _check_target(out: Path, envelope: Path, serial: int) -> None:
    """Only an older bundle is overwritten: the serial tells the two apart for everybody who trusts them."""
    for path in (out, envelope):
        if path.is_symlink() or (path.exists() and (not path.is_file() or not out.exists())):
            raise AttestError(f"{path} exists and is not overwritten", hint="choose another name for --out")
    if not out.exists():
        return
    try:
        _, manifest = read_unverified(read_file(out, MAX_PACKED))
    except PolicyError as error:
        raise AttestError(f"{out} exists and is not overwritten: {error}", hint="choose another name") from None
    if manifest.serial >= serial:
        raise ConfigError(
            f"{out} has the serial {manifest.serial}, and --serial {serial} is not higher",
            hint=f"--serial {manifest.serial + 1}",
        )
