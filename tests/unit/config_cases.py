"""Configurations for tests: a good one, copies of it with one change, and every kind of bad value."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gate.config.settings import load_settings
from gate.errors import ConfigError
from gate.model.settings import Settings

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLE = (SCHEMAS / "examples/config.yaml").read_bytes()
ROOT_OF_TRUST = b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
DIGEST = "sha256:" + "0" * 64
FILES = {
    "keys/release.pub": b"release key",
    "keys/builder.pub": b"builder key",
    "keys/ann.pub": b"ann's key",
    "keys/ben.pub": b"ben's key",
    "trust/trusted_root.json": ROOT_OF_TRUST,
    "waivers.yaml": b"version: 1\n",
    "profiles/own.yaml": b"controls: {}\n",
    "own.yaml": b"controls: {}\n",
}


class Files:
    """A source that holds some files and remembers what was read."""

    name = "merge base 1234"

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.read_paths: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.read_paths.append(path)
        return self.files.get(path)

    def folder(self, path: str, wanted: Callable[[str], bool]) -> Mapping[str, bytes] | None:
        below = {
            name.removeprefix(f"{path}/"): data for name, data in self.files.items() if name.startswith(f"{path}/")
        }
        return {name: data for name, data in below.items() if wanted(name)} if below else None


def load(text: bytes | str, path: str = "gate.yaml") -> Settings:
    data = text if isinstance(text, bytes) else text.encode()
    return load_settings(path, Files({**FILES, path: data}))


BASE: dict[str, Any] = {
    "version": 1,
    "target": "training",
    "artifacts": {"m": {"kind": "weights", "path": "models/m"}, "n": {"kind": "adapter", "path": "models/n"}},
    "trust": {
        "signers": {
            "ann": {"key": "keys/ann.pub", "claims": ["approval", "review"]},
            "ben": {"key": "keys/ben.pub", "claims": ["approval"]},
        }
    },
    "gates": [{"id": "G1", "trigger_paths": ["app/**"], "required_attestations": ["prompt"]}],
}


def changed(path: str, new: Any) -> dict[str, Any]:
    """A copy of the base configuration with one member set, or left out where the change is `...`."""
    value: Any = copy.deepcopy(BASE)
    inner = value
    *parents, last = path.split("/")
    for key in parents:
        inner = inner[int(key)] if isinstance(inner, list) else inner.setdefault(key, {})
    if new is ...:
        del inner[last]
    else:
        inner[last] = new
    return dict(value)


def text_of(value: Any) -> bytes:
    """JSON is YAML."""
    return json.dumps(value).encode()


def refused(value: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(value if isinstance(value, bytes | str) else text_of(value))
    assert caught.value.exit_code == 2
    message = str(caught.value)
    file, line, column, _ = message.split(":", 3)
    assert file == "gate.yaml"
    assert int(line) >= 1
    assert int(column) >= 1
    return message


KEYS = {
    "": [
        "version",
        "target",
        "environment",
        "profile",
        "artifacts",
        "evidence",
        "reports",
        "manifests",
        "signals",
        "inspection",
        "trust",
        "drafts",
        "reuse",
        "gates",
        "parameters",
        "waivers",
        "policy",
        "engine",
        "limits",
        "on_empty_diff",
        "record",
        "admission",
    ],
    "admission": [
        "mode",
        "tags",
        "registries",
        "places",
        "break_glass",
        "outage",
        "last_seen",
        "listing",
        "cache",
        "limits",
    ],
    "admission/break_glass": ["signers", "max", "namespaces"],
    "admission/limits": ["body", "images", "concurrent", "queue", "deadline", "connections"],
    "record": ["sqlite", "postgres", "checkpoint"],
    "record/postgres": ["service", "dsn_file"],
    "record/checkpoint": ["key", "origin", "every", "public_keys"],
    "artifacts/m": ["kind", "path", "image", "base", "ignore"],
    "evidence/0": ["directory", "format", "oci"],
    "reports/0": ["tool", "path", "artifact"],
    "signals/0": ["plugin", "path", "artifact"],
    "trust": ["signers", "thresholds", "sigstore", "revoked", "builders"],
    "trust/signers/ann": ["key", "scheme", "identity", "claims", "valid_from", "valid_until"],
    "trust/signers/ann/identity": [
        "issuer",
        "subject",
        "subject_pattern",
        "timestamps_only",
        "source_repository",
        "source_repository_id",
        "source_ref",
        "source_digest",
        "build_trigger",
        "runner_environment",
    ],
    "trust/sigstore": ["trusted_root", "sha256", "max_age"],
    "trust/revoked": ["keys", "identities", "evidence"],
    "gates/0": ["id", "trigger_paths", "required_attestations", "message"],
    "limits": ["evidence_bytes", "evidence_count", "report_bytes", "files", "document_bytes"],
}


BAD_IDENTITIES: list[Any] = [
    None,
    [],
    {},
    {"issuer": "https://i"},
    {"subject": "s"},
    {"issuer": "http://i", "subject": "s"},
    {"issuer": "", "subject": "s"},
    {"issuer": "https://i", "subject": ""},
    {"issuer": "https://i", "subject": "s", "source_repository": ""},
    {"issuer": "HTTPS://i", "subject": "s"},
    {"issuer": "https://i", "subject": ["s"]},
]
BAD_VALUES: dict[str, list[Any]] = {
    "version": [None, 0, 2, -1, True, "1", [1], {}, ...],
    "target": [None, "", "Training", "production", "deploy", 1, [], ["training"], {}, ...],
    "environment": [None, "", " ", 1, True, [], {}],
    "profile": [None, "", 1, [], "../own.yaml", "/own.yaml", "profiles/../own.yaml", "."],
    "artifacts": [
        None,
        [],
        "m",
        1,
        {"m": None},
        {"m": []},
        {"m": {}},
        {"m": {"kind": "weights"}},
        {"m": {"path": "m"}},
        {"m": {"kind": "weights", "path": "m", "image": "i"}},
        {"a b": {"kind": "weights", "path": "m"}},
        {"": {"kind": "weights", "path": "m"}},
        {"-m": {"kind": "weights", "path": "m"}},
        {"../m": {"kind": "weights", "path": "m"}},
        {"m" * 65: {"kind": "weights", "path": "m"}},
        {"\u00e9": {"kind": "weights", "path": "m"}},
    ],
    "artifacts/m/kind": [None, "", "Weights", "model", 1, ["weights"]],
    "artifacts/m/path": [
        None,
        "",
        1,
        [],
        "/models",
        "../models",
        "models/../../etc",
        ".",
        "..",
        "./m",
        "a//b",
        "a\\b",
        "C:/m",
        "a\nb",
        "/",
        "\x7f",
    ],
    "artifacts/m/base": [None, "", 1, "m", "nobody", "N"],
    "artifacts/m": [
        {"kind": "container", "image": None},
        {"kind": "container", "image": ""},
        {"kind": "container", "image": 1},
        {"kind": "container", "image": "i", "ignore": ["a"]},
    ],
    "artifacts/m/ignore": [None, "a", {}, [None], [""], [1], ["/a"], ["../a"], ["."], ["a/../b"], ["a\nb"]],
    "evidence": [
        None,
        "x",
        {},
        [None],
        ["dir"],
        [{}],
        [{"directory": None}],
        [{"directory": "/x"}],
        [{"directory": ".."}],
        [{"format": "llmsa"}],
        [{"directory": "a", "format": None}],
        [{"directory": "a", "format": "dsse"}],
        [{"directory": "a", "format": ["llmsa"]}],
    ],
    "reports": [
        None,
        {},
        [{}],
        ["x"],
        [{"tool": "sarif"}],
        [{"path": "p"}],
        [{"tool": "t", "path": "p"}],
        [{"tool": "", "path": "p"}],
        [{"tool": "sarif", "path": ""}],
        [{"tool": "sarif", "path": "/etc/x"}],
        [{"tool": "sarif", "path": "../x"}],
        [{"tool": "sarif", "path": "a/**b"}],
        [{"tool": "sarif", "path": "[a]"}],
        [{"tool": "sarif", "path": "p", "artifact": "nobody"}],
        [{"tool": 1, "path": "p"}],
    ],
    "manifests": [None, [], {}, "deploy/*.yaml", [""], [None], [1], ["/etc/x"], ["../x"], ["a/**b"], ["[a]"]],
    "inspection": [
        None,
        {},
        [],
        "x",
        {"allow_globals": None},
        {"allow_globals": "a.b"},
        {"allow_globals": ["a"]},
        {"allow_globals": ["a b.c"]},
        {"allow_globals": [1]},
        {"allow_globals": ["a.b"], "other": 1},
    ],
    "signals": [
        None,
        {},
        "x",
        [None],
        [{}],
        [{"plugin": "falco", "path": "p"}],
        [{"plugin": "falco", "artifact": "m"}],
        [{"path": "p", "artifact": "m"}],
        [{"plugin": 1, "path": "p", "artifact": "m"}],
        [{"plugin": "", "path": "p", "artifact": "m"}],
        [{"plugin": "falco", "path": "../x", "artifact": "m"}],
        [{"plugin": "falco", "path": "p", "artifact": "m", "basis": "attested"}],
        [{"plugin": "falko", "path": "p", "artifact": "m"}],
        [{"plugin": "falco", "path": "p", "artifact": "nobody"}],
        [{"plugin": "falco", "path": "p", "artifact": "m"}],
    ],
    "gates": [None, {}, "x", [None], [{}], [{"id": "G1"}]],
    "gates/0/id": [None, "", 1, "a b", "*", "a/b", ...],
    "gates/0/trigger_paths": [
        None,
        [],
        {},
        "app/**",
        [""],
        [None],
        [1],
        ["/app"],
        ["../app"],
        ["app/"],
        ["a//b"],
        ["a**"],
        ["[a]"],
        ["{a,b}"],
        ["!a"],
        ["a\\b"],
        ["./a"],
        ["a/***/b"],
        ...,
    ],
    "gates/0/required_attestations": [
        None,
        [],
        {},
        "prompt",
        [""],
        ["promt"],
        ["Prompt"],
        ["*"],
        ["build.*"],
        ["prompt "],
        [1],
        ...,
    ],
    "gates/0/message": [None, "", "  ", 1, []],
    "parameters": [
        None,
        [],
        {"scan.malware": None},
        {"scan.malware": []},
        {"a b": {}},
        {"evidence.fresh": {"eval": 30}},
        {"evidence.fresh": {"eval": "30"}},
        {"evidence.fresh": {"eval": "-1d"}},
        {"evidence.fresh": {"eval": "1.5d"}},
        {"evidence.fresh": {"eval": None}},
        {"evidence.fresh": {"eval": "forever"}},
    ],
    "waivers": [None, "", 1, [], "../waivers.yaml", "/waivers.yaml"],
    "on_empty_diff": [None, "", True, "Allow", "deny", "ignore", ["allow"]],
    "limits": [None, [], 1],
    "limits/evidence_bytes": [
        None,
        0,
        -1,
        True,
        "",
        "1 MiB",
        "1MB",
        "1mib",
        "MiB",
        "-1MiB",
        "0MiB",
        "1TiB",
        "999999999GiB",
        "0",
        [],
        "\u0661MiB",
        "1MiB\n",
        1000000000,
    ],
    "trust": [None, [], "x"],
    "trust/signers": [None, [], {"a b": {"key": "keys/ann.pub", "claims": ["prompt"]}}],
    "trust/signers/ann": [
        None,
        {},
        {"claims": ["prompt"]},
        {"key": "keys/ann.pub"},
        {"key": "keys/ann.pub", "claims": ["prompt"], "identity": {"issuer": "https://i", "subject": "s"}},
        {"identity": {"issuer": "https://i", "subject": "s"}, "claims": ["prompt"], "scheme": "rsa-pss-sha256"},
    ],
    "trust/signers/ann/key": [None, "", 1, "/keys/ann.pub", "../keys/ann.pub", ["keys/ann.pub"]],
    "trust/signers/ann/claims": [
        None,
        [],
        {},
        "prompt",
        [""],
        ["*"],
        ["**"],
        ["pro*"],
        ["prompt.*"],
        ["*.provenance"],
        ["promt"],
        ["build"],
        [1],
        ["approval", None],
    ],
    "trust/signers/ann/scheme": [None, "", 1],
    "trust/signers/ann/valid_until": [
        None,
        "",
        1,
        "soon",
        "2027-02-30",
        "2027-06-30 12:00",
        "2027-06-30T12:00:00",
        "1969-01-01",
        True,
    ],
    "trust/signers/ann/valid_from": ["tomorrow", 0, "20270101"],
    "trust/signers/c": [{"claims": ["prompt"], "identity": identity} for identity in BAD_IDENTITIES],
    "trust/thresholds": [
        None,
        [],
        {"nobody": 1},
        {"aproval": 1},
        {"approval.*": 1},
        {"prompt": 1},
        {"approval": 1, "approval.human": 2},
    ],
    "trust/thresholds/approval": [0, -1, 1.5, "2", True, None, 3, 99, [2], {}, False, 10**14],
    "trust/thresholds/approval.human": [0, -1, "2", True, None, 3],
    "trust/sigstore": [
        None,
        [],
        {"trusted_root": "trust/trusted_root.json"},
        {"sha256": "0" * 64},
        {"trusted_root": "trust/trusted_root.json", "sha256": "0" * 64},
        {"trusted_root": "../x", "sha256": "0" * 64},
        {"trusted_root": "trust/trusted_root.json", "sha256": None},
    ],
    "trust/revoked": [None, [], "ann"],
    "trust/revoked/keys": [
        None,
        {},
        "ann",
        [""],
        ["an"],
        ["Ann"],
        ["SHA256:" + "0" * 64],
        ["0" * 64],
        [1],
        ["ann", "nobody"],
    ],
    "trust/revoked/identities": [None, {}, "x", [""], [1]],
    "trust/revoked/evidence": [
        None,
        {},
        DIGEST,
        ["ann"],
        [""],
        ["0" * 64],
        ["sha256:" + "A" * 64],
        ["sha512:" + "0" * 128],
        [1],
    ],
}
BAD = [(path, value) for path, values in BAD_VALUES.items() for value in values]


# What a schema cannot say: which files and names there are, and how one value relates to another.
BEYOND_SCHEMA: dict[str, list[Any]] = {
    "artifacts/m/base": ["m", "nobody", "N"],
    "reports": [[{"tool": "sarif", "path": "p", "artifact": "nobody"}]],
    "signals": [
        [{"plugin": "falko", "path": "p", "artifact": "m"}],
        [{"plugin": "falco", "path": "p", "artifact": "nobody"}],
        [{"plugin": "falco", "path": "p", "artifact": "m"}],
    ],
    "limits/evidence_bytes": ["999999999GiB"],
    "trust/signers/ann/valid_until": ["2027-02-30", "1969-01-01"],
    "trust/thresholds": [{"prompt": 1}],
    "trust/thresholds/approval": [3, 99, 10**14],
    "trust/thresholds/approval.human": [3],
    "trust/sigstore": [{"trusted_root": "trust/trusted_root.json", "sha256": "0" * 64}],
    "trust/revoked/keys": [["an"], ["Ann"], ["SHA256:" + "0" * 64], ["0" * 64], ["ann", "nobody"]],
}
