"""Kills writers of a log at random instants; says which decisions they had promised.

    log_killed.py LOG KILLS SEED

A program of its own, since it forks: each child appends as fast as it can and writes an id once it is recorded, as an
answer would leave. Every second child writes checkpoints too.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from gate.record.checkpoint import make_checkpoint
from gate.record.sqlite import open_sqlite
from tests.support.records import entry, identity, signer


def write(path: Path, answers: int, start: int, *, signs: bool) -> None:
    log = open_sqlite(path, create=True)
    for number in range(start, start + 10_000):
        log.append([entry(number)], 1000)
        os.write(answers, f"{identity(number)}\n".encode())
        if signs:
            make_checkpoint(log, signer(), ())


def main(path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    entry(0)  # so that no child spends its life on imports
    for number in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                write(path, writing, number * 10_000, signs=number % 2 == 1)
            finally:
                os._exit(1)
        os.close(writing)
        time.sleep(chance.uniform(0.001, 0.06))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the child has to be killed, not to fail"
        with os.fdopen(reading) as answers:
            sys.stdout.write(answers.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
