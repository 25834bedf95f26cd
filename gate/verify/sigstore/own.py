"""The obligations of SECURITY 8 on `cryptography`, for all signatures, whatever the sigstore library says of some.

Their numbers are those of `gate.verify.keyless`; what is left to the caller is named there. Also what an entry of a log
and a timestamp are worth beside the signature of a managed key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gate.formats.certificate_material import CertificateMaterial, Material
from gate.formats.dsse import Envelope
from gate.formats.log_body import Record
from gate.formats.message import MessageSignature
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import TimeSource
from gate.model.reuse import SKEW_S
from gate.verify.certificate import KeylessError, quiet, short_text
from gate.verify.keys import SCHEMES, TrustedKey, load_key
from gate.verify.sigstore.chain import issuer_at
from gate.verify.sigstore.log import check_logged, check_record
from gate.verify.sigstore.promise import check_promise
from gate.verify.sigstore.root import Root
from gate.verify.sigstore.stamps import stamped_times

if TYPE_CHECKING:
    from cryptography import x509

Content = Envelope | MessageSignature
Times = list[tuple[int, TimeSource]]


def signature_of(content: Content) -> bytes:
    """The one signature; raises `KeylessError` when there is another number of them."""
    if isinstance(content, MessageSignature):
        return content.signature
    if len(content.signatures) != 1:
        raise KeylessError("signatures", f"{len(content.signatures)} signatures; a certificate makes exactly one")
    return content.signatures[0]


def is_signed_by(key: TrustedKey, signature: bytes, content: Content) -> bool:
    """Whether a key made a signature over an envelope or a message, of which the digest is enough for most keys."""
    if isinstance(content, Envelope):
        return key.verifies(signature, content.signed_bytes)
    if content.message is not None and key.hash is None:
        return key.verifies(signature, content.message)
    return key.verifies_digest(signature, content.algorithm, content.digest)


def trusted_times(material: Material, signature: bytes, root: Root, now_s: int) -> Times:
    """All times that a log promises or an authority signed; raises `KeylessError` for a timestamp that does not hold,
    and for a time that is yet to come.

    A promised time counts only with what `check_logged` says of the promise.
    """
    times = [(entry.promised_s, TimeSource.LOG) for entry in material.entries if entry.promised_s is not None]
    stamps = stamped_times(material.timestamps, signature, root.stampers)
    times += [(at_s, TimeSource.TIMESTAMP_AUTHORITY) for at_s in stamps]
    if any(at_s > now_s + SKEW_S for at_s, _ in times):
        raise KeylessError("time", "it says that it was signed at a time that is yet to come")
    return times


@quiet()
def check_certificate(certificate: x509.Certificate, root: Root, times: Times, *, is_logged: bool) -> None:
    """Obligations 2 to 4 and 7, and that its key is one that is verified with.

    A root without certificate logs can ask for no promise of one, but then only for a signature that needs no
    transparency log either.
    """
    issuers = {issuer_at(certificate, root.authorities, at_s) for at_s, _ in times}
    if is_logged or root.certificate_logs:
        for issuer in issuers:
            check_promise(certificate, issuer, root.certificate_logs)
    certified_key(certificate)


def check_signature(certificate: x509.Certificate, content: Content, signature: bytes) -> None:
    """Obligation 9, first half: by the key of the certificate, whose kind fixes algorithm and hash, but for one."""
    if not is_signed_by(certified_key(certificate), signature, content) and not _is_early(
        certificate, content, signature
    ):
        raise KeylessError("signature", "the signature is not the certificate's over what is signed")


def _is_early(certificate: x509.Certificate, content: Content, signature: bytes) -> bool:
    """Whether it is over a file by a P-384 key with SHA-256, as sigstore-python's first version signed.

    The log entry names that hash, and has to agree.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp384r1":
        return False
    if not isinstance(content, MessageSignature) or content.algorithm != "sha256":
        return False
    try:
        key.verify(signature, content.digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def check_entry(content: Content, material: CertificateMaterial) -> None:
    """Obligation 9, second half, for the one entry of a log, if there is one.

    It names the certificate. Of one that names the bare key, nobody who watches the log for the identity would know.
    """
    for entry in material.entries:
        check_record(entry, content, signature_of(content), lambda record: record.certificate == material.certificate)


def certified_key(certificate: x509.Certificate) -> TrustedKey:
    """The key of a certificate; raises `KeylessError` for one that the gate does not verify with."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = load_key(certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    except Exception as error:  # the library documents no closed set
        raise KeylessError("key", f"nothing is verified with the certificate's key: {short_text(error)}") from error
    if key.algorithm in SCHEMES:
        raise KeylessError("key", "an RSA key has two ways of signing, and the certificate does not say which")
    return key


@quiet()
def beside_key(
    content: Content, material: Material, keys: Sequence[TrustedKey], root: Root, now_s: int
) -> tuple[Times, bool]:
    """What stands beside the signature of managed keys: its times, and whether a log holds it.

    Raises `KeylessError` for an entry or a timestamp that does not hold: what is there has to be about this signature
    by one of these keys. With several signatures nothing is claimed, because it would not be said of which.
    """
    spkis = {key.spki for key in keys}
    signatures = content.signatures if isinstance(content, Envelope) else (content.signature,)
    if len(material.entries) > 1:
        raise KeylessError("log", f"{len(material.entries)} log entries; exactly one is verified")
    if len(signatures) != 1:
        raise KeylessError("signatures", f"{len(signatures)} signatures, and what stands beside them is about one")
    times = trusted_times(material, signatures[0], root, now_s)
    for entry in material.entries:
        check_logged(entry, root.logs, [at_s for at_s, _ in times])
        check_record(entry, content, signatures[0], lambda record: _spki(record) in spkis)
    return times, any(entry.proof is not None for entry in material.entries)


def _spki(record: Record) -> Digest | None:
    return None if record.public_key is None else sha256_digest(record.public_key)
