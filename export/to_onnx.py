"""A checkpoint becomes an ONNX file with its contract and canary, proven against torch before it is left."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import onnx_ir
import torch
from onnx_ir import Shape
from torch import Tensor, nn

from ..engine.errors import InputError, ModelFileError
from ..engine.images.preprocess import Float32
from ..engine.modelfile.canary import RANGE_PERCENTILES, canary_input, make_canary
from ..engine.modelfile.contract import METADATA_KEY, Canary, Contract, SizeRule
from ..engine.modelfile.shipped import PHOTO
from ..engine.system.files import atomic_path, check_output
from ..engine.system.records import check_record
from ..engine.terms import INPUT, OUTPUT
from .checkpoint.checkpoint import Checkpoint, load_network
from .int8.quantize import BUDGET, Quantised, Step, quantize
from .make_contract import IMAGENET_MEAN, IMAGENET_STD, make_contract, size_rule
from .network.make_network import Network
from .onnx_file.store_half import store_half
from .onnx_file.weights_beside import fresh_name, remove_orphans, weights_of
from .parity.parity import TOLERANCE, Parity, check_parity, torch_answer
from .precision import ExportPrecision, set_precision

AttentionOp = Literal["fused", "plain"]

SUFFIX = ".onnx"
OPSET = 23  # the first whose Gelu, LayerNormalization and Attention are single ops everywhere
DEFAULT_SIZE = 518
CANARY_GRID = (18, 24)  # patches; neither square nor the native grid, so a baked size or table shows
TRACE_GRID = (11, 13)  # patches; no side equals the batch, the channels or each other
# Drift on one input, over the budget for the mean. One photograph of six took 2 times the mean, and the canary's
# picture upside down is harder than those.
ONE_INPUT = 5
PROTOBUF_LIMIT_BYTES = 1_900_000_000  # protobuf ends at 2 GiB; larger weights go into a file beside


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote, and how far it is from its checkpoint.

    Args:
        path: The file.
        contract: In it.
        file_mib: With the weights beside it.
        parity: On each input.
        weights: The file beside it that holds its weights and must stay there, or None where they are in it.
        quantised: Of an int8 file.
    """

    path: Path
    contract: Contract
    file_mib: float
    parity: tuple[Parity, ...]
    weights: Path | None = None
    quantised: Quantised | None = None


def export_onnx(
    checkpoint: Checkpoint,
    path: Path,
    *,
    size: int | tuple[int, int] = DEFAULT_SIZE,
    precision: ExportPrecision = "fp32",
    attention: AttentionOp | None = None,
    half_storage: bool = False,
    images: Sequence[Path] = (PHOTO,),
    budget: float = BUDGET,
    on_step: Callable[[str], None] = lambda step: None,
    on_progress: Step = lambda title, done, wanted: None,
) -> Exported:
    """Write a checkpoint as an ONNX file; nothing is left at `path` unless it answers like torch.

    Args:
        size: Short side in px for a dynamic graph (height, width and batch), or (H, W) for a static one.
        precision: Of the arithmetic; input and output are float32 always. "fp16-safe" keeps the layer norms and
            the softmax in float32; "bf16" is for TensorRT alone; "int8" is for CPUs, with as many layers in int8
            as the budget allows and the rest in float32.
        attention: "fused" for one com.microsoft MultiHeadAttention op a block, "plain" for parsers that lack it.
            None: fused, but plain in fp16-safe, whose softmax stands in the graph.
        half_storage: Store weights that float16 holds exactly as float16; the arithmetic stays as it is.
        images: Files like those to come, which int8 is calibrated and measured on.
        budget: Largest mean drift of int8, as a part of the range.
        on_step: Called with what is being done, for progress.
        on_progress: Called with the title, the steps done and the steps wanted of work that has many.

    Raises:
        InputError: The size does not fit the network's patches, fp16-safe was asked for with fused attention, or
            no file can be written to `path`, which must end in .onnx.
        ModelFileError: The checkpoint answers the same everywhere, or numbers that are not finite.
        BudgetError: Too few layers fit into the budget of int8.
        ParityError: The written file departs from the checkpoint by more than the precision allows.
    """
    check_output(path, suffix=SUFFIX, source=checkpoint.path)
    rule = size_rule(size, checkpoint.architecture.patch_px)
    attention = _choose_attention(attention, precision)
    on_step("load the network")
    network = load_network(checkpoint)
    on_step("answer the canary in torch")
    contract = _contract(checkpoint, network, rule, precision, attention)
    on_step("trace the graph")
    program = _trace(network, contract, precision)
    quantised = None
    if precision == "int8":
        quantised = quantize(program.model, contract, images=images, budget=budget, on_step=on_progress)
        contract = replace(contract, canary=quantised.canary)
    if half_storage:
        store_half(program.model)
    program.model.metadata_props[METADATA_KEY] = contract.to_json()
    on_step("write the file")
    with _saved(program, path) as (written, weights):
        file_bytes = sum(one.stat().st_size for one in (written, weights) if one is not None)
        allowed = ONE_INPUT * budget if quantised else None
        parity = check_parity(written, contract, network, allowed=allowed, on_step=on_step)
    return Exported(path, contract, file_bytes / 2**20, parity, weights, quantised)


