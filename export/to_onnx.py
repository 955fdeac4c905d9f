"""A checkpoint becomes an ONNX file with its contract and canary; the file stays only if it answers like torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..engine.errors import InputError, ModelFileError
from ..engine.images.preprocess import Float32
from ..engine.images.readable import find_readable
from ..engine.modelfile.canary import RANGE_PERCENTILES, canary_input, make_canary
from ..engine.modelfile.contract import Contract
from ..engine.modelfile.shipped import PHOTO
from ..engine.modelfile.size_rule import SizeRule
from ..engine.system.files import check_output
from ..engine.system.records import check_record
from ..engine.terms import AttentionOp, Family, Kind, Noise, OnStep, Precision, WhichWeights
from .checkpoint.checkpoint import Checkpoint, conventions_of, load_network, read_checkpoint
from .families.half import refuse_half
from .families.table import rules_of
from .int8.quantize import BUDGET, FEW, Quantised, quantize
from .make_contract import make_contract, size_rule
from .network.network import Network
from .onnx_file.saved import saved
from .onnx_file.store_half import store_half
from .parity.parity import TOLERANCE, Parity, check_parity, torch_answer
from .precision import kinds_in_float32
from .trace import trace

SUFFIX = ".onnx"
CANARY_PX = (252, 336)  # nearly; neither square nor a size of training, so a baked size or table shows
# Drift on one input, over the budget for the mean. One photograph of six took 2 times the mean, and the canary's
# picture upside down is harder than those.
ONE_INPUT = 5
_NO_MIRROR = (
    "warning: the mean with the mirror image is left out: the file takes half the time and answers other numbers than "
    "the official code"
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A written ONNX file and its drift from the checkpoint.

    Args:
        path: The ONNX file.
        contract: As it stands in the file.
        file_mib: Size of the file and of the weights beside it.
        parity: Drift from torch, for each input that was compared.
        weights: The file beside `path` that holds its weights and must stay there; None if `path` holds them.
        quantised: What int8 took and cost; None for other precisions.
    """

    path: Path
    contract: Contract
    file_mib: float
    parity: tuple[Parity, ...]
    weights: Path | None = None
    quantised: Quantised | None = None


def export_checkpoint(
    source: str | Path,
    path: Path,
    *,
    family: Family | None = None,
    kind: Kind | None = None,
    max_depth_m: float | None = None,
    weights: WhichWeights = "auto",
    steps: int | None = None,
    seed: int | None = None,
    noise: Noise | None = None,
    size: int | tuple[int, int] | None = None,
    precision: Precision = "fp32",
    attention: AttentionOp | None = None,
    mirror: bool = True,
    half_storage: bool = False,
    images: Sequence[Path] | None = None,
    budget: float | None = None,
    on_note: Callable[[str], None] = lambda sentence: None,
    on_step: OnStep = lambda title, done, wanted: None,
) -> Exported:
    """Read a checkpoint and write it as an ONNX file, as `depthrt export` does; blocks for seconds to minutes.

    Args:
        source, family, kind, max_depth_m, weights, steps, seed, noise: As in read_checkpoint.
        path, size, precision, attention, mirror, half_storage, images, budget, on_step: As in export_onnx.
        on_note: Called with each sentence that the user should read: what was inferred, and warnings.

    Raises:
        DepthrtError: As read_checkpoint and export_onnx.
    """
    _check_options(precision, attention, images, budget)
    checkpoint = read_checkpoint(
        source,
        family=family,
        kind=kind,
        max_depth_m=max_depth_m,
        weights=weights,
        steps=steps,
        seed=seed,
        noise=noise,
    )
    left_out: list[str] = []
    if images is not None:  # a damaged one would end the export after minutes
        images, left_out = find_readable(list(dict.fromkeys(images)), on_step=on_step)
    warnings = (*(f"warning: {sentence}" for sentence in left_out), *_warnings(precision, images, mirror))
    for sentence in (*checkpoint.remarks, *warnings):
        on_note(sentence)
    return export_onnx(
        checkpoint,
        path,
        size=size,
        precision=precision,
        attention=attention,
        mirror=mirror,
        half_storage=half_storage,
        images=images,
        budget=budget,
        on_step=on_step,
    )


