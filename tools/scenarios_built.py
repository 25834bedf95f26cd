"""Scenarios of what is built from source: for each control about builds one that passes and one that is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tools.scenario_collected import collected
from tools.scenario_draft import Draft, config, profile, scenario
from tools.scenario_evidence import bundle, key, provenance, result_of_tests, sha256, statement, subjects
from tools.scenarios_allow import IMAGE, IMAGE_DIGEST

WHEEL: Final = "dist/app.whl"
COMMIT: Final = "a" * 40
REPOSITORY: Final = "https://code.example/acme/app"
BUILDER: Final = "https://builder.example/training"
PACKAGE: Final = f"app: {{kind: package, path: {WHEEL}}}"
SERVER: Final = f'server: {{kind: container, image: "{IMAGE}@sha256:{IMAGE_DIGEST}"}}'
SIGNERS: Final = {
    "release": "claims: [artifact.signature]",
    "builder": 'claims: ["build.*"]',
    "approver": "claims: [approval, review]",
    "second": "claims: [test.result]",
    "auditor": "claims: [source.summary, scorecard]",
}
KEYLESS: Final = Path(__file__).resolve().parent.parent / "fixtures" / "keyless"
"""A signature by an identity and the trusted root of its Sigstore; both are kept, because keys there are random."""

ISSUER: Final = "https://token.actions.test"
WORKFLOW: Final = "https://forge.test/acme/model/.forge/workflows/release.yml@refs/heads/main"
EXPECTED: Final = f"""\
parameters:
  build.parameters:
    expected:
      {BUILDER}/v1: {{source: "{REPOSITORY}", refs: [refs/heads/main], values: {{recipe: [r1, r2]}}}}
