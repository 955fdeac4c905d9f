"""The whole graph: encoder, every step around one set of weights, decoder, depth."""

from __future__ import annotations

import math
from collections.abc import Mapping

import onnx_ir
from torch import Tensor

from .....engine.modelfile.contract import Contract
from .....engine.terms import INPUT, OUTPUT, AttentionOp
from ..architecture import MarigoldArchitecture
from ..sampling import plan_steps, start_noise
from .builder import MICROSOFT, GraphBuilder, Value
from .unet import velocity
from .vae import decode, encode

OPSET = 23
IR_VERSION = 10


def write_graph(
    architecture: MarigoldArchitecture, tensors: Mapping[str, Tensor], contract: Contract, form: AttentionOp
) -> onnx_ir.Model:
    """Return the graph of a network for one image.

    Args:
        architecture: Sizes and steps.
        tensors: Of the network, by official name, float32.
        contract: Decides the size, static or dynamic.
        form: Of attention.
    """
    g = GraphBuilder(tensors)
    rule = contract.size
    sides: list[int | str] = list(rule.base_px) if rule.static else ["height", "width"]
    image = Value(name=INPUT, shape=onnx_ir.Shape([1, 3, *sides]), type=onnx_ir.TensorType(onnx_ir.DataType.FLOAT))
    content = encode(g, image, architecture.vae, form)
    latent = _run_steps(g, content, architecture, _noise_of(g, content, architecture, contract), form)
    depth = _to_depth(g, decode(g, latent, architecture.vae, form))
    depth.name, depth.shape, depth.dtype = OUTPUT, onnx_ir.Shape([1, *sides]), onnx_ir.DataType.FLOAT
    graph = onnx_ir.Graph(
        [image],
        [depth],
        nodes=g.nodes,
        initializers=list(g.initializers.values()),
        opset_imports={"": OPSET, MICROSOFT: 1},
        name="marigold",
    )
    return onnx_ir.Model(graph, ir_version=IR_VERSION)


def _run_steps(
    g: GraphBuilder, image: Value, architecture: MarigoldArchitecture, noise: Value | None, form: AttentionOp
) -> Value:
    """Return the latent of depth, from that of the image and noise; None starts with zeros."""
    latent, prompt = noise, g.tensors["prompt"]
    for step in plan_steps(architecture.scheduler, architecture.sampling):
        answer = velocity(g, image, latent, step.timestep, architecture.unet, prompt, form)
        answer = g.op("Mul", answer, g.number(step.add))
        latent = answer if latent is None else g.op("Add", g.op("Mul", latent, g.number(step.keep)), answer)
    assert latent is not None, "there is at least one step"
    return latent


def _noise_of(g: GraphBuilder, image: Value, architecture: MarigoldArchitecture, contract: Contract) -> Value | None:
    """Return the noise that the steps start with, in the shape of the image's latent: the start of one constant."""
    seed, channels = architecture.sampling.seed, architecture.vae.latent_channels
    if seed is None:
        return None
    largest = max(math.prod(px) for px in (contract.size.base_px, contract.canary.size_px))
    count = channels * largest // contract.size.multiple_px**2
    noise = g.tensor("noise", start_noise(seed, count))
    shape = g.shape(image)
    if not contract.size.static:
        noise = g.op("Slice", noise, g.whole_numbers(0), g.op("ReduceProd", shape, keepdims=1))
    return g.op("Reshape", noise, shape)


def _to_depth(g: GraphBuilder, colours: Value) -> Value:
    """Return (1, h, w) in [0, 1]: the mean of three channels in [-1, 1]."""
    mean = g.op("ReduceMean", colours, g.whole_numbers(1), keepdims=0)
    clipped = g.op("Clip", mean, g.number(-1.0), g.number(1.0))
    return g.op("Mul", g.op("Add", clipped, g.number(1.0)), g.number(0.5))
