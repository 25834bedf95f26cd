"""An application in a folder of its own, attested and signed with a key that is made for it and thrown away."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate import resources
from gate.app.attest_create import TypedRequest, create_typed
from gate.app.check import check
from gate.app.produce import Place
from gate.app.sign import SignRequest, sign_statements
from gate.app.verify import verify
from gate.app.workspace import Request
from gate.attest.envelope import signed_bundle
from gate.attest.keygen import generate_key
from gate.attest.signer import Signer
from gate.attest.signers.file import load_file_signer
from gate.errors import AttestError, GateError
from gate.formats.canonical_json import dumps
from gate.formats.dsse import PAYLOAD_TYPE
from gate.formats.strict_json import loads_object
from gate.model.decision import Outcome
from gate.model.evidence import Rejected, Stage
from gate.model.json import JsonObject, JsonValue

TYPES: Final = ("prompt", "corpus", "eval", "route", "slo")
STATEMENTS: Final = ".gate/statements"
BUNDLES: Final = ".gate/attestations"
_KEY: Final = "release"
_GIT: Final = {"LC_ALL": "C", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
Json = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Case:
    """One tampering: what is done, what may be the answer, and how it is done."""

    id: str
    what: str
    expected: tuple[int, ...]
    play: Callable[[World], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class World:
    """A copy of the application. `keys` holds the private key, outside of the application."""

    root: Path
    keys: Path
    now_s: int

    @classmethod
    def lay(cls, root: Path, files: Mapping[str, bytes], now_s: int) -> World:
        """Writes the files below a new folder; the key stays beside the one they were signed in."""
        world = cls(root, root.parent, now_s)
        for path, data in files.items():
            world.write(path, data)
        return world

    def outcome(self, play: Callable[[World], tuple[int, str]]) -> tuple[int, str]:
        """The exit code and the first reason of what a case does."""
        try:
            return play(self)
        except GateError as error:
            return error.exit_code, str(error)

    # -- files ---------------------------------------------------------------------------------------------------------

    def write(self, path: str, data: bytes) -> None:
        """Writes a file below the root."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def read(self, path: str) -> bytes:
        """The bytes of a file below the root."""
        return (self.root / path).read_bytes()

    def append(self, path: str, data: bytes = b"# tamper\n") -> None:
        """Adds bytes to a file."""
        self.write(path, self.read(path) + data)

    def configure(self, kind: str, text: str) -> None:
        """Adds lines to the configuration of a collector."""
        self.append(f"attest/{kind}.yaml", text.encode())

    # -- commands ------------------------------------------------------------------------------------------------------

    def create(self, *kinds: str, checks: int = 1) -> None:
        """`gate attest create` for some types."""
        for kind in kinds or TYPES:
            config = Path("attest", f"{kind}.yaml")
            create_typed(TypedRequest(Place(self.root, self.root), kind, config, checks=checks))

    def sign(self) -> None:
        """`gate sign --in .gate/statements`."""
        request = SignRequest(Place(self.root, self.root), Path(STATEMENTS), str(self.keys / f"{_KEY}.key"))
        sign_statements(request, _no_passphrase)

    def verify(self, root: Path | None = None) -> tuple[int, str]:
        """`gate verify`: the exit code, and the first reason."""
        found = verify(Request(root or self.root, root or self.root, "gate.yaml", None, False, self.now_s))
        rejected = sorted(found.evidence.rejected, key=lambda item: _rank(item, found.exit_code))
        why = f"{rejected[0].code}: {rejected[0].detail}" if rejected else f"{len(found.evidence.verified)} verified"
        return found.exit_code, why

    def check(self, base: str | None = None) -> tuple[int, str]:
        """`gate check`: the exit code, and the controls that refuse."""
        decision = check(Request(self.root, None, "gate.yaml", base, False, self.now_s)).decision
        refusing = sorted(
            name for name, found in decision.controls.items() if found.outcome in {Outcome.FAIL, Outcome.ERROR}
        )
        return decision.exit_code, ", ".join(refusing) or decision.verdict.value

    # -- evidence ------------------------------------------------------------------------------------------------------

    def bundle(self, kind: str) -> Json:
        """The signed bundle of a type."""
        return dict(loads_object(self.read(f"{BUNDLES}/{kind}.sigstore.json"), limit=1 << 24))

    def edit_bundle(self, kind: str, change: Callable[[Json], object]) -> None:
        """Changes the envelope of a bundle."""
        bundle = self.bundle(kind)
        change(dict_of(bundle["dsseEnvelope"]))
        self.write(f"{BUNDLES}/{kind}.sigstore.json", dumps(bundle))

    def statement(self, kind: str) -> Json:
        """The statement of a type, as it was created."""
        return dict(loads_object(self.read(f"{STATEMENTS}/{kind}.json"), limit=1 << 24))

    def restate(self, kind: str, change: Callable[[Json], object], signer: Signer | None = None) -> None:
        """Changes a statement and has it signed, by the trusted key unless another is given, as it is."""
        statement = self.statement(kind)
        change(statement)
        self.write_bundle(kind, dumps(statement), signer)

    def write_bundle(self, name: str, payload: bytes, signer: Signer | None = None) -> None:
        """A bundle around any bytes, signed though the gate would not have signed them."""
        self.write(f"{BUNDLES}/{name}.sigstore.json", signed_bundle(payload, signer or self.signer()))

    def signer(self) -> Signer:
        """The trusted key."""
        return load_file_signer(self.keys / f"{_KEY}.key", _no_passphrase)

    def stranger(self) -> Signer:
        """A key that nobody trusts."""
        return generate_key("p256", self.keys / f"{self.root.name}.key", self.keys / f"{self.root.name}.pub", None)

    def keep(self, *kinds: str) -> None:
        """Removes the bundles of all other types."""
        for kind in TYPES:
            if kind not in kinds:
                (self.root / BUNDLES / f"{kind}.sigstore.json").unlink()

    # -- git -----------------------------------------------------------------------------------------------------------

    def repository(self) -> None:
        """Makes it a repository with the application on `main`, and a branch `change`."""
        self.write(".gitignore", b".gate/\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()
        self.git("checkout", "--quiet", "-b", "change")

    def commit(self) -> None:
        """Commits everything."""
        self.git("add", "--all")
        self.git("-c", "user.name=demo", "-c", "user.email=demo@example.com", "commit", "--quiet", "--message", "demo")

    def git(self, *arguments: str) -> None:
        """Runs git; raises `AttestError` when it fails."""
        environment = {**_GIT, "PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.keys)}
        done = subprocess.run(["git", *arguments], cwd=self.root, env=environment, capture_output=True, check=False)
        if done.returncode != 0:
            raise AttestError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")


def prepare(root: Path, now_s: int) -> Mapping[str, bytes]:
    """The application, attested and signed by a new key: bytes by path."""
    world = World.lay(root, resources.example_files(), now_s)
    signer = generate_key("p256", world.keys / f"{_KEY}.key", world.keys / f"{_KEY}.pub", None)
    world.write("keys/release.pub", signer.public_key_pem)
    world.create()
    world.sign()
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def _rank(item: Rejected, code: int) -> tuple[bool, int, int]:
    """What decided comes first, and of that what was found earliest: the rest follows from it."""
    follows = {"chain.dangling": 1, "chain.unresolved": 2}.get(item.code, 0)
    return item.stage.exit_code != code, list(Stage).index(item.stage), follows


def dict_of(value: JsonValue) -> Json:
    """The value, where it is an object as it was created."""
    return value if isinstance(value, dict) else {}


def list_of(value: JsonValue) -> list[JsonValue]:
    """The value, where it is a list as it was created."""
    return value if isinstance(value, list) else []


def unsigned_envelope(payload: bytes) -> JsonObject:
    """An envelope that nobody signed."""
    return {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": []}


def _no_passphrase(what: str) -> str:
    raise AttestError(f"{what}: the key of the demonstration has no passphrase")
