"""The whole way of an LLM application: attested, signed, verified and allowed; then a change, refused and allowed.

It works on a copy in a temporary folder that is a git repository of its own. The keys, the signatures and the history
are real; each command is shown as a person would type it. The only thing that is made up is the second evaluation.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
COPIED = ("app", "attest", "data", "eval", "gate.yaml", "route", "slo")
TYPES = ("prompt", "corpus", "eval", "route", "slo")
SECOND_EVALUATION = (
    '{"metrics": {"accuracy": 0.92, "groundedness": 0.95}, "samples": {"evaluated": 200, "expected": 200}}\n'
)


class Application:
    """The copy, and how to work on it."""

    def __init__(self, root: Path, program: str) -> None:
        self.root = root
        self.program = program
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "demo" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, env=self.env, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def gate(self, *arguments: str, expect: int = 0) -> None:
        """Runs `gate`, shows command and answer, and insists on the exit code."""
        print(f"$ gate {' '.join(arguments)}", flush=True)
        command = [self.program, *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True, check=False)
        print((done.stdout + done.stderr).rstrip() + "\n", flush=True)
        if done.returncode != expect:
            raise SystemExit(f"gate {arguments[0]} gave exit {done.returncode}, expected {expect}")

    def attest(self, *types: str) -> None:
        for word in types:
            self.gate("attest", "create", "--type", word, "--config", f"attest/{word}.yaml")

    def sign(self) -> None:
        self.gate("sign", "--in", ".gate/statements", "--key", "keys/release.key")


def prepare(application: Application) -> None:
    """`main` holds the application, the configuration and the public key."""
    for name in COPIED:
        source, target = HERE / name, application.root / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    (application.root / ".gitignore").write_text(".gate/\n*.key\n")
    application.git("init", "--quiet", "--initial-branch", "main")


def attested(application: Application) -> None:
    print("1. A key, five statements that build on one another, a signature on each, and a decision.\n")
    application.gate("keygen", "--no-passphrase", "--out", "keys/release")
    application.commit("the bookshop's assistant")
    application.attest(*TYPES)
    application.sign()
    application.gate("chain", "show")
    application.gate("verify")
    application.gate("check")


def changed(application: Application) -> None:
    print("2. Somebody changes the system prompt on a branch. Nothing that was signed speaks of it.\n")
    application.git("checkout", "--quiet", "-b", "shorter-answers")
    prompt = application.root / "app" / "system_prompt.txt"
    prompt.write_text(prompt.read_text() + "Answer in at most three sentences.\n")
    application.commit("shorter answers")
    application.gate("check", "--base", "main", expect=12)


def attested_again(application: Application) -> None:
    print("3. The prompt is evaluated, and what the change affects is attested: the prompt and its evaluation by")
    print("   --changed-only, the route and the service level because they build on that evaluation.\n")
    (application.root / "eval" / "candidate.json").write_text(SECOND_EVALUATION)
    application.commit("evaluated with shorter answers")
    application.gate("attest", "create", "--changed-only", "--base", "main")
    application.attest("route", "slo")
    application.sign()
    application.gate("check", "--base", "main")


def main() -> None:
    parser = argparse.ArgumentParser(description="An LLM application, attested and gated.")
    parser.add_argument("--gate", metavar="FILE", default="gate", help="the program  [default: gate of the PATH]")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="build the repository here and keep it")
    options = parser.parse_args()
    program = shutil.which(options.gate)
    if program is None:
        raise SystemExit(f"there is no program {options.gate}: install the gate, or name it with --gate")
    with tempfile.TemporaryDirectory(prefix="gate-tiny-rag-") as folder:
        root = options.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        application = Application(root.resolve(), program)
        prepare(application)
        attested(application)
        changed(application)
        attested_again(application)
    print("Next: docs/tutorial.md goes this way by hand, and on to a registry.")
    print("`gate demo run` tampers with this application in every known way.")


if __name__ == "__main__":
    main()
