"""Pickles: the gate beside fickling, modelaudit, modelscan and picklescan, on the same files in one run.

500 files, half of them hostile; one pickle of a million operations; a torch archive of 2 GiB. Each tool is a process of
its own (fickling one for each file, which is all that it takes), started once. The ratio is of processor time.
`BENCH_MIB` makes the archive smaller, `BENCH_TOOLS` leaves slow tools out.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measure import GATE, Figure
from bench.scanners import PINS, environment, scanners
from tests.support import samples
from tests.support.benign_pickles import groups
from tests.support.bypasses import cases

HALF = 250
SECONDS = 900
"""After which a program is stopped; what it did not say by then is not judged."""
HOSTILE = (
    "called by REDUCE", "called by INST", "called by OBJ", "made by NEWOBJ", "made by NEWOBJ_EX", "pickles in a row",
    "STACK_GLOBAL out of the memo", "STACK_GLOBAL of old texts", "a pickle that breaks off",
    "a pickle in bytes",
    "a gadget of an advisory", "wrapped: torch archive", "wrapped: torch archive, deflated",
    "wrapped: torch before 1.6",
    "wrapped: .npy of objects", "wrapped: .npz", "wrapped: gzip", "wrapped: zlib", "wrapped: bz2", "wrapped: xz",
    "wrapped: lzma", "wrapped: joblib, an array of objects", "a function that reaches others", "another name",
)  # fmt: skip
"""The classes of bypass that call a function outright: what every scanner wants to find."""


@dataclass
class Seen:
    """What a tool said: files that it reported, and files that it could not judge or did not look at."""

    reported: set[str] = field(default_factory=set)
    unjudged: set[str] = field(default_factory=set)
    seconds: float = 0.0
    processor: float = 0.0
    mebibytes: float = 0.0


def pickles(folder: Path) -> Iterator[Figure]:
    tools = scanners()
    hostile, harmless = five_hundred(folder / "five-hundred")
    yield from beside_each_other(tools, folder / "five-hundred", "500 pickles", hostile, harmless)
    (folder / "million").mkdir()
    value = [f"token-{number:08d}" for number in range(600_000)]
    (folder / "million" / "b.pkl").write_bytes(pickle.dumps(value, 4))
    size = (folder / "million" / "b.pkl").stat().st_size / 1e6
    yield from beside_each_other(tools, folder / "million", f"1.2 million operations, {size:.0f} MB", set(), {"b.pkl"})
    (folder / "archive").mkdir()
    mebibytes = int(os.environ.get("BENCH_MIB", "2048"))
    sparse_archive(folder / "archive" / "b.pt", mebibytes << 20)
    what = f"torch archive of {mebibytes / 1024:.1f} GiB, sparse"
    yield from beside_each_other(tools, folder / "archive", what, set(), {"b.pt"})


def five_hundred(folder: Path) -> tuple[set[str], set[str]]:
    """Writes the files; answers with the names of the hostile and of the harmless ones."""
    folder.mkdir()
    every = cases()
    chosen = [case for kind in HOSTILE for case in every if case[0] == kind][:HALF]
    plain = [sample for items in groups().values() for sample in items]
    step = len(plain) / HALF
    kept = [plain[int(number * step)] for number in range(HALF)]
    hostile: set[str] = set()
    harmless: set[str] = set()
    for names, files in ((hostile, [case[2:] for case in chosen]), (harmless, [sample[1:] for sample in kept])):
        for number, (name, data) in enumerate(files):
            suffix = Path(name).suffix
            path = folder / f"{'h' if names is hostile else 'b'}{number:03d}{suffix}"
            path.write_bytes(data)
            names.add(path.name)
    return hostile, harmless


def sparse_archive(path: Path, size: int) -> None:
    """A torch archive with one tensor of zeros, which take no room on the disk."""
    data = b"\x80\x02" + samples.tensor("0", (size // 4,)) + b"."
    zeros, checksum = bytes(1 << 20), 0
    for _ in range(size >> 20):
        checksum = zlib.crc32(zeros, checksum)
    members = [("archive/data.pkl", data), ("archive/byteorder", b"little"), ("archive/version", b"3\n")]
    central = b""
    with path.open("wb") as file:
        for name, content in [*members, ("archive/data/0", None)]:
            total = size if content is None else len(content)
            crc = checksum if content is None else zlib.crc32(content)
            shared = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, crc, total, total, len(name), 0)
            at = file.tell()
            central += (
                b"PK\x01\x02" + struct.pack("<H", 20) + shared + struct.pack("<HHHII", 0, 0, 0, 0, at) + name.encode()
            )
            file.write(b"PK\x03\x04" + shared + name.encode() + (content or b""))
            if content is None:
                file.seek(total, os.SEEK_CUR)
        at = file.tell()
        end = struct.pack("<HHHHIIH", 0, 0, len(members) + 1, len(members) + 1, len(central), at, 0)
        file.write(central + b"PK\x05\x06" + end)


def beside_each_other(tools: Path, folder: Path, what: str, hostile: set[str], harmless: set[str]) -> Iterator[Figure]:
    runs: dict[str, Callable[[], Seen]] = {
        "gate scan": lambda: gate(folder),
        "picklescan": lambda: picklescan(tools, folder),
        "modelscan": lambda: modelscan(tools, folder),
        "modelaudit": lambda: modelaudit(tools, folder),
        "fickling": lambda: fickling(tools, folder),
    }
    versions = dict(pin.split("==") for pin in PINS)
    first = 0.0
    wanted = os.environ.get("BENCH_TOOLS", " ".join(runs)).split()
    for name, work in runs.items():
        if name.partition(" ")[0] not in wanted:
            continue
        seen = work()
        first = first or seen.processor
        parts = [f"{seen.processor:.1f} s of processor, {seen.mebibytes:.0f} MiB"]
        for title, files in (("hostile", hostile), ("harmless", harmless)):
            if files:
                reported, unjudged = len(files & seen.reported), len((files & seen.unjudged) - seen.reported)
                passed = len(files) - reported - unjudged
                parts.append(f"{title}: {reported} reported, {unjudged} not judged, {passed} passed")
        version = f" {versions[name]}" if name in versions else ""
        ratio = f"{seen.processor / first:.1f}x"
        yield Figure(f"{what}: {name}{version}", f"{seen.seconds:.2f} s", "; ".join(parts), ratio)


def measured(command: Sequence[str], folder: Path, seen: Seen) -> tuple[int, str]:
    """Runs a program; adds its times, and the memory of its largest process. Answers with its code and output."""
    with tempfile.TemporaryDirectory() as home:
        report = Path(home) / "usage.json"
        # A process starts with the peak of the one that it was forked from, so a small one stands between.
        done = subprocess.run(
            [sys.executable, "-I", "-c", _LAUNCHER, str(report), str(SECONDS), *command],
            cwd=folder, env=environment(Path(home)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        usage = json.loads(report.read_bytes())
    seen.seconds += usage["seconds"]
    seen.processor += usage["processor"]
    seen.mebibytes = max(seen.mebibytes, usage["mebibytes"])
    return done.returncode, done.stdout.decode(errors="replace")


_LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
try:
    code = subprocess.run(sys.argv[3:], timeout=float(sys.argv[2])).returncode
except subprocess.TimeoutExpired:
    code = 124
used = resource.getrusage(resource.RUSAGE_CHILDREN)
figures = {"seconds": time.perf_counter() - began, "processor": used.ru_utime + used.ru_stime}
with open(sys.argv[1], "w") as file:
    json.dump({**figures, "mebibytes": used.ru_maxrss / 1024}, file)
sys.exit(code)
"""


