"""Bundles that Sigstore clients of the world made and the test suites of others hold, verified offline (SECURITY 8).

`tests/vectors/sigstore/table.json` names each with its source, the root that judges it, who signed it, and the verdict
that is expected: `verified`, `timed` (a log promised it or an authority stamped it, and no proof says that it is in a
log), `by key` (a managed key alone says it), `root` (the root is none), or the code of the rejection.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from gate.errors import ConfigError
from gate.formats.bundle import BundleError, parse_container
from gate.model.digest import hex_of, sha256_digest
from gate.model.settings import IdentitySettings, Revocations, SignerSettings, TrustSettings
from gate.verify.trust import Untrusted, build_trust_store
from tests.support.evidence import only_rejected, verify

VECTORS: Final = Path(__file__).parents[2] / "vectors/sigstore"
TABLE: Final[dict[str, dict[str, str]]] = json.loads((VECTORS / "table.json").read_bytes())
NOW_S: Final = 1795176000


def settings_of(root: bytes, pem: bytes | None, who: IdentitySettings | None) -> TrustSettings:
    key = None if pem is None else "key.pem"
    signer = SignerSettings("signer", ("build.provenance",), key, pem, who, None, None, None)
    none = Revocations(frozenset(), frozenset(), frozenset())
    digest = sha256_digest(root)
    return TrustSettings({"signer": signer}, {}, none, "root.json", hex_of(digest), digest, root)


def verdict(name: str) -> str:
    row = TABLE[name]
    root = (VECTORS / "roots" / f"{row['root']}.json").read_bytes()
    pem = (VECTORS / "keys" / f"{row['key']}.pem").read_bytes() if "key" in row else None
    who = IdentitySettings(row["issuer"], row["subject"], None) if "issuer" in row else None
    settings = settings_of(root, pem, who)
    try:
        data = (VECTORS / "bundles" / f"{row.get('bundle', name)}.json").read_bytes()
        container = parse_container(data, limit=1 << 20)
        proof = build_trust_store(settings, NOW_S).prove(container)
    except BundleError as error:
        return f"envelope.{error.code}"
    except Untrusted as error:
        return f"signature.{error.code}"
    except ConfigError:
        return "root"
    return "verified" if proof.log_included else "timed" if proof.signed_at_s is not None else "by key"


@pytest.mark.parametrize("name", TABLE)
def test_s08_a_bundle_of_the_world_gets_its_verdict(name: str) -> None:
    assert verdict(name) == TABLE[name]["expected"]


@pytest.mark.parametrize("name", ["missing", "unknown"])
def test_s06_a_verified_statement_of_another_type_is_none(name: str) -> None:
    item = f"conformance-dsse-statement-{name}-type"
    key, root = [
        (VECTORS / part).read_bytes() for part in (f"keys/{TABLE[item]['key']}.pem", f"roots/{item[12:]}.json")
    ]
    data = (VECTORS / "bundles" / f"{item}.json").read_bytes()
    store = build_trust_store(settings_of(root, key, None), NOW_S)
    assert only_rejected(verify(data, store=store)).code == "statement.type"


def test_every_vector_is_in_the_table() -> None:
    named = {row.get("bundle", name) for name, row in TABLE.items()}
    assert {path.stem for path in (VECTORS / "bundles").iterdir()} == named
    verdicts = [row["expected"] for row in TABLE.values()]
    assert len(verdicts) >= 70
    assert sum(not item.startswith(("signature.", "envelope.")) for item in verdicts) >= 40
    assert sum(item.startswith(("signature.", "envelope.")) for item in verdicts) >= 20


def test_s08_the_verdicts_need_no_network(tmp_path: Path) -> None:
    """In a network namespace of its own, where not even loopback is up; without the right to make one, without that."""
    program = f"""
import json, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.unit.verify.test_sigstore_vectors import TABLE, verdict
bad = [name for name in TABLE if verdict(name) != TABLE[name]["expected"]]
print(json.dumps(bad))
"""
    command = [sys.executable, "-c", program]
    apart = shutil.which("unshare")
    if apart is not None and subprocess.run([apart, "-rn", "true"], check=False, capture_output=True).returncode == 0:
        command = [apart, "-rn", *command]
    home: dict[str, Any] = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, check=False, capture_output=True, env=home, cwd=tmp_path)
    assert done.stderr == b""
    assert json.loads(done.stdout) == []
    assert list(tmp_path.iterdir()) == []
