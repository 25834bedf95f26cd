"""Names of globals in pickles: which modules run code, and which globals nobody may allow (SECURITY 31)."""

from __future__ import annotations

import re
import sys
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_LONGEST: Final = 200


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CODE_MODULES: Final = _words(
    """
    IPython __builtin__ _aix_support _bootsubprocess _codecs _osx_support _pickle _posixsubprocess _pyrepl _thread
    _xxsubinterpreters accelerate.commands aiohttp ast asyncio atexit bdb builtin builtins cProfile cffi cgitb
    cloudpickle code codecs codeop commands compileall concurrent copyreg ctypes dask datasets.load dbm dill
    distributed distutils django doctest dummy_threading encodings ensurepip execnet fabric faulthandler fileinput
    flask ftplib functools gc getpass gevent git graphlib http httplib huggingface_hub idlelib imaplib imp importlib
    inspect invoke jinja2 joblib jsonpickle jupyter_core keras lib2to3 linecache llvmlite logging mailcap mako
    marshal mmap modulefinder multiprocessing nbformat nntplib nt ntpath ntplib numba numpy._core numpy.compat
    numpy.core numpy.ctypeslib numpy.distutils numpy.f2py numpy.lib numpy.load numpy.testing operator os
    pandas.core.computation pandas.eval pandas.io paramiko pathlib pdb pexpect pickle pip pipes pkgutil platform
    plistlib plumbum poplib posix posixpath posixsubprocess profile pstats psutil pty py_compile pydoc ray readline
    requests rlcompleter ruamel runpy scipy.io select selectors setuptools sh shelve shutil signal site
    sklearn.datasets sklearn.externals sklearn.utils._testing smtplib socket socketserver sqlite3 ssl subprocess sys
    sysconfig tabnanny telnetlib tempfile tensorflow test threading timeit tkinter tokenize torch._C torch._dynamo
    torch._inductor torch._tensor torch.backends torch.cuda torch.distributed torch.fx torch.hub torch.jit
    torch.multiprocessing torch.onnx torch.ops torch.package torch.serialization torch.storage torch.testing
    torch.utils trace tracemalloc transformers.dynamic_module_utils transformers.pipelines
    transformers.utils.import_utils turtledemo twisted types unittest urllib urllib2 uuid venv weakref webbrowser
    wsgiref xml xmlrpc yaml zipapp zipimport
    """
)
"""Modules that run code, load it, or reach what does; what lies below them too."""
_CODE_NAMES: Final = _words(
    """
    apply attrgetter call check_call check_output chmod ClassType CodeType compile connect copyfile delattr
    download eval exec exec_module execfile execv execve fork from_file from_pretrained fromfile FunctionType
    get_object getattr getoutput getstatusoutput globals import_module import_string import_utils input interact
    itemgetter kill literal_eval load load_module load_source loads loadtxt locals locate memmap methodcaller
    MethodType move open partial partialmethod pipepager Popen popen print read_csv read_pickle reduce reload
    remove rename resolve_name rmtree run run_module run_path runcall runcode runctx runstring setattr spawn
    spawnl spawnv startfile system to_pickle unlink urlopen urlretrieve vars walk write write_text
    """
)
"""Names of functions that run, fetch, read or write what their arguments say, in whatever module they are found."""
_PLAIN_STANDARD: Final = frozenset(
    {
        "argparse.Namespace", "ipaddress.IPv4Address", "ipaddress.IPv6Address", "pathlib.PosixPath",
        "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "pathlib.WindowsPath", "random.Random", "uuid.UUID",
        "zoneinfo.ZoneInfo",
    }
)  # fmt: skip
"""All of the standard library that may be allowed; what else is harmless there is allowed anyway."""


def problem_of_allowed(text: str) -> str | None:
    """Why a global may not be allowed, whoever says so; `None` if it may."""
    if len(text) > _LONGEST or _NAME.fullmatch(text) is None:
        return "is not the full name of a class or function, such as package.module.Class"
    if text in _PLAIN_STANDARD:
        return None
    module, _, name = text.rpartition(".")
    parts = module.split(".")
    if parts[0] in sys.stdlib_module_names or parts[0] in {"builtins", "__builtin__", "__main__"}:
        return "is of the standard library, of which nothing else may be allowed"
    if is_code_module(module) or any(part in CODE_MODULES for part in parts):
        return "is of a module that runs code"
    if name in _CODE_NAMES or name.startswith("__") or any(part.startswith("__") for part in parts):
        return "runs code, or reads, writes or fetches what its arguments say"
    return None


def is_code_module(module: str) -> bool:
    """Whether a module runs code, or lies below one that does."""
    parts = module.split(".")
    return any(".".join(parts[:count]) in CODE_MODULES for count in range(1, len(parts) + 1))