"""


def builders(level: int) -> str:
    """The builder of the fixtures with a level, as a part of the section `trust`."""
    return f'  builders:\n    hosted: {{id: "{BUILDER}", signers: [builder], level: {level}}}\n'


def asked(draft: Draft, entry: str, controls: Sequence[str], *, trust: str = "", more: str = "") -> None:
    """Some artifact for which a profile of its own asks for some controls."""
    text = config([entry], gates="", signers=SIGNERS, profile="profile.yaml", trust=trust, more=more)
    draft.configure(text, keys=tuple(SIGNERS))
    draft.base["profile.yaml"] = profile(dict.fromkeys(controls, "enforce"))


def package(draft: Draft, ref: str = "refs/heads/main") -> None:
    """A package with provenance of its build from a branch."""
    draft.change[WHEEL] = b"PK\x05\x06" + bytes(18)
    source = {"uri": f"git+{REPOSITORY}@{ref}", "digest": {"gitCommit": COMMIT}}
    draft.evidence["provenance.json"] = bundle(provenance(wheel(draft), dependencies=[source]), key("builder"))


def wheel(draft: Draft) -> list[dict[str, object]]:
    """The package as a subject."""
    return subjects(draft.only(WHEEL))


def source_summary(commit: str = COMMIT, *levels: str) -> bytes:
    """A SLSA verification summary of a commit."""
    predicate = {
        "verifier": {"id": "https://verifier.example/source"},
        "timeVerified": "2026-11-20T09:00:00Z",
        "resourceUri": f"git+{REPOSITORY}",
        "policy": {"uri": "https://verifier.example/policy", "digest": {"sha256": "b" * 64}},
        "verificationResult": "PASSED",
        "verifiedLevels": list(levels),
    }
    subject = {"uri": f"{REPOSITORY}/tree/{commit}", "digest": {"gitCommit": commit}}
    return statement("https://slsa.dev/verification_summary/v1", [subject], predicate)


def scorecard(score: float, checks: Mapping[str, int]) -> bytes:
    """A result of Scorecard about the commit."""
    predicate = {
        "date": "2026-11-20",
        "repo": {"name": "code.example/acme/app", "commit": COMMIT},
        "scorecard": {"version": "v5.3.0", "commit": "c" * 40},
        "score": score,
        "checks": [{"name": name, "score": value, "reason": "measured"} for name, value in checks.items()],
    }
    subject = {"name": "code.example/acme/app", "digest": {"gitCommit": COMMIT}}
    return statement("https://scorecard.dev/result/v0.1", [subject], predicate)


# -- images ------------------------------------------------------------------------------------------------------------


def image(draft: Draft) -> None:
    """An image by digest, with a signature as cosign makes it and provenance."""
    draft.configure(config([SERVER], gates=""))
    draft.change["Dockerfile"] = b"FROM scratch\n"
    about = [{"name": IMAGE, "digest": {"sha256": IMAGE_DIGEST}}]
    signature = statement("https://sigstore.dev/cosign/sign/v1", about, {})
    draft.evidence["signature.json"] = bundle(signature, key("release"))
    draft.evidence["provenance.json"] = bundle(provenance(about), key("builder"))


def only_container_controls(draft: Draft) -> None:
    """The image under a profile that asks for what is attached to images."""
    image(draft)
    asked(draft, SERVER, ["container.provenance", "container.signed", "artifact.pinned"])


@scenario(
    "allow/container-signed",
    "An image that is signed and has provenance, under the packaged profile",
    passing=["container.signed", "container.provenance", "artifact.signed", "build.provenance"],
    words=["ALLOW"],
)
def _(draft: Draft) -> None:
    image(draft)


@scenario(
    "deny/container-signed",
    "An image that nobody signed, though its provenance is there",
    10,
    failing=["container.signed"],
    passing=["container.provenance"],
    words=["container.signed", "server"],
)
def _(draft: Draft) -> None:
    only_container_controls(draft)
    del draft.evidence["signature.json"]


@scenario("allow/container-provenance", "An image that its builder describes", passing=["container.provenance"])
def _(draft: Draft) -> None:
    image(draft)


@scenario(
    "deny/container-provenance",
    "A signed image whose provenance is of another one",
    10,
    failing=["container.provenance"],
    passing=["container.signed"],
    words=["container.provenance", "about the digest of the image"],
)
def _(draft: Draft) -> None:
    only_container_controls(draft)
    about = [{"name": "registry.example/llm/other", "digest": {"sha256": sha256(b"another image")}}]
    draft.evidence["provenance.json"] = bundle(provenance(about), key("builder"))


# -- builds ------------------------------------------------------------------------------------------------------------


@scenario("allow/build-level", "A package by a builder of level 3", passing=["build.level"])
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["build.level"], trust=builders(3))
    package(draft)


@scenario(
    "deny/build-level",
    "A package by a builder that gate.yaml gives level 1",
    13,
    failing=["build.level"],
    passing=["artifact.pinned"],
    words=["build.level", "level 1 of 2"],
)
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["build.level", "artifact.pinned"], trust=builders(1))
    package(draft)


@scenario("allow/build-parameters", "A package from the expected branch", passing=["build.parameters"])
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["build.parameters"], more=EXPECTED)
    package(draft)


@scenario(
    "deny/build-parameters",
    "A package from a branch that nobody expects",
    13,
    failing=["build.parameters"],
    passing=["artifact.pinned"],
    words=["build.parameters", "another branch or tag"],
)
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["build.parameters", "artifact.pinned"], more=EXPECTED)
    package(draft, "refs/heads/fix")


@scenario(
    "error/expectation-without-refs",
    "An expectation that no rule understands",
    4,
    words=["build.parameters"],
    twin="allow/build-parameters",
)
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["build.parameters"], more=EXPECTED.replace("[refs/heads/main]", "main"))
    package(draft)


@scenario("allow/source-reviewed", "A package from a commit that two people agreed on", passing=["source.reviewed"])
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["source.reviewed"])
    package(draft)
    draft.evidence["summary.json"] = bundle(source_summary(COMMIT, "SLSA_SOURCE_LEVEL_4"), key("auditor"))


@scenario(
    "deny/source-reviewed",
    "A package whose verifier vouches for another commit",
    13,
    failing=["source.reviewed"],
    passing=["artifact.pinned"],
    words=["source.reviewed", "no verifier vouches"],
)
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["source.reviewed", "artifact.pinned"])
    package(draft)
    draft.evidence["summary.json"] = bundle(source_summary("d" * 40, "SLSA_SOURCE_LEVEL_4"), key("auditor"))


@scenario("allow/project-health", "A package of a project that scores 7.1", passing=["project.health"])
def _(draft: Draft) -> None:
    asked(draft, PACKAGE, ["project.health"])
    package(draft)
    draft.evidence["scorecard.json"] = bundle(scorecard(7.1, {"Code-Review": 9}), key("auditor"))


@scenario(
    "deny/project-health",
    "A package of a project whose code review is inconclusive",
    13,
    failing=["project.health"],
    passing=["artifact.pinned"],
    words=["project.health", "Code-Review"],
)
def _(draft: Draft) -> None:
    more = "parameters: {project.health: {checks: {Code-Review: 5000}}}\n"
    asked(draft, PACKAGE, ["project.health", "artifact.pinned"], more=more)
    package(draft)
    draft.evidence["scorecard.json"] = bundle(scorecard(7.1, {"Code-Review": -1}), key("auditor"))


# -- people ------------------------------------------------------------------------------------------------------------


def separated(draft: Draft, approver: str, *more: str) -> None:
    """A package with provenance, a test result and somebody's approval, and what else is asked for."""
    signers = {name: claims.replace("claims: [test.", "claims: [approval, test.") for name, claims in SIGNERS.items()}
    text = config([PACKAGE], gates="", signers=signers, profile="profile.yaml")
    draft.configure(text, keys=tuple(signers))
    draft.base["profile.yaml"] = profile(dict.fromkeys(("approval.separated", "artifact.pinned", *more), "enforce"))
    package(draft)
    draft.evidence["tests.json"] = bundle(result_of_tests(wheel(draft)), key("second"))
    files = draft.only(WHEEL)
    approval = collected("approval", {"files": files}, decision="approved", scope="release 7", comment=None)
    draft.evidence["approval.json"] = bundle(approval, key(approver))


