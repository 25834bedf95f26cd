"""What the rules of inspection are about, and what to do about a finding: by the first part of a rule's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.model.scanned import State


@dataclass(frozen=True, slots=True)
class RuleHelp:
    """What a rule is about, and how to fix what it finds."""

    about: str
    fix: str


_CONVERT: Final = "Convert the weights to safetensors in a place where nothing is lost if they harm it, and ship those."
_AGAIN: Final = "Write the file again with the library of its format, from a source that you trust."
_HELP: Final[Mapping[str, RuleHelp]] = {
    "adapter": RuleHelp("An adapter and its base model", "Use the adapter with the base model that it was made for."),
    "archive": RuleHelp("The structure and the members of an archive", "Pack it again with an ordinary tool."),
    "coreml": RuleHelp("Layers and paths of a Core ML model", "Convert the model without custom layers and paths."),
    "file": RuleHelp(
        "A file that is something else than its name says, or two things at once",
        "Give the file its true name, or replace it by one that is of one format.",
    ),
    "gguf": RuleHelp("The structure of a GGUF file", _AGAIN),
    "hdf5": RuleHelp("Links and external data of an HDF5 file", "Save the model with its weights inside the file."),
    "json": RuleHelp("JSON that readers understand differently, or that names paths", _AGAIN),
    "keras": RuleHelp(
        "Layers and functions of a Keras model that run code of their own",
        "Save the model without Lambda layers and registered names, or ship the weights as safetensors.",
    ),
    "mar": RuleHelp("Programs that a TorchServe archive brings", "Serve the model with a handler of TorchServe."),
    "msgpack": RuleHelp("The structure of a msgpack file", _AGAIN),
    "numpy": RuleHelp("The structure of an array file", "Save the array with numpy and allow_pickle=False."),
    "onnx": RuleHelp(
        "Operators and external data of an ONNX model",
        "Export the model with standard operators and its weights beside it, by a plain relative name.",
    ),
    "pickle": RuleHelp("What a pickle calls when it is loaded", _CONVERT),
    "remote_code": RuleHelp(
        "Settings that make a loader fetch or run code, and code itself",
        "Remove the setting or the file; use an architecture that the library has itself.",
    ),
    "safetensors": RuleHelp("The structure of a safetensors file", _AGAIN),
    "saved_model": RuleHelp(
        "Operators of a SavedModel that read or write files, or run code", "Export the model without these operators."
    ),
    "skops": RuleHelp("Types that skops does not trust by default", "Save the model with types that skops trusts."),
    "table": RuleHelp(
        "Types of columns that are pickles", "Write the table again with types that Arrow has, or that are no pickles."
    ),
    "template": RuleHelp(
        "What a chat template does beside writing text", "Replace the template by one that only formats messages."
    ),
    "tflite": RuleHelp(
        "Operators and buffers of a TensorFlow Lite model", "Convert the model without custom operators."
    ),
    "tokenizer": RuleHelp("The structure of a tokenizer, and paths in it", _AGAIN),
    "torch": RuleHelp("Formats of old versions of PyTorch", _CONVERT),
    "torchscript": RuleHelp("The program that a TorchScript archive is", _CONVERT),
    "yaml": RuleHelp("YAML that makes objects when it is loaded", "Remove the tags; load it with a safe loader."),
}
_OTHER: Final = RuleHelp("What an inspector of another package found", "See the documentation of that inspector.")
_TODO: Final[Mapping[State, str]] = {
    State.UNINSPECTED: (
        "Ship it in a format that can be judged, such as safetensors, GGUF, ONNX or JSON; or remove it."
        " Formats of your own: docs/how-to/add-an-inspector.md."
    ),
    State.UNREAD: "Make it readable, let nothing write to it meanwhile, and scan again.",
    State.LINK: "Put the file itself there, or scan what the link points at.",
    State.SPECIAL: "Remove it: it is nothing that a model consists of.",
    State.EXCLUDED: "Leave the pattern out, or name only the paths that are to be judged.",
}


def rule_help(rule: str) -> RuleHelp:
    """What a rule is about and how to fix what it finds; rules of other packages have a general answer."""
    return _HELP.get(rule.partition(".")[0], _OTHER)


def what_to_do(state: State) -> str:
    """What to do about a file that was not judged."""
    return _TODO[state]
