"""Runs a graph in our convention in ONNX Runtime on the CPU, and makes the canary of its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir

from ...engine.errors import ModelFileError
from ...engine.images.preprocess import Float32
from ...engine.modelfile.canary import RANGE_PERCENTILES, canary_input, make_canary
from ...engine.modelfile.contract import Canary
from ...engine.runners.calls import calling
from ...engine.runners.ort_session import CPU, import_onnxruntime, session_options
from ...engine.system.cores import usable_cores
from ...engine.terms import INPUT, OUTPUT, Precision
from ..onnx_file.saved import is_large
from ..parity.parity import TOLERANCE
from .plan import Plan


def save_graph(model: onnx_ir.Model, path: Path) -> Path | None:
    """Write a graph; return the file of its weights beside it, None if it holds them."""
    weights = path.with_suffix(".data") if is_large(model) else None
    if weights is None:
        onnx_ir.external_data.load_to_model(model)  # those beside their file, which would not be found beside ours
    onnx_ir.save(model, path, external_data=weights.name if weights else None)
    return weights


def open_graph(written: Path, theirs: Path) -> Callable[[Float32], Float32]:
    """Open a graph in our convention; return a function that runs (N, 3, h, w) to (N, h, w), both float32.

    Args:
        written: The graph.
        theirs: The file of others that it was made from, for messages.

    Raises:
        ModelFileError: ONNX Runtime refuses it; also when it runs.
    """
    ort = import_onnxruntime()
    with calling("ONNX Runtime", "refuses", theirs):
        session = ort.InferenceSession(str(written), session_options(ort, usable_cores()), providers=[CPU])

    def answer(batch: Float32) -> Float32:
        with calling("ONNX Runtime", f"cannot run an input of {batch.shape} through", theirs):
            (found,) = session.run([OUTPUT], {INPUT: batch})
        depth: Float32 = found
        return depth

    return answer


def ask_canary(
    file: Path, plan: Plan, answer: Callable[[Float32], Float32], *, batch: int, precision: Precision
) -> Canary:
    """Return the canary, with the file's own answer.

    Args:
        file: The file of others, for messages.
        plan: Of the file.
        answer: Runs (N, 3, h, w) float32 to (N, h, w).
        batch: Number of images that it takes.
        precision: Of the file.

    Raises:
        ModelFileError: It answers another size, the same everywhere, or numbers that are not finite.
    """
    golden = np.repeat(canary_input(plan.canary_px, plan.mean, plan.std), batch, axis=0)
    depth = answer(golden)
    if depth.shape != (batch, *plan.canary_px):
        shapes = ("x".join(map(str, shape)) for shape in (depth.shape, golden.shape, (batch, *plan.canary_px)))
        raise ModelFileError(
            "{} answers {} for an input of {}, expected {}; if its export made the size a constant, give that size "
            "with --size HxW".format(file, *shapes)
        )
    values = depth[0]
    if not np.isfinite(values).all():
        raise ModelFileError(f"{file} answers numbers that are not finite on the canary; nothing can check it")
    if np.ptp(np.percentile(values, RANGE_PERCENTILES)) == 0:
        raise ModelFileError(
            f"{file} answers {np.median(values):g} everywhere on the canary, so it does not depend on the image; "
            "it is broken, or --mean and --std are others"
        )
    return make_canary(plan.canary_px, values, tolerance=TOLERANCE[precision])
