"""The layers of a graph that compute in int8: as many as a drift budget allows, by trials against the float32 graph."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from math import ceil
from pathlib import Path

import numpy as np
import onnx_ir

from ...engine.errors import BudgetError
from ...engine.images.preprocess import Float32
from ...engine.modelfile.canary import canary_input, drift, make_canary
from ...engine.modelfile.contract import Canary, Contract
from ...engine.modelfile.model_file import as_model_file
from ...engine.runners.open_runner import open_runner
from ...engine.terms import OnStep
from .calibrate import Calibration
from .int8_graph import Layer, insert_int8

USEFUL = 0.25  # of all products: with fewer in int8 a file gains too little speed to be worth its drift
TAIL = 0.02  # of all products: the last layers in order of drift for their work stay in float32 if they do no more
MOST_GROUPS = 40  # of layers, each of which is tried by itself
RANKING_IMAGES = 1  # of those that drift is measured on; only trials of many layers run all of them
_WEIGHTS = "weights"  # file of the weights that all trials share


class Trials:
    """Measures the drift of a graph with some layers in int8 from the float32 graph; each trial is a file.

    Args:
        folder: For the files of the trials; only one trial is kept at a time.
        model: The float32 graph.
        contract: Of the graph.
        batches: (1, 3, h, w) float32 each, normalised: the images that drift is measured on.
    """

    def __init__(self, folder: Path, model: onnx_ir.Model, contract: Contract, batches: Sequence[Float32]) -> None:
        self._float32, self.path = folder / "float32.onnx", folder / "trial.onnx"
        self._contract, self._batches = contract, batches
        onnx_ir.save(model, self._float32, external_data=_WEIGHTS)
        self._expected = self._answers(self._float32, batches)

    def graph(self) -> onnx_ir.Model:
        """Return a fresh copy of the float32 graph; its weights stay on disk."""
        return onnx_ir.load(self._float32)

    def drifts(self, layers: Sequence[Layer], calibration: Calibration, *, images: int | None = None) -> list[float]:
        """Return the drift of each of the first `images` images with these layers in int8; None: of all."""
        self._write(layers, calibration)
        found = self._answers(self.path, self._batches[:images])
        return [drift(answer, expected) for answer, expected in zip(found, self._expected, strict=False)]

    def own_canary(self, layers: Sequence[Layer], calibration: Calibration, *, tolerance: float) -> Canary:
        """Return the canary as answered with these layers in int8."""
        self._write(layers, calibration)
        canary, contract = self._contract.canary, self._contract
        (answer,) = self._answers(self.path, [canary_input(canary.size_px, contract.mean, contract.std)])
        return make_canary(canary.size_px, answer, tolerance=tolerance)

    def _write(self, layers: Sequence[Layer], calibration: Calibration) -> None:
        graph = self.graph()
        insert_int8(graph, layers, calibration.ranges)
        onnx_ir.save(graph, self.path)

    def _answers(self, path: Path, batches: Sequence[Float32]) -> list[Float32]:
        runner = open_runner(as_model_file(path, replace(self._contract, precision="fp32")), device="cpu", threads=None)
        try:
            return [runner.run(batch)[0] for batch in batches]
        finally:
            runner.close()


def choose_layers(
    trials: Trials, candidates: Sequence[Layer], calibration: Calibration, budget: float, on_step: OnStep
) -> tuple[list[Layer], list[float]]:
    """Choose the layers that compute in int8; blocks for minutes.

    If all candidates together drift too much, each group of them is tried by itself, and the groups with the most
    drift for their work stay in float32. The drift of the chosen layers together is measured, never summed.

    Args:
        trials: Of the graph.
        candidates: Every layer that could compute in int8.
        calibration: Ranges and work of the candidates.
        budget: Largest mean drift over the images, as a share of the reference's 2-98 % range.
        on_step: Called with (title, steps done, steps wanted).

    Returns:
        The chosen layers, and the drift of each image with them.

    Raises:
        BudgetError: The layers within the budget do less than USEFUL of the work.
    """
    on_step("measure every layer in int8", 0, 1)
    everything = trials.drifts(candidates, calibration)
    if np.mean(everything) <= budget:
        return list(candidates), everything
    sets = _nested_sets(_rank(trials, candidates, calibration, on_step), calibration)
    title, look, looks = "find how many layers fit", 0, 1 + ceil(np.log2(len(sets)))
    on_step(title, look, looks)
    chosen, found = sets[0], trials.drifts(sets[0], calibration)
    if np.mean(found) > budget:
        raise BudgetError(
            f"int8 drifts {np.mean(everything):.2%} with all {len(candidates)} layers and {np.mean(found):.2%} with "
            f"the {len(chosen)} that drift least, a budget of {budget:.2%} was given; no file is written; "
            "give a larger --drift-budget, other --images or --precision fp32"
        )
    fits, over = 0, len(sets)
    while over - fits > 1:
        look += 1
        on_step(title, look, looks)
        middle = (fits + over) // 2
        drifts = trials.drifts(sets[middle], calibration)
        if np.mean(drifts) <= budget:
            fits, chosen, found = middle, sets[middle], drifts
        else:
            over = middle
    return chosen, found


def _nested_sets(ranked: Sequence[tuple[Layer, ...]], calibration: Calibration) -> list[list[Layer]]:
    """Return the sets of layers worth a trial, each with all layers of the set before it."""
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
    trials: Trials, candidates: Sequence[Layer], calibration: Calibration, on_step: OnStep
) -> list[tuple[Layer, ...]]:
    """Return groups of layers, those with the least drift for their work first.

    Rounding errors of different layers are independent, so squares of drifts add up.
    """
    groups = _groups(candidates)
    costs = []
    for number, group in enumerate(groups):
        on_step("try layers one by one", number, len(groups))
        own = float(np.mean(trials.drifts(group, calibration, images=RANKING_IMAGES)))
        costs.append(own**2 / calibration.share(group))
    return [groups[index] for index in np.argsort(costs, kind="stable")]


def _groups(layers: Sequence[Layer]) -> list[tuple[Layer, ...]]:
    """Return each layer by itself, or groups of neighbours of one kind if there are more than MOST_GROUPS layers."""
    size = ceil(len(layers) / MOST_GROUPS)
    kinds = groupby(sorted(layers, key=_kind), key=_kind)
    groups = []
    for _, found in kinds:
        alike = tuple(found)
        groups += [alike[start : start + size] for start in range(0, len(alike), size)]
    return groups


def _kind(layer: Layer) -> str:
    """Return the layer's module without its numbers, so that fc1 and fc2 of all blocks are of one kind."""
    return re.sub(r"\d+", "#", layer.module)
