"""A float32 graph becomes an int8 one: ranges from images, then as many layers in int8 as the drift budget allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil
from pathlib import Path

import numpy as np
import onnx_ir

from ...engine.errors import BudgetError, InputError
from ...engine.images.preprocess import Float32
from ...engine.modelfile.canary import canary_input, drift, make_canary
from ...engine.modelfile.contract import Canary, Contract
from ...engine.runners.open_runner import open_runner
from ...engine.system.spread import spread
from ..onnx_file.scratch import scratch_folder
from ..parity.parity import make_batch
from .calibrate import Calibration, calibrate
from .int8_graph import Layer, find_layers, insert_int8

Step = Callable[[str, int, int], None]  # what is done, steps done of it, steps wanted

BUDGET = 0.01  # of the range, mean over images
USEFUL = 0.25  # of all products: with fewer in int8 a file gains too little speed to be worth its drift
TAIL = 0.02  # of all products: the layers that cost most drift for their work stay in float32 where they do no more
MOST_RANGED, MOST_MEASURED = 48, 8  # images: past these, time grows and ranges and means hardly move
FEW = 4  # images: fewer are used for both
MOST_GROUPS = 40  # of layers, each of which is tried alone
LOOK_IMAGES = 1  # of those measured, with which layers are ranked; trials of many layers have them all
# Tolerance of the canary, over the budget. OpenVINO, which rounds in other places than ONNX Runtime, measured 0.4 to
# 0.9 times a file's drift from it on six networks; without VNNI sums of products overflow: 1.9 to 2.2 times on two.
OTHER_RUNNER = 1.5
_WEIGHTS = "weights"  # file of the weights that all trials share


@dataclass(frozen=True, slots=True)
class Quantised:
    """What became of a graph.

    Args:
        layers, candidates: How many compute in int8, of how many that could.
        share: Of the candidates' products, how much is in int8.
        drift, worst: From the float32 graph, mean and worst of the images that it was measured on.
        ranged, measured: Number of images that gave the ranges, and that drift was measured on.
        held_out: Whether those were others.
        canary: The file's own answer; how far it is from the checkpoint is drift.
    """

    layers: int
    candidates: int
    share: float
    drift: float
    worst: float
    ranged: int
    measured: int
    held_out: bool
    canary: Canary

    def __str__(self) -> str:
        """Return it for people."""
        images = f"{self.measured} image{'s' if self.measured > 1 else ''}"
        return (
            f"int8 in {self.layers} of {self.candidates} layers ({self.share:.0%} of their products): drift "
            f"{self.drift:.2%} of the range, at most {self.worst:.2%}, on {images} "
            f"{'held out from' if self.held_out else 'used for'} calibration"
        )


def quantize(
    model: onnx_ir.Model,
    contract: Contract,
    *,
    images: Sequence[Path],
    budget: float = BUDGET,
    on_step: Step = lambda title, done, wanted: None,
) -> Quantised:
    """Have as many layers of a graph compute in int8 as the budget allows, in place; blocks for minutes.

    Where all of them together drift too much, each is tried alone, and those that drift most for what they gain stay
    in float32. A trial of all that are left decides, so the drift that is returned is measured and not summed.

    Args:
        model: Float32.
        contract: Of the graph.
        images: Files like those to come. Some are held out, to measure drift on.
        budget: Largest mean drift, as a part of the reference's 2-98 % range.
        on_step: Called as it goes on.

    Raises:
        InputError: No image, a budget that is no share, or no room for temporary files.
        BudgetError: Too few layers fit into the budget to be of use.
    """
    if not images or not 0 < budget < 1:
        raise InputError(f"{len(images)} images and a budget of {budget:g} found, expected an image, and 0 to 1")
    ranged, measured = _split(list(dict.fromkeys(images)))
    candidates = find_layers(model)
    with scratch_folder() as folder:
        trials = _Trials(folder, model, contract, [make_batch(path, contract) for path in measured])
        calibration = calibrate(trials.graph(), trials.path, candidates, _inputs(ranged, contract, on_step))
        chosen, found = _choose(trials, candidates, calibration, budget, on_step)
        canary = trials.own_canary(chosen, calibration, tolerance=OTHER_RUNNER * budget)
    insert_int8(model, chosen, calibration.ranges)
    return Quantised(
        layers=len(chosen),
        candidates=len(candidates),
        share=calibration.share(chosen),
        drift=float(np.mean(found)),
        worst=max(found),
        ranged=len(ranged),
        measured=len(measured),
        held_out=ranged != measured,
        canary=canary,
    )


class _Trials:
    """Runs a graph with some of its layers in int8, against the float32 graph; each trial is a file, one at a time."""

    def __init__(self, folder: Path, model: onnx_ir.Model, contract: Contract, batches: Sequence[Float32]) -> None:
        self._float32, self.path = folder / "float32.onnx", folder / "trial.onnx"
        self._contract, self._batches = contract, batches
        onnx_ir.save(model, self._float32, external_data=_WEIGHTS)
        self._expected = self._answers(self._float32, batches)

    def graph(self) -> onnx_ir.Model:
        """Return the float32 graph anew, its weights on disk."""
        return onnx_ir.load(self._float32)

    def drifts(self, layers: Sequence[Layer], calibration: Calibration, *, images: int | None = None) -> list[float]:
        """Return the drift of each of the first images with these layers in int8."""
        self._write(layers, calibration)
        found = self._answers(self.path, self._batches[:images])
        return [drift(one, expected) for one, expected in zip(found, self._expected, strict=False)]

    def own_canary(self, layers: Sequence[Layer], calibration: Calibration, *, tolerance: float) -> Canary:
        """Return the canary answered with these layers in int8."""
        self._write(layers, calibration)
        canary, contract = self._contract.canary, self._contract
        (answer,) = self._answers(self.path, [canary_input(canary.size_px, contract.mean, contract.std)])
        return make_canary(canary.size_px, answer, tolerance=tolerance)

    def _write(self, layers: Sequence[Layer], calibration: Calibration) -> None:
        graph = self.graph()
        insert_int8(graph, layers, calibration.ranges)
        onnx_ir.save(graph, self.path)

    def _answers(self, path: Path, batches: Sequence[Float32]) -> list[Float32]:
        runner = open_runner(path, replace(self._contract, precision="fp32"), device="cpu", threads=None)
        try:
            return [runner.run(batch)[0] for batch in batches]
        finally:
            runner.close()


def _split(images: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the images for ranges and those for drift; every third is for drift alone, where there are enough."""
    if len(images) < FEW:
        return list(images), list(images)
    ranged = [one for number, one in enumerate(images) if number % 3 != 1]
    return spread(ranged, MOST_RANGED), spread(images[1::3], MOST_MEASURED)


