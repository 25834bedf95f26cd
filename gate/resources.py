"""The files that are installed with the package: the Rego library, the JSON Schemas, requirements of frameworks.

In a checkout the entries of `gate/_data` are links to the folders at the top level, so an editable install sees an
edit at once. In a wheel they are folders. Nobody else may know where these files are.
"""

from pathlib import Path

_DATA = Path(__file__).parent / "_data"


def rego_files() -> dict[str, bytes]:
    """All files of the Rego library: bytes by path below `rego/`, with `/`, sorted by path.

    Raises:
        FileNotFoundError: the installation has no Rego library. A gate without policy must not start.
    """
    root = _DATA / "rego"
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    if not found:
        raise FileNotFoundError(f"no Rego library at {root}: the installation of gate is damaged")
    return {name: found[name].read_bytes() for name in sorted(found)}


def schema(name: str) -> bytes:
    """The bytes of a JSON Schema by its path below `schemas/`, such as `input.json`.

    Raises:
        FileNotFoundError: there is no schema of that name.
    """
    return (_DATA / "schemas" / name).read_bytes()


def framework_files() -> dict[str, bytes]:
    """The lists of the frameworks' requirements: bytes by the framework's id, sorted by it."""
    return {path.stem: path.read_bytes() for path in sorted((_DATA / "frameworks").glob("*.json"))}


def authz_policy() -> bytes:
    """The module `system.authz` for an OPA server: only the gate's question with the token, and the health check."""
    return (_DATA / "opa" / "authz.rego").read_bytes()


def workshop_file(name: str) -> bytes:
    """What the commands for authors of controls need: templates, and settings for OPA and Regal."""
    return (_DATA / "workshop" / name).read_bytes()


def page_file(name: str) -> bytes:
    """The template, the style or the script of the report for a browser."""
    return (_DATA / "html" / name).read_bytes()


def example_files() -> dict[str, bytes]:
    """The LLM application that `gate demo run` works on: bytes by path below its root, sorted by path."""
    root = _DATA / "tiny-rag"
    kept = ("app", "attest", "data", "eval", "gate.yaml", "route", "slo")
    found = {
        path.relative_to(root).as_posix(): path for name in kept for path in (root / name, *(root / name).rglob("*"))
    }
    return {name: found[name].read_bytes() for name in sorted(found) if found[name].is_file()}
