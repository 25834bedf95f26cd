"""Good combinations: a gate that refuses everything is broken too. Each of these is allowed.

Key types, containers, kinds and shapes of artifacts, with and without a base, reports, gates and profiles are combined
at random, from a fixed seed, so that each value of each dimension occurs with many of the others.
"""

from __future__ import annotations

import dataclasses
import pickle
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gate.app.check import check
from gate.app.workspace import Request
from gate.formats.rfc3339 import parse_time
from gate.model.decision import Verdict
from tests.acceptance.world import NOW, World, safetensors
from tools.scenario_evidence import (
    Key,
    bundle,
    encode,
    envelope,
    envelope_value,
    key,
    model_signature,
    modelscan,
    own,
    provenance,
    provenance_v02,
    sarif,
    subjects,
)

COUNT = 208
Wrap = Callable[[bytes, Key], tuple[str, bytes]]


def spaced(payload: bytes, signer: Key) -> tuple[str, bytes]:
    import json

    return "spaced.json", json.dumps(envelope_value(payload, signer), indent=2).encode() + b"\n"


def address(payload: bytes, signer: Key) -> tuple[str, bytes]:
    value = envelope_value(payload, signer)
    text = encode({**value, "payload": "@", "signatures": [{"sig": "#"}]})
    signature: str = value["signatures"][0]["sig"]  # type: ignore[index]
    parts = {b"@": str(value["payload"]), b"#": signature}
    for mark, part in parts.items():
        text = text.replace(mark, part.replace("+", "-").replace("/", "_").encode())
    return "address.json", text


def beside_a_stranger(payload: bytes, signer: Key) -> tuple[str, bytes]:
    return "stranger.json", envelope(payload, key("stranger"), signer)


DIMENSIONS: Mapping[str, list[Any]] = {
    "signer": [
        key("release"),
        key("builder"),
        key("second"),
        key("auditor"),
        dataclasses.replace(key("auditor"), pkcs1=True),
    ],
    "wrap": [
        lambda payload, signer: ("bundle.sigstore.json", bundle(payload, signer)),
        lambda payload, signer: ("envelope.dsse", envelope(payload, signer)),
        lambda payload, signer: ("lines.jsonl", b"\n" + envelope(payload, signer) + b"\n\n"),
        lambda payload, signer: ("bundle.sigstore", bundle(payload, signer)),
        spaced,
        address,
        beside_a_stranger,
    ],
    # An adapter needs a base and a training that names it: it has scenarios of its own.
    "kind": ["weights", "dataset", "package"],
    "shape": ["file", "folder", "deep folder"],
    "format": ["safetensors", "pickle", "json", "numbers"],
    "base": [True, False],
    "report": ["none", "modelscan", "sarif", "glob"],
    "gate": ["none", "exact", "folder", "any", "pattern of claims"],
    "provenance": ["v1", "v0.2", "whole path", "folder digest"],
    "profile": ["baseline", "strict", "own"],
    "window": ["", ", valid_until: 2027-01-01", ", valid_from: 2026-01-01, valid_until: 2026-11-20"],
    "noise": ["none", "older evidence", "about others", "other names", "prompt"],
    "target": ["training", "fine-tuning", "deployment"],
}
OWN = "controls: {artifact.signed: {mode: enforce}, change.attested: {mode: enforce}, evidence.fresh: {mode: warn}}\n"
# Packages have to be searched, by a statement with a time that somebody vouches for: scenarios show that.
SEARCHED = "extends: strict\nparameters: {scan.secrets: {kinds: []}, scan.vulnerabilities: {kinds: []}}\n"


def choices() -> list[dict[str, Any]]:
    """Each dimension goes through all its values equally often, in an order of its own."""
    chance = random.Random(1795176000)
    columns = {}
    for name, values in DIMENSIONS.items():
        column = [values[number % len(values)] for number in range(COUNT)]
        chance.shuffle(column)
        columns[name] = column
    return [{name: column[number] for name, column in columns.items()} for number in range(COUNT)]


def content(form: str) -> tuple[str, bytes]:
    if form == "pickle":
        return "labels.pkl", pickle.dumps({"a": [1, 2.5, None, "x"], "b": (True, b"y")}, protocol=4)
    if form == "json":
        return "config.json", b'{"hidden": [1, 2, 3]}\n'
    if form == "numbers":
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(117) + b"\n"
        return "values.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8)
    return "model.safetensors", safetensors("x")


