"""A torch network becomes an ONNX graph with the sizes, precision and attention that its contract names."""

from __future__ import annotations

import copy

import onnx_ir
import torch
from onnx_ir import Shape
from torch import Tensor, nn

from ..engine.modelfile.contract import Contract
from ..engine.system.process.quiet import errors_only
from ..engine.terms import INPUT
from .network.network import Network
from .precision import set_precision

OPSET = 23  # the first whose Gelu, LayerNormalization and Attention are single ops everywhere
TRACE_GRID = (11, 13)  # patches; no side equals the batch, the channels or the other side


def trace(network: Network, contract: Contract) -> onnx_ir.Model:
    """Return the graph of a network; the network itself is not changed.

    Args:
        network: In float32, with torch's own attention.
        contract: Decides the sizes (static or dynamic), the precision and the form of attention.
    """
    written = network.write_graph(contract)
    if written is not None:
        return written
    rule = contract.size
    traced = copy.deepcopy(network)
    if rule.static:
        traced.bake_positions(rule.base_px[0] // rule.multiple_px, rule.base_px[1] // rule.multiple_px)
    dtype = set_precision(traced, contract.precision)
    if contract.attention != "none":
        traced.set_attention(contract.attention)
    example, dynamic = _example(contract)
    with errors_only("torch.onnx"), torch.inference_mode():
        program = torch.onnx.export(
            _Float32Borders(traced, dtype).eval(),
            (example,),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            input_names=[INPUT],
            output_names=list(contract.outputs),
            verbose=False,
        )
    assert program is not None
    model = program.model
    if not rule.static:  # tools show these names, and override them to pin a size
        model.graph.inputs[0].shape = Shape(["batch", 3, "height", "width"])
        for output in model.graph.outputs:
            output.shape = Shape(["batch", "height", "width"])
    _drop_metadata(model)
    return model


class _Float32Borders(nn.Module):
    """A network in any precision whose input and outputs are float32."""

    def __init__(self, network: Network, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.network.has_sky:
            return tuple(output.to(torch.float32) for output in self.network.with_sky(image.to(self.dtype)))
        depth: Tensor = self.network(image.to(self.dtype)).to(torch.float32)
        return depth


def _example(contract: Contract) -> tuple[Tensor, dict[str, dict[int, object]] | None]:
    """Return an input (N, 3, h, w) to trace with, and its dynamic sides for a dynamic graph."""
    rule = contract.size
    if rule.static:
        return torch.zeros(1, 3, *rule.base_px), None
    patch_px = rule.multiple_px
    batch, rows, columns = (torch.export.Dim(name, min=1) for name in ("batch", "rows", "columns"))
    example = torch.zeros(2, 3, TRACE_GRID[0] * patch_px, TRACE_GRID[1] * patch_px)
    return example, {"image": {0: batch, 2: rows * patch_px, 3: columns * patch_px}}


def _drop_metadata(model: onnx_ir.Model) -> None:
    """Drop the exporter's stack traces: half a megabyte, with the paths of this machine in it."""
    for node in model.graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    model.graph.metadata_props.clear()
