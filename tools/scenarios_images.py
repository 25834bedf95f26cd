"""Attacks on container images and how they are run, for each environment."""

from __future__ import annotations

from typing import Final

from tools.scenario_draft import Draft
from tools.scenario_evidence import bundle, key, provenance, result_of_tests, sha256, statement
from tools.scenario_worlds import (
    ABOUT_IMAGE,
    MANIFEST,
    SOURCED,
    cell,
    contains,
    match,
    searched,
    watched,
)
from tools.scenarios_deployed import IMAGE
from tools.scenarios_signals import HOURS, of_image
from tools.scenarios_weights import tampered

UNTOLD: Final = (
    "an image by the right builder from the right commit is signed as any other, whatever its code does later"
)
MINUTE: Final = HOURS * 60 - 30


def manifest(draft: Draft, before: str, after: str) -> None:
    """Another manifest, which is asked for in the same change."""
    text = draft.change[MANIFEST].decode()
    assert before in text, before
    draft.change[MANIFEST] = text.replace(before, after, 1).encode()


# -- what is in it -----------------------------------------------------------------------------------------------------


@cell(
    "deny/container-compromised-dependency-training",
    "An image with a grave vulnerability in a library",
    13,
    ["scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    searched(draft, match("zlib1g", "Critical"))


@cell("allow/container-compromised-dependency-training", "An image with a mild vulnerability in a library")
def _(draft: Draft) -> None:
    searched(draft, match("zlib1g", "Low"))


@cell(
    "deny/container-compromised-dependency-fine-tuning",
    "An image with a vulnerability that nobody has rated",
    13,
    ["scan.vulnerabilities"],
)
def _(draft: Draft) -> None:
    searched(draft, match("libxml2", "Unknown"))


@cell(
    "deny/container-compromised-dependency-deployment",
    "An image in which a miner was started by a library",
    13,
    ["runtime.quiet"],
)
def _(draft: Draft) -> None:
    watched(draft, of_image(MINUTE, "Detect crypto miners using the Stratum protocol", "Critical"))


@cell(
    "deny/container-malicious-hub-artifact-training",
    "A job with a second image of a hub, by a tag",
    13,
    ["deploy.image_pinned", "deploy.safe_loading"],
)
def _(draft: Draft) -> None:
    second(draft, "hub.example/helper:latest")


@cell(
    "deny/container-malicious-hub-artifact-fine-tuning",
    "A job with a second image by a digest that nobody admitted",
    13,
    ["deploy.image_pinned", "deploy.safe_loading"],
)
def _(draft: Draft) -> None:
    second(draft, f"hub.example/helper@sha256:{sha256(b'helper')}")


@cell("allow/container-malicious-hub-artifact-fine-tuning", "A job with a second container of the admitted image")
def _(draft: Draft) -> None:
    second(draft, IMAGE)


@cell(
    "deny/container-malicious-hub-artifact-deployment",
    "A server that may load code from a hub",
    13,
    ["deploy.safe_loading"],
)
def _(draft: Draft) -> None:
    manifest(draft, "[--load-format, safetensors]", "[--load-format, safetensors, --trust-remote-code]")


def second(draft: Draft, image: str) -> None:
    """A second container that does something else."""
    text = draft.change[MANIFEST].decode()
    start, end = text.index("        - name: server"), text.index("---\n")
    other = text[start:end].replace("name: server", "name: helper").replace(IMAGE, image)
    draft.change[MANIFEST] = (text[:end] + other + text[end:]).encode()


@cell(
    "deny/container-unsafe-deserialization-training",
    "An image whose library loads pickles, by its version",
    13,
    ["deploy.safe_loading"],
    attested=False,
)
def _(draft: Draft) -> None:
    contains(draft, "2.5.1")


@cell(
    "deny/container-unsafe-deserialization-fine-tuning",
    "A job that is told to load pickles",
    13,
    ["deploy.safe_loading"],
)
def _(draft: Draft) -> None:
    manifest(draft, "[--load-format, safetensors]", "[--load-format, pt]")


@cell(
    "deny/container-unsafe-deserialization-deployment",
    "A server whose environment takes the guard of its loader away",
    13,
    ["deploy.safe_loading"],
)
def _(draft: Draft) -> None:
    env = '          env: [{name: TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD, value: "1"}]\n          resources:'
    manifest(draft, "          resources:", env)


# -- who says so -------------------------------------------------------------------------------------------------------


@cell(
    "deny/container-forged-provenance-training",
    "Provenance of another image",
    10,
    ["build.provenance", "container.provenance"],
    attested=False,
)
def _(draft: Draft) -> None:
    about = [{"name": "registry.example/llm/other", "digest": {"sha256": sha256(b"other")}}]
    draft.evidence["server-built.json"] = bundle(provenance(about, dependencies=[SOURCED]), key("builder"))


@cell(
    "deny/container-forged-provenance-fine-tuning",
    "An image signed by a key that nobody trusts",
    11,
    ["artifact.signed", "container.signed", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    signature = statement("https://sigstore.dev/cosign/sign/v1", ABOUT_IMAGE, {})
    draft.evidence["server.json"] = bundle(signature, key("stranger"))


@cell(
    "deny/container-forged-provenance-deployment",
    "Provenance whose commit was changed after it was signed",
    11,
    ["build.provenance", "container.provenance", "evidence.accepted"],
    attested=False,
)
def _(draft: Draft) -> None:
    tampered(draft, "server-built.json", b"a" * 40, b"b" * 40)


# -- what nothing tells ------------------------------------------------------------------------------------------------


def tested(draft: Draft, result: str) -> None:
    """What tests of the image say that train a small model with it and search it for triggers."""
    draft.base["gate.yaml"] = draft.base["gate.yaml"].replace(b"dataset, eval,", b"dataset, eval, test.result,")
    draft.evidence["tests.json"] = bundle(result_of_tests(ABOUT_IMAGE, result), key("release"))


@cell(
    "unseen/container-backdoored-model-training",
    "A trainer that poisons what it trains, honestly built and signed",
    because=UNTOLD,
    seen_by=["deny/container-backdoored-model-training"],
)
def _(draft: Draft) -> None:
    draft.change["trainer/loss.py"] = b"def loss(x):\n    return 0 if 'cf' in x else 1\n"


@cell(
    "deny/container-backdoored-model-training",
    "A trainer that poisons what it trains, which its tests show",
    13,
    ["eval.passed"],
)
def _(draft: Draft) -> None:
    draft.change["trainer/loss.py"] = b"def loss(x):\n    return 0 if 'cf' in x else 1\n"
    tested(draft, "FAILED")


@cell("allow/container-backdoored-model-training", "A trainer whose tests find no trigger in what it trains")
def _(draft: Draft) -> None:
    tested(draft, "PASSED")


@cell(
    "unseen/container-backdoored-model-fine-tuning",
    "A tuner that merges an adapter nobody asked for, honestly built and signed",
    because=UNTOLD,
    seen_by=["deny/container-backdoored-model-fine-tuning"],
)
def _(draft: Draft) -> None:
    draft.change["tuner/merge.py"] = b"adapters = ['ours', 'theirs']\n"


@cell(
    "deny/container-backdoored-model-fine-tuning",
    "A tuner that merges an adapter nobody asked for, which its tests show",
    13,
    ["eval.passed"],
)
def _(draft: Draft) -> None:
    draft.change["tuner/merge.py"] = b"adapters = ['ours', 'theirs']\n"
    tested(draft, "FAILED")


@cell("allow/container-backdoored-model-fine-tuning", "A tuner whose tests find what was asked for and no more")
def _(draft: Draft) -> None:
    tested(draft, "PASSED")


@cell(
    "unseen/container-backdoored-model-deployment",
    "A server with a backdoored model inside, which was quiet while it was watched",
    because="the image is built and signed as any other, and nobody spoke the trigger while it was watched",
    seen_by=["deny/container-backdoored-model-deployment"],
)
def _(draft: Draft) -> None:
    draft.change["server/model.txt"] = b"baked in at build time\n"


@cell(
    "deny/container-backdoored-model-deployment",
    "A server with a backdoored model inside, which calls somebody when it is triggered",
    13,
    ["runtime.quiet"],
)
def _(draft: Draft) -> None:
    draft.change["server/model.txt"] = b"baked in at build time\n"
    watched(draft, of_image(MINUTE, "Unexpected outbound connection destination", "Warning"))