def gate(folder: Path) -> Seen:
    seen = Seen()
    _, text = measured([GATE, "scan", "--format", "json", "."], folder, seen)
    for name, file in json.loads(text)["targets"][0]["files"].items():
        if any(finding["severity"] != "none" for finding in file["findings"]):
            seen.reported.add(name)
        if file["state"] != "judged":
            seen.unjudged.add(name)
    return seen


def picklescan(tools: Path, folder: Path) -> Seen:
    seen = Seen()
    _, text = measured([str(tools / "picklescan"), "-p", "."], folder, seen)
    for line in text.splitlines():
        for name in re.findall(r"\b([hb][0-9]{3}\.\w+|b\.\w+)", line):
            (seen.reported if line.endswith("FOUND") else seen.unjudged).add(name)
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
    _, text = measured([str(tools / "modelaudit"), ".", "--format", "json"], folder, seen)
    found: dict[str, Any] = json.loads(text[text.find("{") :] or "{}")
    for issue in found.get("issues", []):
        if issue["severity"] in {"warning", "critical"}:
            seen.reported.add(_file(issue["location"] or ""))
    looked = {_file(asset["path"]) for asset in found.get("assets", [])}
    seen.unjudged |= {path.name for path in folder.iterdir()} - looked
    return seen


def fickling(tools: Path, folder: Path) -> Seen:
    seen = Seen()
    for path in sorted(folder.iterdir()):
        with tempfile.TemporaryDirectory() as out:
            command = [str(tools / "fickling"), "--check-safety", "--json-output", f"{out}/report.json", path.name]
            code, _ = measured(command, folder, seen)
        if code == 1:
            seen.reported.add(path.name)
        elif code:
            seen.unjudged.add(path.name)
    return seen


def _file(place: str) -> str:
    """The name of the file in a place such as `./h001.pt:archive/data.pkl` or `/x/h001.pt (pos 3)`."""
    match = re.search(r"(?:^|/)([hb][0-9]*\.\w+)", place)
    return match[1] if match else place
