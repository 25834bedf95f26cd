"""What `gate sign` and `gate attest create` share: places, targets that may be written, keys, and signatures.

Whatever is signed is verified again, from the finished bytes and with the verifier's own code, before it is written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gate.attest.envelope import signed_bundle
from gate.attest.files import read_file
from gate.attest.signer import BundleSigner, Signer, key_file, open_any_signer
from gate.attest.signers import Passphrase
from gate.collect.directory import collect_artifact
from gate.collect.git import find_root
from gate.errors import AttestError
from gate.formats.bundle import BundleError, parse_container
from gate.formats.intoto import StatementError, parse_statement
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.digest import Digest, sha256_digest
from gate.model.path import is_plain_relative, path_text
from gate.model.settings import ArtifactSettings, Limits
from gate.verify.certificate import CertificateIdentity, KeylessError, identity_of, read_certificate
from gate.verify.keys import SCHEMES, KeyFormatError, load_key

EVIDENCE_FOLDER: Final = Path(".gate", "attestations")
BUNDLE_SUFFIX: Final = ".sigstore.json"
LIMITS: Final = Limits()
MAX_STATEMENT: Final = 16 << 20
"""Evidence may be allowed to be larger in gate.yaml; beyond this nobody reads it."""
AnySigner = Signer | BundleSigner
Progress = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands. Paths are relative to `start`; names are relative to `root`, else to the repository."""

    start: Path
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed, for people: `word` is `key` or `identity`."""

    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Made:
    """What was made. `digest` is the model's root digest, or that of the statement.

    `signed_by` is `None` for an unsigned statement. `size` is that of the signed files in bytes.
    """

    claim: str
    subject: str
    files: int
    size: int
    digest: Digest
    path: Path
    replaced: bool
    signed_by: SignedBy | None = None
    advice: str | None = None


def root_of(place: Place) -> Path:
    """The root that names are relative to: the one that was given, else that of the repository, else here."""
    start = place.start.resolve()
    if place.root is not None:
        return (place.start / place.root).resolve()
    return find_root(start) or start


def real_path(path: Path) -> Path:
    """The path with its folders resolved and its last name as it is: a link is to be seen, not followed."""
    return path.resolve() if path.name in {"", "..", "."} else path.parent.resolve() / path.name


def path_below(path: Path, root: Path) -> str | None:
    """The path relative to the root in UTF-8, `None` when it does not lie below."""
    return path_text(os.fsencode(path.relative_to(root).as_posix())) if root in path.parents else None


def flat_name(path: Path, root: Path) -> str:
    """A file name for a path: its place below the root, so that two models of one name do not share a signature."""
    found = path.relative_to(root).parts if root in path.parents else (path.name,)
    return os.fsencode("-".join(part.lstrip(".") for part in found)).decode("utf-8", "replace") or "root"


def names_folder(path: Path, given: Path) -> bool:
    """Whether it is a folder; raises `AttestError` for what is neither a folder nor a regular file."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise AttestError(f"cannot read {given}: {error.strerror}") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise AttestError(f"{given} is a link, device, socket or pipe; only files and folders can be signed")
    return stat.S_ISDIR(mode)


def collect_files(base: Path, relative: str, given: str) -> Artifact:
    """The files of what is signed, with their digests; raises `AttestError` or `EvidenceError`."""
    if not is_plain_relative(relative):
        raise AttestError(f"{given}: the name {relative!r} is not plain UTF-8", hint="rename it")
    settings = ArtifactSettings(name=relative, kind=ArtifactKind.WEIGHTS, path=relative, image=None, base=None)
    return collect_artifact(base, settings, LIMITS, visit=None)


def target(place: Place, given: Path | None, folder: Path, name: str) -> Path:
    """Where to write: where a person said, else a name in a folder."""
    return folder / name if given is None else place.start / given


def bundled_payload(data: bytes) -> bytes:
    """The payload of a bundle; raises `AttestError` for another envelope, `BundleError` for anything else."""
    found = parse_container(data, limit=len(data))
    if not found.is_bundle:
        raise AttestError("an envelope that something else made")
    return found.envelope.payload


def check_target(out: Path, signed: Sequence[Path], payload_of: Callable[[bytes], bytes]) -> bool:
    """Whether a statement is replaced; raises `AttestError` for a place that must not be written.

    What lies there is replaced only when it is of the same kind as what is written: signing again is daily work,
    overwriting something else is an accident. Nothing is written into what is signed: that would change it.
    """
    for path in signed:
        if any(is_same(folder, path) for folder in (out, *real_path(out).parents)):
            raise AttestError(
                f"{out} lies inside what it is about, and writing it would change that",
                hint="--out with a file outside it, such as .gate/attestations/NAME.sigstore.json",
            )
    if not out.is_symlink() and not out.exists():
        return False
    if out.is_symlink() or not _holds_statement(out, payload_of):
        raise AttestError(f"{out} exists and is not overwritten", hint="only a file of the same kind is; see --out")
    return True


