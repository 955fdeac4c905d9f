"""A model file that always answers with the floor of made_floor.py, and a bag of the camera that sees it."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from made import CONTRACT
from made_bags import IMAGE, INFO, camera_message, messages, write_bag
from made_floor import CAMERA, SIZE_PX, see
from numpy.typing import NDArray
from onnx import TensorProto, helper

from depthrt.engine.modelfile.canary import FORMULA
from depthrt.engine.modelfile.contract import Canary
from depthrt.engine.modelfile.seal import seal_file
from depthrt.engine.modelfile.size_rule import SizeRule


def write_floor_model(path: Path, depth_m: NDArray[np.float32] | None = None) -> Path:
    """Write a metric model file whose answer is the same for each image: what `see` sees, or other depth."""
    depth_m = see().depth_m if depth_m is None else depth_m
    answer = base64.b64encode(depth_m.astype("<f4").tobytes()).decode()
    contract = replace(
        CONTRACT,
        kind="metric",
        max_depth_m=20.0,
        size=SizeRule(SIZE_PX, 8, "stretch"),
        batch=1,
        canary=Canary(FORMULA, SIZE_PX, 1, answer, 1e-5),
    )
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image", "axes"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "none"], ["nothing"]),
            helper.make_node("Add", ["nothing", "answer"], ["depth"]),
        ],
        "graph",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *SIZE_PX])],
        [helper.make_tensor_value_info("depth", TensorProto.FLOAT, [1, *SIZE_PX])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
            helper.make_tensor("none", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("answer", TensorProto.FLOAT, [1, *SIZE_PX], depth_m.reshape(-1)),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    seal_file(path, contract)
    return path


def write_floor_bag(folder: Path, count: int = 3) -> Path:
    """Write a bag of images and of the CameraInfo of made_floor's camera."""
    focal, x, y = CAMERA.fx_px, CAMERA.cx_px, CAMERA.cy_px
    info = replace(
        camera_message(height=SIZE_PX[0], width=SIZE_PX[1]),
        k=np.array([focal, 0, x, 0, focal, y, 0, 0, 1], np.float64),
        p=np.array([focal, 0, x, 0, 0, focal, y, 0, 0, 0, 1, 0], np.float64),
    )
    sent = [
        replace(one, message=replace(info, header=one.message.header)) if one.topic == INFO else one
        for one in messages(count, size_px=SIZE_PX)
        if one.topic in (IMAGE, INFO)
    ]
    return write_bag(folder, sent)
