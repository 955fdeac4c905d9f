"""Whether an engine runs on a machine is known before TensorRT gets the plan."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from made_engine import make_header, write_engine

from depthrt import BackendUnavailable
from depthrt.engine.cuda.driver.driver import Gpu
from depthrt.engine.trt import compatibility
from depthrt.engine.trt.build_options import DEFAULT
from depthrt.engine.trt.compatibility import check_fit, gpu_note, options_for
from depthrt.engine.trt.library import Flavour, TensorRT, import_tensorrt
from depthrt.engine.trt.plan_file import PlanHeader, read_plan_file

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel for this platform"
)
L4 = Gpu("NVIDIA L4", "8.9")
PATH = Path("model.engine")


def have(
    monkeypatch: pytest.MonkeyPatch, *, gpu: Gpu | None = L4, flavours: tuple[Flavour, ...] = ("tensorrt-rtx",)
) -> None:
    """Stand in for a machine with a GPU and with TensorRT of some flavours, all of the header's version."""

    def find_gpu() -> Gpu:
        if gpu is None:
            raise BackendUnavailable("no NVIDIA driver is on this machine")
        return gpu

    def import_tensorrt(wanted: Flavour | None = None) -> TensorRT:
        if wanted not in flavours:
            raise BackendUnavailable("TensorRT is not installed")
        return TensorRT(type("module", (), {"__version__": make_header().tensorrt_version}), wanted, None)

    monkeypatch.setattr(compatibility, "find_gpu", find_gpu)
    monkeypatch.setattr(compatibility, "import_tensorrt", import_tensorrt)


@pytest.mark.parametrize(
    ("header", "gpu"),
    [
        (make_header(), L4),
        (make_header(), Gpu("NVIDIA RTX 5090", "12.0")),
        (replace(make_header(), compute_capabilities=()), Gpu("NVIDIA A100", "8.0")),
        (replace(make_header(), compute_capabilities=()), Gpu("something newer", "19.0")),
    ],
    ids=["named", "named second", "portable", "portable, newer"],
)
def test_an_engine_runs_on_the_gpus_that_it_is_for(
    monkeypatch: pytest.MonkeyPatch, header: PlanHeader, gpu: Gpu
) -> None:
    have(monkeypatch, gpu=gpu)
    assert check_fit(header, PATH).flavour == "tensorrt-rtx"


@pytest.mark.parametrize(
    ("header", "gpu", "flavours", "message"),
    [
        (make_header(), None, ("tensorrt-rtx",), "model.engine runs on NVIDIA GPUs only, and no NVIDIA driver .* file"),
        (make_header(), L4, (), r"is for TensorRT-RTX 1\.7\.1\.116; TensorRT is not installed, or build it again: dep"),
        (
            make_header(),
            L4,
            ("tensorrt",),
            r"is for TensorRT-RTX 1\.7\.1\.116; TensorRT .*, which is installed, cannot",
        ),
        (
            replace(make_header(), tensorrt_version="1.6.0"),
            L4,
            ("tensorrt-rtx",),
            r"was built by TensorRT-RTX 1\.6\.0, 1\.7\.1\.116 is installed, .*pip install tensorrt-rtx.*==1\.6\.0",
        ),
        (
            make_header(),
            Gpu("NVIDIA A100", "8.0"),
            ("tensorrt-rtx",),
            r"is for GPUs of compute capability 8\.9, 12\.0; NVIDIA A100 has 8\.0; build it again for this GPU",
        ),
        (
            replace(make_header(), compute_capabilities=()),
            Gpu("NVIDIA T4", "7.5"),
            ("tensorrt-rtx",),
            "is for GPUs of portable, compute capability 8.0 and later; NVIDIA T4 has 7.5",
        ),
    ],
    ids=["no GPU", "no TensorRT", "other flavour", "other version", "other GPU", "too old a GPU"],
)
def test_an_engine_for_something_else_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    header: PlanHeader,
    gpu: Gpu | None,
    flavours: tuple[Flavour, ...],
    message: str,
) -> None:
    have(monkeypatch, gpu=gpu, flavours=flavours)
    with pytest.raises(BackendUnavailable, match=message) as caught:
        check_fit(header, PATH)
    assert "\n" not in str(caught.value)


@needs_rtx
def test_an_engine_is_built_for_the_gpu_that_is_there() -> None:
    found = import_tensorrt("tensorrt-rtx")
    assert options_for(found, Gpu("NVIDIA L4", "8.9")) == DEFAULT
    assert options_for(found, Gpu("something newer", "19.0")) == DEFAULT
    assert options_for(found, Gpu("NVIDIA T4", "7.5")).compute_capabilities == ("7.5",)
    with pytest.raises(
        BackendUnavailable, match=r"does not run on NVIDIA H200, compute capability 9\.0: it supports 7"
    ):
        options_for(found, Gpu("NVIDIA H200", "9.0"))


def test_another_gpu_of_the_same_kind_is_said(tmp_path: Path) -> None:
    header = replace(read_plan_file(write_engine(tmp_path / "model.engine")).header, gpu="NVIDIA L4")
    assert gpu_note(header, "NVIDIA L4") == ""
    assert gpu_note(header, "NVIDIA L40S").startswith("the engine was built on NVIDIA L4 and runs on NVIDIA L40S")
