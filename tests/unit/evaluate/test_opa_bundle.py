"""The archive of a policy bundle: one text a policy, and nothing else is read."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gate import resources
from gate.errors import PolicyError
from gate.evaluate import opa_bundle
from gate.evaluate.bundle import packaged_bundle, with_own_controls
from gate.evaluate.opa_bundle import AUTHZ, MANIFEST, ROOTS, bundle_files, pack, read_bundle, unpack
from gate.formats.canonical_json import dumps
from gate.formats.strict_json import loads_object

POLICY = packaged_bundle()
OWN = POLICY.modules["gate/controls/scan/malware/malware.rego"].replace("gate.controls.scan.malware", "custom.a.b")
SIGNATURES = ".signatures.json"


def files_of(**changes: bytes | None) -> dict[str, bytes]:
    """The files of the packaged policy as a bundle, some of them changed or left out."""
    files = {**bundle_files(POLICY, resources.authz_policy(), 3, "0.1.0"), SIGNATURES: b"{}", **changes}
    return {path: data for path, data in files.items() if data is not None}


def manifest(**changes: Any) -> bytes:
    value = dict(loads_object(files_of()[MANIFEST]))
    metadata = changes.pop("metadata", {})
    inner = value["metadata"]
    assert isinstance(inner, dict)
    return dumps({**value, "metadata": {**inner, **metadata}, **changes})


def other_tar(
    change: Callable[[tarfile.TarFile, tarfile.TarInfo], None],
    form: int = tarfile.USTAR_FORMAT,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """An archive by another writer, with a change after its members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for path, data in sorted((files or files_of()).items()):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        change(archive, tarfile.TarInfo("gate/lib/x/x.rego"))
    return out.getvalue()


