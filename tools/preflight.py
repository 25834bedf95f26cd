"""Names every missing or too old tool, with the version needed, before anything is built.

    python3 tools/preflight.py build       what the environment and the extension module need
    python3 tools/preflight.py test        what the checks and tests need on top

Runs on old versions of Python, or it could not say that Python is too old: no f-strings, no annotations.
"""

import re
import subprocess
import sys

BUILD = (
    (["git", "--version"], (2, 36), "git", "the distribution's package `git`"),
    (["cargo", "--version"], (1, 95), "cargo", "rustup (`rustup update stable`)"),
    (["rustc", "--version"], (1, 95), "rustc", "rustup (`rustup update stable`)"),
)
TEST = (
    (["go", "version"], (1, 26), "go", "the Go project's download"),
    (["cargo", "clippy", "--version"], (0, 1, 95), "clippy", "`rustup component add clippy`"),
    (["cargo", "fmt", "--version"], (1, 8), "rustfmt", "`rustup component add rustfmt`"),
)
PYTHON = (3, 11)


def main(arguments):
    """Print what is missing; the exit status is 0 if nothing is."""
    if arguments not in (["build"], ["test"]):
        sys.stderr.write("usage: preflight.py build|test\n")
        return 2
    problems = list(python_problems())
    for command, floor, name, source in BUILD + (TEST if arguments == ["test"] else ()):
        problem = tool_problem(command, floor)
        if problem:
            problems.append("%s >= %s is needed, %s. Get it from %s." % (name, dotted(floor), problem, source))
    for problem in problems:
        sys.stderr.write("preflight: %s\n" % problem)
    return 1 if problems else 0


def python_problems():
    """What is wrong with the interpreter that would make the environment."""
    if sys.version_info[: len(PYTHON)] < PYTHON:
        found = dotted(sys.version_info[:3])
        yield "python3 >= %s is needed, this is %s. Name another one: make PYTHON=python3.12" % (dotted(PYTHON), found)
        return
    try:
        __import__("ensurepip")
        __import__("venv")
    except ImportError:
        yield "this python3 cannot make environments. Get the distribution's package `python3-venv`."


def tool_problem(command, floor):
    """Why a tool will not do, or None."""
    try:
        text = subprocess.check_output(command, stderr=subprocess.STDOUT).decode("utf-8", "replace")
    except (OSError, subprocess.CalledProcessError):
        return "`%s` does not work" % " ".join(command)
    found = re.search(r"\d+(?:\.\d+)+", text)
    if not found:
        return "`%s` names no version" % " ".join(command)
    version = tuple(int(part) for part in found.group().split("."))
    return None if version >= floor else "this is %s" % found.group()


def dotted(version):
    """`(1, 2)` as `1.2`."""
    return ".".join(str(part) for part in version)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
