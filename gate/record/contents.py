"""What records name by digest: decisions, input documents, policies and their files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from heapq import nsmallest
from typing import Final, Self

from gate.errors import EvidenceError
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest
from gate.model.record import LogFinding
from gate.record.interface import DecisionLog

MAX_FINDINGS: Final = 200
MANY: Final = 20_000
"""So many records are worth a process on every other core: they look at the contents, and this one at the chain."""


class Contents:
    """What records name by digest: all of it is there, and has its digest.

    For a large log other processes begin at once, so that every core has work; leaving ends them.
    """

    def __init__(self, log: DecisionLog) -> None:
        self._log = log
        self._size = log.size()
        self._helpers: list[subprocess.Popen[bytes]] = []
        self.findings: list[LogFinding] = []

    def __enter__(self) -> Self:
        if self._size - self._log.floor().size >= MANY:
            others = len(os.sched_getaffinity(0)) - 1
            commands = [self._log.helper(part, others) for part in range(others)]
            self._helpers = [
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                for command in commands
                if command is not None
            ]
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._helpers:
            with process:
                process.kill()

    def run(self) -> int:
        """Looks at everything; how many things that were."""
        named = self._named()  # while the others are at work
        stored, changed = self._stored()
        gone = ((seq, f"{what} is gone") for digest, (seq, what) in named.items() if digest not in stored)
        for seq, detail in nsmallest(MAX_FINDINGS, gone):
            self.findings.append(LogFinding("content.missing", seq, detail))
        if changed:
            self._name(set(changed))
        return len(stored)

    def _named(self) -> dict[str, tuple[int, str]]:
        """What has to be there: the first record that names it and what it is. What came meanwhile is left out."""
        found: dict[str, tuple[int, str]] = {}
        for seq, digest in self._log.named():
            if seq < self._size:
                found.setdefault(digest, (seq, digest))
        for seq, digest in self._log.policies():
            if seq < self._size:
                for path, file in self._files(digest).items():
                    found.setdefault(str(file), (seq, f"the policy file {path}"))
        return found

    def _stored(self) -> tuple[set[str], list[str]]:
        """The digests under which something is stored, and those of them whose content is another one."""
        if not self._helpers:
            here, changed = looked_at(self._log)
            return set(here), changed
        stored: set[str] = set()
        changed = []
        for helper in self._helpers:
            answer, _ = helper.communicate()
            if helper.returncode:
                raise EvidenceError(f"{self._log.name}: a part of it cannot be read")
            part = json.loads(answer)
            stored.update(part[0])
            changed += part[1]
        return stored, changed

    def _name(self, changed: AbstractSet[str]) -> None:
        """Says which records the changed contents belong to."""
        rest = set(changed)
        for record in self._log.records():
            for what in ("decision", "document", "policy"):
                digest = getattr(record, what)
                if digest in changed and len(self.findings) < MAX_FINDINGS:
                    self.findings.append(LogFinding("content.changed", record.seq, f"its {what} was changed"))
                    rest.discard(digest)
        for digest in sorted(rest):
            self.findings.append(LogFinding("content.changed", None, f"what is stored as {digest} was changed"))

    def _files(self, digest: Digest) -> Mapping[str, object]:
        try:
            return loads_object(self._log.blob(digest) or b"{}")
        except StrictJsonError:
            return {}


def looked_at(log: DecisionLog, part: int = 0, parts: int = 1) -> tuple[list[str], list[str]]:
    """The digests of what is stored in one of so many equal parts of a log, and of those whose content is another."""
    stored: list[str] = []
    changed: list[str] = []
    for digest, data in log.blobs(part, parts):
        stored.append(digest)
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            changed.append(digest)
    return stored, changed
