"""What a pickle may call, and which state it may give to what came of it: the rules of all roles together."""

from __future__ import annotations

from typing import Final

from gate.inspect.pickle_calls import (
    CALLS,
    FUNCTIONS,
    RefusedError,
    is_made,
    judge_dtype_state,
    need,
    sizes_of,
)
from gate.inspect.pickle_objects import NEW_ONLY, OBJECT_CALLS, judge_object_state
from gate.inspect.pickle_values import NONE, Items, Made, Reference, Table, Value, tuple_parts

ALL_CALLS: Final = {**CALLS, **OBJECT_CALLS}
"""The rule of each role that may be called."""


def judge_call(target: Value, args: Value, *, new: bool) -> Made:
    """What an allowed call makes; raises `RefusedError`. With `new` it is `__new__` that is called, so of a class."""
    if not isinstance(target, Reference) or target.role is None or target.role not in ALL_CALLS:
        raise RefusedError("it is not a callable that is allowed")
    if new and (target.role in FUNCTIONS or target.role == "bit_generator"):
        raise RefusedError("a function is not a class")
    if not new and target.role in NEW_ONLY:
        raise RefusedError("its constructor is not run by what its library writes")
    if not isinstance(args, Items) or args.kind != "tuple":
        raise RefusedError("its arguments are not a tuple")
    return ALL_CALLS[target.role](args.items)


def judge_state(made: Value, state: Value) -> None:
    """Whether BUILD may give an object its state. Raises `RefusedError`.

    A mapping may get the listed attributes and no others: an attribute called `__setstate__` would be called.
    """
    if not isinstance(made, Made):
        raise RefusedError("only an object that a call made has a state")
    if made.role == "mapping":
        known = state is NONE or (isinstance(state, Table) and state.plain)
        need(known, "it sets attributes that are not allowed")
    elif made.role == "ndarray":
        parts = tuple_parts(state)
        need(len(parts) == 5 and is_made(parts[2], "dtype"), "not the state of an array")
        sizes_of(parts[1])
    elif made.role == "dtype":
        judge_dtype_state(made, state)
    else:
        judge_object_state(made, state)
