"""A written model file against torch, on the canary, a photograph and a batch of two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...engine.errors import ParityError
from ...engine.images.preprocess import Float32, fit_image, to_input
from ...engine.images.read import read_image
from ...engine.modelfile.canary import canary_drift, canary_input, drift
from ...engine.modelfile.contract import Contract
from ...engine.modelfile.model_file import as_model_file
from ...engine.modelfile.shipped import PHOTO
from ...engine.runners.open_runner import open_runner
from ...engine.runners.runner import Runner, SkyRunner
from ...engine.terms import OnStep, Precision
from ..network.network import Network
from .float32_twin import float32_twin
from .rounding import rounded_answer

# Mean |difference| over the reference's 2-98 % range. Float32 files measure 1e-7 to 5e-7 and fp16 files
# about 1e-3 over random and trained weights, bf16 about 5e-3; a wrong graph measures 1e-2 and more in fp16. Rounded in
# torch, five networks measure 2e-4 to 8e-4 in fp16, as torch's own float16 does, and 5e-3 to 7e-3 in bf16. An int8
# file has its own answer for its canary, to which this tolerance applies; its drift from torch is limited by the
# budget.
TOLERANCE: dict[Precision, float] = {"fp32": 1e-5, "fp16": 5e-3, "fp16-safe": 5e-3, "bf16": 2e-2, "int8": 1.5e-2}
_ROUNDED = ("fp16", "fp16-safe", "bf16")  # no CPU runtime computes in them; ONNX Runtime runs fp16 graphs in float32
_WAY_OUT = {
    "fp32": "",
    "fp16": "; try --precision fp16-safe, fp32, or bf16 for TensorRT",
    "fp16-safe": "; try --precision fp32, or bf16 for TensorRT",
    "bf16": "; try --precision fp32",
    "int8": "; try --precision fp32",
}


@dataclass(frozen=True, slots=True)
class Parity:
    """Drift of a written file from torch on one input.

    Args:
        name: Of the input, for people: "a photograph".
        input_px: (h, w) of the network's input.
        images: Number of images in the batch.
        drift: Mean |difference| over the reference's 2-98 % range, worst image of the batch.
        largest: Largest |difference| over the reference's full range.
    """

    name: str
    input_px: tuple[int, int]
    images: int
    drift: float
    largest: float


def make_batch(path: Path, contract: Contract) -> Float32:
    """Return an image file as the network's input (1, 3, h, w)."""
    image = read_image(path)
    fit = fit_image(contract.size, (image.shape[0], image.shape[1]))
    batch = np.empty((1, 3, *fit.input_px), np.float32)
    to_input(image, contract, fit, color="bgr", out=batch[0])
    return batch


def torch_answer(network: Network, batch: Float32) -> Float32:
    """Return the float32 reference (N, h, w) for inputs (N, 3, h, w) float32."""
    with torch.inference_mode():
        answer: Float32 = network(torch.from_numpy(batch)).numpy()
    return answer


def check_parity(
    path: Path,
    contract: Contract,
    network: Network,
    *,
    allowed: float | None = None,
    on_step: OnStep,
) -> tuple[Parity, ...]:
    """Run a written file in ONNX Runtime against torch on real pixels.

    A dynamic file is run at two sizes and with a batch of two, a static file at its size. No CPU runtime computes
    in fp16 or bf16: the graph of such a file is checked in float32 with its own weights, and its arithmetic in torch.

    Args:
        path: The file.
        contract: Of the file.
        network: The network that the file was made from, in float32.
        allowed: Largest drift from torch on one input; None takes TOLERANCE of the precision.
        on_step: Called with (title, steps done, steps wanted).

    Raises:
        ParityError: The drift on an input or on the canary is too large.
    """
    found = []
    tolerance = TOLERANCE[contract.precision]
    allowed = tolerance if allowed is None else allowed
    with _opened(path, contract) as runner:
        on_step("check the canary", 0, 1)
        canary = canary_input(contract.canary.size_px, contract.mean, contract.std)
        _judge(canary_drift(contract.canary, runner.run(canary)[0]), "the canary", contract, tolerance)
        inputs = _inputs(contract, canary)
        for name, batch in inputs:
            on_step(f"compare with torch on {name}", 0, 1)
            found.append(_compare(runner.run, network, name, batch))
            _judge(found[-1].drift, name, contract, allowed)
        if contract.sky_from is not None:
            _judge(_sky_drift(runner, network, inputs[0][1]), f"the sky of {inputs[0][0]}", contract, allowed)
    if contract.precision in _ROUNDED:
        rounded = rounded_answer(network, contract.precision)
        for what, batch in (("the canary", canary), inputs[0]):
            name = f"{what}, in {contract.precision} by torch"
            on_step(f"compare with torch on {name}", 0, 1)
            found.append(_compare(rounded, network, name, batch))
            _judge(found[-1].drift, name, contract, allowed)
    return tuple(found)


@contextmanager
def _opened(path: Path, contract: Contract) -> Iterator[Runner]:
    """Open the file, or the float32 twin of a bf16 file, without the notes about its precision."""
    with float32_twin(path) if contract.precision == "bf16" else nullcontext(path) as runnable:
        runner = open_runner(as_model_file(runnable, replace(contract, precision="fp32")), device="cpu", threads=None)
        try:
            yield runner
        finally:
            runner.close()


def _inputs(contract: Contract, canary: Float32) -> list[tuple[str, Float32]]:
    """Return the inputs to compare on: a photograph, and for a dynamic file one or two images of another shape."""
    inputs = [("a photograph", make_batch(PHOTO, contract))]
    if not contract.size.static:
        upside_down = canary[:, :, ::-1]
        inputs.append(
            ("the canary upside down", np.ascontiguousarray(upside_down))
            if contract.batch == 1
            else ("a batch of two", np.concatenate([canary, upside_down]))
        )
    return inputs


def _compare(answer: Callable[[Float32], Float32], network: Network, name: str, batch: Float32) -> Parity:
    reference, found = torch_answer(network, batch), answer(batch)
    if found.shape != reference.shape:
        raise ParityError(f"on {name} the file answers {found.shape}, torch {reference.shape}: the graph baked a size")
    return Parity(
        name=name,
        input_px=(batch.shape[2], batch.shape[3]),
        images=len(batch),
        drift=max(drift(depth, truth) for depth, truth in zip(found, reference, strict=True)),
        largest=max(_largest(depth, truth) for depth, truth in zip(found, reference, strict=True)),
    )


def _sky_drift(runner: Runner, network: Network, batch: Float32) -> float:
    """Return the drift of a file's value for the sky from torch; 0 if torch sees none at all."""
    assert isinstance(runner, SkyRunner)
    with torch.inference_mode():
        reference = network.with_sky(torch.from_numpy(batch))[1].numpy()
    found = runner.run_with_sky(batch)[1]
    return 0.0 if np.array_equal(found, reference) else drift(found, reference)


def _largest(found: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    difference, span = float(np.abs(found - reference).max()), float(np.ptp(reference))
    return difference / span if span > 0 else float(difference > 0)


def _judge(found: float, name: str, contract: Contract, allowed: float) -> None:
    if not found <= allowed:
        raise ParityError(
            f"drift {found:.2g} on {name}, at most {allowed:.2g} is allowed in {contract.precision}; no file is left"
            + _WAY_OUT[contract.precision]
        )