class _Graph(nn.Module):
    """What is exported: the network in its precision, between float32 input and output."""

    def __init__(self, network: Network, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        depth: Tensor = self.network(image.to(self.dtype)).to(torch.float32)
        return depth


def _choose_attention(attention: AttentionOp | None, precision: ExportPrecision) -> AttentionOp:
    if precision != "fp16-safe":
        return attention or "fused"
    if attention == "fused":
        raise InputError("fused attention found with fp16-safe, whose softmax must stand in the graph; use plain")
    return "plain"


def _contract(
    checkpoint: Checkpoint, network: Network, rule: SizeRule, precision: ExportPrecision, attention: AttentionOp
) -> Contract:
    """Return the contract, its canary answered by the float32 network."""
    patch_px = rule.multiple_px
    canary_px = rule.base_px if rule.static else (CANARY_GRID[0] * patch_px, CANARY_GRID[1] * patch_px)
    golden = canary_input(canary_px, IMAGENET_MEAN, IMAGENET_STD)
    answer = torch_answer(network, golden)[0]
    _check_alive(checkpoint, answer)
    canary: Canary = make_canary(canary_px, answer, tolerance=TOLERANCE[precision])
    contract = make_contract(checkpoint, rule, precision=precision, attention=attention, canary=canary)
    check_record(contract, name="contract", remedy="no runtime would read it; choose another size or checkpoint")
    return contract


def _check_alive(checkpoint: Checkpoint, answer: Float32) -> None:
    """Refuse a network whose answer has no range, which no runner could be checked by."""
    if not np.isfinite(answer).all():
        found = "numbers that are not finite"
    elif np.ptp(np.percentile(answer, RANGE_PERCENTILES)) == 0:
        found = f"{np.median(answer):g} everywhere"
    else:
        return
    raise ModelFileError(
        f"{checkpoint.path} answers {found} on the canary; the training collapsed, take an earlier file"
    )


def _trace(network: Network, contract: Contract, precision: ExportPrecision) -> torch.onnx.ONNXProgram:
    """Return the graph; the network given is left as it was."""
    rule = contract.size
    traced = copy.deepcopy(network)
    if rule.static:
        traced.bake_positions(rule.base_px[0] // rule.multiple_px, rule.base_px[1] // rule.multiple_px)
    dtype = set_precision(traced, precision)
    if contract.attention != "none":
        traced.set_attention(contract.attention)
    graph = _Graph(traced, dtype).eval()
    if rule.static:
        example, dynamic = torch.zeros(1, 3, *rule.base_px), None
    else:
        patch_px = rule.multiple_px
        example = torch.zeros(2, 3, TRACE_GRID[0] * patch_px, TRACE_GRID[1] * patch_px)
        batch, rows, columns = (torch.export.Dim(name, min=1) for name in ("batch", "rows", "columns"))
        dynamic = {"image": {0: batch, 2: rows * patch_px, 3: columns * patch_px}}
    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            graph,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
        )
    assert program is not None
    if not rule.static:  # tools show these names, and override them to pin a size
        program.model.graph.inputs[0].shape = Shape(["batch", 3, "height", "width"])
        program.model.graph.outputs[0].shape = Shape(["batch", "height", "width"])
    _forget_origin(program.model)
    return program


def _forget_origin(model: onnx_ir.Model) -> None:
    """Drop the exporter's stack traces: half a megabyte, with the paths of this machine in it."""
    for node in model.graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    model.graph.metadata_props.clear()


@contextmanager
def _saved(program: torch.onnx.ONNXProgram, path: Path) -> Iterator[tuple[Path, Path | None]]:
    """Write the file under a temporary name that becomes `path` when the block ends well.

    Weights too large for one ONNX file go beside it under a name of their own, so that a failed export never
    touches the weights of a file that stands at `path`; those go when the file goes.

    Yields:
        The temporary path, and the weights' where they are beside it.
    """
    model = program.model
    large = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value) > (
        PROTOBUF_LIMIT_BYTES
    )
    weights = fresh_name(path, model.metadata_props[METADATA_KEY]) if large else None
    replaced = weights_of(path)
    try:
        with atomic_path(path) as written:
            onnx_ir.save(model, written, external_data=weights.name if weights else None)
            yield written, weights
    except BaseException:
        if weights is not None:
            remove_orphans([weights])
        raise
    remove_orphans(replaced)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes about itself from the user; its errors are exceptions."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)
