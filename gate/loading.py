"""Loading what was admitted: `transformers`, `safetensors` and `torch` check no signature; the gate does, before them.

Between a decision and a loader's `open` anybody who can write to the folder can change it. So what is handed out here
is a private copy, made while its bytes are hashed and compared with the digests that were judged: nothing is in it that
the decision did not rest on, and nobody else can write to it. None of those libraries is imported, nothing is patched.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Concatenate, Final, ParamSpec, TypeVar

from gate.api import Admission, PathLike, admit
from gate.app.admit import place_below, unchanged
from gate.collect.snapshot import copy_verified
from gate.config.settings import DEFAULT_PATH
from gate.errors import ConfigError, EvidenceError
from gate.model.path import path_bytes

__all__ = ["guard", "open_verified", "snapshot", "verified_model"]

P = ParamSpec("P")
R = TypeVar("R")
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def verified_model(
    path: PathLike,
    *,
    config: str = DEFAULT_PATH,
    root: PathLike | None = None,
    base: str | None = None,
    now: int | None = None,
    copy: bool = True,
    into: PathLike | None = None,
) -> Iterator[Path]:
    """Admits a model and hands out a folder, or file, to load it from; raises like `admit` before that.

    The copy is read-only, below a private folder in `into` (the temporary folder unless given; it needs the room of
    the model), and is removed when the block ends. What a library has mapped into memory by then stays valid.

    `copy=False` hands out the model where it lies. That saves the copy and loses what this is for: whoever can write
    there can change the bytes after they were judged and before they are loaded. All files are hashed again when the
    block ends, and `EvidenceError` is raised if they are others then; a change that was taken back is not seen.
    """
    admission = admit(path, config=config, root=root, base=base, now=now)
    if copy:
        with snapshot(admission, into=into) as place:
            yield place
        return
    yield admission.location
    if not unchanged(admission):
        raise EvidenceError(
            f"{admission.path!r} changed while it was in use: what was loaded may not be what was judged",
            hint="discard what was loaded; use copy=True",
        )


@contextmanager
def snapshot(admission: Admission, *, into: PathLike | None = None) -> Iterator[Path]:
    """A private, read-only copy of exactly the files of an admission; raises `EvidenceError` for changed ones."""
    with _private_folder(into) as name:
        private = Path(name)
        top = private / admission.location.name
        places = {key: top / os.fsdecode(path_bytes(key)) for key in sorted(admission.files)}
        if not admission.is_folder:
            places = dict.fromkeys(places, top)
        folders = sorted({up for place in places.values() for up in place.parents if private in up.parents})
        for folder in folders:
            folder.mkdir()
        try:
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                list(pool.map(functools.partial(_copy, admission), places, places.values()))
            _set_modes(folders, 0o500)
            yield top
        finally:
            _set_modes(folders, 0o700)


def _private_folder(into: PathLike | None) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="gate-", dir=into)
    except OSError as error:
        where = os.fspath(into or tempfile.gettempdir())
        raise ConfigError(f"no private folder can be made in {where!r}: {error.strerror}") from None


def open_verified(
    path: PathLike,
    *,
    admission: Admission | None = None,
    config: str = DEFAULT_PATH,
    root: PathLike | None = None,
    base: str | None = None,
    now: int | None = None,
) -> BinaryIO:
    """One admitted file, open for reading: a private copy without a name, whose bytes are those that were judged.

    With an `admission`, `path` is one of its files and nothing is judged again; the other options are not used.
    Raises like `admit`, `ConfigError` for what is no file of the admission, `EvidenceError` for a changed one.
    """
    found = admission or admit(path, config=config, root=root, base=base, now=now)
    place = place_below(found.root, Path.cwd() / path)
    digests = {found.place(name): digest for name, digest in found.files.items()}
    if place not in digests:
        raise ConfigError(f"{os.fspath(path)!r} is no file of what was admitted", hint=f"admitted: {found.path}")
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        copy_verified(found.root, place, digests[place], file)
        file.seek(0)
        stack.pop_all()
    return file


def guard(
    load: Callable[Concatenate[str, P], R],
    *,
    config: str = DEFAULT_PATH,
    root: PathLike | None = None,
    base: str | None = None,
    now: int | None = None,
) -> Callable[Concatenate[PathLike, P], R]:
    """A loader that loads only what was admitted: `load` with its first argument admitted and replaced by a copy.

    It patches nothing: only calls of the function returned here are guarded. A first argument that is no path of an
    artifact, such as the name of a model on a hub, is refused. The copy is gone when the call returns.
    """

    @functools.wraps(load)
    def guarded(path: PathLike, /, *arguments: P.args, **options: P.kwargs) -> R:
        with verified_model(path, config=config, root=root, base=base, now=now) as place:
            return load(str(place), *arguments, **options)

    return guarded


def _copy(admission: Admission, name: str, place: Path) -> None:
    try:
        with os.fdopen(os.open(place, _CREATE, 0o400), "wb") as file:
            copy_verified(admission.root, admission.place(name), admission.files[name], file)
    except OSError as error:
        raise EvidenceError(f"the copy of {name!r} cannot be written: {error.strerror}") from None


def _set_modes(folders: list[Path], mode: int) -> None:
    for folder in folders:
        folder.chmod(mode)