@dataclasses.dataclass
class Good:
    """One combination, written into a folder or a repository."""

    root: Path
    pick: Mapping[str, Any]

    def files(self) -> dict[str, bytes]:
        name, data = content(self.pick["format"])
        found = {name: data}
        if self.pick["shape"] != "file":
            found["notes.json"] = b"{}\n"
        if self.pick["shape"] == "deep folder":
            found |= {"a/b/c/more.safetensors": safetensors("y"), "a/ü.json": b"[]\n"}
        return found

    @property
    def path(self) -> str:
        return "models/one" if self.pick["shape"] != "file" else f"models/one/{next(iter(self.files()))}"

    def configuration(self) -> bytes:
        pick = self.pick
        scheme = {True: "scheme: rsa-pkcs1v15-sha256, ", False: ""}[pick["signer"].pkcs1]
        profile = "policy/own.yaml" if pick["profile"] == "own" else pick["profile"]
        if profile == "strict" and pick["kind"] == "package":
            profile = "policy/searched.yaml"
        lines = [
            f"version: 1\ntarget: {pick['target']}\nprofile: {profile}",
            f"artifacts:\n  one: {{kind: {pick['kind']}, path: '{self.path}'}}",
            "evidence:\n  - directory: evidence",
            "trust:\n  signers:",
            f"    me: {{key: keys/me.pub, {scheme}claims: [artifact.signature, 'build.*', prompt]{pick['window']}}}",
        ]
        triggers = {
            "exact": self.path if pick["shape"] == "file" else f"{self.path}/**",
            "folder": "models/**",
            "any": "**/one/**",
        }
        trigger = triggers.get(pick["gate"], "models/**")
        claims = "['build.provenance']" if pick["gate"] == "pattern of claims" else "[artifact.signature]"
        if pick["gate"] != "none":
            lines.append(f"gates:\n  - {{id: G, trigger_paths: ['{trigger}'], required_attestations: {claims}}}")
        tool = {
            "modelscan": "{tool: modelscan, path: reports/scan.json, artifact: one}",
            "sarif": "{tool: sarif, path: reports/scan.json}",
            "glob": "{tool: sarif, path: 'reports/*.json'}",
        }
        if pick["report"] != "none":
            lines.append(f"reports:\n  - {tool[pick['report']]}")
        return ("\n".join(lines) + "\n").encode()

    def statements(self) -> list[tuple[str, bytes]]:
        pick, files = self.pick, self.files()
        single = pick["shape"] == "file"
        where = {f"models/one/{name}": data for name, data in files.items()}
        named = where if single or pick["provenance"] == "whole path" else files
        built = provenance_v02(subjects(named)) if pick["provenance"] == "v0.2" else provenance(subjects(named))
        found = [("signature", model_signature("one", files)), ("built", built)]
        if pick["noise"] == "older evidence":
            found.append(("older", model_signature("one", {name: data + b"old" for name, data in files.items()})))
        if pick["noise"] == "about others":
            found.append(("others", provenance(subjects({"elsewhere.bin": b"elsewhere"}))))
        if pick["noise"] == "prompt":
            found.append(("prompt", own("prompt", subjects({"prompt.txt": b"p"}))))
        return found

    def write(self) -> World:
        pick, signer = self.pick, self.pick["signer"]
        self.root.mkdir()
        world = World(self.root)
        steering = {"gate.yaml": self.configuration(), "keys/me.pub": signer.pem, "policy/own.yaml": OWN.encode()}
        steering["policy/searched.yaml"] = SEARCHED.encode()
        if pick["base"]:
            world.git("init", "-q", "-b", "main")
            world.write_all(steering)
            world.commit()
            world.git("checkout", "-q", "-b", "change")
        else:
            world.write_all(steering)
        world.write_all(self.files(), "models/one/")
        if pick["base"]:
            world.commit()
        for name, payload in self.statements():
            suffix, data = pick["wrap"](payload, signer)
            world.write(f"evidence/{name}.{suffix}", data)
        if pick["noise"] == "other names":
            world.write("evidence/README.md", b"x")
        scanned = {f"models/one/{name}": data for name, data in self.files().items()}
        report = modelscan(list(self.files()), target="models/one") if pick["report"] == "modelscan" else sarif(scanned)
        world.write("reports/scan.json", report)
        return world


@pytest.mark.parametrize("number", range(0, COUNT, 8))
def test_good_combinations(number: int, tmp_path: Path) -> None:
    """Eight to a test, in this process, with real files, keys and git."""
    now = parse_time(NOW)
    assert now is not None
    for index, pick in enumerate(choices()[number : number + 8]):
        good = Good(tmp_path / str(index), pick)
        good.write()
        base = "main" if pick["base"] else None
        decision = check(Request(good.root, good.root, "gate.yaml", base, False, now)).decision
        refused = {
            name: [entry.violation.message for entry in control.violations]
            for name, control in decision.controls.items()
            if control.violations
        }
        assert decision.verdict is Verdict.ALLOW, (pick, refused, decision.rejected)
        assert decision.exit_code == 0


def test_every_value_occurs() -> None:
    picked = choices()
    assert len(picked) >= 200
    for name, values in DIMENSIONS.items():
        assert all(sum(pick[name] is value for pick in picked) >= 25 for value in values)
