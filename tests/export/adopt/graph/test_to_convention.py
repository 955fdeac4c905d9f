from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir
import onnxruntime
import pytest
from foreign_graphs import Graph, write_graph

from depthrt.export.adopt.graph.layout import Layout, read_layout
from depthrt.export.adopt.graph.read import infer_shapes, read_graph
from depthrt.export.adopt.graph.to_convention import to_convention

SIDES_PX = (10, 14)
SAME = 1e-6  # of sums of a few float32 numbers in another order
SAME_HALF = 2e-3  # of a float16 input

HALF = {"image_type": "float16", "depth_type": "float16"}
NHWC = {"channels_last": True, "image_dims": ("n", "h", "w", 3)}
CASES = {
    "transformers": Graph(),
    "static": Graph(image="image", depth="depth", image_dims=(1, 3, *SIDES_PX), depth_dims=(1, *SIDES_PX)),
    "our own names inside": Graph(image="image", depth="depth", others=("sky",)),
    "numbers as names": Graph(image="0", depth="797", image_dims=(1, 3, *SIDES_PX), opset=11),
    "float16": Graph(**HALF),  # type: ignore[arg-type]
    "NHWC": Graph(image="input", depth="output", **NHWC),  # type: ignore[arg-type]
    "NHWC uint8": Graph(image_type="uint8", normalises=255, **NHWC),  # type: ignore[arg-type]
    "NCHW uint8": Graph(image_type="uint8", normalises=255),
    "a channel of depth": Graph(depth_axes="n1hw", depth_dims=("b", 1, "h", "w")),
    "a last channel of depth": Graph(depth_axes="nhw1", depth_dims=("b", "h", "w", 1), **NHWC),  # type: ignore[arg-type]
    "opset 11": Graph(depth_axes="n1hw", depth_dims=("b", 1, "h", "w"), opset=11),
    "opset 18": Graph(depth_axes="n1hw", depth_dims=("b", 1, "h", "w"), opset=18),
    "depth without a batch": Graph(image_dims=(1, 3, "h", "w"), depth_axes="hw", depth_dims=("h", "w")),
    "a last channel without a batch": Graph(image_dims=(1, 3, "h", "w"), depth_axes="hw1", depth_dims=("h", "w", 1)),
    "an image without a batch": Graph(image_dims=(3, "h", "w"), depth_axes="hw", depth_dims=("h", "w")),
    "one without a batch, NHWC": Graph(
        image_dims=("h", "w", 3), channels_last=True, depth_axes="n1hw", depth_dims=None
    ),
    "views": Graph(image_dims=("b", 1, 3, "h", "w"), depth_axes="n1hw", depth_dims=("b", 1, "h", "w")),
    "shape of depth not stated": Graph(depth_dims=None),
}


def converted(path: Path, graph: Graph, sides_px: tuple[int, int] | None = None) -> tuple[Path, Layout]:
    """Write a graph and bring it to our convention."""
    model = read_graph(write_graph(path, graph))
    infer_shapes(model)
    layout = read_layout(model, "theirs.onnx")
    to_convention(model, layout, sides_px)
    onnx_ir.save(model, path.with_name("ours.onnx"))
    return path.with_name("ours.onnx"), layout


def run(path: Path, batch: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(None, {session.get_inputs()[0].name: batch})
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_layout_answers_in_our_convention_as_it_does_by_hand(name: str, tmp_path: Path) -> None:
    graph = CASES[name]
    ours, layout = converted(tmp_path / "theirs.onnx", graph)
    scale = 255.0 if graph.image_type == "uint8" else 1.0
    batch = np.random.default_rng(1).uniform(0, 1, (1, 3, *SIDES_PX)).astype(np.float32) * np.float32(scale)
    theirs = np.rint(batch) if graph.image_type == "uint8" else batch
    theirs = theirs.astype(graph.image_type)
    theirs = theirs[:, None] if "views" in layout.image_axes else theirs
    theirs = theirs[0] if "batch" not in layout.image_axes else theirs
    theirs = np.moveaxis(theirs, -3, -1) if graph.channels_last else theirs
    expected = run(tmp_path / "theirs.onnx", np.ascontiguousarray(theirs))[0]
    found = run(ours, batch)
    assert found[0].shape == (1, *SIDES_PX) and found[0].dtype == np.float32
    allowed = SAME_HALF if graph.image_type == "float16" else SAME
    assert np.abs(found[0] - expected.astype(np.float32).reshape(found[0].shape)).max() <= allowed
    assert len(found) == (2 if "sky" in graph.others else 1)


def test_names_and_sizes_are_ours(tmp_path: Path) -> None:
    ours, _ = converted(tmp_path / "theirs.onnx", replace(CASES["our own names inside"], image_dims=("b", 3, "h", "w")))
    session = onnxruntime.InferenceSession(str(ours), providers=["CPUExecutionProvider"])
    assert [(value.name, value.type, value.shape) for value in (*session.get_inputs(), *session.get_outputs())] == [
        ("image", "tensor(float)", ["batch", 3, "height", "width"]),
        ("depth", "tensor(float)", ["batch", "height", "width"]),
        ("sky", "tensor(float)", ["batch", "height", "width"]),
    ]


def test_a_dynamic_graph_becomes_static(tmp_path: Path) -> None:
    ours, _ = converted(tmp_path / "theirs.onnx", Graph(), SIDES_PX)
    session = onnxruntime.InferenceSession(str(ours), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 3, *SIDES_PX]
    assert session.get_outputs()[0].shape == ["batch", *SIDES_PX]


def test_colours_outside_their_range_become_black_and_white(tmp_path: Path) -> None:
    ours, _ = converted(tmp_path / "theirs.onnx", CASES["NCHW uint8"])
    beyond = np.full((1, 3, *SIDES_PX), -40, np.float32)
    beyond[..., 7:] = 300
    assert np.array_equal(run(ours, beyond)[0], run(ours, np.clip(beyond, 0, 255))[0])
    assert np.isfinite(run(ours, beyond)[0]).all()


def test_outputs_that_are_not_depth_leave_the_graph(tmp_path: Path) -> None:
    ours, layout = converted(tmp_path / "theirs.onnx", Graph(others=("domain_logits",)))
    assert layout.others == ("domain_logits",) and len(run(ours, np.zeros((2, 3, *SIDES_PX), np.float32))) == 1
    assert len(onnx_ir.load(ours).graph) < len(onnx_ir.load(tmp_path / "theirs.onnx").graph)
