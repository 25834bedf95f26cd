"""Settings and files that make a loader fetch or run code of the artifact's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from gate.inspect.context import Findings, shown
from gate.inspect.known_targets import is_known_component
from gate.inspect.loaders import leaves_folder, names_code, names_keras_module
from gate.inspect.templates import judge_template
from gate.inspect.values import Pairs, members, objects, texts
from gate.model.scan import Severity

_ATTENTION: Final = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "paged|")
    for name in ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flash_attention_4", "flex_attention")
) | {"paged_attention", "sdpa_paged", "eager_paged", "flash_attention_2_paged", ""}
_ATTENTION_KEYS: Final = frozenset({"_attn_implementation", "_attn_implementation_internal", "attn_implementation"})
_KERNEL_KEYS: Final = (
    "_attn_implementation",
    "attn_implementation",
    "_experts_implementation",
    "experts_implementation",
)
_CODE_KEYS: Final[Mapping[str, str]] = {
    "auto_map": "auto_map",
    "trust_remote_code": "trust_remote_code",
    "custom_generate": "custom_pipeline",
    "custom_pipeline": "custom_pipeline",
    "_custom_pipeline": "custom_pipeline",
    "custom_pipelines": "custom_pipelines",
    "kernel_config": "kernel_config",
    "use_kernels": "use_kernels",
}
"""Keys that name code, or allow it, unless their value is empty or false; with the last part of the rule."""
_TEMPLATE_KEYS: Final = frozenset({"chat_template", "default_chat_template"})
_PIPELINE_LIBRARIES: Final = frozenset(
    {"diffusers", "transformers", "onnxruntime", "onnxruntime.training", "optimum", "flax", "k_diffusion", "peft"}
)
_MODULE_CLASS: Final = re.compile(r"sentence_transformers(?:\.\w+)*\.[A-Z]\w*")
_FALSE: Final = (None, False, 0, "", "false", "False")


def scan_settings(path: str, root: object, found: Findings) -> None:
    """Looks at every key at any depth of a parsed document, and at the lists of modules that some libraries keep."""
    for inside in objects(root):
        for key, value in inside:
            _scan_member(key, value, found)
        if names_keras_module(dict(inside)):
            text = "an object of keras is of a module outside of it, or of what models are not made of"
            found.add("remote_code.keras_module", Severity.HIGH, text)
    name = path.rpartition("/")[2].lower()
    if name in {"model_index.json", "modular_model_index.json"}:
        _scan_model_index(root, found)
    elif name == "modules.json":
        _scan_modules(root, found)
    elif name == "router_config.json":
        _scan_router(root, found)
    elif name == "adapter_config.json":
        _scan_adapter(root, found)
    elif name == "mlmodel":
        _scan_mlflow(root, found)


def _scan_member(key: str, value: object, found: Findings) -> None:
    """Looks at one member of an object, at whatever depth."""
    if key in _CODE_KEYS and not _is_empty(value):
        message = f"{key} makes a loader run code that comes with the artifact or from a hub"
        found.add(f"remote_code.{_CODE_KEYS[key]}", Severity.HIGH, message)
    elif key.startswith(_KERNEL_KEYS) and key not in _ATTENTION_KEYS and _names_hub(value):
        message = f"{key} names a kernel that comes from a hub: {_brief(value)}"
        found.add("remote_code.attn_implementation", Severity.HIGH, message)
    elif key in _ATTENTION_KEYS and not _is_known_attention(value):
        message = f"{key} is none of the built-in implementations: {_brief(value)}"
        found.add("remote_code.attn_implementation", Severity.HIGH, message)
    elif (key in _TEMPLATE_KEYS and not _is_empty(value)) or _is_template(key, value):
        for name, text in _templates(key, value):
            judge_template(text, found, name)
    elif key == "weight_map":
        for tensor, file in members(value):
            if leaves_folder(file):
                message = f"the file of tensor {shown(tensor, 60)} is not beside its index: {_brief(file)}"
                found.add("json.path", Severity.HIGH, message)
    elif (named := names_code(key, value)) is not None:
        found.add(f"remote_code.{named[0]}", Severity.HIGH, f"{key} names code for {named[1]} to run: {_brief(value)}")


def _is_empty(value: object) -> bool:
    if isinstance(value, Pairs):
        return not value.items
    return any(value is no or (type(value) is type(no) and value == no) for no in _FALSE) or value in ([], {})


def _is_known_attention(value: object) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, (Pairs, Mapping)):
            waiting.extend(inner for _, inner in members(item))
        elif item is not None and not (isinstance(item, str) and item in _ATTENTION):
            return False
    return True


def _names_hub(value: object) -> bool:
    """Whether a text in a value could be a repository, or a function of one."""
    return any("/" in text or ":" in text for text in texts(value))


def _scan_model_index(root: object, found: Findings) -> None:
    """Diffusers: each component is `[library, class]`; another library is a module of the artifact's own."""
    for key, value in members(root):
        if key == "_class_name":
            custom = not isinstance(value, str)
        elif isinstance(value, list) and len(value) == 2 and not key.startswith("_"):
            custom = not _is_component(*value)
        elif isinstance(value, list) and len(value) == 3 and members(value[2]) and not key.startswith("_"):
            custom = not _is_component(*value[:2]) or _names_hub(value[2])
        else:
            custom = False
        if custom:
            found.add("remote_code.model_index", Severity.HIGH, f"component {shown(key, 60)} is a module of its own")


