"""A certificate's way up to an authority of the trusted root, at a time (RFC 5280, section 6, as far as Fulcio goes).

The chain is made of the certificates of the root alone: of what a bundle brings besides its own nothing is made. Every
certificate of it was valid at the time, the topmost included, and none has a critical extension that is not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gate.formats.certificate_material import CertificateMaterial
from gate.verify.certificate import KeylessError, life_of, short_text
from gate.verify.sigstore.root import Authority, Root

if TYPE_CHECKING:
    from cryptography import x509

_CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
_ANY_USAGE: Final = "2.5.29.37.0"
# Basic constraints, key usage, extended key usage, subject and authority key identifiers, alternative names.
_UNDERSTOOD: Final = frozenset({"2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35", "2.5.29.17"})
_NAME_CONSTRAINTS: Final = "2.5.29.30"
_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})


def issuer_at(certificate: x509.Certificate, authorities: Sequence[Authority], at_s: int) -> x509.Certificate:
    """The certificate that issued this one, trusted at that time; raises `KeylessError`."""
    _check_leaf(certificate, at_s)
    problem = "no certificate authority of the trusted root issued it"
    for authority in authorities:
        if not authority.span.holds(at_s):
            continue
        found = _problem(certificate, authority.chain, at_s)
        if found is None:
            return authority.chain[0]
        problem = found or problem
    raise KeylessError("certificate", f"the certificate does not hold when it was signed: {problem}")


def check_others(certificate: x509.Certificate, material: CertificateMaterial, root: Root) -> None:
    """Raises `KeylessError` unless the certificates that a bundle brings after its own are intermediate authorities.

    They change nothing. A root among them would be for verifiers that take their trust from the bundle: the clients of
    version 0.1 ended the chain with it, and there it may stand if it is pinned anyway.
    """
    pinned = {one for authority in root.authorities for one in authority.chain}
    below = certificate
    for number, data in enumerate(material.others, 1):
        found, is_authority, is_root = _read_other(data)
        if not is_authority:
            raise KeylessError("certificate", "a certificate after the bundle's own is no authority's")
        is_end = number == len(material.others) and material.is_first
        if is_root and not (is_end and found in pinned and _issued(below, found)):
            raise KeylessError("certificate", "the bundle brings the certificate of a root: roots are pinned, not sent")
        below = found


def _read_other(data: bytes) -> tuple[x509.Certificate, bool, bool]:
    """A certificate, whether it is an authority's, and whether it is a root's."""
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(data)
        constraints = _extensions(found).get(x509.BasicConstraints.oid.dotted_string)
        is_authority = isinstance(constraints, x509.BasicConstraints) and constraints.ca
        is_root = found.issuer == found.subject
    except Exception as error:  # the library documents no closed set; whatever it raises, there is no certificate
        text = f"a certificate after the bundle's own cannot be read: {short_text(error)}"
        raise KeylessError("certificate", text) from error
    return found, is_authority, is_root


def _check_leaf(certificate: x509.Certificate, at_s: int) -> None:
    from cryptography import x509

    begins, ends = life_of(certificate)
    if not begins <= at_s <= ends:
        raise KeylessError("certificate", "the certificate was not valid when it was signed")
    extensions = _extensions(certificate)
    constraints = extensions.get(x509.BasicConstraints.oid.dotted_string)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise KeylessError("certificate", "the certificate is that of an authority")
    usage = extensions.get(x509.KeyUsage.oid.dotted_string)
    purposes = extensions.get(x509.ExtendedKeyUsage.oid.dotted_string)
    if not isinstance(usage, x509.KeyUsage) or not usage.digital_signature:
        raise KeylessError("usage", "the certificate's key is not for signatures")
    named = [item.dotted_string for item in purposes] if isinstance(purposes, x509.ExtendedKeyUsage) else []
    if _CODE_SIGNING not in named:
        raise KeylessError("usage", "the certificate is not for signing code")
    _check_critical(certificate)


def _problem(certificate: x509.Certificate, chain: Sequence[x509.Certificate], at_s: int) -> str | None:
    """Why a chain does not hold, empty when it is not the certificate's at all; `None` when it holds."""
    child = certificate
    for depth, parent in enumerate(chain):
        if not _issued(child, parent):
            return "the chain of its authority is broken" if depth else ""
        begins, ends = life_of(parent)
        if not begins <= at_s <= ends:
            return f"certificate {depth + 1} of its authority was not valid then"
        if not _may_issue(parent, depth):
            return f"certificate {depth + 1} of its authority may not issue it"
        child = parent
    return None if chain else ""


def _issued(child: x509.Certificate, parent: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    hashed = child.signature_hash_algorithm
    if hashed is not None and hashed.name not in _HASHES:
        return False
    try:
        child.verify_directly_issued_by(parent)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _may_issue(certificate: x509.Certificate, below: int) -> bool:
    """Whether it is an authority for signing code with so many authorities below it."""
    from cryptography import x509

    extensions = _extensions(certificate)
    constraints = extensions.get(x509.BasicConstraints.oid.dotted_string)
    usage = extensions.get(x509.KeyUsage.oid.dotted_string)
    purposes = extensions.get(x509.ExtendedKeyUsage.oid.dotted_string)
    if not isinstance(constraints, x509.BasicConstraints) or not constraints.ca:
        return False
    if constraints.path_length is not None and constraints.path_length < below:
        return False
    if not isinstance(usage, x509.KeyUsage) or not usage.key_cert_sign or _NAME_CONSTRAINTS in extensions:
        return False
    _check_critical(certificate)
    named = {item.dotted_string for item in purposes} if isinstance(purposes, x509.ExtendedKeyUsage) else {_ANY_USAGE}
    return not named.isdisjoint({_CODE_SIGNING, _ANY_USAGE})


def _check_critical(certificate: x509.Certificate) -> None:
    for item in certificate.extensions:
        if item.critical and item.oid.dotted_string not in _UNDERSTOOD:
            raise KeylessError("certificate", f"a certificate has a critical extension {item.oid.dotted_string}")


def _extensions(certificate: x509.Certificate) -> dict[str, x509.ExtensionType]:
    return {item.oid.dotted_string: item.value for item in certificate.extensions}