@scenario(
    "allow/approval-separated",
    "A package that three people built, tested and approved",
    passing=["approval.separated", "approval.human"],
)
def _(draft: Draft) -> None:
    separated(draft, "approver", "approval.human")


@scenario(
    "deny/approval-separated",
    "A package that the one who tested it approved",
    13,
    failing=["approval.separated"],
    passing=["artifact.pinned"],
    words=["approval.separated", "approval and evaluation"],
)
def _(draft: Draft) -> None:
    separated(draft, "second")


# -- transparency ------------------------------------------------------------------------------------------------------


def transparent(draft: Draft) -> None:
    """A model for which a profile asks that its signature is public; two signers may sign, one without a key."""
    root = (KEYLESS / "trusted_root.json").read_bytes()
    trust = f"  sigstore: {{trusted_root: trust/trusted_root.json, sha256: {sha256(root)}}}\n"
    signers = {"release": "claims: [artifact.signature]", "second": "claims: [artifact.signature]"}
    text = config(gates="", signers=signers, profile="profile.yaml", trust=trust)
    keyless = f"second: {{identity: {{issuer: {ISSUER}, subject: {WORKFLOW}}},"
    text = text.replace(b"second: {key: keys/second.pub,", keyless.encode())
    draft.configure(text, keys=("release",))
    draft.base["trust/trusted_root.json"] = root
    draft.base["profile.yaml"] = profile(dict.fromkeys(("artifact.transparent", "artifact.signed"), "enforce"))
    draft.model()


@scenario(
    "allow/artifact-transparent",
    "A model whose signature is in a transparency log",
    passing=["artifact.transparent", "artifact.signed"],
)
def _(draft: Draft) -> None:
    transparent(draft)
    draft.evidence["signature.sigstore.json"] = (KEYLESS / "signature.sigstore.json").read_bytes()


@scenario(
    "deny/artifact-transparent",
    "A model that a key signed, which no log and no authority knows of",
    13,
    failing=["artifact.transparent"],
    passing=["artifact.signed"],
    words=["artifact.transparent", "no log holds its signature"],
)
def _(draft: Draft) -> None:
    transparent(draft)
    draft.signature()
