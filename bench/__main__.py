"""`make bench`: measures, prints a table with ratios, and with `--record` appends it to bench/RESULTS.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.attestations import creation, signing, verification
from bench.data import pull_request
from bench.engines import engines
from bench.keyless import keyless
from bench.log import log
from bench.measure import GATE, ROOT, Figure, median_ms, milliseconds, peak_mib, run, table
from bench.model_signing import model_signing
from bench.policy import hundred_controls, model_repository
from bench.scan import scan
from bench.webhook import webhook
from gate import __version__
from gate.collect.directory import collect_artifact
from gate.formats import canonical_json
from gate.model.artifact import ArtifactKind
from gate.model.settings import ArtifactSettings, Limits
from tests.support.opa_server import opa_program


def start_up(folder: Path) -> Iterator[Figure]:
    bare = median_ms(run([sys.executable, "-c", "pass"], folder), 21)
    crypto = median_ms(run([sys.executable, "-c", "import cryptography.hazmat.primitives.serialization"], folder), 21)
    for option in ("--help", "--version"):
        value = median_ms(run([GATE, option], folder), 21)
        yield Figure(
            f"gate {option}",
            milliseconds(value),
            f"python -c pass {milliseconds(bare)}",
            f"{value / bare:.1f}x",
            "90 ms",
        )
    repository = pull_request(folder)
    command = [GATE, "check", "--base", "main", "--now", "2026-11-20T12:00:00Z"]
    value = median_ms(run(command, repository), 21)
    beside = f"python importing cryptography {milliseconds(crypto)}"
    what = "gate check, pull request: 10 files, 5 attestations, 1 report"
    yield Figure(what, milliseconds(value), beside, f"{value / crypto:.1f}x", "129 ms")
    yield Figure("its peak memory", f"{peak_mib(command, repository):.0f} MiB", "", "", "100 MiB")


def evaluation(folder: Path) -> Iterator[Figure]:
    repository = model_repository(folder, 1650)
    bundle = hundred_controls(folder / "bundle")
    document = folder / "document.json"
    done = subprocess.run(
        [GATE, "input", "--now", "2026-11-20T12:00:00Z"], cwd=repository, capture_output=True, check=True
    )
    value = json.loads(done.stdout)
    profile = json.loads((bundle / "gate/profiles/bench/data.json").read_bytes())
    value["profile"] = {"name": "bench", "controls": profile["controls"]}
    document.write_bytes(canonical_json.dumps(value))
    size = document.stat().st_size / 1e6
    opa = [opa_program(), "eval", "--bundle", str(bundle), "--input", str(document), "--strict-builtin-errors"]
    beside = median_ms(run([*opa, "--format", "raw", "data.gate.main.report"], folder), 9)
    value = median_ms(run([sys.executable, "-m", "bench.evaluate_cold", str(bundle), str(document)], ROOT), 9)
    yield Figure(
        f"evaluate 100 controls over {size:.2f} MB, whole process cold",
        milliseconds(value),
        f"opa eval, same bundle and input {milliseconds(beside)}",
        f"{value / beside:.2f}x",
        "160 ms",
    )


def hashing(folder: Path) -> Iterator[Figure]:
    """A model of 2 GiB, beside `openssl dgst` on both cores."""
    model = folder / "model"
    model.mkdir()
    block = os.urandom(1 << 20)
    for number in range(8):
        with (model / f"part-{number}.bin").open("wb") as file:
            for index in range(256):
                file.write(index.to_bytes(4) + number.to_bytes(4) + block[8:])
    settings = ArtifactSettings("model", ArtifactKind.PACKAGE, "model", None, None)
    files = sorted(str(path) for path in model.iterdir())

    def openssl() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(
                pool.map(
                    lambda path: subprocess.run(["openssl", "dgst", "-sha256", path], check=True, capture_output=True),
                    files,
                )
            )

    beside = median_ms(openssl, 5)
    value = median_ms(lambda: collect_artifact(folder, settings, Limits()), 5)
    yield Figure(
        "hash a folder of 2 GiB", milliseconds(value), f"openssl dgst, both cores {milliseconds(beside)}",
        f"{value / beside:.2f}x", "1.1x",
    )  # fmt: skip


def pickles(folder: Path) -> Iterator[Figure]:
    """Its files are written by libraries that only the tests need."""
    from bench.pickles import pickles as beside_scanners

    yield from beside_scanners(folder)


PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "start-up": start_up,
    "verification": verification,
    "keyless": keyless,
    "log": log,
    "signing": signing,
    "creation": creation,
    "evaluation": evaluation,
    "engines": engines,
    "hashing": hashing,
    "model-signing": model_signing,
    "pickles": pickles,
    "scan": scan,
    "webhook": webhook,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the gate.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all of them by default")
    parser.add_argument("--record", action="store_true", help="append the table to bench/RESULTS.md")
    options = parser.parse_args()
    figures: list[Figure] = []
    for name in options.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="gate-bench-") as folder:
            began = time.monotonic()
            figures += PARTS[name](Path(folder))
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    text = table(figures)
    print(f"python -m bench {' '.join(options.parts)}".rstrip() + f"\n\n{text}")
    if options.record:
        record(text)
    return 0


def record(text: str) -> None:
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    head = (
        f"## {datetime.now(UTC):%Y-%m-%d}, gate {__version__}\n\n{os.cpu_count()} cores, {cpu}; {platform.system()}, "
        f"Python {platform.python_version()}; load {os.getloadavg()[0]:.1f} at the end; `make bench`.\n"
    )
    with (ROOT / "bench" / "RESULTS.md").open("a") as file:
        file.write(f"\n{head}\n{text}\n")


if __name__ == "__main__":
    sys.exit(main())
