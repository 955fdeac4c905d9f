from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import onnx_ir
import pytest
from foreign_graphs import Graph, make_graph
from onnx import TensorProto, helper

from depthrt import InputError, ModelFileError
from depthrt.export.adopt.graph.layout import Layout, read_layout


def layout_of(graph: Graph, output: str | None = None) -> Layout:
    return read_layout(onnx_ir.from_proto(make_graph(graph)), "theirs.onnx", output=output)


def test_transformers_layout_is_read_as_dynamic() -> None:
    found = layout_of(Graph())
    assert found.image_axes == ("batch", "channels", "height", "width")
    assert found.depth_axes == ("batch", "height", "width")
    assert (found.batch, found.sides_px, found.depth_px, found.scale) == (None, (None, None), (None, None), None)
    assert found.names == "pixel_values -> predicted_depth"


def test_a_static_layout_has_its_sizes_and_sky() -> None:
    graph = Graph(image="image", depth="depth", image_dims=(2, 3, 280, 504), depth_dims=(2, 280, 504), others=("sky",))
    found = layout_of(graph)
    assert (found.batch, found.sides_px, found.depth_px, found.sky) == (2, (280, 504), (280, 504), "sky")
    assert found.names == "image -> depth, sky"


@pytest.mark.parametrize(
    ("dims", "channels_last", "axes"),
    [
        (("n", "h", "w", 3), True, ("batch", "height", "width", "channels")),
        (("n", "h", "w", "num_channels"), True, ("batch", "height", "width", "channels")),
        ((1, 3, "h", 3), False, ("batch", "channels", "height", "width")),
        ((3, "h", "w"), False, ("channels", "height", "width")),
        (("n", 1, 3, "h", "w"), False, ("batch", "views", "channels", "height", "width")),
    ],
)
def test_the_axis_of_the_colours_is_found(dims: tuple[int | str, ...], channels_last: bool, axes: object) -> None:
    assert layout_of(Graph(image_dims=dims, channels_last=channels_last)).image_axes == axes


def test_axes_without_a_telling_name_are_those_of_the_convolution_that_reads_them() -> None:
    found = layout_of(Graph(image_dims=("a", "b", "c", "d")))
    assert found.image_axes == ("batch", "channels", "height", "width")


def test_the_output_that_is_depth_is_the_known_or_the_named_one() -> None:
    several = Graph(others=("depth", "domain_logits"))
    assert layout_of(several).depth == "predicted_depth"
    assert layout_of(several, "domain_logits").depth == "domain_logits"
    assert layout_of(replace(several, depth="a")).depth == "depth"


@pytest.mark.parametrize(
    ("graph", "output", "failure", "message"),
    [
        (
            Graph(depth="a", others=("b",)),
            None,
            InputError,
            r"theirs\.onnx has 2 outputs \(a \(batch_size, height, width\) float32, b .*\); say which .* --output-name",
        ),
        (Graph(), "c", InputError, r"has no output 'c'; its outputs are predicted_depth \(batch_size"),
        (
            Graph(image_dims=("n", 1, "h", "w")),
            None,
            ModelFileError,
            r"takes pixel_values \(n, 1, h, w\) float32, expected an image such as \(batch, 3, height, width\) or",
        ),
        (Graph(image_dims=(3,)), None, ModelFileError, r"takes pixel_values \(3\) float32, expected an image"),
        (Graph(image_dims=("b", 2, 3, "h", "w")), None, ModelFileError, r"takes 2 views in its input pixel_values"),
        (
            Graph(depth_dims=("b", 2, "h", 5)),
            None,
            ModelFileError,
            r"gives predicted_depth \(b, 2, h, 5\) float32, exp",
        ),
        (Graph(depth_dims=("b",)), "predicted_depth", ModelFileError, r"gives predicted_depth \(b\) float32, expected"),
    ],
)
def test_another_layout_is_refused_in_one_line(
    graph: Graph, output: str | None, failure: type[Exception], message: str
) -> None:
    with pytest.raises(failure, match=message) as caught:
        layout_of(graph, output)
    assert "\n" not in str(caught.value)


def with_inputs(*inputs: onnx.ValueInfoProto) -> onnx_ir.Model:
    model = make_graph(Graph())
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    return onnx_ir.from_proto(model)


def test_inputs_that_are_no_image_are_refused(tmp_path: Path) -> None:
    image = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["b", 3, "h", "w"])
    focal = helper.make_tensor_value_info("focal", TensorProto.FLOAT, [1])
    words = helper.make_tensor_value_info("pixel_values", TensorProto.INT64, ["b", 3, "h", "w"])
    for inputs, message in (
        ((), r"has no input, so it answers the same for every image"),
        ((image, focal), r"takes 2 inputs \(pixel_values \(b, 3, h, w\) float32, focal \(1\) float32\), expected one"),
        ((words,), r"takes pixel_values \(b, 3, h, w\) int64, expected an image of float, float16, double, uint8"),
    ):
        with pytest.raises(ModelFileError, match=message):
            read_layout(with_inputs(*inputs), "theirs.onnx")
