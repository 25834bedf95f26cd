"""How a scenario is told: a tree at `main`, what a change makes of it, and the evidence that lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tools.scenario_evidence import bundle, envelope, key, model_signature, provenance, safetensors, subjects

NOW: Final = "2026-11-20T12:00:00Z"
MODEL: Final = "models/summarizer"
WEIGHTS: Final = f"{MODEL}/model.safetensors"
SETTINGS: Final = f"{MODEL}/config.json"
PROMPT: Final = "app/system.txt"
SIGNERS: Final = {
    "release": "claims: [artifact.signature, prompt, eval]",
    "builder": 'claims: ["build.*"]',
    "approver": "claims: [approval]",
}
MODEL_ARTIFACT: Final = f"summarizer: {{kind: weights, path: {MODEL}}}"
MODEL_GATE: Final = """\
  - id: G001
    trigger_paths: ["models/**"]
    required_attestations: [artifact.signature, build.provenance]
    message: A changed model needs a signature and provenance.
"""
PROMPT_GATE: Final = """\
  - id: G002
    trigger_paths: ["app/**"]
    required_attestations: [prompt, eval]
    message: A changed prompt needs a prompt and an evaluation attestation.
"""


def config(
    artifacts: Sequence[str] = (MODEL_ARTIFACT,),
    *,
    gates: str = MODEL_GATE,
    signers: Mapping[str, str] = SIGNERS,
    profile: str = "baseline",
    trust: str = "",
    more: str = "",
    target: str = "deployment",
) -> bytes:
    """A `gate.yaml`."""
    lines = ["version: 1", f"target: {target}", "environment: production", f"profile: {profile}"]
    if artifacts:
        lines += ["artifacts:", *(f"  {entry}" for entry in artifacts)]
    lines += ["evidence:", "  - directory: .gate/attestations", "trust:", "  signers:"]
    lines += [f"    {name}: {{key: keys/{name}.pub, {claims}}}" for name, claims in signers.items()]
    return ("\n".join(lines) + "\n" + trust + (f"gates:\n{gates}" if gates else "") + more).encode()


def profile(modes: Mapping[str, str], parameters: str = "") -> bytes:
    """A profile file with some controls."""
    lines = ["name: own", "description: What this scenario asks for.", "controls:"]
    lines += [f"  {control}: {{mode: {mode}}}" for control, mode in modes.items()]
    return ("\n".join(lines) + "\n" + parameters).encode()


@dataclass
class Draft:
    """The files of a scenario, at `main` and what the change makes of them.

    Paths of `evidence` and `reports` are relative to `.gate/attestations` and `.gate/reports`.
    """

    base: dict[str, bytes] = field(default_factory=dict)
    change: dict[str, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    executable_before: list[str] = field(default_factory=list)
    executable: list[str] = field(default_factory=list)
    evidence: dict[str, bytes] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)
    against: str | None = "main"
    has_configuration: bool = True

    def configure(self, text: bytes, *, keys: Sequence[str] = tuple(SIGNERS)) -> None:
        """The configuration at `main`, with the public keys that it names."""
        self.base["gate.yaml"] = text
        self.base |= {f"keys/{name}.pub": key(name).pem for name in keys}

    def files(self, top: str) -> dict[str, bytes]:
        """What lies below a folder once the change is made, by path below it."""
        tree = {path: data for path, data in (self.base | self.change).items() if path not in self.deleted}
        return {path.removeprefix(f"{top}/"): data for path, data in sorted(tree.items()) if path.startswith(f"{top}/")}

    def only(self, *paths: str) -> dict[str, bytes]:
        """Some files once the change is made, by path."""
        return {path: (self.base | self.change)[path] for path in paths}

    def model(self) -> None:
        """A model of two files, of which the change retrains one."""
        self.base |= {WEIGHTS: safetensors("one"), SETTINGS: b'{"model_type": "llama"}\n'}
        self.change[WEIGHTS] = safetensors("two")

    def signature(self, signer: str = "release") -> None:
        """A model signature over the files of the model."""
        self.evidence["signature.sigstore.json"] = bundle(model_signature("summarizer", self.files(MODEL)), key(signer))

    def built(self, signer: str = "builder") -> None:
        """Provenance of the files of the model."""
        self.evidence["provenance.dsse.json"] = envelope(provenance(subjects(self.files(MODEL))), key(signer))

    def good(self) -> None:
        """All that is asked for of the model as it is."""
        self.signature()
        self.built()


@dataclass(frozen=True)
class Scenario:
    """A scenario and how it ends. `failing` are the enforced controls with status fail or error, exactly.

    Threat, kind and twin are told by its name where they are not given (`scenario_threats`). An attack that nothing
    tells has a reason for that, `because`, and scenarios in which something does.
    """

    outcome: str
    name: str
    title: str
    exit_code: int
    failing: tuple[str, ...]
    passing: tuple[str, ...]
    waived: tuple[str, ...]
    words: tuple[str, ...]
    tell: Callable[[Draft], None]
    threat: str | None = None
    kind: str | None = None
    twin: str | None = None
    because: str | None = None
    seen_by: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Its folder."""
        return f"{self.outcome}/{self.name}"

    def draft(self) -> Draft:
        """Its files, around the change of a model unless it tells otherwise."""
        draft = Draft()
        self.tell(draft)
        if draft.has_configuration and "gate.yaml" not in draft.base:
            draft.configure(config())
        draft.base.setdefault("README.md", b"A service with a model.\n")
        return draft


SCENARIOS: list[Scenario] = []


def scenario(  # noqa: PLR0913 - one parameter for each thing that is told
    place: str,
    title: str,
    exit_code: int = 0,
    *,
    failing: Sequence[str] = (),
    passing: Sequence[str] = (),
    waived: Sequence[str] = (),
    words: Sequence[str] = (),
    threat: str | None = None,
    kind: str | None = None,
    twin: str | None = None,
    because: str | None = None,
    seen_by: Sequence[str] = (),
) -> Callable[[Callable[[Draft], None]], Callable[[Draft], None]]:
    """Adds the scenario that the decorated function tells. `place` is `<outcome>/<name>`."""
    outcome, _, name = place.partition("/")

    def add(tell: Callable[[Draft], None]) -> Callable[[Draft], None]:
        ends = (exit_code, tuple(failing), tuple(passing), tuple(waived), tuple(words))
        about = (threat, kind, twin, because, tuple(seen_by))
        SCENARIOS.append(Scenario(outcome, name, title, *ends, tell, *about))
        return tell

    return add
