"""Ceilings of a CPU, measured by matrix products in each precision, and the work of a network."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import torch
from torch.utils.flop_counter import FlopCounterMode

from ...engine.runners.openvino_runner import cpu_precisions
from ...engine.terms import Precision
from ...export.checkpoint.checkpoint import load_network
from ...export.make_contract import size_rule
from ..subjects.checkpoint_options import CheckpointOptions, TorchPrecision
from ..subjects.torch_runner import DTYPES

CEILING_SIDE = 2048  # of the square matrices whose product is the ceiling
CEILING_ROUNDS = 9  # the best counts: disturbances only slow a product down


def count_work(checkpoint: Path, options: CheckpointOptions) -> float:
    """Return the GFLOP of one image: two operations for each multiply-add of products and convolutions.

    Args:
        checkpoint: Of the network.
        options: With the size; of a dynamic size, the work of the smallest input.
    """
    read = options.read(checkpoint)
    height, width = size_rule(read, options.size).base_px
    network = load_network(read).to("meta")
    network.set_attention("plain")  # FlopCounterMode counts its products; torch's fused operator hides them
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.empty(1, 3, height, width, device="meta"))
    return float(counter.get_total_flops()) / 1e9


def measure_ceilings(threads: int) -> dict[Precision, float]:
    """Return the GFLOP/s of a large matrix product in torch, by precision: a bound for every network."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return {precision: _ceiling(DTYPES[precision]) for precision in torch_precisions()}
    finally:
        torch.set_num_threads(before)


def torch_precisions() -> tuple[TorchPrecision, ...]:
    """Return the precisions that this CPU has instructions for; torch takes others too, at a tenth of the speed."""
    return ("fp32", "bf16") if "bf16" in cpu_precisions() else ("fp32",)


def _ceiling(dtype: torch.dtype) -> float:
    left, right = (torch.randn(CEILING_SIDE, CEILING_SIDE).to(dtype) for _ in range(2))
    best_s = min(_product_s(left, right) for _ in range(CEILING_ROUNDS))
    return 2 * CEILING_SIDE**3 / best_s / 1e9


def _product_s(left: torch.Tensor, right: torch.Tensor) -> float:
    start = perf_counter()
    torch.mm(left, right)
    return perf_counter() - start
