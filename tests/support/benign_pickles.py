"""What people save with PyTorch, transformers, NumPy, joblib and scikit-learn, by group and name: harmless files.

Torch and transformers are written by `torch_files`; the others write for themselves.
"""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import io
import pickle
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import joblib
import numpy as np

from tests.support.torch_files import (
    ELEMENT_BYTES,
    Call,
    Key,
    Named,
    Storage,
    dumped,
    module,
    parameter,
    saved,
    saved_legacy,
    saved_tar,
    tensor,
)

Sample = tuple[str, str, bytes]
"""A name for people, a file name, and the bytes."""
OrderedDict = collections.OrderedDict


def groups() -> dict[str, list[Sample]]:
    """All samples, by group."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what libraries say about small or old ways does not matter here
        return {name: list(make()) for name, make in _GROUPS.items()}


def _state_dict(**entries: Any) -> Any:
    return OrderedDict(entries)


def _dtypes() -> Iterator[Sample]:
    for kind in ELEMENT_BYTES:
        if not kind.startswith("Q"):
            yield (
                kind,
                "pytorch_model.bin",
                saved(_state_dict(weight=tensor(2, 3, kind=kind), bias=tensor(3, kind=kind))),
            )
    for name in ("float8_e4m3fn", "float8_e5m2", "uint16", "uint32", "uint64"):
        parts: tuple[Any, ...] = (
            Storage("ByteStorage", 48),
            0,
            (2, 3),
            (3, 1),
            False,
            OrderedDict(),
            Named("torch", name),
        )
        value = Call(Named("torch._utils", "_rebuild_tensor_v3"), parts)
        yield name, "model.pt", saved(_state_dict(weight=value))
    for kind in ("QInt8Storage", "QUInt8Storage", "QInt32Storage"):
        scale = (Named("torch", "per_tensor_affine"), 0.5, 10)
        parts = (Storage(kind, 6), 0, (2, 3), (3, 1), scale, False, OrderedDict())
        yield (
            f"quantized {kind}",
            "model.pt",
            saved(_state_dict(weight=Call(Named("torch._utils", "_rebuild_qtensor"), parts))),
        )
    channels = (Named("torch", "per_channel_affine"), tensor(2, kind="DoubleStorage"), tensor(2, kind="LongStorage"), 0)
    parts = (Storage("QInt8Storage", 6), 0, (2, 3), (3, 1), channels, False, OrderedDict())
    yield (
        "quantized by channel",
        "model.pt",
        saved(_state_dict(weight=Call(Named("torch._utils", "_rebuild_qtensor"), parts))),
    )
    layout = Call(Named("torch.serialization", "_get_layout"), ("torch.sparse_coo",))
    size = Call(Named("torch", "Size"), ((2, 3),))
    sparse = (layout, (tensor(2, 1, kind="LongStorage"), tensor(1), size, True))
    yield "sparse", "model.pt", saved(_state_dict(weight=Call(Named("torch._utils", "_rebuild_sparse_tensor"), sparse)))


def _adam() -> dict[str, Any]:
    step = {"step": tensor(), "exp_avg": tensor(2, 3), "exp_avg_sq": tensor(2, 3)}
    group = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False, "foreach": None}
    return {"state": {0: step}, "param_groups": [{**group, "params": [0]}]}


def _checkpoints() -> Iterator[Sample]:
    model = _state_dict(**{"layer.weight": tensor(2, 3), "layer.bias": tensor(3)})
    yield "parameters", "model.pt", saved(_state_dict(weight=parameter(2, 3)))
    yield "one tensor", "tensor.pt", saved(tensor(4))
    yield "a list of tensors", "tensors.pt", saved([tensor(2), tensor(3)])
    yield "no tensor", "empty.pt", saved({})
    yield "Adam", "optimizer.pt", saved(_adam())
    group = {"lr": 0.1, "momentum": 0.9, "nesterov": True, "params": [0, 1]}
    yield "SGD", "optimizer.pth", saved({"state": {0: {"momentum_buffer": tensor(2)}}, "param_groups": [group]})
    yield "training checkpoint", "last.ckpt", saved({"epoch": 3, "loss": 0.5, "model": model, "optimizer": _adam()})
    yield "with a NumPy number", "best.pth", saved({"acc": np.float64(0.5), "model": model})
    yield "with a NumPy array", "best.pth", saved({"history": np.arange(4.0), "model": model})
    yield (
        "with a device and a type",
        "c.pt",
        saved({"device": Call(Named("torch", "device"), ("cuda", 0)), "dtype": Named("torch", "bfloat16")}),
    )
    yield (
        "with arguments",
        "c.pth",
        saved({"args": Call(Named("argparse", "Namespace"), (), {"lr": 0.1, "name": "x"}, new=True), "model": model}),
    )
    yield "Lightning", "epoch=1.ckpt", saved(
        {
            "epoch": 1, "global_step": 10, "pytorch-lightning_version": "2.1.0", "state_dict": model, "loops": {},
            "callbacks": {"ModelCheckpoint": {"best_model_score": tensor(), "best_model_path": "x"}},
            "optimizer_states": [_adam()], "lr_schedulers": [{"last_epoch": 1, "base_lrs": [0.1]}],
            "hparams_name": "kwargs", "hyper_parameters": {"lr": 0.1},
        }
    )  # fmt: skip
    attributes = Call(Named("pytorch_lightning.utilities.parsing", "AttributeDict"), (), new=True)
    yield (
        "Lightning with its own dictionary",
        "epoch=1.ckpt",
        saved({"state_dict": model, "hyper_parameters": attributes}),
    )
    yield "with a path", "run.pt", saved({"model": model, "path": Call(Named("pathlib", "PosixPath"), ("a", "b"))})
    config = Call(Named("omegaconf.dictconfig", "DictConfig"), (), {"_content": {}}, new=True)
    yield "with OmegaConf", "run.ckpt", saved({"state_dict": model, "cfg": config})
    yield "another folder", "model.pth", saved(model, prefix="pytorch_model")


def _modules() -> Iterator[Sample]:
    linear = module("linear", "Linear", _parameters={"weight": parameter(2, 2), "bias": None}, in_features=2)
    norm = module("normalization", "LayerNorm", _parameters={"weight": parameter(2)}, normalized_shape=(2,), eps=1e-5)
    convolution = module("conv", "Conv2d", _parameters={"weight": parameter(1, 1, 3, 3)}, padding_mode="zeros")
    for name, layers in (
        ("Sequential of layers", (linear, module("activation", "ReLU", inplace=False), norm)),
        ("convolutions", (convolution, module("pooling", "MaxPool2d", kernel_size=2), module("flatten", "Flatten"))),
        ("embedding", (module("sparse", "Embedding", _parameters={"weight": parameter(4, 2)}),)),
    ):
        members = OrderedDict((str(number), layer) for number, layer in enumerate(layers))
        yield name, "model.pt", saved(module("container", "Sequential", _modules=members))
    yield "recurrent", "model.pt", saved(module("rnn", "LSTM", mode="LSTM", input_size=2, hidden_size=2))
    net = Call(Named("my_project.models", "Net"), (), {"training": False}, new=True)
    yield "a class of its own", "model.pt", saved(net)
    network = Call(Named("torchvision.models.resnet", "ResNet"), (), {"training": False}, new=True)
    yield "torchvision", "resnet.pt", saved(network)


def _old_torch() -> Iterator[Sample]:
    value = _state_dict(weight=tensor(2, 3), bias=tensor(3))
    yield "pickles one after the other", "model.pth", saved_legacy(value)
    yield "optimizer", "optimizer.pth", saved_legacy(_adam())
    keys = [(5, Storage("FloatStorage", 6), (2, 3)), (6, Storage("LongStorage", 3), (3,))]
    yield "tar archive", "model.pth", saved_tar({"weight": Key(5), "bias": Key(6)}, keys)


def _training_arguments(**more: Any) -> Call:
    plain = {"output_dir": "out", "learning_rate": 5e-5, "seed": 42, "fp16": False, "optim_args": None, **more}
    enums = {
        "lr_scheduler_type": ("transformers.trainer_utils", "SchedulerType", "linear"),
        "save_strategy": ("transformers.trainer_utils", "SaveStrategy", "steps"),
        "logging_strategy": ("transformers.trainer_utils", "IntervalStrategy", "steps"),
        "hub_strategy": ("transformers.trainer_utils", "HubStrategy", "every_save"),
        "optim": ("transformers.training_args", "OptimizerNames", "adamw_torch"),
    }
    values = {key: Call(Named(where, name), (text,)) for key, (where, name, text) in enums.items()}
    accelerator = {"split_batches": False, "dispatch_batches": None, "even_batches": True}
    distributed = Call(Named("accelerate.utils.dataclasses", "DistributedType"), ("NO",))
    device = Call(Named("torch", "device"), ("cpu",))
    nested = {
        "accelerator_config": Call(
            Named("transformers.trainer_pt_utils", "AcceleratorConfig"), (), accelerator, new=True
        ),
        "distributed_state": Call(
            Named("accelerate.state", "PartialState"), (), {"device": device, "distributed_type": distributed}, new=True
        ),
    }
    return Call(Named("transformers.training_args", "TrainingArguments"), (), {**plain, **values, **nested}, new=True)


def _transformers() -> Iterator[Sample]:
    yield "training_args.bin", "training_args.bin", saved(_training_arguments())
    yield (
        "training_args.bin with DeepSpeed",
        "training_args.bin",
        saved(
            _training_arguments(
                hf_deepspeed_config=Call(
                    Named("transformers.integrations.deepspeed", "HfTrainerDeepSpeedConfig"),
                    (),
                    {"config": {}},
                    new=True,
                )
            )
        ),
    )
    yield (
        "training_args.bin of TRL",
        "training_args.bin",
        saved(Call(Named("trl.trainer.sft_config", "SFTConfig"), (), {"max_length": 512}, new=True)),
    )
    yield "optimizer.pt", "optimizer.pt", saved(_adam())
    schedule = {"base_lrs": [5e-5], "last_epoch": 3, "_step_count": 4, "_last_lr": [1e-5], "lr_lambdas": [{}]}
    yield "scheduler.pt", "scheduler.pt", saved(schedule)
    yield "scaler.pt", "scaler.pt", saved({"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 0})
    state = np.random.RandomState(0).get_state()
    python = (3, tuple(range(625)), None)
    yield (
        "rng_state.pth",
        "rng_state.pth",
        saved({"python": python, "numpy": state, "cpu": tensor(5056, kind="ByteStorage")}),
    )
    names = ("q_proj.lora_A.weight", "q_proj.lora_B.weight")
    lora = {f"base_model.model.layers.0.self_attn.{name}": tensor(2, 8, kind="HalfStorage") for name in names}
    yield "adapter_model.bin", "adapter_model.bin", saved(lora)
    bias = {"hinge": tensor(1), "config": {"r": 8, "target_modules": {"q_proj", "v_proj"}}}
    yield "adapter with a set", "adapter_model.bin", saved(bias)
    vocabulary = OrderedDict((f"token{number}", number) for number in range(100))
    yield "a vocabulary", "vocab.pkl", dumped(vocabulary, 4)
    tokenizer = Call(
        Named("transformers.models.bert.tokenization_bert", "BertTokenizer"), (), {"vocab": vocabulary}, new=True
    )
    yield "a slow tokenizer", "tokenizer.pkl", dumped(tokenizer, 4)
    fast = Call(Named("tokenizers", "Tokenizer"), (b"{}",))
    yield "a fast tokenizer", "tokenizer.pkl", dumped(fast, 4)
    config = Call(Named("transformers.models.bert.configuration_bert", "BertConfig"), (), {"vocab_size": 3}, new=True)
    yield "a configuration", "config.pkl", dumped(config, 4)


def _arrays() -> dict[str, Any]:
    return {
        "double": np.arange(6.0).reshape(2, 3), "half": np.ones(3, "f2"), "int8": np.ones(3, "i1"),
        "bool": np.array([True]), "complex": np.ones(2, complex), "text": np.array(["ab", "c"]),
        "bytes": np.array([b"ab"]), "dates": np.array(["2020-01-01"], "M8[s]"), "big endian": np.ones(2, ">f8"),
        "Fortran order": np.asfortranarray(np.ones((2, 3))), "no dimension": np.array(1.0), "empty": np.ones((0, 3)),
        "records": np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
    }  # fmt: skip


def _numpy() -> Iterator[Sample]:
    for name, array in _arrays().items():
        out = io.BytesIO()
        np.save(out, array)
        yield f".npy {name}", "array.npy", out.getvalue()
        yield f"pickle {name}", "array.pkl", pickle.dumps(array)
    out = io.BytesIO()
    np.save(out, np.array([1, "a", None], object), allow_pickle=True)
    yield ".npy objects", "objects.npy", out.getvalue()
    for compressed in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        compressed(out, a=np.arange(3), b=np.ones((2, 2)))
        yield f".npz by {compressed.__name__}", "arrays.npz", out.getvalue()
    for protocol in range(6):
        yield f"protocol {protocol}", "array.pkl", pickle.dumps([np.arange(3), np.float32(1), np.dtype("f8")], protocol)
    yield "objects", "objects.pkl", pickle.dumps(np.array([1, "a", None], object))
    yield "masked array", "masked.pkl", pickle.dumps(np.ma.array([1, 2], mask=[False, True]))
    yield "matrix", "matrix.pkl", pickle.dumps(np.matrix([[1.0]]))
    yield "function", "function.pkl", pickle.dumps(np.log1p)
    for protocol in (0, 2, 4):
        yield f"RandomState, protocol {protocol}", "random.pkl", pickle.dumps(np.random.RandomState(0), protocol)
    for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64, np.random.MT19937):
        yield f"Generator of {kind.__name__}", "random.pkl", pickle.dumps(np.random.Generator(kind(0)))


def _joblib() -> Iterator[Sample]:
    value = {
        "arrays": list(_arrays().values())[:-1],
        "objects": np.array(["a", None], object),
        "text": "x",
        "n": [1, 2.5],
    }
    for name, compress in (
        ("plain", 0), ("zlib", ("zlib", 3)), ("gzip", ("gzip", 3)), ("bz2", ("bz2", 3)), ("xz", ("xz", 3)),
        ("lzma", ("lzma", 3)),
    ):  # fmt: skip
        yield name, "model.joblib", _by_joblib(value, compress)
    for protocol in (2, 3, 4, 5):
        out = io.BytesIO()
        joblib.dump(value, out, protocol=protocol)
        yield f"protocol {protocol}", "model.joblib", out.getvalue()
    yield "one array", "array.joblib", _by_joblib(np.arange(10.0))
    yield "records", "records.joblib", _by_joblib(_arrays()["records"])
    yield "a generator", "random.pkl", _by_joblib(np.random.RandomState(0))


def _by_joblib(value: Any, compress: Any = 0) -> bytes:
    out = io.BytesIO()
    joblib.dump(value, out, compress=compress)
    return out.getvalue()


def _standard() -> Iterator[Sample]:
    values: dict[str, Any] = {
        "data": {"a": [1, 2.5, None, True, b"x", "\u00e9"], "b": ({1}, frozenset({2}), 3j, bytearray(b"x"))},
        "containers": [OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("aab")],
        "times": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.date(2026, 1, 1), dt.timedelta(1)],
        "decimals": decimal.Decimal("1.5"),
    }
    for name, value in values.items():
        for protocol in range(6):
            yield f"{name}, protocol {protocol}", "data.pkl", pickle.dumps(value, protocol)


_LINEAR = """LinearRegression Ridge Lasso ElasticNet LogisticRegression SGDClassifier SGDRegressor Perceptron
    BayesianRidge HuberRegressor PoissonRegressor GaussianNB MultinomialNB BernoulliNB LinearDiscriminantAnalysis
    QuadraticDiscriminantAnalysis GaussianMixture GaussianProcessClassifier GaussianProcessRegressor LinearSVC"""
_PREPARING = """StandardScaler MinMaxScaler RobustScaler MaxAbsScaler Normalizer OneHotEncoder OrdinalEncoder
    SimpleImputer PolynomialFeatures KBinsDiscretizer PowerTransformer QuantileTransformer SelectKBest VarianceThreshold
    FunctionTransformer LabelEncoder LabelBinarizer CountVectorizer TfidfVectorizer HashingVectorizer DictVectorizer
    SplineTransformer Pipeline ColumnTransformer GridSearchCV VotingClassifier CalibratedClassifierCV"""
_OTHERS = """KMeans MiniBatchKMeans DBSCAN AgglomerativeClustering MeanShift Birch SpectralClustering PCA TruncatedSVD
    NMF FastICA LatentDirichletAllocation KernelPCA TSNE MLPClassifier MLPRegressor BernoulliRBM DummyClassifier"""
_TREES = """DecisionTreeClassifier DecisionTreeRegressor RandomForestClassifier RandomForestRegressor
    ExtraTreesClassifier GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier
    AdaBoostClassifier BaggingClassifier IsolationForest"""
_NEIGHBOURS = (
    "KNeighborsClassifier KNeighborsRegressor NearestNeighbors LocalOutlierFactor NearestCentroid KernelDensity"
)
_MACHINES = "SVC SVR NuSVC OneClassSVM"


def _estimators(names: str) -> Iterator[Sample]:
    for name in names.split():
        estimator = _fitted(name)
        yield f"{name}, pickle", f"{name}.pkl", pickle.dumps(estimator)
        yield f"{name}, joblib", f"{name}.joblib", _by_joblib(estimator)


def _fitted(name: str) -> Any:
    from sklearn.utils import all_estimators

    kinds: dict[str, Any] = dict(all_estimators())
    x = np.random.RandomState(0).rand(40, 4)
    y = (x[:, 0] > 0.5).astype(int)
    if name in {"CountVectorizer", "TfidfVectorizer", "HashingVectorizer"}:
        return kinds[name]().fit(["one two", "two three"])
    if name == "DictVectorizer":
        return kinds[name]().fit([{"a": 1, "b": "x"}])
    if name in {"LabelEncoder", "LabelBinarizer"}:
        return kinds[name]().fit(np.array(["a", "b"], object))
    if name == "FunctionTransformer":
        return kinds[name](np.log1p).fit(x)
    scaled = kinds["Pipeline"]([("scale", kinds["StandardScaler"]()), ("model", kinds["LogisticRegression"]())])
    made: dict[str, Any] = {
        "Pipeline": lambda: scaled,
        "ColumnTransformer": lambda: kinds[name](
            [("scale", kinds["StandardScaler"](), [0, 1])], remainder="passthrough"
        ),
        "GridSearchCV": lambda: kinds[name](kinds["Ridge"](), {"alpha": [0.1, 1.0]}, cv=2),
        "VotingClassifier": lambda: kinds[name]([("a", kinds["LogisticRegression"]()), ("b", kinds["GaussianNB"]())]),
    }
    return made.get(name, kinds[name])().fit(x, y)


_GROUPS: dict[str, Callable[[], Iterator[Sample]]] = {
    "PyTorch: state dictionaries, by type": _dtypes,
    "PyTorch: checkpoints and optimizers": _checkpoints,
    "PyTorch: whole modules": _modules,
    "PyTorch: files before 1.6": _old_torch,
    "transformers and PEFT": _transformers,
    "NumPy": _numpy,
    "joblib": _joblib,
    "standard library": _standard,
    "scikit-learn: linear, Bayes, mixtures": partial(_estimators, _LINEAR),
    "scikit-learn: preprocessing, text, pipelines": partial(_estimators, _PREPARING),
    "scikit-learn: clusters, decomposition, networks": partial(_estimators, _OTHERS),
    "scikit-learn: trees and forests": partial(_estimators, _TREES),
    "scikit-learn: neighbours": partial(_estimators, _NEIGHBOURS),
    "scikit-learn: support vector machines": partial(_estimators, _MACHINES),
}
