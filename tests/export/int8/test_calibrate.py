"""Ranges are the extremes of every tensor over all inputs, and work is the multiplications of each layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from int8_graphs import conv_graph, linear_graph

from depthrt.export.int8.calibrate import Calibration, calibrate
from depthrt.export.int8.int8_graph import Layer, find_layers


def test_ranges_are_the_extremes_of_every_input_and_work_is_counted(tmp_path: Path) -> None:
    model = linear_graph(np.ones((4, 6), np.float32), np.zeros(6, np.float32))
    layers = find_layers(model)
    batches = [np.full((2, 4), -1.5, np.float32), np.full((3, 4), 2.5, np.float32)]
    found = calibrate(model, tmp_path / "observed.onnx", layers, batches)
    assert found.ranges == {"image": (-1.5, 2.5)}
    assert found.work == {"product": (2 + 3) * 6 * 4} and found.share(layers) == 1


def test_a_convolution_has_the_range_of_what_enters_it_and_of_what_leaves_its_relu(tmp_path: Path) -> None:
    weights = np.zeros((2, 1, 3, 3), np.float32)
    weights[:, 0, 1, 1] = (2.0, -1.0)  # each channel is a multiple of the image
    model = conv_graph(weights, np.zeros(2, np.float32), relu=True)
    layers = find_layers(model)
    image = np.linspace(-3, 5, 36, dtype=np.float32).reshape(1, 1, 6, 6)
    found = calibrate(model, tmp_path / "observed.onnx", layers, [image])
    assert found.ranges == {"image": (-3.0, 5.0), "kept": (0.0, 10.0)}
    assert found.work == {"conv": 2 * 36 * 9}


@pytest.mark.parametrize(("nodes", "share"), [(("a",), 0.25), (("b",), 0.75), (("a", "b"), 1.0), ((), 0.0)])
def test_a_share_is_of_the_work_of_all_layers(nodes: tuple[str, ...], share: float) -> None:
    layers = {node: Layer(node, node, "image", node, None, 1) for node in ("a", "b")}
    calibration = Calibration(ranges={}, work={"a": 10.0, "b": 30.0})
    assert calibration.share(layers[node] for node in nodes) == share