def _is_component(library: object, name: object) -> bool:
    known = isinstance(library, str) and library in _PIPELINE_LIBRARIES
    return library is None or known or is_known_component(library, name)


def _is_module_class(value: object) -> bool:
    """Whether a text names a class of Sentence Transformers, not something that one of its modules imports."""
    return isinstance(value, str) and _MODULE_CLASS.fullmatch(value) is not None


def _scan_modules(root: object, found: Findings) -> None:
    """Sentence Transformers: each module names its class."""
    for module in root if isinstance(root, list) else ():
        for key, value in members(module):
            if key == "type" and not _is_module_class(value):
                found.add("remote_code.modules", Severity.HIGH, f"a module has a class of its own: {_brief(value)}")
            elif key == "path" and leaves_folder(value):
                found.add("json.path", Severity.HIGH, f"a module is not below its model: {_brief(value)}")


def _scan_router(root: object, found: Findings) -> None:
    """Sentence Transformers: a router names the classes of its routes."""
    for key, types in members(root):
        for _, value in members(types) if key == "types" else ():
            if not _is_module_class(value):
                found.add("remote_code.modules", Severity.HIGH, f"a route has a class of its own: {_brief(value)}")


def _scan_adapter(root: object, found: Findings) -> None:
    """PEFT: an adapter names the model that a loader fetches for it."""
    for key, value in members(root):
        if key != "base_model_name_or_path" or value in (None, ""):
            continue
        if not isinstance(value, str) or found.base not in {None, value}:
            found.add("adapter.base", Severity.HIGH, f"{key} is no name of a model, or two: {_brief(value)}")
        found.base = value if isinstance(value, str) else found.base


def _scan_mlflow(root: object, found: Findings) -> None:
    """MLflow: a flavour names the module that loads the model, and a folder of code that is imported before."""
    for inside in objects(root):
        for key, value in inside:
            foreign = key == "loader_module" and not (isinstance(value, str) and value.startswith("mlflow."))
            if foreign or (key in {"code", "model_code_path"} and not _is_empty(value)):
                text = f"{key} names code that MLflow imports to load the model: {_brief(value)}"
                found.add("remote_code.mlflow", Severity.HIGH, text)


def _is_template(key: str, value: object) -> bool:
    """Whether a member that is called a template is one of Jinja: others put values between single braces."""
    return key.endswith("_template") and any("{{" in text or "{%" in text for text in texts(value))


def _templates(key: str, value: object) -> Iterator[tuple[str, str]]:
    """The templates in a setting, each with its place: one text, texts by name, or a list of both."""
    for item in value if isinstance(value, list) else [value]:
        inside = members(item)
        names = [text for member, text in inside if member == "name" and isinstance(text, str)]
        if isinstance(item, str):
            yield key, item
        elif len(inside) == 2 and names and {member for member, _ in inside} == {"name", "template"}:
            yield from (
                (f"{key}/{names[0]}", text) for member, part in inside if member != "name" for text in texts(part)
            )
        else:
            yield from ((f"{key}/{member}", text) for member, part in inside for text in texts(part))


def _brief(value: object) -> str:
    return shown(value, 60) if isinstance(value, str) else type(value).__name__.lower()
