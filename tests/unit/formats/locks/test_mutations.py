"""A lock with any value of another type, or with a line changed: a lock or one problem, and never an exception."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gate.formats.locks import read_lock
from tests.unit.formats.locks.reading import H1, ONE, SRI, TWO

HASH, OTHER = f"sha256:{ONE}", f"sha256:{TWO}"
PACKAGE: dict[str, Any] = {"name": "a", "version": "1"}
NPM: dict[str, Any] = {"version": "1.0.0", "resolved": "https://x.test/a/-/a.tgz", "integrity": SRI}
STRUCTURED: dict[str, dict[str, Any]] = {
    "uv.lock": {
        "version": 1,
        "package": [
            {**PACKAGE, "source": {"registry": "r"}, "sdist": {"hash": HASH}, "wheels": [{"url": "u", "hash": OTHER}]},
            {**PACKAGE, "name": "own", "source": {"virtual": "."}},
        ],
    },
    "poetry.lock": {
        "package": [{**PACKAGE, "files": [{"hash": HASH}], "source": {"type": "legacy", "url": "u"}}],
        "metadata": {"lock-version": "2.1", "files": {"b": [{"hash": HASH}]}},
    },
    "pdm.lock": {
        "metadata": {"lock_version": "4.5"},
        "package": [{**PACKAGE, "files": [{"hash": HASH}]}, {**PACKAGE, "path": ".", "editable": True}],
    },
    "Pipfile.lock": {
        "_meta": {"pipfile-spec": 6},
        "default": {"a": {"version": "==1", "hashes": [HASH], "index": "x"}, "b": {"path": ".", "editable": True}},
    },
    "pylock.toml": {
        "lock-version": "1.0",
        "packages": [
            {**PACKAGE, "wheels": [{"url": "u", "hashes": {"sha256": ONE}}]},
            {**PACKAGE, "archive": {"url": "u", "hashes": {"sha256": ONE}}},
            {**PACKAGE, "vcs": {"url": "u"}},
            {**PACKAGE, "directory": {"path": "."}},
        ],
    },
    "Cargo.lock": {
        "version": 3,
        "package": [{**PACKAGE, "source": "registry+x", "checksum": ONE}, {**PACKAGE, "name": "b", "source": "r"}],
        "metadata": {"checksum b 1 (r)": ONE},
    },
    "package-lock.json": {
        "lockfileVersion": 2,
        "packages": {
            "": {"name": "own"},
            "lib": {"version": "1"},
            "node_modules/lib": {"link": True, "resolved": "lib"},
            "node_modules/a": {**NPM, "name": "a"},
        },
        "dependencies": {"a": {**NPM, "dependencies": {"b": {"version": "npm:c@1"}}}, "c": {"version": "file:lib"}},
    },
    "pnpm-lock.yaml": {
        "lockfileVersion": "9.0",
        "importers": {".": {"dependencies": {"a": {"specifier": "1", "version": "1.0.0"}, "l": {"version": "link:l"}}}},
        "packages": {
            "a@1.0.0": {"resolution": {"integrity": SRI, "tarball": "https://x.test/a.tgz"}, "name": "a"},
            "b@1.0.0": {"resolution": {"type": "git", "repo": "x", "commit": "y"}},
            "c@1.0.0": {"resolution": {"type": "directory", "directory": "."}},
        },
        "snapshots": {"a@1.0.0": {"dependencies": {"b": "1.0.0"}}},
        "patchedDependencies": {},
    },
}
TEXTS = {
    "requirements.txt": f"# coding: utf-8\n--pre\na==1 ; x \\\n --hash=sha256:{ONE}\n-e .\nb @ https://x.test/b.whl#sha256={ONE}\n",
    "yarn.lock": f'# yarn lockfile v1\n"a@^1", "b@npm:a@1":\n  integrity {SRI}\n  dependencies:\n    a "^1"\n',
    "go.sum": f"x.test/a v1 {H1}\nx.test/a v1/go.mod {H1}\n",
    "go.mod": 'module x\nreplace (\n\t"a" => ./b // x\n)\nreplace c v1 => d v2\nrequire e v1\n',
    "go.work": "use (\n\t.\n)\n",
}
VALUES: tuple[Any, ...] = ([], [1], ["a"], {}, {"a": 1}, {"a": ["b"]}, 0, 1, -1.5, True, None, "", "x", "a\nb", "../x")


def toml(value: Any) -> str:
    """Inline TOML of a value; TOML knows no null, and a date stands for it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return "1979-05-27" if value is None else json.dumps(value)


def document(value: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {toml(item)}\n" for key, item in value.items())


def written(name: str, value: dict[str, Any]) -> bytes:
    write: Callable[[Any], str] = (
        document if not name.endswith((".json", ".yaml")) and "Pip" not in name else json.dumps
    )
    return write(value).encode()


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (key,)
        for rest in places(item):
            yield (key, *rest)


@pytest.mark.parametrize("name", STRUCTURED)
def test_a_value_of_any_type_is_read_or_a_problem(name: str) -> None:
    good = STRUCTURED[name]
    assert read_lock(name, written(name, good)).problems == ()
    for place in places(good):
        for value in VALUES:
            changed = copy.deepcopy(good)
            owner: Any = changed
            for step in place[:-1]:
                owner = owner[step]
            owner[place[-1]] = value
            lock = read_lock(name, written(name, changed))
            assert not (lock.packages and lock.problems)
            del owner[place[-1]]
            read_lock(name, written(name, changed))


@pytest.mark.parametrize("name", [*TEXTS, *STRUCTURED])
def test_bytes_at_random_are_read_or_a_problem(name: str) -> None:
    chance = random.Random(name)
    good = TEXTS[name].encode() if name in TEXTS else written(name, STRUCTURED[name])
    assert read_lock(name, good).problems == ()
    for _ in range(300):
        changed = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            start = chance.randrange(len(changed))
            odd = chance.choice([b"", b"\n", b'"', b"\\", b"=", b"-", b" ", b"#", b"\xff", b"(", b"\x00", b"\xc2\x85"])
            changed[start : start + chance.randint(0, 4)] = odd
        lock = read_lock(name, bytes(changed))
        assert not (lock.packages and lock.problems)
