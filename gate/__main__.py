"""`python -m gate`."""

from gate.cli.main import run

run()