def zipped(tar: bytes) -> bytes:
    """A tar in the gate's own gzip."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    trailer = zlib.crc32(tar).to_bytes(4, "little") + len(tar).to_bytes(4, "little")
    return opa_bundle._GZIP_HEADER + deflate.compress(tar) + deflate.flush() + trailer


def tar_of(data: bytes) -> bytes:
    return gzip.decompress(data)


def refusal(data: bytes) -> str:
    with pytest.raises(PolicyError) as caught:
        unpack(data)
    assert caught.value.hint
    return str(caught.value)


class TestArchive:
    def test_it_comes_back_as_it_was(self) -> None:
        assert unpack(pack(files_of())) == files_of()

    def test_the_same_files_are_the_same_bytes_in_any_order(self) -> None:
        shuffled = list(files_of().items())
        random.Random(1).shuffle(shuffled)
        assert pack(dict(shuffled)) == pack(files_of())

    def test_other_programs_read_it(self) -> None:
        with tarfile.open(fileobj=io.BytesIO(pack(files_of())), mode="r:gz") as archive:
            members = archive.getmembers()
            assert {member.name: archive.extractfile(member).read() for member in members} == files_of()  # type: ignore[union-attr]
        assert [member.name for member in members] == sorted(files_of())
        assert {(one.mtime, one.uid, one.gid, one.mode, one.uname, one.type) for one in members} == {
            (0, 0, 0, 0o644, "", tarfile.REGTYPE)
        }

    def test_nothing_in_the_stream_tells_time_name_or_system(self) -> None:
        assert pack(files_of())[:10] == bytes.fromhex("1f8b08000000000002ff")

    @pytest.mark.parametrize(
        "path",
        [
            "/gate/lib/a/a.rego",
            "../gate/lib/a/a.rego",
            "gate/../a.rego",
            "gate//a.rego",
            "./gate/lib/a/a.rego",
            "gate/lib/A/a.rego",
            "Gate/lib/a/a.rego",
            "gate\\lib.rego",
            "gate/lib/a/a_test.rego",
            "gate/lib/a/data.json",
            "gate/profiles/a/data.yaml",
            "gate/profiles/A/data.json",
            "data.json",
            "patch.json",
            "policy.wasm",
            "gate/main/policy.wasm",
            "a.rego",
            "system/other/other.rego",
            "gate/lib/é/é.rego",
            "gate/lib/a/a.rego\n",
            f"gate/{'a' * 200}.rego",
            "",
        ],
    )
    def test_a_file_that_is_no_part_of_a_policy_is_neither_written_nor_read(self, path: str) -> None:
        with pytest.raises(PolicyError):
            pack({**files_of(), path: b""})
        if path and len(path) <= 100 and path.isascii():
            refusal(zipped(opa_bundle._tar({**files_of(), path: b""})))

    @pytest.mark.parametrize(
        "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
    )
    def test_links_folders_and_devices_are_refused(self, kind: bytes) -> None:
        def add(archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)

        assert "is a link, a folder, a device" in refusal(zipped(other_tar(add)))

    def test_extended_headers_are_refused(self) -> None:
        def add(archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
            info.pax_headers = {"path": "gate/lib/y/y.rego"}
            archive.addfile(info)

        assert "extended header" in refusal(zipped(other_tar(add, tarfile.PAX_FORMAT)))

    def test_a_file_that_is_in_it_twice_is_refused(self) -> None:
        def add(archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
            info.name = AUTHZ
            archive.addfile(info)

        assert "twice" in refusal(zipped(other_tar(add)))

    def test_another_layout_of_the_same_files_is_refused(self) -> None:
        assert "not laid out" in refusal(zipped(other_tar(lambda *_: None)))
        assert "not laid out" in refusal(zipped(tar_of(pack(files_of())) + bytes(512)))

    def test_a_second_stream_and_anything_behind_the_first_are_refused(self) -> None:
        data = pack(files_of())
        for more in (data, b"\0", gzip.compress(b""), data[-8:]):
            assert "something follows it" in refusal(data + more)

    def test_another_header_of_gzip_is_refused(self) -> None:
        tar = tar_of(pack(files_of()))
        assert "no gzip file as the gate writes it" in refusal(gzip.compress(tar, mtime=1))
        assert "no gzip file as the gate writes it" in refusal(b"")

    def test_what_is_cut_off_is_refused(self) -> None:
        data, tar = pack(files_of()), tar_of(pack(files_of()))
        for cut in (11, len(data) // 2, len(data) - 9):
            refusal(data[:cut])
        assert "checksum" in refusal(data[:-1])
        for cut in (0, 100, 512, 700, len(tar) - 1024, len(tar) - 512, len(tar) - 1):
            refusal(zipped(tar[:cut]))

    def test_sizes_are_digits_and_nothing_else(self) -> None:
        tar = bytearray(tar_of(pack(files_of())))
        tar[124:136] = b"0x000000001\0"
        assert "no tar archive" in refusal(zipped(bytes(tar)))

    def test_what_unpacks_to_more_than_the_limit_is_refused_before_it_is_there(self) -> None:
        assert "larger than 32 MiB" in refusal(zipped(bytes(200 << 20)))

    def test_more_files_and_bytes_than_the_limits_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = pack(files_of())
        monkeypatch.setattr(opa_bundle, "_MAX_FILES", 3)
        assert "one file too many" in refusal(data)
        with pytest.raises(PolicyError, match="at most 3 files"):
            pack(files_of())
        monkeypatch.undo()
        monkeypatch.setattr(opa_bundle, "MAX_PACKED", 1 << 10)
        refusal(data)
        with pytest.raises(PolicyError, match="at most 0 MiB"):
            pack(files_of())

    def test_no_changed_byte_gives_other_files_or_another_error(self) -> None:
        data, chance = pack(files_of()), random.Random(27)
        for place in chance.sample(range(len(data)), 1000):
            changed = data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :]
            try:
                assert unpack(changed) == files_of()
            except PolicyError:
                continue

    def test_no_changed_byte_of_the_tar_gives_another_error(self) -> None:
        tar, chance = tar_of(pack(files_of(**{MANIFEST: manifest()}))), random.Random(28)
        for _ in range(300):
            changed = bytearray(tar)
            for _ in range(chance.choice((1, 1, 4))):
                changed[512 * chance.randrange(len(tar) // 512) + chance.randrange(512)] = chance.randrange(256)
            try:
                read_bundle(unpack(zipped(bytes(changed))))
            except PolicyError:
                continue


class TestContents:
    def test_the_policy_comes_back_with_its_own_controls_and_serial(self) -> None:
        own = with_own_controls(POLICY, [{"custom/a/b/b.rego": OWN.encode()}])
        found, note = read_bundle({**bundle_files(own, b"package system.authz", 3, "0.1.0"), SIGNATURES: b""})
        assert (found.digest, found.own, found.replaced, found.serial) == (own.digest, ("custom.a.b",), (), 3)
        assert (note.revision, note.serial, note.gate_version) == (own.digest, 3, "0.1.0")
        assert found.files == own.files
        assert found.profiles == POLICY.profiles

    def test_the_manifest_is_what_opa_reads(self) -> None:
        assert loads_object(files_of()[MANIFEST]) == {
            "metadata": {"gate_version": "0.1.0", "own": [], "replaced": [], "serial": 3},
            "rego_version": 1,
            "revision": POLICY.digest,
            "roots": list(ROOTS),
        }

    @pytest.mark.parametrize("path", [MANIFEST, SIGNATURES, AUTHZ])
    def test_a_file_that_has_to_be_there_is_missed(self, path: str) -> None:
        with pytest.raises(PolicyError, match=f"lacks {path}"):
            read_bundle(files_of(**{path: None}))

    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"roots": ["custom", "gate"]}, "roots"),
            ({"roots": ["gate", "custom", "system"]}, "roots"),
            ({"roots": [""]}, "roots"),
            ({"roots": None}, "roots"),
            ({"revision": "sha256:" + "0" * 64}, "revision"),
            ({"revision": 1}, "not as the gate writes it"),
            ({"rego_version": 0}, "not as the gate writes it"),
            ({"wasm": []}, "not as the gate writes it"),
            ({"metadata": {"more": 1}}, "not as the gate writes it"),
            ({"metadata": {"own": ["scan.malware", "scan.malware"]}}, "not as the gate writes it"),
            ({"metadata": {"own": "scan.malware"}}, "not as the gate writes it"),
            ({"metadata": {"serial": 0}}, "no serial"),
            ({"metadata": {"serial": True}}, "no serial"),
            ({"metadata": {"serial": "1"}}, "no serial"),
            ({"metadata": {"serial": 2.5}}, "no serial"),
            ({"metadata": {"own": ["custom.no.such"]}}, "own controls"),
            ({"metadata": {"replaced": ["scan.malware"]}}, "own controls"),
        ],
    )
    def test_a_manifest_that_says_something_else_is_refused(self, changes: dict[str, Any], what: str) -> None:
        with pytest.raises(PolicyError, match=what):
            read_bundle(files_of(**{MANIFEST: manifest(**changes)}))

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[]",
            b"{}",
            b'{"roots":[],"roots":[]}',
            manifest().replace(b'"serial":3', b'"serial":9007199254740992'),
        ],
    )
    def test_a_manifest_that_is_none_is_refused(self, text: bytes) -> None:
        with pytest.raises(PolicyError):
            read_bundle(files_of(**{MANIFEST: text}))

    def test_an_own_control_that_the_manifest_hides_is_refused(self) -> None:
        own = with_own_controls(POLICY, [{"custom/a/b/b.rego": OWN.encode()}])
        files = dict(bundle_files(own, b"", 3, "0"))
        files[MANIFEST] = files[MANIFEST].replace(b'["custom.a.b"]', b"[]")
        with pytest.raises(PolicyError, match="own controls"):
            read_bundle({**files, SIGNATURES: b""})

    def test_a_changed_an_extra_and_a_missing_file_are_another_revision(self) -> None:
        main = files_of()["gate/main/main.rego"]
        changes: list[dict[str, bytes | None]] = [
            {"gate/main/main.rego": main + b"\n"},
            {"gate/lib/x/x.rego": b"package gate.lib.x"},
            {"gate/controls/scan/malware/malware.rego": None},
            {"gate/profiles/strict/data.json": None},
        ]
        for change in changes:
            with pytest.raises(PolicyError, match="revision"):
                read_bundle(files_of(**change))
