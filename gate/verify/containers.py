"""The two containers of evidence: DSSE envelopes, and where gate.yaml says so, bundles of llmsa.

Which of them an item is in is what the configuration says of the place where it lay, never what it looks like. So an
envelope that does not verify is not tried as the weaker form, and a bundle of llmsa counts nowhere else.
"""

from __future__ import annotations

from gate.formats.bundle import Container, parse_container
from gate.formats.intoto import parse_statement
from gate.formats.llmsa import LegacyBundle, parse_legacy, read_legacy
from gate.formats.predicates import read_statement
from gate.model.evidence import Evidence, Statement
from gate.verify.trust import Proof, TrustStore, Untrusted

_LEGACY_ALGORITHM = "ed25519"


def open_container(item: Evidence, limit: int) -> Container | LegacyBundle:
    """The container of an item, in the form of its place; raises `BundleError`."""
    return parse_legacy(item.data, limit=limit) if item.is_legacy else parse_container(item.data, limit=limit)


def signed_payload(container: Container | LegacyBundle) -> bytes:
    """What the signatures speak of."""
    return container.payload if isinstance(container, LegacyBundle) else container.envelope.payload


def prove(container: Container | LegacyBundle, trust: TrustStore) -> Proof:
    """Who signed it; raises `Untrusted`. In the legacy form only Ed25519 keys of the configuration sign."""
    if not isinstance(container, LegacyBundle):
        return trust.prove(container)
    if not container.is_hash_right:
        raise Untrusted("statement_hash", "the payload does not have the statement_hash that the metadata says")
    return Proof(trust.identify(container.signatures, container.payload, _LEGACY_ALGORITHM))


def read_payload(container: Container | LegacyBundle, limit: int) -> Statement:
    """The statement in a container that was proved; raises `StatementError`."""
    if isinstance(container, LegacyBundle):
        return read_legacy(container.payload, limit=limit)
    return read_statement(parse_statement(container.envelope.payload, limit=limit))