def _holds_statement(path: Path, payload_of: Callable[[bytes], bytes]) -> bool:
    try:
        parse_statement(payload_of(read_file(path, 2 * MAX_STATEMENT)), limit=MAX_STATEMENT)
    except (AttestError, BundleError, StatementError):
        return False
    return True


def is_same(one: Path, other: Path) -> bool:
    """Whether both are there and are one file or folder."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def open_key(start: Path, key: str, signed: Sequence[Path], passphrase: Passphrase) -> AnySigner:
    """The signer of a key that lies outside what is signed; raises `AttestError`."""
    file = key_file(key)
    location = start / (file or "")
    for path in signed if file is not None else ():
        if any(is_same(folder, path) for folder in (location, *location.resolve().parents)):
            raise AttestError(
                f"the private key {location} lies inside what is signed, and would be published with it",
                hint="keep keys outside",
            )
    return open_any_signer(key, start, passphrase)


def sign_payload(payload: bytes, signer: AnySigner) -> bytes:
    """The signed bundle, verified from its finished bytes; raises `AttestError` if it does not verify.

    That of an identity was verified when it was made; here it has to be one that the gate reads.
    """
    bundle = signed_bundle(payload, signer)
    try:
        found = parse_container(bundle, limit=len(bundle))
        envelope = found.envelope
        if isinstance(signer, BundleSigner):
            if envelope.payload != payload or found.material is None:
                raise AttestError("the own signature is not by a certificate over the statement; nothing was written")
            return bundle
        key = load_key(signer.public_key_pem, scheme_of(signer))
    except (BundleError, KeyFormatError) as error:
        raise AttestError(f"the own signature cannot be verified: {error}") from None
    verified = any(key.verifies(signature, envelope.signed_bytes) for signature in envelope.signatures)
    if envelope.payload != payload or key.spki != signer.spki or not verified:
        raise AttestError("the own signature does not verify; nothing was written")
    return bundle


def is_of_another(out: Path, bundle: bytes, signer: AnySigner) -> bool:
    """Whether what lies there holds another party's signature over the same statement: it counts, and is not lost."""
    data = read_file(out, 2 * MAX_STATEMENT)
    found = parse_container(data, limit=len(data))
    if found.envelope.payload != bundled_payload(bundle):
        return False
    if isinstance(signer, BundleSigner):
        return certified_identity(data) != certified_identity(bundle)
    key = load_key(signer.public_key_pem, scheme_of(signer))
    signed = found.envelope.signed_bytes
    return found.material is not None or not any(key.verifies(item, signed) for item in found.envelope.signatures)


def certified_identity(bundle: bytes) -> CertificateIdentity | None:
    """Whom the certificate of a bundle names; `None` for a bundle of a key, and for a certificate that names nobody."""
    material = parse_container(bundle, limit=len(bundle)).material
    try:
        return None if material is None else identity_of(read_certificate(material))
    except KeylessError:
        return None


def scheme_of(signer: Signer) -> str | None:
    """The `scheme` that `gate.yaml` has to give the key, `None` where the key itself says enough."""
    return signer.algorithm if signer.algorithm in SCHEMES and signer.algorithm != SCHEMES[0] else None


def party_digest(signer: AnySigner, bundle: bytes) -> Digest:
    """What tells one party from another: the SPKI of its key, or a digest of its identity."""
    if isinstance(signer, BundleSigner):
        return sha256_digest(repr(certified_identity(bundle)).encode())
    return signer.spki


def with_key(made: Made, signer: AnySigner, bundle: bytes) -> Made:
    """What was made, with who signed it, and what a bundle of this size needs."""
    return replace(made, signed_by=signed_by(signer, bundle), advice=advice(signer, len(bundle)))


def signed_by(signer: AnySigner, bundle: bytes) -> SignedBy:
    """Who signed: the algorithm and SPKI of the key, or the identity in the bundle's certificate."""
    if not isinstance(signer, BundleSigner):
        return SignedBy("key", f"{signer.algorithm} {signer.spki}")
    identity = certified_identity(bundle)
    return SignedBy("identity", "" if identity is None else f"{identity.subject} of {identity.issuer}")


def with_notes(made: Made, *notes: str | None) -> Made:
    """What was made, with more to know about it."""
    return replace(made, advice="; ".join(note for note in (made.advice, *notes) if note) or None)


def advice(signer: AnySigner, size: int) -> str | None:
    """What `gate.yaml` has to say so that a bundle of this size, by this signer, is accepted."""
    needed = []
    scheme = None if isinstance(signer, BundleSigner) else scheme_of(signer)
    if scheme:
        needed.append(f"this key needs scheme: {scheme} with its signer in gate.yaml")
    if size > LIMITS.evidence_bytes:
        limit = f"{{evidence_bytes: {-(-size // (1 << 20))}MiB}}"
        needed.append(f"this bundle needs limits: {limit} in gate.yaml")
    return "; ".join(needed) or None
