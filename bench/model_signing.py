"""Model signing: a folder of 2 GiB and one huge file, beside openssl and the library `model-signing`.

`BENCH_MIB` makes the models smaller, to try whether it runs.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.measure import Figure, median_ms, milliseconds
from gate.app.attest import KeygenRequest, keygen
from gate.app.model import Hashing
from gate.app.produce import Place
from gate.app.sign import SignRequest, sign
from gate.app.verify import verify
from gate.app.workspace import Request
from gate.collect.listing import collect_listing
from gate.formats.hashes import Recipe
from gate.model.settings import Limits

RUNS = 3
FILES = 8
SHARD = 256 << 20
CONFIG = """\
version: 1
target: deployment
artifacts:
  model: {kind: package, path: %s}
evidence:
  - directory: %s
trust:
  signers:
    k: {key: k.pub, claims: [artifact.signature]}
"""


def model_signing(folder: Path) -> Iterator[Figure]:
    total = int(os.environ.get("BENCH_MIB", "2048")) << 20
    keygen(KeygenRequest(Place(folder, folder), "p256", Path("k.key"), Path("k.pub")))
    rate = openssl_rate()
    for name, count in (("folder", FILES), ("file", 1)):
        (folder / name).mkdir()
        for number in range(count):
            fill(folder / name / f"part-{number}.bin", total // count, number)
        what = f"{total / (1 << 30):.1f} GiB in {count} file{'' if count == 1 else 's'}"
        floor = f"openssl speed on {os.cpu_count()} cores {milliseconds(total / rate * 1e3)}"
        yield from beside_openssl(folder, name, what, floor, total / rate * 1e3)
        yield from beside_the_library(folder, name, what)
        for path in (folder / name).iterdir():
            path.unlink()


def beside_openssl(folder: Path, name: str, what: str, floor: str, floor_ms: float) -> Iterator[Figure]:
    files = sorted(str(path) for path in (folder / name).iterdir())

    def openssl() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for done in pool.map(lambda path: subprocess.run(["openssl", "dgst", "-sha256", path], check=True,
                                                             capture_output=True), files):  # fmt: skip
                done.check_returncode()

    other = median_ms(openssl, RUNS)
    for recipe in (Recipe("sha256"), Recipe("sha256", SHARD)):
        value = median_ms(lambda recipe=recipe: collect_listing(folder, name, recipe, Limits()), RUNS)  # type: ignore[misc]
        beside = f"openssl dgst {milliseconds(other)}; {floor}"
        ratio = f"{value / other:.2f}x; {value / floor_ms:.2f}x"
        yield Figure(f"hash {what}, {recipe.word}", milliseconds(value), beside, ratio, "1.1x")


def beside_the_library(folder: Path, name: str, what: str) -> Iterator[Figure]:
    other_signs, other_verifies = library(folder, name)
    for word, hashing in (("whole files", Hashing()), ("shards", Hashing(SHARD))):
        evidence = f"{name}-{word.replace(' ', '-')}"
        out = Path(evidence, "model.sigstore.json")

        def signs(hashing: Hashing = hashing, out: Path = out) -> object:
            request = SignRequest(Place(folder, folder), Path(name), "k.key", out, hashing)
            return sign(request, lambda _: "")

        value = median_ms(signs, RUNS)
        beside = f"model-signing, whole files {milliseconds(other_signs)}"
        yield Figure(f"sign {what}, {word}", milliseconds(value), beside, f"{value / other_signs:.2f}x", "1x")
        (folder / "gate.yaml").write_text(CONFIG % (name, evidence))

        def verifies() -> None:
            request = Request(folder, folder, "gate.yaml", None, config_from_worktree=True, now_s=1795176000)
            found = verify(request)
            if found.exit_code or found.evidence.verified[0].artifacts != ("model",):
                raise SystemExit("not verified")

        value = median_ms(verifies, RUNS)
        beside = f"model-signing, whole files {milliseconds(other_verifies)}"
        yield Figure(f"verify {what}, {word}", milliseconds(value), beside, f"{value / other_verifies:.2f}x", "1x")


def library(folder: Path, name: str) -> tuple[float, float]:
    """How long the library takes to sign and to verify, in milliseconds."""
    from model_signing import signing, verifying

    signature = folder / f"{name}.sig"
    signer: Any = signing.Config()  # type: ignore[no-untyped-call]
    signer.use_elliptic_key_signer(private_key=folder / "k.key")
    signs: Callable[[], object] = lambda: signer.sign(folder / name, signature)  # noqa: E731
    verifier: Any = verifying.Config()  # type: ignore[no-untyped-call]
    verifier.use_elliptic_key_verifier(public_key=folder / "k.pub")
    return median_ms(signs, RUNS), median_ms(lambda: verifier.verify(folder / name, signature), RUNS)


def fill(path: Path, size: int, seed: int) -> None:
    """A file without two equal blocks."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for index in range(size >> 20):
            file.write(index.to_bytes(4) + seed.to_bytes(4) + block[8:])


def openssl_rate() -> float:
    """Bytes in a second that openssl hashes with all cores and without reading a file."""
    command = [
        "openssl",
        "speed",
        "-seconds",
        "2",
        "-bytes",
        str(1 << 20),
        "-multi",
        str(os.cpu_count()),
        "-evp",
        "sha256",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"^(?:evp|sha256)\s+([0-9.]+)k", done.stdout, re.MULTILINE | re.IGNORECASE)
    if found is None:
        raise SystemExit(f"openssl speed printed something else:\n{done.stdout}")
    return float(found[1]) * 1000
