"""`gate scan` beside fickling, modelaudit, modelscan and picklescan: a folder of 2,000 files; and memory on 5 GiB.

Each tool is started once for the folder; fickling takes one file, and is started for each hostile pickle and for every
sixth harmless one. Memory is the most resident bytes of all processes of a tool at one time, shared pages counted for
each. `BENCH_MIB` makes the large folder smaller.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.data import safetensors
from bench.measure import GATE, Figure
from bench.scanners import PINS, environment, scanners
from tests.support import samples
from tests.support.ggufs import gguf, text_pair
from tests.support.large_models import gguf_file, torch_zip
from tests.support.large_models import safetensors as large_safetensors
from tests.support.memory import Watched, watch

MIB: Final = 1 << 20
MODELS: Final = Path(__file__).resolve().parents[1] / "tests" / "vectors" / "models"
_LAMBDA: Final = ("lambda_fixed.h5", "lambda_latest.h5")
_PLAIN: Final = ("functional.h5", "sequential.h5", "functional.keras", "sequential.keras", "weights_inside.onnx")
_PICKLES: Final = frozenset({".pkl", ".pt"})


@dataclass
class Seen:
    """What a tool said: files that it reported, and files that it could not judge or did not look at."""

    reported: set[str] = field(default_factory=set)
    unjudged: set[str] = field(default_factory=set)
    seconds: float = 0.0
    peak_bytes: int = 0


def scan(folder: Path) -> Iterator[Figure]:
    tools = scanners()
    where = folder / "files"
    names = two_thousand(where)
    versions = dict(pin.split("==") for pin in PINS)
    first = 0.0
    for name, work in RUNS.items():
        seen = work(tools, where)
        first = first or seen.seconds
        parts = [f"{seen.peak_bytes / MIB:.0f} MiB"]
        for title, letter in (("hostile", "h"), ("harmless", "b")):
            files = {one for one in names if one[0] == letter}
            reported, unjudged = len(files & seen.reported), len(files & (seen.unjudged - seen.reported))
            passed = len(files) - reported - unjudged
            parts.append(f"{len(files)} {title}: {reported} reported, {unjudged} not judged, {passed} passed")
        version = f" {versions[name]}" if name in versions else ""
        what = f"2,000 files: {name}{version}"
        yield Figure(what, f"{seen.seconds:.2f} s", "; ".join(parts), f"{seen.seconds / first:.1f}x")
    yield from five_gib(folder / "large")


def two_thousand(folder: Path) -> list[str]:
    """Writes the files: 200 hostile ones (`h...`) and 1,800 harmless ones (`b...`) of the kinds that models have."""
    folder.mkdir()
    hostile: list[tuple[str, bytes]] = []
    for number in range(60):
        module, name = samples.GADGETS[number % len(samples.GADGETS)]
        hostile += [("pkl", samples.call(module, name)), ("pt", samples.torch_zip(samples.call(module, name)))]
    hostile += [("h5", (MODELS / _LAMBDA[number % 2]).read_bytes()) for number in range(30)]
    escape = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    hostile += [("gguf", gguf([text_pair("tokenizer.chat_template", escape)])) for _ in range(30)]
    hostile += [("json", b'{"auto_map": {"AutoModel": "m%d.Net"}}' % number) for number in range(20)]
    words = ",".join(f'"token-{number}": {number}' for number in range(2000))
    harmless: list[tuple[str, bytes]] = []
    for number in range(360):
        harmless.append(("json", f'{{"number": {number}, "words": {{{words}}}}}'.encode()))
        harmless.append(("json", json.dumps({"architectures": ["BertModel"], "layers": number}).encode()))
        harmless.append(("safetensors", safetensors(str(number))))
        harmless.append(("pkl", b"\x80\x04]" + samples.text(f"value {number}") + b"a."))
        plain = _PLAIN[number % len(_PLAIN)]
        harmless.append((Path(plain).suffix[1:], (MODELS / plain).read_bytes()))
    names = []
    for letter, files in (("h", hostile), ("b", harmless)):
        for number, (suffix, data) in enumerate(files):
            names.append(f"{letter}{number:04d}.{suffix}")
            (folder / names[-1]).write_bytes(data)
    if len(names) != 2000:
        raise SystemExit(f"{len(names)} files")
    return names


def five_gib(folder: Path) -> Iterator[Figure]:
    """Sparse files of the three common formats, beside the tool that only hashes them."""
    folder.mkdir()
    total = int(os.environ.get("BENCH_MIB", "5120"))
    large_safetensors(folder / "b1.safetensors", (total * 2 // 5) * MIB)
    gguf_file(folder / "b2.gguf", (total * 2 // 5) * MIB)
    torch_zip(folder / "b3.pt", (total // 5) * MIB)
    files = sorted(path.name for path in folder.iterdir())
    beside = run(["sha256sum", *files], folder)
    done = run([GATE, "scan", "--format", "json", "."], folder)
    if done.code:
        raise SystemExit(done.out + done.err)
    what = f"{total / 1024:.1f} GiB of safetensors, GGUF and torch: gate scan"
    other = f"sha256sum, one core {beside.seconds:.1f} s"
    ratio = f"{done.seconds / beside.seconds:.2f}x"
    yield Figure(what, f"{done.seconds:.1f} s", other, ratio)
    yield Figure("its memory, all processes together", f"{done.peak_bytes / MIB:.0f} MiB", "", "", "300 MiB")


def run(command: Sequence[str], folder: Path) -> Watched:
    with tempfile.TemporaryDirectory() as home:
        return watch(command, folder, environment(Path(home)))


def measured(command: Sequence[str], folder: Path, seen: Seen) -> Watched:
    """Runs a program; adds its time and memory to what was seen."""
    done = run(command, folder)
    seen.seconds += done.seconds
    seen.peak_bytes = max(seen.peak_bytes, done.peak_bytes)
    return done


def gate(_: Path, folder: Path) -> Seen:
    seen = Seen()
    done = measured([GATE, "scan", "--format", "json", "."], folder, seen)
    for name, file in json.loads(done.out)["targets"][0]["files"].items():
        if any(finding["severity"] != "none" for finding in file["findings"]):
            seen.reported.add(name)
        if file["state"] != "judged":
            seen.unjudged.add(name)
    return seen


def picklescan(tools: Path, folder: Path) -> Seen:
    seen = Seen()
    done = measured([str(tools / "picklescan"), "-l", "DEBUG", "-p", "."], folder, seen)
    text = done.out + done.err
    looked = {_file(line) for line in text.splitlines() if "Scanning file" in line or "scanning" in line.lower()}
    for line in text.splitlines():
        if line.endswith("FOUND"):
            seen.reported.add(_file(line))
        elif line.startswith("ERROR"):
            seen.unjudged.add(_file(line))
    seen.unjudged |= {path.name for path in folder.iterdir()} - looked
    return seen


def modelscan(tools: Path, folder: Path) -> Seen:
    seen = Seen()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        measured([str(tools / "modelscan"), "-p", ".", "-r", "json", "-o", report.name], folder, seen)
        found: dict[str, Any] = json.loads(Path(report.name).read_bytes() or b"{}")
    scanned = {_file(item) for item in found.get("summary", {}).get("scanned", {}).get("scanned_files", [])}
    seen.reported |= {_file(item["source"]) for item in found.get("issues", [])}
    seen.unjudged |= {_file(item["source"]) for item in found.get("errors", []) if item.get("source")}
    seen.unjudged |= {path.name for path in folder.iterdir()} - scanned
    return seen


def modelaudit(tools: Path, folder: Path) -> Seen:
    seen = Seen()
    done = measured([str(tools / "modelaudit"), ".", "--format", "json"], folder, seen)
    found: dict[str, Any] = json.loads(done.out[done.out.find("{") :] or "{}")
    for issue in found.get("issues", []):
        if issue["severity"] in {"warning", "critical"}:
            seen.reported.add(_file(issue["location"] or ""))
    looked = {_file(asset["path"]) for asset in found.get("assets", [])}
    seen.unjudged |= {path.name for path in folder.iterdir()} - looked
    return seen


def fickling(tools: Path, folder: Path) -> Seen:
    """What it is not started for, it has not judged."""
    seen = Seen()
    for number, path in enumerate(sorted(folder.iterdir())):
        if path.suffix not in _PICKLES or (path.name[0] == "b" and number % 6):
            seen.unjudged.add(path.name)
            continue
        with tempfile.TemporaryDirectory() as out:
            report = f"{out}/report.json"
            done = measured(
                [str(tools / "fickling"), "--check-safety", "--json-output", report, path.name], folder, seen
            )
        if done.code == 1:
            seen.reported.add(path.name)
        elif done.code:
            seen.unjudged.add(path.name)
    return seen


def _file(place: str) -> str:
    """The name of the file in a place such as `./h0001.pt:archive/data.pkl` or `/x/h0001.pt (pos 3)`."""
    match = re.search(r"(?:^|[/ ])([hb][0-9]{4}\.\w+)", place)
    return match[1] if match else place


RUNS: Final[dict[str, Callable[[Path, Path], Seen]]] = {
    "gate scan": gate,
    "picklescan": picklescan,
    "modelscan": modelscan,
    "modelaudit": modelaudit,
    "fickling": fickling,
}
