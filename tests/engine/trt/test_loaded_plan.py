"""A plan on the GPU: its tensors, its sizes, and what TensorRT refuses; on the stand-in for the driver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_engine import SHAPE, make_header, write_engine
from on_standin import run_trt_case, with_header
from tiny_model import TinyModel

from depthrt import ContractError
from depthrt.engine.trt.build_options import Profile
from depthrt.engine.trt.loaded_plan import LoadedPlan
from depthrt.engine.trt.plan_file import PlanFile, PlanHeader, PlanTensor, read_plan_file, write_plan_file

PROFILE = Profile(SHAPE, SHAPE, SHAPE)
IMAGE, DEPTH = make_header().tensors


@pytest.mark.parametrize(
    "tensors",
    [
        (replace(IMAGE, name="picture"), DEPTH),
        (IMAGE, replace(DEPTH, name="disparity")),
        (IMAGE, replace(DEPTH, dtype="float16")),
        (replace(IMAGE, mode="output"), DEPTH),
        (IMAGE,),
        (IMAGE, DEPTH, PlanTensor("sky", "output", "float32", (1, 28, 28))),
        (replace(IMAGE, profiles=()), DEPTH),
        (replace(IMAGE, profiles=(PROFILE, PROFILE)), DEPTH),
    ],
    ids=["input", "output", "type", "mode", "missing", "additional", "no profile", "two profiles"],
)
def test_a_plan_with_other_tensors_is_refused_before_the_gpu_is_touched(tensors: tuple[PlanTensor, ...]) -> None:
    gpu: Any = None
    plan = PlanFile(replace(make_header(), tensors=tensors), b"")
    with pytest.raises(
        ContractError, match=r"model\.engine has tensors .*, expected .*image.*; build the engine again"
    ):
        LoadedPlan(gpu, gpu, plan, Path("model.engine"))


@pytest.mark.parametrize(
    "case",
    ["other_sizes_are_refused", "a_network_that_cannot_be_recorded_is_said_once", "tensorrt_refuses_to_start"],
)
def test_a_loaded_plan(library: Path, engine: Path, tiny: TinyModel, case: str, tmp_path: Path) -> None:
    run_trt_case(library, case, engine, tiny.onnx, DEPTHRT_CACHE=str(tmp_path / "cache"))


def test_tensors_of_another_name_are_refused(library: Path, engine: Path, tiny: TinyModel, tmp_path: Path) -> None:
    def rename(header: PlanHeader) -> PlanHeader:
        image, depth = header.tensors
        return replace(header, tensors=(replace(image, name="picture"), depth))

    path = with_header(engine, tmp_path / "other.engine", rename)
    run_trt_case(
        library, "refuses", path, tiny.onnx, "ContractError", "has tensors .*picture.*, expected .*; build the engine"
    )


def test_a_plan_that_tensorrt_refuses_is_refused_with_its_log(
    library: Path, engine: Path, tiny: TinyModel, tmp_path: Path
) -> None:
    found = read_plan_file(engine)
    path = write_engine(tmp_path / "other.engine")
    header = replace(
        read_plan_file(path).header, compute_capabilities=(), tensorrt_version=found.header.tensorrt_version
    )
    write_plan_file(path, header, read_plan_file(path).plan)
    message = r"cannot load .* on Stand-in GPU: Serialization assertion .*; build the engine again: depthrt build"
    run_trt_case(library, "refuses", path, tiny.onnx, "BackendUnavailable", message)
