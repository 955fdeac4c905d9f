"""The compiled kernels that are committed, and the compiler's calls with stand-ins for NVIDIA's libraries."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from depthrt.engine.cuda.kernels import compile_kernels
from depthrt.engine.cuda.kernels.compile_kernels import (
    ARCHITECTURES,
    PACKAGES,
    PTX_ARCHITECTURE,
    compile_cubin,
    compile_ptx,
    hash_lines,
    pack_fatbin,
)
from depthrt.engine.cuda.kernels.kernels import FATBIN, SHA256, SOURCE
from depthrt.engine.errors import BackendUnavailable, BuildError

# Source: the layout that NVIDIA's fatbinary writes: a header, then each part with its own
HEADER, PART = "<IHHQ", "<HHIQ12xI"
MAGIC = 0xBA55ED50
PTX, MACHINE_CODE = 1, 2
LARGEST_BYTES = 200_000
COMPILATION_FAILED = 6  # Source: NVRTC, nvrtcResult
LOG = b'kernels.cu(3): error: identifier "Tap"\n  is undefined\n'


def test_the_compiled_kernels_are_those_of_the_source() -> None:
    found = SHA256.read_text(encoding="ascii")
    assert found == hash_lines(SOURCE.read_bytes(), FATBIN.read_bytes()), (
        "engine/cuda/kernels/kernels.cu or kernels.fatbin was changed: run `make kernels` and commit all three files"
    )


def test_the_compiled_kernels_are_small_and_have_every_architecture() -> None:
    data = FATBIN.read_bytes()
    magic, _, at, size = struct.unpack_from(HEADER, data)
    assert magic == MAGIC and at + size == len(data) <= LARGEST_BYTES
    parts = set()
    while at < len(data):
        kind, _, header_bytes, part_bytes, architecture = struct.unpack_from(PART, data, at)
        parts.add((kind, str(architecture)))
        at += header_bytes + part_bytes
    assert parts == {(MACHINE_CODE, name) for name in ARCHITECTURES} | {(PTX, PTX_ARCHITECTURE)}


def test_the_hashes_are_in_the_format_of_sha256sum(tmp_path: Path) -> None:
    for path, data in ((SOURCE, b"source"), (FATBIN, b"fatbin")):
        (tmp_path / path.name).write_bytes(data)
    (tmp_path / SHA256.name).write_text(hash_lines(b"source", b"fatbin"), encoding="ascii")
    done = subprocess.run(["sha256sum", "--check", SHA256.name], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


class FakeCompiler:
    """NVRTC and nvFatbin; functions in `failing` return an error.

    The machine code of a program is its options, and a fatbin is its parts, one a line.
    """

    def __init__(self, **failing: int) -> None:
        self.failing = failing
        self.options = b""
        self.parts: list[bytes] = []
        self.live = 0

    def __getattr__(self, name: str) -> Callable[..., int]:
        def function(*arguments: Any) -> int:  # noqa: ANN401 (what ctypes passes)
            if name in self.failing:
                return self.failing[name]
            self.call(name, arguments)
            return 0

        return function

    def call(self, name: str, arguments: Sequence[Any]) -> None:
        if name.startswith("nvrtcGet"):
            data = LOG if "Log" in name else name.removeprefix("nvrtcGet").removesuffix("Size").encode() + self.options
            write(arguments[1], data, size=name.endswith("Size"))
        elif name in ("nvFatbinSize", "nvFatbinGet"):
            write(arguments[1], b"\n".join(self.parts), size=name == "nvFatbinSize")
        elif name.startswith("nvFatbinAdd"):
            _, data, size, architecture, source, *_ = arguments
            assert size.value == len(data) and source == b"kernels.cu"
            self.parts.append(b" ".join((name.encode(), architecture, data)))
        elif name == "nvrtcCompileProgram":
            self.options = b"".join(b" " + option for option in arguments[2])
        else:
            self.live += 1 if "Create" in name else -1
            assert "Create" in name or "Destroy" in name


def write(target: Any, data: bytes, *, size: bool) -> None:  # noqa: ANN401 (a buffer, or a reference to a number)
    if size:
        target._obj.value = len(data)
    else:
        target.raw = data


def install(monkeypatch: pytest.MonkeyPatch, **failing: int) -> FakeCompiler:
    compiler = FakeCompiler(**failing)
    monkeypatch.setattr(compile_kernels, "_load", lambda library: compiler)
    return compiler


def test_machine_code_and_ptx_are_compiled_for_their_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = install(monkeypatch)
    assert compile_cubin(b"source", "86") == b"CUBIN --gpu-architecture=sm_86 --std=c++17"
    assert compile_ptx(b"source", "75") == b"PTX --gpu-architecture=compute_75 --std=c++17"
    assert compiler.live == 0


def test_a_fatbin_holds_every_architecture_and_the_ptx(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = install(monkeypatch)
    packed = pack_fatbin({"80": b"first", "90": b"second"}, "75", b"text")
    assert packed.splitlines() == [
        b"nvFatbinAddCubin 80 first",
        b"nvFatbinAddCubin 90 second",
        b"nvFatbinAddPTX 75 text",
    ]
    assert compiler.live == 0


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        (
            "nvrtcCompileProgram",
            r'NVRTC refuses kernels.cu with --gpu-architecture=sm_86: .*: error: identifier "Tap" is',
        ),
        ("nvrtcCreateProgram", "nvrtcCreateProgram returns error 6, expected 0; see NVIDIA's documentation of nvrtcCr"),
        ("nvrtcGetCUBINSize", "nvrtcGetCUBINSize returns error 6, expected 0"),
        ("nvrtcGetCUBIN", "nvrtcGetCUBIN returns error 6, expected 0"),
    ],
)
def test_an_error_of_the_compiler_is_a_build_error(monkeypatch: pytest.MonkeyPatch, failing: str, message: str) -> None:
    compiler = install(monkeypatch, **{failing: COMPILATION_FAILED})
    with pytest.raises(BuildError, match=message) as caught:
        compile_cubin(b"source", "86")
    assert "\n" not in str(caught.value) and compiler.live == 0


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        ("nvFatbinCreate", "nvFatbinCreate returns error 6"),
        ("nvFatbinAddCubin", "nvFatbinAddCubin sm_80 returns error 6"),
        ("nvFatbinAddPTX", "nvFatbinAddPTX returns error 6"),
        ("nvFatbinSize", "nvFatbinSize returns error 6"),
        ("nvFatbinGet", "nvFatbinGet returns error 6"),
    ],
)
def test_an_error_of_the_packer_is_a_build_error(monkeypatch: pytest.MonkeyPatch, failing: str, message: str) -> None:
    compiler = install(monkeypatch, **{failing: COMPILATION_FAILED})
    with pytest.raises(BuildError, match=message):
        pack_fatbin({"80": b"first"}, "75", b"text")
    assert compiler.live == 0


@pytest.mark.parametrize("use", [lambda: compile_cubin(b"", "86"), lambda: pack_fatbin({}, "75", b"")])
def test_a_missing_compiler_is_an_error_that_names_its_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, use: Callable[[], bytes]
) -> None:
    for spec in (None, SimpleNamespace(submodule_search_locations=[str(tmp_path)])):
        monkeypatch.setattr(compile_kernels, "find_spec", lambda name, spec=spec: spec)
        with pytest.raises(
            BackendUnavailable, match=rf"\.so\.12 is not installed; .* pip install {' '.join(PACKAGES)}"
        ):
            use()


def test_main_writes_the_fatbin_and_both_hashes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch)
    fatbin, sha256 = tmp_path / FATBIN.name, tmp_path / SHA256.name
    monkeypatch.setattr(compile_kernels, "FATBIN", fatbin)
    monkeypatch.setattr(compile_kernels, "SHA256", sha256)
    compile_kernels.main()
    parts = fatbin.read_bytes().splitlines()
    assert [part.split()[1].decode() for part in parts] == [*ARCHITECTURES, PTX_ARCHITECTURE]
    assert sha256.read_text(encoding="ascii") == hash_lines(SOURCE.read_bytes(), fatbin.read_bytes())
    assert "sm_75, sm_80" in capsys.readouterr().out