def _inputs(images: Sequence[Path], contract: Contract, on_step: Step) -> Iterator[Float32]:
    """Yield what gives the ranges: the images, and the canary's picture.

    Its colours and edges are harder than most photographs', so that few of these go past the ranges. On the model that
    comes with depthrt it took drift on other images from 1.6 % to 0.5 %.
    """
    for number, path in enumerate(images):
        on_step("find the ranges", number, len(images) + 1)
        yield make_batch(path, contract)
    on_step("find the ranges", len(images), len(images) + 1)
    yield canary_input(contract.canary.size_px, contract.mean, contract.std)


def _choose(
    trials: _Trials, candidates: Sequence[Layer], calibration: Calibration, budget: float, on_step: Step
) -> tuple[list[Layer], list[float]]:
    """Return the layers to compute in int8, and the drift of each image with them."""
    on_step("measure every layer in int8", 0, 1)
    chosen, found = list(candidates), trials.drifts(candidates, calibration)
    if np.mean(found) <= budget:
        return chosen, found
    everything = float(np.mean(found))
    ranked = _rank(trials, candidates, calibration, on_step)
    sets = _nested(ranked, calibration)
    looks = 1 + ceil(np.log2(len(sets)))
    title, look = "find how many layers fit", 0
    fits, over = -1, len(sets)
    while over - fits > 1:
        on_step(title, look, looks)
        middle = (fits + over) // 2 if look else 0  # the fewest first, for there may be none
        drifts = trials.drifts(sets[middle], calibration)
        if np.mean(drifts) <= budget:
            fits, chosen, found = middle, sets[middle], drifts
        elif middle == 0:
            raise BudgetError(
                f"int8 drifts {everything:.2%} with all {len(candidates)} layers and {np.mean(drifts):.2%} with the "
                f"{len(sets[0])} that drift least, a budget of {budget:.2%} was given; no file is written; "
                "give a larger --drift-budget, other --images or --precision fp32"
            )
        else:
            over = middle
        look += 1
    return chosen, found


def _nested(ranked: Sequence[tuple[Layer, ...]], calibration: Calibration) -> list[list[Layer]]:
    """Return the sets of layers worth a trial, each with the one before in it."""
    sets: list[list[Layer]] = []
    chosen: list[Layer] = []
    for group in ranked:
        chosen = [*chosen, *group]
        share = calibration.share(chosen)
        if share >= USEFUL:
            sets.append(chosen)
        if share >= 1 - TAIL:
            break
    return sets


def _rank(
    trials: _Trials, candidates: Sequence[Layer], calibration: Calibration, on_step: Step
) -> list[tuple[Layer, ...]]:
    """Return groups of layers, first those whose int8 costs least drift for the products that it speeds up.

    Rounding errors of different layers are independent, so that their squares add up.
    """
    groups = _groups(candidates)
    costs = []
    for number, group in enumerate(groups):
        on_step("try layers alone", number, len(groups))
        alone = float(np.mean(trials.drifts(group, calibration, images=LOOK_IMAGES)))
        costs.append(alone**2 / calibration.share(group))
    return [groups[index] for index in np.argsort(costs, kind="stable")]


def _groups(layers: Sequence[Layer]) -> list[tuple[Layer, ...]]:
    """Return layers one by one, or where there are many, neighbours of a kind together."""
    size = ceil(len(layers) / MOST_GROUPS)
    kinds = groupby(sorted(layers, key=_kind), key=_kind)
    groups = []
    for _, found in kinds:
        alike = tuple(found)
        groups += [alike[start : start + size] for start in range(0, len(alike), size)]
    return groups


def _kind(layer: Layer) -> str:
    return re.sub(r"\d+", "#", layer.module)
