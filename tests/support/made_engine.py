"""Engine files and ONNX files that are small and made by hand, for tests of what lies around them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import onnx
from made import CONTRACT
from onnx import TensorProto, helper

from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.seal import seal_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.trt.build_options import BuildOptions, Profile
from depthrt.engine.trt.plan_file import PlanHeader, PlanTensor, write_plan_file

SIDE_PX = 28
STATIC = replace(CONTRACT, size=SizeRule((SIDE_PX, SIDE_PX), 14, "letterbox"), batch=1)
SHAPE = (1, 3, SIDE_PX, SIDE_PX)
PLAN = bytes(range(256)) * 40


def write_mean(path: Path, contract: Contract = STATIC, *, image: str = "image", gain: float = 1.0) -> Path:
    """Write an ONNX file whose depth is the mean of the image's channels; it builds in a fraction of a second."""
    static = contract.size.static
    height, width = (SIDE_PX, SIDE_PX) if static else ("height", "width")
    count: int | str = 1 if static else "batch"
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", [image, "axes"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "gain"], ["depth"]),
        ],
        "graph",
        [helper.make_tensor_value_info(image, TensorProto.FLOAT, [count, 3, height, width])],
        [helper.make_tensor_value_info("depth", TensorProto.FLOAT, [count, height, width])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
            helper.make_tensor("gain", TensorProto.FLOAT, [], [gain]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path)
    seal_file(path, contract)
    return path


def make_header(plan: bytes = PLAN) -> PlanHeader:
    """Return a header that fits a plan."""
    return PlanHeader(
        contract=STATIC,
        tensors=(
            PlanTensor("image", "input", "float32", SHAPE, (Profile(SHAPE, SHAPE, SHAPE),)),
            PlanTensor("depth", "output", "float32", (1, SIDE_PX, SIDE_PX)),
        ),
        flavour="tensorrt-rtx",
        tensorrt_version="1.7.1.116",
        compute_capabilities=("8.9", "12.0"),
        gpu="",
        onnx_sha256="1" * 64,
        options=BuildOptions(compute_capabilities=("8.9", "12.0"), workspace_mib=512),
        plan_bytes=len(plan),
        plan_sha256=sha256(plan).hexdigest(),
        producer="depthrt test",
    )


def write_engine(path: Path, plan: bytes = PLAN) -> Path:
    """Write an engine file that is whole, though no TensorRT would take its plan."""
    write_plan_file(path, make_header(plan), plan)
    return path
