"""What is measured: repositories, evidence and documents, all made here and all distinct."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.formats.dsse import PAYLOAD_TYPE, pae

CONFIG = """\
version: 1
target: deployment
environment: production
profile: baseline
artifacts:
  summarizer: {kind: weights, path: models/summarizer}
evidence:
  - directory: .gate/attestations
reports:
  - {tool: modelscan, path: .gate/modelscan.json, artifact: summarizer}
trust:
  signers:
    release: {key: keys/release.pub, claims: [artifact.signature, "build.*", test.result, prompt, eval]}
gates:
  - id: G001
    trigger_paths: ["models/**"]
    required_attestations: [artifact.signature, build.provenance]
"""


OTHER_ROLES = ("render_config", "test_suite", "others")


class TestKey:
    """An Ed25519 key for measurements."""

    __test__ = False

    def __init__(self) -> None:
        self.private = ed25519.Ed25519PrivateKey.generate()

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def envelope(self, statement: Mapping[str, object]) -> bytes:
        body = json.dumps(statement, separators=(",", ":")).encode()
        signature = self.private.sign(pae(PAYLOAD_TYPE, body))
        value = {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(body).decode(),
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        }
        return json.dumps(value).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def safetensors(note: str, size: int = 8) -> bytes:
    header = json.dumps(
        {"__metadata__": {"note": note}, "w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    ).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + bytes(size)


def provenance(files: Mapping[str, bytes], number: int = 0) -> dict[str, object]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256(data)}} for name, data in files.items()],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://example.com/training/v1",
                "externalParameters": {"recipe": "r1"},
                "resolvedDependencies": [{"uri": "git+https://example.com/app", "digest": {"gitCommit": "a" * 40}}],
            },
            "runDetails": {
                "builder": {"id": "https://example.com/builder"},
                "metadata": {"invocationId": str(number), "finishedOn": "2026-11-20T11:00:00Z"},
            },
        },
    }


def model_signature(files: Mapping[str, bytes]) -> dict[str, object]:
    digests = [sha256(data) for _, data in sorted(files.items())]
    root = sha256(b"".join(bytes.fromhex(digest) for digest in digests))
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "summarizer", "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": [
                {"name": name, "digest": digest, "algorithm": "sha256"}
                for (name, _), digest in zip(sorted(files.items()), digests, strict=True)
            ],
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
        },
    }


def other_statement(kind: str, number: int) -> dict[str, object]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"app/{kind}.txt", "digest": {"sha256": sha256(f"{kind}{number}".encode())}}],
        "predicateType": f"urn:promotion-gate:predicate:{kind}:v1",
        "predicate": {"created_at": "2026-11-20T10:00:00Z", "note": number},
    }


def prompt(number: int) -> dict[str, object]:
    """A collected statement about four files."""
    roles = ("system_prompt", "templates", "tool_schemas", "safety_policy")
    files = {role: f"app/{number}/{role}.txt" for role in roles}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path, "digest": {"sha256": sha256(path.encode())}} for path in files.values()],
        "predicateType": "urn:promotion-gate:predicate:prompt:v1",
        "predicate": {
            "created_at": "2026-11-20T10:00:00Z",
            "depends_on": [],
            "folders": {},
            "privacy": {"mode": "hash_only"},
            "roles": {role: [files[role]] if role in files else [] for role in (*roles, *OTHER_ROLES)},
            "sensitivity_labels": ["internal"],
        },
    }


def git(repository: Path, *arguments: str) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(repository),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    subprocess.run(["git", *arguments], cwd=repository, env=env, check=True, capture_output=True)


def pull_request(root: Path) -> Path:
    """A repository with ten changed model files, five attestations and one report; the gate allows it."""
    repository, key = root / "pull-request", TestKey()
    folder = repository / "models" / "summarizer"
    for path in (folder, repository / "keys", repository / ".gate" / "attestations"):
        path.mkdir(parents=True)
    git(repository, "init", "--quiet", "--initial-branch", "main")
    (repository / "gate.yaml").write_text(CONFIG)
    (repository / "keys" / "release.pub").write_bytes(key.pem)
    (repository / ".gitignore").write_text(".gate/\n")
    for version in ("one", "two"):
        for number in range(10):
            (folder / f"model-{number}.safetensors").write_bytes(safetensors(f"{version} {number}"))
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message", version)
        if version == "one":
            git(repository, "checkout", "--quiet", "-b", "change")
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    statements = [model_signature(files), provenance(files), *(other_statement(kind, 1) for kind in ("prompt", "eval"))]
    statements.append(provenance({"elsewhere.bin": b"elsewhere"}, 7))
    for number, statement in enumerate(statements):
        (repository / ".gate" / "attestations" / f"{number}.json").write_bytes(key.envelope(statement))
    report = {
        "summary": {
            "total_issues_by_severity": {"LOW": 0, "MEDIUM": 0, "HIGH": 0, "CRITICAL": 0},
            "total_issues": 0,
            "input_path": "models/summarizer",
            "modelscan_version": "0.8.8",
            "timestamp": "2026-11-20T11:30:00",
            "scanned": {"total_scanned": len(files), "scanned_files": list(files)},
        },
        "issues": [],
        "errors": [],
    }
    (repository / ".gate" / "modelscan.json").write_text(json.dumps(report))
    return repository
