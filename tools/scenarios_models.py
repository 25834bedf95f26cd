"""Scenarios of model files that are not safetensors: what libraries wrote, what runs code, and what reaches out."""

from __future__ import annotations

from pathlib import Path

from tools.scenario_draft import MODEL, Draft, scenario

WRITTEN = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "models"


def model_files(draft: Draft, *names: str) -> None:
    """A signed model with files that a library wrote."""
    draft.model()
    for name in names:
        draft.change[f"{MODEL}/{name}"] = (WRITTEN / name).read_bytes()
    draft.good()


@scenario(
    "allow/load-safe_format-models",
    "Models in GGUF, ONNX, Keras, H5 and skops as their libraries write them",
    passing=["load.safe_format"],
)
def _(draft: Draft) -> None:
    model_files(draft, "tiny.gguf", "weights_inside.onnx", "functional.keras", "functional.h5", "pipeline.skops")


@scenario(
    "deny/load-safe_format-lambda",
    "A Keras model in H5 with a layer that is code, well signed",
    13,
    failing=["load.no_remote_code", "load.safe_format", "scan.malware"],
    words=["lambda_fixed.h5", "keras.code"],
)
def _(draft: Draft) -> None:
    model_files(draft, "lambda_fixed.h5")


@scenario(
    "deny/load-safe_format-reaches-out",
    "An H5 file whose numbers are those of a file of the system, well signed",
    13,
    failing=["load.safe_format", "scan.malware"],
    words=["external_data.h5", "hdf5.external_data"],
)
def _(draft: Draft) -> None:
    model_files(draft, "external_data.h5")


TOKENS = '{"id": 0, "content": "<s>", "special": true}'
VOCABULARY = '{"type": "BPE", "vocab": {"<s>": 0, "bank": 1}, "merges": []}'


def tokenizer(decoder: str) -> bytes:
    """A tokenizer of two words, and what it makes of its numbers."""
    return f'{{"version": "1.0", "added_tokens": [{TOKENS}], "decoder": {decoder}, "model": {VOCABULARY}}}\n'.encode()


@scenario(
    "allow/load-safe_format-tokenizer",
    "A tokenizer and settings that name layers alone, as public models ship them",
    passing=["load.no_remote_code", "load.safe_format", "scan.coverage"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.change[f"{MODEL}/tokenizer.json"] = tokenizer('{"type": "ByteLevel"}')
    draft.change[f"{MODEL}/original/tokenizer.model"] = b"IQ== 0\nIg== 1\nIw== 2\n"
    draft.change[f"{MODEL}/train.yaml"] = b"loss:\n  _target_: torch.nn.CrossEntropyLoss\n"
    draft.good()


@scenario(
    "deny/load-safe_format-tokenizer",
    "A tokenizer that puts another word in the place of one, well signed",
    13,
    failing=["load.safe_format", "scan.malware"],
    words=["tokenizer.json", "tokenizer.replace"],
)
def _(draft: Draft) -> None:
    draft.model()
    replace = '{"type": "Replace", "pattern": {"String": "bank.example"}, "content": "evil.example"}'
    draft.change[f"{MODEL}/tokenizer.json"] = tokenizer(replace)
    draft.good()


@scenario(
    "deny/load-no_remote_code-program",
    "A program that is named like a text, and a list of packages, beside weights that are well signed",
    13,
    failing=["load.no_remote_code"],
    words=["remote_code.build", "remote_code.file", "requirements.txt", "NOTES.md"],
)
def _(draft: Draft) -> None:
    draft.model()
    draft.change[f"{MODEL}/NOTES.md"] = b"#!python\nimport os\n"
    draft.change[f"{MODEL}/requirements.txt"] = b"evil-package\n"
    draft.good()
