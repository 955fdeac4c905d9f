"""Depth that stays on the GPU: its interface, and its memory on the stand-in for the CUDA driver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from made import CONTRACT
from standin import DEVICE_CASES, run_case
from tiny_model import TinyModel

from depthrt.engine.cuda.device_depth import DeviceDepth
from depthrt.engine.cuda.driver.parts import DeviceMemory
from depthrt.engine.depth.provenance import Provenance, Timings
from depthrt.engine.errors import InputError

PROVENANCE = Provenance(
    model=CONTRACT.model,
    source_sha256=CONTRACT.source_sha256,
    runner="tensorrt",
    provider="NVIDIA L4",
    precision="fp32",
    input_px=(28, 42),
    image_px=(20, 30),
    producer="depthrt test",
    notes=(),
    timings=Timings(0.1, 0.2, 0.0),
)
FREED = r"^this depth was freed, by its close\(\) or its model's; infer again, or keep to_host\(\)$"


class FakeMemory:
    """Memory on a GPU that does not exist."""

    address, closed, closes = 0xCAFE00, False, 0

    def close(self) -> None:
        self.closed = True
        self.closes += 1


def make_depth(memory: FakeMemory, *, max_depth_m: float | None = None) -> DeviceDepth:
    kind = "inverse" if max_depth_m is None else "metric"
    contract = replace(CONTRACT, kind=kind, max_depth_m=max_depth_m)  # type: ignore[arg-type]
    return DeviceDepth(cast(DeviceMemory, memory), contract, PROVENANCE)


def test_the_interface_tells_other_libraries_where_the_complete_values_are() -> None:
    assert make_depth(FakeMemory()).__cuda_array_interface__ == {
        "shape": (20, 30),
        "typestr": "<f4",
        "data": (0xCAFE00, False),
        "strides": None,
        "stream": None,
        "version": 3,
    }


def test_kind_and_unit_are_those_of_the_contract() -> None:
    metric, inverse = make_depth(FakeMemory(), max_depth_m=20.0), make_depth(FakeMemory())
    assert (metric.kind, metric.unit, metric.max_depth_m) == ("metric", "m", 20.0)
    assert (inverse.kind, inverse.unit, inverse.max_depth_m) == ("inverse", "", None)
    for kind in ("affine", "scale"):
        contract = replace(CONTRACT, kind=kind)
        assert DeviceDepth(cast(DeviceMemory, FakeMemory()), contract, PROVENANCE).unit == ""
    assert metric.shape == PROVENANCE.image_px and metric.provenance is PROVENANCE
    assert repr(metric) == "<DeviceDepth 20x30 metric, on NVIDIA L4>"


def test_freed_depth_refuses_to_be_read() -> None:
    memory = FakeMemory()
    with make_depth(memory) as depth:
        pass
    assert memory.closed and repr(depth) == "<DeviceDepth 20x30 inverse, closed>"
    with pytest.raises(InputError, match=FREED):
        _ = depth.__cuda_array_interface__
    with pytest.raises(InputError, match=FREED):
        depth.to_host()


def test_forgotten_depth_is_freed() -> None:
    memory = FakeMemory()
    depth = make_depth(memory)
    assert not memory.closed
    del depth
    assert memory.closes == 1


@pytest.mark.parametrize(
    "case",
    [
        "depth_is_freed_once",
        "depth_holds_while_others_are_computed",
        "memory_runs_out",
        "an_error_midway_leaves_nothing",
        "exits_cleanly_without_close",
    ],
)
def test_depth_stays_on_the_gpu(foreign: Path, tiny: TinyModel, case: str) -> None:
    run_case(foreign, case, str(tiny.onnx), cases=DEVICE_CASES)


@pytest.mark.parametrize("function", ["cuLaunchKernel", "cuEventSynchronize", "cuGraphLaunch"])
def test_a_lost_gpu_is_named_by_every_later_call(foreign: Path, tiny: TinyModel, function: str) -> None:
    run_case(foreign, "loses_the_gpu", str(tiny.onnx), function, cases=DEVICE_CASES)