def export_onnx(
    checkpoint: Checkpoint,
    path: Path,
    *,
    size: int | tuple[int, int] | None = None,
    precision: Precision = "fp32",
    attention: AttentionOp | None = None,
    mirror: bool = True,
    half_storage: bool = False,
    images: Sequence[Path] | None = None,
    budget: float | None = None,
    on_step: OnStep = lambda title, done, wanted: None,
) -> Exported:
    """Write a checkpoint as an ONNX file; nothing is left at `path` unless it answers like torch.

    Args:
        checkpoint: As read_checkpoint returns it.
        path: Ends with .onnx; its folder exists.
        size: Short side in px for a dynamic graph (height, width and batch), or (H, W) for a static one; None for
            the family's own size, dynamic.
        precision: Of the arithmetic; input and output are float32 always. "fp16-safe" keeps the layer norms and
            the softmax in float32; "bf16" is for TensorRT only; "int8" is for CPUs, with as many layers in int8
            as the budget allows and the rest in float32.
        attention: "fused" for one com.microsoft MultiHeadAttention op a block, "plain" for parsers that lack it.
            None: fused, but plain in fp16-safe, which needs a softmax in the graph.
        mirror: False leaves out the mean with the mirror image, which halves the time, in a network that takes it.
        half_storage: Store weights that float16 holds exactly as float16; the arithmetic stays as it is.
        images: For int8: files like those to come, to calibrate and measure on. None: the photograph that comes with
            depthrt.
        budget: For int8: largest mean drift, as a share of the range. None: int8.quantize.BUDGET.
        on_step: Called with (title, steps done, steps wanted).

    Raises:
        InputError: The size does not fit the network's patches, the precision was measured to drift too far in this
            network, the network takes no mean with the mirror image, fp16-safe was asked for with fused attention,
            images or a budget were given for another precision than int8, or no file can be written to `path`.
        ModelFileError: The checkpoint answers the same everywhere, or numbers that are not finite.
        BudgetError: Too few layers fit into the budget of int8.
        ParityError: The drift of the written file is above the tolerance of its precision.
    """
    _check_options(precision, attention, images, budget)
    check_output(path, suffix=SUFFIX, source=checkpoint.path)
    _check_precision(checkpoint, precision)
    rule = size_rule(checkpoint, size)
    if not mirror and not conventions_of(checkpoint).mirrored:
        raise InputError(
            f"--no-mirror found, {checkpoint.family} takes no mean with the mirror image; leave the option out"
        )
    on_step("load the network", 0, 1)
    network = load_network(checkpoint, mirror=mirror)
    on_step("answer the canary in torch", 0, 1)
    contract = _contract(checkpoint, network, rule, precision, attention or _default_attention(precision), mirror)
    on_step("trace the graph", 0, 1)
    model = trace(network, contract)
    quantised = None
    allowed = BUDGET if budget is None else budget
    if precision == "int8":
        images = (PHOTO,) if images is None else images
        quantised = quantize(model, contract, images=images, budget=allowed, on_step=on_step)
        contract = replace(contract, canary=quantised.canary)
    if half_storage:
        store_half(model)
    on_step("write the file", 0, 1)
    with saved(model, path, contract) as (written, weights, contract):
        file_bytes = sum(file.stat().st_size for file in (written, weights) if file is not None)
        most = ONE_INPUT * allowed if quantised else None
        parity = check_parity(written, contract, network, allowed=most, on_step=on_step)
    return Exported(path, contract, file_bytes / 2**20, parity, weights, quantised)


def _check_options(
    precision: Precision,
    attention: AttentionOp | None,
    images: Sequence[Path] | None,
    budget: float | None,
) -> None:
    """Raise InputError for options that do not go together."""
    if precision != "int8" and (images is not None or budget is not None):
        raise InputError(f"--images or --drift-budget found with {precision}; they are for --precision int8")
    if precision == "fp16-safe" and attention == "fused":
        raise InputError("fused attention found with fp16-safe, whose softmax must stand in the graph; use plain")


def _check_precision(checkpoint: Checkpoint, precision: Precision) -> None:
    """Raise InputError for a precision that the family is not exported in, or in which the network drifts too far."""
    rules = rules_of(checkpoint.family)
    if precision not in rules.precisions:
        possible = " or ".join(f"--precision {one}" for one in rules.precisions)
        raise InputError(
            f"{precision} of {rules.name} is not exported, since its drift was not measured; use {possible}"
        )
    refuse_half(checkpoint.architecture.encoder, precision, rules.half, only_measured=rules.half_only_measured)


def _default_attention(precision: Precision) -> AttentionOp:
    return "plain" if precision == "fp16-safe" else "fused"


def _warnings(precision: Precision, images: Sequence[Path] | None, mirror: bool) -> tuple[str, ...]:
    """Return warnings about a mean that is left out, and about int8 from too few images."""
    left_out = () if mirror else (_NO_MIRROR,)
    if precision != "int8" or (images is not None and len(images) >= FEW):
        return left_out
    found = "the photograph that comes with depthrt"
    if images is not None:
        found = f"{len(images)} image{'' if len(images) == 1 else 's'}"
    return (
        *left_out,
        f"warning: int8 is calibrated on {found} and its drift measured on the same; give {FEW} or more --images "
        "like those to come",
    )


def _contract(
    checkpoint: Checkpoint, network: Network, rule: SizeRule, precision: Precision, attention: AttentionOp, mirror: bool
) -> Contract:
    """Return the contract, with the float32 network's answer to the canary."""
    patch_px = rule.multiple_px
    h, w = (max(1, round(side / patch_px)) * patch_px for side in CANARY_PX)
    canary_px = rule.base_px if rule.static else (h, w)
    conventions = conventions_of(checkpoint)
    golden = canary_input(canary_px, conventions.mean, conventions.std)
    answer = torch_answer(network, golden)[0]
    _check_alive(checkpoint, answer)
    canary = make_canary(canary_px, answer, tolerance=TOLERANCE[precision])
    contract = make_contract(checkpoint, rule, precision=precision, attention=attention, canary=canary, mirror=mirror)
    contract = replace(contract, in_float32=kinds_in_float32(network, precision))
    check_record(contract, name="contract", remedy="no runtime would read it; choose another size or checkpoint")
    return contract


def _check_alive(checkpoint: Checkpoint, answer: Float32) -> None:
    """Refuse an answer that is constant or not finite: no runner could be checked by it."""
    if not np.isfinite(answer).all():
        found = "numbers that are not finite"
    elif np.ptp(np.percentile(answer, RANGE_PERCENTILES)) == 0:
        found = f"{np.median(answer):g} everywhere"
    else:
        return
    raise ModelFileError(
        f"{checkpoint.path} answers {found} on the canary; the training collapsed, take an earlier file"
    )
