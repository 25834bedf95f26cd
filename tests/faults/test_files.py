"""Certificates that are renewed or half written, and policies and configurations that are broken, under load."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults.site import Run, Told, configured, folder, subjects, under_load
from tests.support.certificates import Authority, Pair
from tests.support.compose import Deployment
from tests.support.registries import Registry
from tests.support.webhook import Client, wait_for
from tests.support.webhook_site import Site

ROTATIONS = 5


def said(run: Run, event: str, what: str, times: int) -> None:
    wait_for(lambda: sum(line["what"] == what for line in run.process.log(event)) >= times)


def test_certificates_are_renewed_and_half_written(
    registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    """Every request is answered meanwhile, also those over connections that begin while half of a file is there."""
    site = Site(folder(tmp_path / "site"), registry)
    configured(site)
    name = pair.certificate.stem
    with under_load(site, authority, pair, subjects(site, "renewed")) as run:
        serials = []
        for turn in range(1, ROTATIONS + 1):
            other = authority.server(f"{name}-other")
            whole = other.certificate.read_bytes()
            half = pair.key if turn % 2 else pair.certificate
            half.write_bytes((other.key.read_bytes() if turn % 2 else whole)[: 100 + 20 * turn])
            said(run, "not reloaded", "certificate", turn)
            with Client(run.process.port, authority) as client:
                client.judged(site.review(*run.load.subjects[0].images))
            # The key of another one beside it.
            pair.certificate.write_bytes(whole)
            run.load.wait(0.5)
            pair.key.write_bytes(other.key.read_bytes())
            said(run, "reloaded", "certificate", turn)
            with Client(run.process.port, authority) as client:
                client.judged(site.review(*run.load.subjects[0].images))
                serials.append(client.serial)
        run.load.recovered(run.load.now())
    assert len(set(serials)) == ROTATIONS
    figures = run.figures()
    assert figures["good"] == figures["good_let_in"] + figures["shed"]
    told({"rotations": ROTATIONS, **figures})


def spoil(site: Site, name: str, data: bytes) -> None:
    (site.root / name).write_bytes(data)


def test_configurations_and_policies_are_broken(
    registry: Registry, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    """What was used before still is, and nothing of what is broken: nobody notices but the log."""
    deployment = Deployment.make(folder(tmp_path / "policy"))
    site = Site(folder(tmp_path / "site"), registry)
    configured(site)
    for name in ("policy.tar.gz", "policy.tar.gz.sigstore.json", "policy.pub"):
        (site.root / name).write_bytes((deployment.folder / name).read_bytes())
    document = json.loads((site.root / "gate.yaml").read_text())
    document |= {"policy": {"bundle": "policy.tar.gz", "serial": 1}}
    document["trust"]["signers"]["policy"] = {"key": "policy.pub", "claims": ["policy.bundle"]}
    site.write("gate.yaml", document)
    good = {name: (site.root / name).read_bytes() for name in ("gate.yaml", "profile.yaml", "policy.tar.gz")}
    bundle = good["policy.tar.gz"]
    flipped = bytearray(bundle)
    flipped[len(flipped) // 2] ^= 1
    nothing = json.dumps({"name": "own", "description": "Of a test.", "controls": {}}).encode()
    steps: dict[str, Callable[[], None]] = {
        "no configuration": partial(spoil, site, "gate.yaml", b""),
        "half a configuration": partial(spoil, site, "gate.yaml", good["gate.yaml"][:200]),
        "a surprise": partial(site.write, "gate.yaml", document | {"surprise": 1}),
        "no section": partial(site.write, "gate.yaml", {k: v for k, v in document.items() if k != "admission"}),
        "a profile that asks for nothing": partial(spoil, site, "profile.yaml", nothing),
        "no bundle": partial(spoil, site, "policy.tar.gz", b""),
        "half a bundle": partial(spoil, site, "policy.tar.gz", bundle[: len(bundle) // 2]),
        "a flipped bundle": partial(spoil, site, "policy.tar.gz", bytes(flipped)),
        "a bundle of zeros": partial(spoil, site, "policy.tar.gz", bytes(len(bundle))),
    }
    with under_load(site, authority, pair, subjects(site, "files")) as run:
        refused = {}
        for name, step in steps.items():
            count = len(run.process.log("not reloaded"))
            step()
            said(run, "not reloaded", "configuration", count + 1)
            refused[name] = run.process.log("not reloaded")[-1]["message"][:60]
            run.load.wait(0.5)
            for file, data in good.items():
                (site.root / file).write_bytes(data)
            run.load.wait(0.7)
        run.load.recovered(run.load.now())
        # And what is whole is taken.
        site.write("gate.yaml", document | {"environment": "staging"})
        said(run, "reloaded", "configuration", 1)
        run.load.recovered(run.load.now())
    figures = run.figures()
    assert figures["good"] == figures["good_let_in"] + figures["shed"]
    told({"refused": refused, **figures})
