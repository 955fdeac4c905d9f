"""The canary of an engine: that of its ONNX file, or a new one if the engine does not take its size."""

from __future__ import annotations

from dataclasses import replace

from ...errors import DepthrtError
from ...modelfile.canary import canary_input, make_canary
from ...modelfile.contract import Canary, Contract
from ...modelfile.model_file import ModelFile
from ...runners.canary_check import check_canary
from ...runners.open_runner import open_runner
from ...system.cores import usable_cores
from ..build_options import Profile


def with_fitting_canary(file: ModelFile, profile: Profile) -> Contract:
    """Return an ONNX file's contract with a canary of a size that its engine takes.

    ONNX Runtime on the CPU gives the new answer, after it has answered the file's canary. If it cannot, the contract
    stays as it is, and loading the engine warns that its answer is not known.

    Args:
        file: The ONNX file.
        profile: The engine's sizes.
    """
    contract, (height, width) = file.contract, file.contract.canary.size_px
    if profile.takes((profile.min[0], 3, height, width)):
        return contract
    try:
        canary = _answer(file, (profile.opt[2], profile.opt[3]))
    except DepthrtError:
        return contract
    return replace(contract, canary=canary) if canary is not None else contract


def _answer(file: ModelFile, size_px: tuple[int, int]) -> Canary | None:
    """Return the canary of a size, or None if ONNX Runtime does not answer the file's canary well."""
    threads, contract = usable_cores(), file.contract
    runner = open_runner(file, device="cpu", threads=threads)
    try:
        verdict = check_canary(runner, file, threads=threads)
        if verdict is not None and not verdict.passed:
            return None
        output = runner.run(canary_input(size_px, contract.mean, contract.std))
    finally:
        runner.close()
    return make_canary(size_px, output[0], tolerance=contract.canary.tolerance)
