"""What records name by digest: decisions, input documents, policies and their files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final, Self

from gate.errors import EvidenceError
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import Digest, parse_digest
from gate.model.record import LogFinding
from gate.record.interface import DecisionLog

MAX_FINDINGS: Final = 200
MANY: Final = 20_000
"""So many records are worth a process on every other core."""


class Contents:
    """What records name by digest: all of it is there, and has its digest.

    For a large log other processes begin at once, so that every core has work; leaving ends them.
    """

    def __init__(self, log: DecisionLog) -> None:
        self._log = log
        self._helpers: list[subprocess.Popen[bytes]] = []
        self.findings: list[LogFinding] = []

    def __enter__(self) -> Self:
        if self._log.size() - self._log.floor().size >= MANY:
            cores = len(os.sched_getaffinity(0))
            commands = [self._log.helper(part, cores + 1) for part in range(1, cores + 1)]
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
        count, changed = self._changed()
        for seq, digest in islice(self._log.missing(), MAX_FINDINGS):
            self.findings.append(LogFinding("content.missing", seq, f"{digest} is gone"))
        if changed:
            self._name(changed)
        self._policies()
        return count

    def _changed(self) -> tuple[int, list[Digest]]:
        count, changed = changed_contents(self._log, 0, len(self._helpers) + 1)
        for helper in self._helpers:
            answer, _ = helper.communicate()
            if helper.returncode:
                raise EvidenceError(f"{self._log.name}: a part of it cannot be read")
            more, digests = json.loads(answer)
            count, changed = count + more, changed + digests
        return count, changed

    def _name(self, changed: Sequence[Digest]) -> None:
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

    def _policies(self) -> None:
        """The files of every policy are there. Those that were changed were found before."""
        for seq, digest in self._log.policies():
            for path, named in self._files(digest).items():
                file = parse_digest(named) if isinstance(named, str) else None
                if file is None or not self._log.has(file):
                    self.findings.append(LogFinding("content.missing", seq, f"the policy file {path} is gone"))

    def _files(self, digest: Digest) -> Mapping[str, object]:
        try:
            return loads_object(self._log.blob(digest) or b"{}")
        except StrictJsonError:
            return {}


def changed_contents(log: DecisionLog, part: int = 0, parts: int = 1) -> tuple[int, list[Digest]]:
    """How many contents there are in one of so many equal parts of a log, and which of them were changed."""
    count, changed = 0, []
    for digest, data in log.blobs(part, parts):
        count += 1
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            changed.append(digest)
    return count, changed
