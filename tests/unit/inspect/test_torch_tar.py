"""The tar archives that torch wrote before version 0.1.10."""

from __future__ import annotations

import pickle
import struct

import pytest

from tests.support import samples
from tests.support.looking import is_clean, look, rules
from tests.support.torch_files import Call, Key, Named, Storage, dumped, saved_tar, tar_of

STORAGES = [
    (5, Storage("FloatStorage", 6), (2, 3)),
    (6, Storage("LongStorage", 3), (3,)),
    (7, Storage("ByteStorage", 1), ()),
]
COUNT = pickle.dumps(0, 2)
EMPTY = {"sys_info": dumped({}), "pickle": dumped({}), "tensors": COUNT, "storages": COUNT + dumped([])}


def storage(count: int = 2, key: object = 1, kind: str = "FloatStorage", raw: bytes = b"\0" * 8) -> bytes:
    return dumped(1) + dumped((key, "cpu", Named("torch", kind))) + struct.pack("<q", count) + raw + dumped([])


def tensor(*numbers: int, where: object = 1) -> bytes:
    return dumped(1) + dumped((9, where, Named("torch", "FloatStorage"))) + struct.pack(f"<{len(numbers)}q", *numbers)


def test_a_model_is_clean() -> None:
    found = look("m.pt", saved_tar({"weight": Key(5), "bias": Key(6)}, STORAGES))
    assert (found.format, found.inspected, found.findings) == ("torch.tar", True, ())
    assert is_clean(look("m.pt", tar_of(EMPTY)))
    whole = {**EMPTY, "storages": storage(), "tensors": tensor(1, 2, 1, 0), "pickle": dumped({"a": 1})}
    assert is_clean(look("m.pth", tar_of(whole)))


def test_only_keys_of_tensors_are_persistent_ids() -> None:
    assert rules(look("m.pt", saved_tar({"weight": Key(8)}, STORAGES))) == {"pickle.persistent_id"}
    inside = tar_of({**EMPTY, "pickle": b"\x80\x02(X\x01\0\0\0atQ."})
    assert rules(look("m.pt", inside)) == {"pickle.persistent_id"}


@pytest.mark.parametrize("member", list(EMPTY))
def test_every_pickle_is_judged(member: str) -> None:
    hostile = dumped(Call(Named("os", "system"), ("x",)))
    assert "pickle.global" in rules(look("m.pt", tar_of({**EMPTY, member: hostile})))
    assert "pickle.global" in rules(look("m.pt", tar_of({**EMPTY, member: hostile[:-1]})))
    assert not is_clean(look("m.pt", tar_of({**EMPTY, member: EMPTY[member] + b"x"})))
    endless = b"\x80\x02" + b"N0" * 300 + b"N."
    assert not look("m.pt", tar_of({**EMPTY, member: endless}), pickle_operations=100).inspected


@pytest.mark.parametrize(
    "changed",
    [
        {"storages": dumped("x")},
        {"storages": dumped(-1)},
        {"storages": dumped(1) + dumped(1)},
        {"storages": storage(kind="float32")},
        {"storages": storage(key=())},
        {"storages": storage(count=1 << 40)},
        {"storages": storage(count=-1)},
        {"storages": dumped(1) + dumped((1, "cpu", Named("torch", "FloatStorage"))) + b"\0"},
        {"storages": COUNT + dumped([(1, 2, 0, 3)])},
        {"storages": COUNT + dumped({})},
        {"tensors": tensor(1, 2, 1, 0)},
        {"tensors": dumped(1) + dumped(1)},
        {"storages": storage(), "tensors": tensor(1, 3, 1, 0)},
        {"storages": storage(), "tensors": tensor(1, 2, 1, 1)},
        {"storages": storage(), "tensors": tensor(1, 2, -1, 1)},
        {"storages": storage(), "tensors": tensor(65)},
        {"storages": storage(), "tensors": tensor(1, 2)},
    ],
)
def test_what_torch_did_not_write_is_a_finding(changed: dict[str, bytes]) -> None:
    assert "pickle.storage" in rules(look("m.pt", tar_of({**EMPTY, **changed})))


def test_fewer_members_are_files_like_any_others() -> None:
    some = {name: data for name, data in EMPTY.items() if name != "tensors"}
    assert look("m.tar", tar_of(some)).format == "tar"
    hostile = {**some, "pickle": samples.call("os", "system")}
    assert "pickle.global" in rules(look("m.tar", tar_of(hostile)))
    twice = {**some, "pickle/": b""}
    assert look("m.tar", tar_of(twice)).format == "tar"
