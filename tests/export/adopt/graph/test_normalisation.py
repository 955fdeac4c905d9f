from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir
import pytest
from foreign_graphs import Graph, make_graph
from onnx import TensorProto, helper, numpy_helper

from depthrt.export.adopt.graph.normalisation import normalisation_scale, patch_px

HEAD = ("batch", 3, "height", "width")


def image_of(*steps: tuple[str, object], conv: dict[str, Any] | None = None) -> onnx_ir.Model:
    """Return a graph that does these steps to the image, each an operator and its constant, then a convolution."""
    nodes, weights, last = [], [], "image"
    for number, (op, constant) in enumerate(steps):
        inputs = [last]
        if constant is not None:
            weights.append(numpy_helper.from_array(np.asarray(constant, np.float32), f"constant{number}"))
            inputs.append(f"constant{number}")
        nodes.append(helper.make_node(op, inputs, [last := f"step{number}"]))
    side = (conv or {}).get("kernel_shape", [3])[0]
    weights.append(numpy_helper.from_array(np.ones((1, 3, side, side), np.float32), "filters"))
    nodes.append(helper.make_node("Conv", [last, "filters"], ["depth"], **(conv or {})))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, HEAD)
    depth = helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)
    return onnx_ir.from_proto(helper.make_model(helper.make_graph(nodes, "graph", [image], [depth], weights)))


MEAN = np.reshape([0.485, 0.456, 0.406], (1, 3, 1, 1))


@pytest.mark.parametrize(
    ("steps", "scale"),
    [
        ((), None),
        ((("Sub", MEAN), ("Div", MEAN)), 1),
        ((("Sub", 255 * MEAN),), 255),
        ((("Add", -MEAN),), 1),
        ((("Div", 255.0), ("Sub", MEAN)), 255),
        ((("Identity", None), ("Mul", 1 / 255), ("Sub", MEAN)), 255),
        ((("Mul", 2.0), ("Sub", MEAN)), None),
        ((("Sub", 0.5),), None),  # of each value, by which no mean of colours is recognised
        ((("Relu", None), ("Sub", MEAN)), None),
    ],
)
def test_a_graph_that_subtracts_the_mean_tells_the_range_of_its_colours(steps: object, scale: int | None) -> None:
    model = image_of(*steps)  # type: ignore[misc]
    assert normalisation_scale(model.graph.inputs[0]) == scale


@pytest.mark.parametrize(
    ("conv", "patch"),
    [
        ({"kernel_shape": [14, 14], "strides": [14, 14]}, 14),
        ({"kernel_shape": [16, 16], "strides": [16, 16]}, 16),
        ({"kernel_shape": [3, 3], "strides": [2, 2]}, None),
        ({"kernel_shape": [2, 2], "strides": [2, 2]}, None),
        ({"kernel_shape": [7, 7], "strides": [4, 4]}, None),
        ({"kernel_shape": [3, 3]}, None),
    ],
)
def test_patches_are_those_of_the_first_convolution(conv: dict[str, list[int]], patch: int | None) -> None:
    model = image_of(("Sub", MEAN), conv=conv)
    assert patch_px(model, model.graph.inputs[0]) == patch


def test_a_mean_in_axes_of_others_is_found() -> None:
    graph = Graph(normalises=255, channels_last=True, image_dims=("n", "h", "w", 3))
    assert normalisation_scale(onnx_ir.from_proto(make_graph(graph)).graph.inputs[0]) == 255
