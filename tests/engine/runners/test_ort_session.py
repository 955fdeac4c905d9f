"""ONNX Runtime's import, providers, options and sessions."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import onnxruntime
import pytest
from made_engine import write_mean

from depthrt import BackendUnavailable, ModelFileError
from depthrt.engine.runners.ort_session import (
    CPU,
    CUDA,
    cuda_options,
    find_providers,
    import_onnxruntime,
    open_session,
    run_options,
    session_options,
)
from depthrt.engine.system.cores import usable_cores
from depthrt.engine.terms import PRECISIONS, Device, Precision


def built_with(*providers: str) -> ModuleType:
    module: Any = SimpleNamespace(get_available_providers=lambda: [*providers])
    found: ModuleType = module
    return found


@pytest.mark.parametrize(
    ("device", "providers", "expected"),
    [
        ("auto", (CUDA, CPU), [CUDA, CPU]),
        ("cuda", (CUDA, CPU), [CUDA, CPU]),
        ("cpu", (CUDA, CPU), [CPU]),
        ("auto", (CPU,), [CPU]),
        ("cpu", (CPU,), [CPU]),
    ],
)
def test_cuda_is_asked_for_if_it_was_compiled_in_and_is_wanted(
    device: Device, providers: tuple[str, ...], expected: list[str]
) -> None:
    assert find_providers(built_with(*providers), device) == expected


def test_cuda_that_was_not_compiled_in_is_refused_with_the_way_out() -> None:
    with pytest.raises(BackendUnavailable, match=r"this onnxruntime has no CUDA provider; install it with: .*\[gpu\]"):
        find_providers(built_with(CPU), "cuda")


def test_without_onnxruntime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_onnxruntime() is onnxruntime
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as Python does for what cannot be imported
    with pytest.raises(BackendUnavailable, match=r"onnxruntime cannot be imported .*pip install 'depthrt\[cpu\]'"):
        import_onnxruntime()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_products_are_exact_in_files_that_have_float32_ones(precision: Precision) -> None:
    assert cuda_options(precision)["use_tf32"] == ("0" if precision in ("fp32", "int8") else "1")


def test_a_run_does_not_wait_for_the_gpu() -> None:
    entry = "disable_synchronize_execution_providers"
    assert run_options(onnxruntime).get_run_config_entry(entry) == "1"


def test_a_session_has_the_threads_that_were_asked_for(tmp_path: Path) -> None:
    session = open_session(onnxruntime, write_mean(tmp_path / "mean.onnx"), 2, [CPU])
    assert session.get_providers() == [CPU] and session.get_session_options().intra_op_num_threads == 2


def test_int8_products_are_summed_exactly_on_a_cpu_without_vnni() -> None:
    # Without the entry sums overflow on AVX2, which only such a CPU or an emulator shows.
    assert session_options(onnxruntime, 1).get_session_config_entry("session.x64quantprecision") == "1"


@pytest.mark.parametrize(("more", "spins"), [(0, True), (1, False), (30, False)])
def test_threads_spin_unless_they_are_more_than_the_cores(tmp_path: Path, more: int, spins: bool) -> None:
    session = open_session(onnxruntime, write_mean(tmp_path / "mean.onnx"), usable_cores() + more, [CPU])
    try:
        found = session.get_session_options().get_session_config_entry("session.intra_op.allow_spinning")
    except RuntimeError:  # it was not set, and is "1" then
        found = "1"
    assert found == ("1" if spins else "0")


@pytest.mark.parametrize("content", [b"", b"noise", b"x" * 1000])
def test_a_file_that_onnx_runtime_refuses_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"ONNX Runtime refuses .*model\.onnx: .*; export it again") as caught:
        open_session(onnxruntime, path, 1, [CPU])
    assert "\n" not in str(caught.value)
