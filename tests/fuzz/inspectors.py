"""Targets: the inspectors of files, each with files that are built, and with good and bad ones that are changed."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from typing import Final

from hypothesis import strategies as st

from gate.inspect.limits import InspectLimits
from gate.model.digest import Digest
from gate.model.scan import Category, FileInspection, Finding, Severity, Template
from tests.fuzz import built, parts
from tests.fuzz.mutation import mutated
from tests.fuzz.oracles import danger
from tests.fuzz.target import Sample, Target
from tests.support import hdf5s, samples
from tests.support.ggufs import gguf, list_pair, string, text_pair
from tests.support.looking import is_clean, look
from tests.support.protobufs import message

LIMITS: Final = InspectLimits(
    json_bytes=1 << 20,
    inflated_bytes=1 << 20,
    inflated_total_bytes=4 << 20,
    archive_members=300,
    archive_total_members=1000,
    pickle_operations=100_000,
    hidden_operations=5_000,
    gguf_entries=50_000,
    protobuf_fields=50_000,
    hdf5_objects=5_000,
)
"""As tight as small inputs allow, so that every cap is reached."""
_MESSAGE: Final = 4000


def look_at(sample: Sample) -> FileInspection:
    return look(sample.name, sample.data, **{name: getattr(LIMITS, name) for name in LIMITS.__slots__})


def judge(sample: Sample, answer: object) -> None:
    """What holds for the judgement on any file."""
    assert isinstance(answer, FileInspection)
    assert answer.inspected is True or answer.inspected is False
    assert answer.inspected or answer.reason, "not inspected, and no reason"
    assert "the inspection failed" not in (answer.reason or ""), answer.reason
    assert isinstance(answer.format, str)
    assert answer.format
    for finding in answer.findings:
        assert isinstance(finding, Finding)
        assert finding.category is Category.UNSAFE
        assert finding.rule
        assert isinstance(finding.severity, Severity)
        assert finding.message.isprintable(), finding
        assert len(finding.message) < _MESSAGE
    for name, template in answer.templates.items():
        assert isinstance(template, Template)
        assert name.isprintable()
        assert Digest(template.digest).startswith("sha256:")
    if is_clean(answer):
        assert not sample.dangerous, "passes for harmless"
        found = danger(sample.name, sample.data)
        assert found is None, f"passes for harmless, but {found}"


def _vectors(*names: str) -> tuple[Sample, ...]:
    return tuple(Sample(name, (parts.MODELS / name).read_bytes()) for name in names)


def _named(data: bytes, *names: str) -> tuple[Sample, ...]:
    return tuple(Sample(name, data) for name in names)


_PICKLE_SEEDS: Final = (
    *_named(samples.array_pickle(), "model.pkl", "noname", "a.joblib"),
    *_named(samples.legacy_torch(), "pytorch_model.bin"),
    *_named(samples.call("os", "system"), "model.pkl", "README.md", "noname"),
    Sample("data.pkl", samples.state_dict(weight=samples.tensor("0", (2, 3)))),
    *(Sample("a.pkl", data) for data in dict(samples.structural()).values()),
)
_NPY_SEEDS: Final = (
    *_named(samples.npy(), "a.npy"),
    Sample("a.npy", samples.npy("'|O'", "(1,)", samples.array_pickle())),
    Sample("a.npy", samples.npy("'|O'", "(1,)", samples.call("os", "system")), dangerous=True),
    Sample("a.npy", samples.npy("[('a', '<f4', (2, 2)), ('b', '|S4')]", "(1,)", bytes(20), version=3)),
)
_TORCH: Final = samples.torch_zip()
_ZIP_SEEDS: Final = (
    *_named(_TORCH, "model.pt", "model.zip"),
    Sample("model.pt", samples.torch_zip(samples.call("os", "system")), dangerous=True),
    Sample("a.npz", samples.zip_bytes({"a.npy": samples.npy(), "b.npy": samples.npy()})),
    Sample("ts.pt", samples.torch_zip(extra={"code/__torch__.py": b"x"}), dangerous=True),
    Sample("a.zip", samples.zip_bytes({"README.md": b"x" * 500, "b/": b""}, method=8, comment=b"hello")),
    Sample("a.zip", samples.zip_bytes({"inner.zip": _TORCH})),
    *_vectors("sequential.keras"),
    *_vectors("sgd.skops"),
)
_TAR_SEEDS: Final = (
    *(
        Sample("a.tar", parts.tarred({"folder/" * 14 + "x.txt": b"a", "config.json": b"{}"}, form))
        for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    ),
    Sample("model.nemo", parts.tarred({"model_config.yaml": b"a: 1\n", "model_weights.ckpt": _TORCH})),
    Sample("a.tar", parts.tarred({"x.pkl": samples.call("os", "system")}), dangerous=True),
)
_GGUF_SEEDS: Final = (
    *_vectors("tiny.gguf"),
    Sample("a.gguf", gguf((text_pair("tokenizer.chat_template", "{{ x }}"), list_pair("t", 8, 1, string(b"a"))))),
    Sample("a.gguf", gguf((text_pair("a", "b", ">"),), order=">", tensors=(), data=b"")),
    Sample("a.gguf", gguf((text_pair("a", "b", wide="I"),), version=1, tensors=(), data=b"")),
)
_SAVED: Final = tuple(
    Sample(f"{folder}/saved_model.pb", (parts.MODELS / folder / "saved_model.pb").read_bytes(), bad)
    for folder, bad in (("saved_model_plain", False), ("saved_model_files", True), ("saved_model_python", True))
)
_KERAS_FOLDER: Final = (
    *(
        Sample(path.relative_to(parts.MODELS).as_posix(), path.read_bytes())
        for path in sorted((parts.MODELS / "saved_model_keras").rglob("*"))
        if path.is_file()
    ),
    Sample("m/keras_metadata.pb", message((1, message((1, b""), (5, '{"class_name": "Lambda"}')))), dangerous=True),
)
_HDF5_SEEDS: Final = (
    *_vectors("lambda_fixed.h5", "lambda_latest.h5", "external_link.h5", "external_data.h5", "committed.h5"),
    *_vectors("dense_links.h5", "dense_attributes.h5", "number.h5", "tracked.h5", "virtual.h5", "empty.h5"),
    Sample("a.h5", hdf5s.newer(hdf5s.header(hdf5s.message(0x0C, hdf5s.attribute("model_config", b"{}"))))),
    Sample("a.h5", hdf5s.older(hdf5s.old_header((0x0C, hdf5s.attribute("model_config", b"{}", version=1))))),
)
_TEXT_SEEDS: Final = (
    Sample("config.json", b'{"auto_map": {"a": "b"}, "n": [1, 2.5, null, {"_target_": "x.y"}]}', dangerous=True),
    Sample("tokenizer_config.json", b'{"chat_template": [{"name": "a", "template": "{{ x }}"}]}'),
    Sample("adapter_config.json", b'{"base_model_name_or_path": "a/b", "auto_mapping": null}'),
    Sample("model.safetensors.index.json", b'{"weight_map": {"a": "x.safetensors"}}'),
    Sample("model_index.json", b'{"_class_name": "P", "unet": ["diffusers", "U"]}'),
    Sample("modules.json", b'[{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]'),
    Sample("config.yaml", b"a: &x [1, 2]\nb: *x\nc: {_target_: os.system}\n", dangerous=True),
    Sample("config.yml", b"- a: |\n    text\n- !!python/object:os.system x\n", dangerous=True),
    Sample("README.md", b"# title\n"),
    Sample("chat_template.txt", b"{% for m in messages %}{{ m.content }}{% endfor %}"),
)
_JINJA_SEEDS: Final = (
    Sample("chat_template.jinja", b"{%- for m in messages -%}{{ m['role'] | trim }}{% endfor %}"),
    Sample("a.j2", b"{% macro f(a, b=1) %}{{ a }}{% endmacro %}{{ f(1) }}{% set ns = namespace(x=1) %}"),
    Sample("a.jinja", b"{{ x|attr('__class__') }}", dangerous=True),
    Sample("a.jinja", b"{% include 'a' %}", dangerous=True),
)
_TABLES: Final = (
    Sample("a.parquet", b"PAR1" + bytes(20) + (8).to_bytes(4, "little") + b"PAR1"),
    Sample("a.arrow", b"ARROW1\0\0" + bytes(20) + (8).to_bytes(4, "little") + b"ARROW1"),
)


def target_of(
    name: str, formats: str, seeds: tuple[Sample, ...], made: st.SearchStrategy[Sample] | None = None
) -> Target:
    """The target of the inspectors of some formats: what is built, and samples with changes."""
    covers = frozenset(f"inspect:{item}" for item in formats.split())
    changed = mutated(st.sampled_from(seeds) if made is None else st.sampled_from(seeds) | made, seeds)
    return Target(name, covers, seeds, changed if made is None else made | changed, look_at, judge)


def _compressed(name: str) -> Target:
    pack, suffix = parts.COMPRESSORS[name], parts.SUFFIXES[name]
    seeds = tuple(
        Sample(inner + suffix, pack(data), bad)
        for inner, data, bad in (
            ("a.pkl", samples.array_pickle(), False),
            ("a.pkl", samples.call("os", "system"), True),
            ("a.tar", parts.tarred({"x.txt": b"a"}), False),
            ("bomb.bin", bytes(3 << 20), False),
        )
    )
    made = st.builds(
        lambda inner: Sample(inner.name + suffix, pack(inner.data), inner.dangerous), parts.wrapped(parts.dangers(), 1)
    )
    return target_of(name, name, seeds, made)


_EXTERNAL: Final = Sample("model.onnx_data", b"\x01" * 40)
MODELS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        target_of("pickle", "pickle", _PICKLE_SEEDS, built.pickle_files()),
        target_of("numpy", "numpy", _NPY_SEEDS, built.arrays()),
        target_of("zip", "zip", _ZIP_SEEDS, built.archives()),
        target_of("tar", "tar", _TAR_SEEDS, built.tar_files()),
        *(_compressed(name) for name in sorted(parts.COMPRESSORS)),
        target_of("safetensors", "safetensors", (Sample("w.safetensors", samples.safetensors()),), built.safetensors()),
        target_of("gguf", "gguf", _GGUF_SEEDS, built.ggufs()),
        target_of("onnx", "onnx onnx_data", (*_vectors("weights_inside.onnx"), _EXTERNAL), built.onnx()),
        target_of("hdf5", "hdf5", _HDF5_SEEDS, built.hdf5s()),
        target_of("keras", "keras", _vectors("sequential.keras", "functional.keras"), built.keras()),
        target_of("skops", "skops", _vectors("sgd.skops", "pipeline.skops"), built.skops()),
        target_of("mar", "mar", (Sample("m.mar", built.mar({"handler": "text_classifier"})),), built.mars()),
        target_of("saved_model", "saved_model", _SAVED, built.saved_models()),
        target_of("saved_model.parts", "keras_metadata fingerprint checkpoint_index checkpoint_data", _KERAS_FOLDER),
        target_of("llamafile", "llamafile", _named(b"MZqFpD='\n" + bytes(80), "a.llamafile")),
        target_of("tables", "parquet arrow", _TABLES),
        target_of("text", "json yaml text", _TEXT_SEEDS, built.settings()),
        target_of("jinja", "jinja", _JINJA_SEEDS, built.templates()),
    )
}
