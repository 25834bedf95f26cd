"""Bundles with one byte changed: which of them a trust store accepts although they are no longer what was signed."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gate.formats.bundle import BundleError, parse_container
from gate.model.digest import hex_of, sha256_digest
from gate.model.settings import IdentitySettings, Revocations, SignerSettings, TrustSettings
from gate.verify.trust import TrustStore, Untrusted, build_trust_store
from tests.support.evidence import NOW_S, encode
from tests.support.keyless import keyless, keyless_trust
from tests.support.virtual_bundles import FILE, bundle, promised

VECTORS: Final = Path(__file__).parents[1] / "vectors/sigstore"
BUNDLES: Final = (
    "statement, Rekor v1",
    "statement, Rekor v2",
    "file, Rekor v1",
    "promise without proof",
    "of the world",
)
_WORLD: Final = "npm-gha-gundam-visor-cli-v1-tag-1"


@functools.cache
def good(name: str) -> tuple[bytes, TrustStore]:
    """One of the five valid bundles, and who trusts it."""
    if name == "of the world":
        return (VECTORS / "bundles" / f"{_WORLD}.json").read_bytes(), _world()
    made = {
        "statement, Rekor v1": lambda: bundle("dsse/0.0.1"),
        "statement, Rekor v2": lambda: bundle("hashedrekord/0.0.2"),
        "file, Rekor v1": lambda: bundle("hashedrekord/0.0.1", content=FILE, message=True),
        "promise without proof": lambda: promised(bundle("intoto/0.0.2")),
    }
    return encode(made[name]()), keyless_trust(keyless(claims=("artifact.signature", "build.provenance")))


def _world() -> TrustStore:
    row = json.loads((VECTORS / "table.json").read_bytes())[_WORLD]
    root = (VECTORS / "roots" / f"{row['root']}.json").read_bytes()
    identity = IdentitySettings(row["issuer"], row["subject"], None)
    signer = SignerSettings("signer", ("build.provenance",), None, None, identity, None, None, None)
    digest = sha256_digest(root)
    none = Revocations(frozenset(), frozenset(), frozenset())
    settings = TrustSettings({"signer": signer}, {}, none, "root.json", hex_of(digest), digest, root)
    return build_trust_store(settings, NOW_S)


def accepted_flips(name: str, count: int, seed: int) -> Iterator[tuple[int, int]]:
    """The flips, by place and new byte, that are accepted though the bundle decodes to something else."""
    data, store = good(name)
    original = parse_container(data, limit=len(data))
    store.prove(original)
    chosen = random.Random(f"{seed} {name}")
    for _ in range(count):
        place = chosen.randrange(len(data))
        byte = data[place] ^ chosen.randrange(1, 256) if chosen.random() < 0.5 else chosen.randrange(32, 127)
        mutated = data[:place] + bytes([byte]) + data[place + 1 :]
        try:
            container = parse_container(mutated, limit=len(data))
            store.prove(container)
        except (BundleError, Untrusted):
            continue
        if container != original:
            yield place, byte
