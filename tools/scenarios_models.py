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
