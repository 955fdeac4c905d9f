"""Images become the range of every tensor that int8 rounds, and the work of every layer that could compute in int8."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir

from ...engine.images.preprocess import Float32
from ...engine.runners.ort_session import CPU, import_onnxruntime, session_options
from ...engine.system.cores import usable_cores
from ...engine.terms import INPUT
from .int8_graph import Layer, Range


@dataclass(frozen=True, slots=True)
class Calibration:
    """Ranges and work of a float32 graph on some inputs.

    Args:
        ranges: Least and greatest value of every tensor that enters or leaves a layer, over all inputs.
        work: Multiplications of every layer, by the name of its node, over all inputs.
    """

    ranges: dict[str, Range]
    work: dict[str, float]

    def share(self, layers: Iterable[Layer]) -> float:
        """Return the share of some layers in the work of all."""
        return sum(self.work[layer.node] for layer in layers) / sum(self.work.values())


def calibrate(model: onnx_ir.Model, path: Path, layers: Sequence[Layer], batches: Iterable[Float32]) -> Calibration:
    """Run a graph on inputs and return the extremes of its tensors.

    Percentiles and the range of the least squared error were tried instead: each clips values that matter, and
    drift was 1.03 to 3.5 times that of the extremes (bench/NOTES.md).

    Args:
        model: The float32 graph; its outputs are changed.
        path: File to write the changed graph to, in the folder of its weights.
        layers: Of the graph.
        batches: (N, 3, h, w) float32 each, normalised; one batch or more.
    """
    tensors = sorted({name for layer in layers for name in (layer.entering, layer.leaving) if name is not None})
    products = [layer.product for layer in layers]
    _replace_outputs(model.graph, tensors, products)
    onnx_ir.save(model, path)
    ort = import_onnxruntime()
    session = ort.InferenceSession(str(path), session_options(ort, usable_cores()), providers=[CPU])
    found = np.array([session.run(None, {INPUT: batch}) for batch in batches], np.float64)  # (inputs, figures)
    least, greatest, sizes = np.split(found, [len(tensors), 2 * len(tensors)], axis=1)
    ranges = zip(least.min(axis=0).tolist(), greatest.max(axis=0).tolist(), strict=True)
    work = zip(layers, sizes.sum(axis=0).tolist(), strict=True)
    return Calibration(
        dict(zip(tensors, ranges, strict=True)), {layer.node: size * layer.multiplications for layer, size in work}
    )


def _replace_outputs(graph: onnx_ir.Graph, tensors: Sequence[str], sizes: Sequence[str]) -> None:
    """Replace the outputs of a graph by the extremes of some tensors and the sizes of others."""
    values = {str(value.name): value for node in graph for value in node.outputs}
    values.update({str(value.name): value for value in graph.inputs})
    graph.outputs.clear()
    for operator, names in (("ReduceMin", tensors), ("ReduceMax", tensors), ("Size", sizes)):
        attributes = {} if operator == "Size" else {"keepdims": 0}
        for name in names:
            node = onnx_ir.node(operator, [values[name]], attributes, name=f"{name}.{operator}")
            (output,) = node.outputs
            output.name = f"{name}.{operator}.figure"
            output.shape = onnx_ir.Shape([])
            output.dtype = onnx_ir.DataType.INT64 if operator == "Size" else onnx_ir.DataType.FLOAT
            graph.append(node)
            graph.outputs.append(output)
