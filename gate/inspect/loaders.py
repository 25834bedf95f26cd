"""Names of classes, functions and files in settings, by the libraries that import, call or open them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.inspect.known_targets import is_known_target

_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:[.:]+[^\W\d]\w*)+")
_JSONPICKLE: Final = frozenset(
    f"py/{name}"
    for name in (
        "class", "function", "initargs", "mod", "newargs", "newargsex", "newobj", "object", "property", "reduce",
        "repr", "type",
    )
)  # fmt: skip
_ANY_VALUE: Final[Mapping[str, tuple[str, str]]] = {
    "_target_": ("target", "hydra"),
    "_component_": ("component", "torchtune"),
    **dict.fromkeys(_JSONPICKLE, ("jsonpickle", "jsonpickle")),
}
"""Keys that nothing else uses; with the last part of the rule, and who calls what they name."""
_DOTTED_VALUE: Final[Mapping[str, tuple[str, str]]] = {
    "class_path": ("class_path", "Lightning"),
    "target": ("target", "instantiate_from_config"),
}
"""Keys that name a callable if their value has a dot."""
_INSTANTIATORS: Final = frozenset(
    {"lightning.pytorch.cli.instantiate_module", "pytorch_lightning.cli.instantiate_module"}
)
_NAMING: Final = frozenset({"_component_", "_target_", "class_path", "target"})
_ACTIVATIONS: Final = frozenset(
    {"activation_function", "activation_fn", "default_activation_function", "sbert_ce_default_activation_function"}
)
_ACTIVATION_CLASS: Final = re.compile(
    r"(?:torch\.nn|transformers\.activations|sentence_transformers)(?:\.\w+)*\.[A-Z]\w*"
)
_MODEL_LIBRARIES: Final = frozenset({"diffusers", "peft", "sentence_transformers", "timm", "transformers"})
_KERAS_CODE: Final = frozenset({"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
"""Classes that run code out of their settings, or load a model of another library."""
_DRIVE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def names_code(key: str, value: object) -> tuple[str, str] | None:
    """The last part of the rule and who runs what is named, if a member of an object names code."""
    if key in _NAMING and is_known_target(value):
        return None
    if key in _ANY_VALUE:
        return _ANY_VALUE[key]
    if isinstance(value, str):
        return _names_code(key, value)
    if key in {"parent_library", "megatron_core"} and value is not None:
        return "library", "peft"
    return None


def _names_code(key: str, value: str) -> tuple[str, str] | None:
    if key == "_instantiator" and value not in _INSTANTIATORS:
        return "target", "Lightning"
    if key in _DOTTED_VALUE and _DOTTED.fullmatch(value):
        return _DOTTED_VALUE[key]
    if key in _ACTIVATIONS and "." in value and _ACTIVATION_CLASS.fullmatch(value) is None:
        return "activation", "sentence_transformers"
    is_foreign = value.partition(".")[0] not in _MODEL_LIBRARIES
    if (key == "parent_library" and is_foreign) or (key == "megatron_core" and value not in {"megatron.core", ""}):
        return "library", "peft"
    return ("lambda", "keras") if key == "class_name" and value in _KERAS_CODE else None


def names_keras_module(members: Mapping[str, object]) -> bool:
    """Whether an object is one of Keras that names a module outside of it, or what models are not made of."""
    from gate.inspect.keras import is_building_block

    name, module = members.get("class_name"), members.get("module")
    if name is None or module is None:
        return False
    if not isinstance(name, str) or not isinstance(module, str):
        return True
    return not is_building_block(module.removeprefix("tensorflow."), name.rpartition(">")[2])


def leaves_folder(value: object) -> bool:
    """Whether what should be the name of a file beside the settings could be one elsewhere."""
    if not isinstance(value, str):
        return True
    parts = value.replace("\\", "/").split("/")
    return ".." in parts or (len(parts) > 1 and not parts[0]) or _DRIVE.match(value) is not None or "\0" in value
