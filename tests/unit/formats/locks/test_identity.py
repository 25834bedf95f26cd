"""Which package the name of a subject stands for: of another package than the lock says it is no attestation."""

from __future__ import annotations

import pytest

from gate.formats.locks.identity import index_of, is_of


@pytest.mark.parametrize(
    ("called", "expected"),
    {
        "torch_lite-2.0-py3-none-any.whl": True,
        "Torch.Lite-2.0.0-1-cp312-cp312-linux_x86_64.whl": True,
        "dist/torch_lite-2.0+cpu-py3-none-any.whl": True,
        "torch_lite-2.0.tar.gz": True,
        "torch-lite-2.0.zip": True,
        "pkg:pypi/torch-lite@2.0": True,
        "pkg:PyPI/Torch_Lite@2.0?file_name=a.whl#x": True,
        "pkg:pypi/torch-lite": True,
        "evil-2.0-py3-none-any.whl": False,
        "torch_lite-2.1-py3-none-any.whl": False,
        "torch_lite-2.0.post1-py3-none-any.whl": False,
        "torch_lite-1!2.0-py3-none-any.whl": False,
        "evil-2.0.tar.gz": False,
        "dist\\evil-2.0.tgz": False,
        "torch_lite-1.9.tar.gz": False,
        "torch-2.0.tar.gz": False,
        "pkg:pypi/evil@2.0": False,
        "pkg:pypi/torch-lite@2.1": False,
        "pkg:npm/torch-lite@2.0": False,
        "pkg:generic/torch-lite@2.0": False,
        "pkg:pypi": False,
        "PKG:odd": False,
        "": None,
        "torch-lite": None,
        "sha256.txt": None,
        "2.0.tar.gz": None,
        "main-source.tar.gz": None,
        "torch.whl": None,
    }.items(),
)
def test_s11_a_file_of_pypi_says_its_package(called: str, expected: bool | None) -> None:
    assert is_of("pypi", "torch-lite", "2.0", called) is expected


@pytest.mark.parametrize(
    ("called", "expected"),
    {
        "pkg:npm/%40acme/tool@1.0.0-rc.1": True,
        "pkg:npm/@acme/tool@1.0.0-rc.1": True,
        "pkg:npm/@acme/tool": True,
        "acme-tool-1.0.0-rc.1.tgz": True,
        "out/tool-v1.0.0-rc.1.tgz": True,
        "package.tgz": None,
        "pkg:npm/tool@1.0.0-rc.1": False,
        "pkg:npm/@Acme/tool@1.0.0-rc.1": False,
        "pkg:npm/@acme/tool@1.0.0": False,
        "pkg:npm/@acme/t_ool@1.0.0-rc.1": False,
        "pkg:pypi/tool@1.0.0-rc.1": False,
        "acme-tool-1.0.0.tgz": False,
        "evil-1.0.0-rc.1.tgz": False,
        "tool-1.0.0-py3-none-any.whl": False,
    }.items(),
)
def test_s11_a_file_of_npm_says_its_package(called: str, expected: bool | None) -> None:
    assert is_of("npm", "@acme/tool", "1.0.0-rc.1", called) is expected


@pytest.mark.parametrize(
    ("locked", "called", "expected"),
    [
        ("1", "1.0.0", True),
        ("1.0.0", "1", True),
        ("v1.0", "1", True),
        ("1.0-alpha.1", "1.0a1", True),
        ("1.0RC", "1.0rc0", True),
        ("1.0-1", "1.0.post1", True),
        ("1.0.rev2", "1.0.post2", True),
        ("1.0.dev", "1.0.dev0", True),
        ("01.02", "1.2", True),
        ("1.0+CPU_1", "1.0+cpu.1", True),
        ("1.0", "1.0+cpu", True),
        ("1.0+cpu", "1.0", False),
        ("1.0+cpu", "1.0+gpu", False),
        ("0!1.0", "1.0", True),
        ("2!1.0", "1.0", False),
        ("10", "1", False),
        ("1.0.post0", "1.0", False),
        ("odd", "odd", True),
        ("odd", "1.0", False),
        ("1.0", "odd", False),
        (None, "1.0", True),
        ("9" * 9000, "9" * 9000, True),
    ],
)
def test_versions_of_python_are_compared_in_normal_form(locked: str | None, called: str, expected: bool) -> None:
    assert is_of("pypi", "a", locked, f"pkg:pypi/a@{called}") is expected


def test_other_indexes_have_archives_of_their_own() -> None:
    assert is_of("cargo", "serde", "1.0.0", "serde-1.0.0.crate")
    assert is_of("cargo", "serde", "1.0.0", "serde-derive-1.0.0.crate") is False
    assert is_of("golang", "x.test/a", "v1.0.0", "pkg:golang/x.test/a@1.0.0")
    assert is_of("npm", "a", None, "a-1.0.0.tgz")
    assert is_of("npm", "a", None, "a-b-1.0.0.tgz") is False


def test_each_format_names_packages_of_one_index() -> None:
    assert [index_of(name) for name in ("uv", "yarn", "cargo", "go.mod", None)] == [
        "pypi",
        "npm",
        "cargo",
        "golang",
        None,
    ]
