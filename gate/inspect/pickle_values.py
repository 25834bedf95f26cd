"""What the pickle machine knows about values: enough to judge calls, never the values themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from gate.inspect.pickle_policy import PicklePolicy
from gate.model.scan import Severity


@dataclass(frozen=True, slots=True)
class Atom:
    """Plain data whose content does not matter."""

    name: str


NONE = Atom("None")
BOOL = Atom("bool")
NUMBER = Atom("number")
"""A float, or an integer of more than 16 bytes."""
BYTES = Atom("bytes")
TEXT = Atom("text")
"""Text that is too long to be a name, or written with escapes: never resolved."""


@dataclass(slots=True, eq=False)
class Items:
    """A tuple, list, set or frozenset. An empty one has no list of its own: a pickle can hold millions of them."""

    kind: str
    items: list[Value] | tuple[()]


@dataclass(slots=True, eq=False)
class Table:
    """A dictionary. `plain` tells that all its keys are attributes that BUILD may set on a mapping.

    `simple` tells that all its keys are texts that name no special method. `fields` are the values of a small one by
    text; `others` tells that there are keys beside them.
    """

    empty: bool = True
    plain: bool = True
    simple: bool = True
    others: bool = False
    fields: dict[str, Value] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A global that the pickle named. `role` is `None` for one that is not allowed."""

    module: str
    name: str
    role: str | None

    @property
    def full_name(self) -> str:
        """The name with its module."""
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What an allowed call returned, by role; `storage` for a persistent id. `numbers` are its extent, where known."""

    role: str
    numbers: tuple[int, ...] = ()


Value = Atom | str | int | Items | Table | Reference | Made


def tuple_parts(value: Value) -> Sequence[Value]:
    """The items of a tuple, none for anything else."""
    return value.items if isinstance(value, Items) and value.kind == "tuple" else ()


DENIED = Made("denied")
"""What comes of a call that is not allowed. The call was reported; its result is not reported again."""


_NO_TEXTS = frozenset({"array", "collection", "dtype", "joblib_array", "mapping", "ndarray", "object", "tensor"})


def is_no_text(value: Value) -> bool:
    """Whether a value is certainly no text, for which an unpickler raises that needs one."""
    if isinstance(value, Made):
        return value.role in _NO_TEXTS
    return value is not TEXT and not isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Storage:
    """A tensor's bytes, kept outside the pickle: the size of an element in bytes, and how many there are."""

    element_bytes: int
    elements: int


class MalformedError(Exception):
    """The stream is no pickle from here on; the text says why."""


class UnknownError(Exception):
    """The stream may go on as a pickle, but the machine cannot follow it; the text says why."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What one pickle was found to do.

    `end` is the offset behind it. `error` is why it broke off; `None` when it reached STOP or, if `exhausted`, the cap
    or something that the machine cannot follow.
    `arrays` counts those that joblib reads from between the operations, and `padded` tells that one has padding.
    `named` holds the globals that it names, `refused` tells that one of them is not allowed, `calls` that such a one
    was called. `storages` are the persistent ids of torch, by key. `value` is what the pickle stands for.
    """

    end: int
    error: str | None
    exhausted: bool
    notes: tuple[tuple[str, Severity, str], ...]
    named: frozenset[str]
    refused: bool
    calls: bool
    storages: Mapping[str, Storage]
    value: Value
    operations: int
    arrays: int
    padded: bool


class Arrays(Enum):
    """How a reader takes the arrays that joblib writes between the operations of a pickle."""

    PLAIN = "plain"
    """It knows nothing of them, and goes on with their bytes."""
    PADDED = "padded"
    """Before them is padding, where their description says so (joblib 1.2 and later)."""
    BARE = "bare"
    """There is no padding, whatever their description says (joblib before 1.2)."""


@dataclass(frozen=True, slots=True)
class WalkRules:
    """How one pickle is read. `persistent` allows torch's persistent ids, which only its own containers resolve.

    `plain` ends the pickle at any persistent id, as an unpickler ends it that resolves none.
    """

    policy: PicklePolicy
    persistent: bool
    operations: int
    line_bytes: int
    plain: bool = False
    arrays: Arrays = Arrays.PLAIN
    tensors: frozenset[str] | None = None
    """The persistent ids that there are, if they are keys of tensors as in torch's tar archives."""
    second: bool = False
    """This is another reading of what was read, in which names of an array's own pickle come to stand for others."""
