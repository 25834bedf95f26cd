"""A policy of a hundred controls, made of copies of the packaged ones, and a document of a given size."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bench.data import TestKey, git, model_signature, provenance, safetensors
from gate import resources

CONFIG = """\
version: 1
target: deployment
profile: baseline
artifacts:
  summarizer: {kind: weights, path: models/summarizer}
evidence:
  - directory: .gate/attestations
trust:
  signers:
    release: {key: keys/release.pub, claims: [artifact.signature, "build.*"]}
gates:
  - id: G001
    trigger_paths: ["models/summarizer/config.json"]
    required_attestations: [artifact.signature]
limits: {evidence_bytes: 16MiB}
"""


def hundred_controls(folder: Path, count: int = 100) -> Path:
    """The packaged library with its controls copied under new names until there are `count`."""
    files = resources.rego_files()
    controls = [path for path in files if path.startswith("gate/controls/") and path.endswith(".rego")]
    for path, data in files.items():
        _write(folder / path, data)
    names = [".".join(path.split("/")[-3:-1]) for path in controls]
    number = 0
    while len(names) < count:
        path = controls[number % len(controls)]
        family, name = path.split("/")[-3:-1]
        copy = f"{name}_{number}"
        text = files[path].decode()
        text = re.sub(
            rf"^package gate\.controls\.{family}\.{name}$",
            f"package gate.controls.{family}.{copy}",
            text,
            flags=re.MULTILINE,
        )
        _write(folder / f"gate/controls/{family}/{copy}/{copy}.rego", text.encode())
        names.append(f"{family}.{copy}")
        number += 1
    baseline = json.loads(files["gate/profiles/baseline/data.json"])
    profile = {
        "name": "bench",
        "controls": {name: {"mode": "enforce"} for name in names},
        "parameters": baseline["parameters"],
    }
    _write(folder / "gate/profiles/bench/data.json", json.dumps(profile).encode())
    return folder


def model_repository(root: Path, files: int) -> Path:
    """A signed model of many small files; `gate input` on it gives a document of about 600 bytes a file."""
    repository, key = root / f"model-{files}", TestKey()
    folder = repository / "models" / "summarizer"
    for path in (folder, repository / "keys", repository / ".gate" / "attestations"):
        path.mkdir(parents=True)
    git(repository, "init", "--quiet", "--initial-branch", "main")
    (repository / "gate.yaml").write_text(CONFIG)
    (repository / "keys" / "release.pub").write_bytes(key.pem)
    (repository / ".gitignore").write_text(".gate/\n")
    content = {f"model-{number:05}.safetensors": safetensors(str(number)) for number in range(files)}
    content["config.json"] = b'{"model_type": "llama"}\n'
    for name, data in content.items():
        (folder / name).write_bytes(data)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "model")
    for number, statement in enumerate((model_signature(content), provenance(content))):
        (repository / ".gate" / "attestations" / f"{number}.json").write_bytes(key.envelope(statement))
    return repository


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
