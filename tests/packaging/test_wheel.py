"""The wheel as a user gets it: built, installed into an empty environment, used far from the checkout."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tools import rustflags

# One worker builds the wheel and shows everything about it.
pytestmark = pytest.mark.xdist_group("wheel")
CHECKOUT = Path(__file__).resolve().parents[2]


def files_below(folder: str) -> dict[str, bytes]:
    root = CHECKOUT / folder
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the flags of the Makefile, so that what cargo has built already is used."""
    target = tmp_path_factory.mktemp("wheel")
    # Another variable would win over the flags.
    environment = os.environ | {"CARGO_ENCODED_RUSTFLAGS": rustflags.encoded(), "RUSTFLAGS": ""}
    # Not by pip: its way leads through one folder that two builds at a time would both write to.
    maturin = str(Path(sys.executable).with_name("maturin"))
    command = [maturin, "build", "--quiet", "--release", "--locked", "--interpreter", sys.executable]
    command += ["--out", str(target)]
    # Two builds at a time would take each other's library away.
    with (CHECKOUT / "native" / "target" / "wheel-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and the dependencies of this one but not its gate."""
    root = tmp_path_factory.mktemp("environment")
    venv.create(root, with_pip=False)
    program = root / "bin" / "python"
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([program, "-I", "-c", query], text=True).strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A plain line in a .pth file appends to the path without running the .pth files there, such as that of the
    # editable install of the checkout.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return program


def run(python: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    return subprocess.run([python, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def names(wheel: Path) -> list[PurePosixPath]:
    with zipfile.ZipFile(wheel) as archive:
        return [PurePosixPath(name) for name in archive.namelist() if not name.endswith("/")]


def test_one_stable_abi_wheel(wheel: Path) -> None:
    name, version, python_tag, abi, _ = wheel.stem.split("-")
    assert (name, version, python_tag, abi) == ("gate", "0.1.0", "cp311", "abi3")
    assert wheel.stat().st_size < 5_000_000


def test_nothing_lands_beside_the_package(wheel: Path) -> None:
    assert {name.parts[0] for name in names(wheel)} == {"gate", "gate-0.1.0.dist-info"}


def test_the_package_is_complete(wheel: Path) -> None:
    """A checkout without symbolic links would give a wheel without data, and nobody would say so."""
    packed = {str(name) for name in names(wheel)}
    assert {"gate/_native.abi3.so", "gate/_native.pyi", "gate/py.typed", "gate/__init__.py"} <= packed
    tracked = subprocess.check_output(["git", "ls-files", "gate/*.py"], cwd=CHECKOUT, text=True).split()
    assert set(tracked) <= packed
    assert sum(name.startswith("gate/_native.") for name in packed) == 2
    assert not [name for name in packed if "__pycache__" in name or name.endswith((".pyc", ".orig", "~"))]


@pytest.mark.parametrize("folder", ["rego", "schemas", "frameworks", "opa", "tiny-rag"])
def test_all_data_is_inside_the_package(wheel: Path, folder: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        prefix = f"gate/_data/{folder}/"
        members = [info for info in archive.infolist() if info.filename.startswith(prefix) and not info.is_dir()]
        packed = {info.filename.removeprefix(prefix): archive.read(info) for info in members}
    assert packed
    assert packed == files_below(f"gate/_data/{folder}")


def test_the_library_names_no_folder_of_this_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        library = archive.read("gate/_native.abi3.so")
    for folder in (Path.home(), CHECKOUT, Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")):
        assert os.fsencode(f"{folder}{os.sep}") not in library


def test_it_imports_from_the_wheel_and_finds_its_data(python: Path, tmp_path: Path) -> None:
    script = (
        "import gate, gate._native, gate.resources as resources\n"
        "print(gate.__file__, gate._native.__file__, len(resources.rego_files()), sep='\\n')"
    )
    done = run(python, "-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    package, extension, modules = done.stdout.splitlines()
    assert Path(package).is_relative_to(python.parents[1])
    assert Path(extension).parent == Path(package).parent
    assert int(modules) == len(files_below("rego"))


def test_the_command_line_answers(python: Path, tmp_path: Path) -> None:
    done = run(python, "-m", "gate", "--version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout


def test_it_refuses_and_allows_the_example(python: Path, tmp_path: Path) -> None:
    example = tmp_path / "model-release"
    shutil.copytree(CHECKOUT / "examples" / "model-release", example)
    done = run(python, str(example / "demo.py"), "--keep", str(tmp_path / "repository"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("DENY", "ALLOW"))]
    assert verdicts == ["DENY", "DENY", "ALLOW"]


def test_the_metadata_names_the_script_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("gate-0.1.0.dist-info/METADATA").decode()
        scripts = archive.read("gate-0.1.0.dist-info/entry_points.txt").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert "gate=gate.cli.main:run" in scripts.replace(" ", "")
