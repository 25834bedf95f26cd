"""Programs: what a system, an interpreter, a package manager or a desktop runs, told by how it begins or by its name.

What a program does is not judged: that it is there is the finding. Names count only where the tool that runs the file
knows it by its name and not by what it begins with.
"""

from __future__ import annotations

import re
from typing import Final

from gate.inspect.context import Context, Findings
from gate.inspect.source import Source
from gate.model.scan import FileInspection, Severity

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x7fELF", "a program or library in ELF"),
    (b"\xfe\xed\xfa\xce", "a Mach-O program"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O program"),
    (b"\xce\xfa\xed\xfe", "a Mach-O program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"\xca\xfe\xba\xbe", "a Java class, or a Mach-O program for several machines"),
    (b"\xca\xfe\xba\xbf", "a Mach-O program for several machines"),
    (b"\xbe\xba\xfe\xca", "a Mach-O program for several machines"),
    (b"\xbf\xba\xfe\xca", "a Mach-O program for several machines"),
    (b"\x00asm", "WebAssembly"),
    (b"dex\n", "a program for Android"),
    (b"cdex", "a program for Android"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"\xde\xc0\x17\x0b", "LLVM bitcode"),
    (b"\x1bLua", "Lua byte code"),
    (b"\x1bLJ", "Lua byte code"),
    (b"!<arch>\n", "a library or a package in the format ar"),
    (b"\xed\xab\xee\xdb", "an RPM package"),
    (b"MSCF\x00\x00\x00\x00", "a cabinet, as installers use them"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE document or an installer, which can hold macros"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a shortcut that starts a program"),
    (b"ITSF\x03\x00\x00\x00", "compiled help, which runs scripts"),
    (b"\xac\xed\x00\x05", "serialised objects of Java, which run methods when they are read"),
    (b"RDX2\n", "a workspace of R, which runs code when it is read"),
    (b"RDX3\n", "a workspace of R, which runs code when it is read"),
    (b"X\n\x00\x00\x00\x02", "an object of R, which runs code when it is read"),
    (b"X\n\x00\x00\x00\x03", "an object of R, which runs code when it is read"),
    (b"<?php", "a PHP script"),
)
_SCRIPT: Final = re.compile(rb"(?:\xef\xbb\xbf)?#![ \t]*[\w./~]")
_BATCH: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*@echo[ \t]+off\b", re.IGNORECASE)
_PROGRAM: Final = (
    "is code that a loader or a person could run: {}; take it out of the artifact, or waive this file by name"
)
_ORDERS: Final = (
    "tells a tool what to install or to run; a model needs none of it to be loaded: take it out, or waive it"
)
_PYTHON: Final = range(3000, 4000)
_PYTHON_2: Final = range(62_000, 62_300)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SUFFIXES: Final = _words(
    "appimage applescript asm awk bash bat bazel bzl c cc cl class cmd com command cpp csh cu cuh cubin cxx deb "
    "desktop dll dmg dockerfile dylib egg exe fish gadget go gradle groovy h hpp hsaco hta hxx inf ipynb ipy jar java "
    "jl js jse jsp kt ksh lua m makefile metal mjs mk ml msc msi msp nix nu pac php pkg pl pm ps1 psd1 psm1 ptx py pyc "
    "pyd pyi pyo pyw pyx pyz pxd r rb reg rpm rs s scala scpt scr sct service sh so spv sql swift tcl tf ts tsx url vb "
    "vbe vbs wasm whl workflow ws wsc wsf xll zsh"
)
"""Suffixes of programs and of their sources."""
_NAMES: Final = _words(
    "build.bazel cmakelists.txt configure containerfile dockerfile gemfile gnumakefile jenkinsfile justfile makefile "
    "meson.build pipfile podfile procfile rakefile snakefile tiltfile vagrantfile workspace "
    ".bash_profile .bashrc .cshrc .envrc .gdbinit .inputrc .kshrc .lldbinit .login .profile .pythonrc .vimrc .zprofile "
    ".zshenv .zshrc"
)
_BUILD_NAMES: Final = _words(
    "action.yaml action.yml appveyor.yml azure-pipelines.yaml azure-pipelines.yml bentofile.yaml "
    "bitbucket-pipelines.yml bower.json buildspec.yml cargo.toml cloudbuild.yaml cloudbuild.yml cog.yaml composer.json "
    "conda.yaml conda.yml constraints.txt deno.json deno.jsonc devcontainer.json dvc.yaml environment.yaml "
    "environment.yml lerna.json mcp.json meson_options.txt mise.toml package-lock.json package.json pixi.toml "
    "poetry.lock pyproject.toml pytest.ini python_env.yaml pyvenv.cfg serverless.yaml serverless.yml setup.cfg "
    "skaffold.yaml taskfile.yaml taskfile.yml tox.ini tslint.json uv.lock yarn.lock .devcontainer.json .gitconfig "
    ".gitlab-ci.yml .gitmodules .mcp.json .mise.toml .npmrc .pre-commit-config.yaml .pre-commit-config.yml .pypirc "
    ".travis.yml .yarnrc"
)
_BUILD: Final = re.compile(
    r"(?:.*[-_.])?requirements?(?:[-_.].*)?\.(?:in|txt)|requirements?/.*\.(?:in|txt)|(?:docker-)?compose(?:[-_.].*)?\.ya?ml"
)
_FOLDERS: Final = _words(
    ".buildkite .circleci .claude .cursor .devcontainer .forgejo .git .gitea .github .gitlab .hg .husky .idea .svn .vs "
    ".vscode"
)


def program_kind(head: bytes, path: str = "") -> str | None:
    """What kind of program bytes begin; `None` for none. `path` says only whether a text may be a path file."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:2] == b"MZ" and b"\x00" in head[:64]:
        return "a program for Windows, or for DOS"
    if _SCRIPT.match(head):
        return "a script with its interpreter in the first line"
    if _BATCH.match(head):
        return "a batch file"
    if len(head) >= 8 and head[2:4] == b"\r\n":
        version = int.from_bytes(head[:2], "little")
        if version in _PYTHON or version in _PYTHON_2:
            return "Python byte code"
    if path.lower().endswith(".pth") and _is_text(head):
        return "a path file of Python, of which each line that begins with import is run"
    return None


def is_program_name(path: str) -> bool:
    """Whether a file of such a name is run, or compiled, by whatever knows its name."""
    name = path.rpartition("/")[2].lower()
    return name in _NAMES or ("." in name and name.rpartition(".")[2] in _SUFFIXES)


def is_build_name(path: str) -> bool:
    """Whether a tool that builds, installs or tests takes its orders from a file of such a name or in such a folder."""
    folders, _, name = path.lower().rpartition("/")
    if name in _BUILD_NAMES or not _FOLDERS.isdisjoint(folders.split("/")):
        return True
    return _BUILD.fullmatch(name) is not None


def _is_text(head: bytes) -> bool:
    return bool(head) and not any(byte < 0x09 or 0x0D < byte < 0x20 or byte > 0x7E for byte in head)


def check_name(path: str, found: Findings) -> None:
    """Adds that a file of another format has the name of a program, whose reader may pass over the rest."""
    if is_program_name(path):
        found.add("remote_code.file", Severity.HIGH, _PROGRAM.format("by its name"))
    elif is_build_name(path):
        found.add("remote_code.build", Severity.HIGH, _ORDERS)


def inspect_program(path: str, source: Source, context: Context) -> FileInspection:
    """A file that is code. What the code does is not judged: that it is there is the finding."""
    found = Findings(context.limits.findings)
    kind = program_kind(source.read_at(0, context.limits.head_bytes), path)
    found.add("remote_code.file", Severity.HIGH, _PROGRAM.format(kind or "by its name"))
    return FileInspection("code", inspected=True, findings=found.done())


def inspect_build(_path: str, _source: Source, context: Context) -> FileInspection:
    """A file that tells a tool what to install, build or run."""
    found = Findings(context.limits.findings)
    found.add("remote_code.build", Severity.HIGH, _ORDERS)
    return FileInspection("build", inspected=True, findings=found.done())
