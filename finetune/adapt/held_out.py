"""Measures a network on the held-out pairs of data sets: depth, flat regions, and what changed outside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...bench.datasets.ground_truth import Pair
from ...engine.errors import InputError
from ...engine.system.spread import spread
from ...export.network.network import Network
from ..data.batches import MEAN, STD, Batch, Rgb
from ..data.pair_source import resized
from ..evaluation.scene_validation import depth_figures
from ..training.losses import LEAST_PIXELS, align
from ..training.regions.distillation import outside_flat
from ..training.regions.planarity import flat_parts, planarity_loss, true_planes, without_borders

MOST_PAIRS = 64  # measured at each validation, evenly spread over the held-out ones
JUDGE = "score"
_TINY = 1e-6  # m, or 1/m


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """The held-out pairs of a data set.

    Args:
        pairs: One or more.
        cap_m: Depth beyond it is not measured; None if the truth has no unit.
    """

    pairs: tuple[Pair, ...]
    cap_m: float | None


class PairValidation:
    """Measures a network on held-out pairs, whole images at the training's size.

    Args:
        sets: Held-out pairs by data set.
        side_px, unit_px: As in PairSource.
        most_pairs: Largest number of pairs measured.
        mean, std: As in Batch.
    """

    def __init__(
        self,
        sets: Sequence[HeldOutSet],
        *,
        side_px: int,
        unit_px: int,
        most_pairs: int = MOST_PAIRS,
        mean: Rgb = MEAN,
        std: Rgb = STD,
    ) -> None:
        every = [(pair, found.cap_m) for found in sets for pair in found.pairs]
        self._pairs = spread(every, most_pairs)
        self._side_px, self._unit_px = side_px, unit_px
        self._mean, self._std = mean, std
        self._started: dict[int, Tensor] = {}

    def begin(self, network: Network) -> Mapping[str, float]:
        """Measure the starting network and keep its answers, from which later networks drift.

        Raises:
            InputError: As measure.
        """
        self._started = {}
        figures = self.measure(network, keep=True)
        return {name: value for name, value in figures.items() if name != "drift"}

    @torch.inference_mode()
    def measure(self, network: Network, *, keep: bool = False) -> Mapping[str, float]:
        """Return means over the pairs, each by name; lower is better, except for delta1.

        `score`, the judge, is abs_rel outside flat regions plus flat_residual, or abs_rel if there are none: no image
        tells the distance of a picture that hangs in the air, so abs_rel inside says little.
        `flat_residual` is that of the evaluation: how far inverse depth is from the best plane of each flat part.
        `drift` is the mean relative difference from the starting network's depth outside flat regions.

        Args:
            network: In eval mode.
            keep: Keep the answers as those of the starting network.

        Raises:
            InputError: A pair cannot be read, or no pair has enough depth.
        """
        found: dict[str, list[float]] = {}
        for number, (pair, cap_m) in enumerate(self._pairs):
            for name, value in self._figures(network, number, pair, cap_m, keep=keep).items():
                found.setdefault(name, []).append(value)
        if "abs_rel" not in found:
            raise InputError(f"no held-out pair has {LEAST_PIXELS} pixels of depth in range; hold out other scenes")
        means = {name: float(np.mean(values)) for name, values in found.items()}
        parts = [means[name] for name in ("outside_abs_rel", "flat_residual") if name in means]
        return {JUDGE: sum(parts) if len(parts) == 2 else means["abs_rel"], **means}

    def _figures(
        self, network: Network, number: int, pair: Pair, cap_m: float | None, *, keep: bool
    ) -> dict[str, float]:
        device = next(network.parameters()).device
        cut = resized(pair.read(), self._side_px, self._unit_px, metric=network.max_depth_m is not None)
        images, depth_m, valid, regions = (
            torch.from_numpy(part).to(device)[None] for part in (cut.image, cut.depth_m, cut.valid, cut.regions)
        )
        batch = Batch(
            images.permute(0, 3, 1, 2).contiguous(), depth_m, valid, regions=regions, mean=self._mean, std=self._std
        )
        answer, metric = network(batch.normalised()).float(), network.max_depth_m is not None
        parts = flat_parts(regions)
        outside = outside_flat(parts)
        limit_m = min(cap_m or np.inf, network.max_depth_m or np.inf)
        known = valid & (depth_m > 0) & (depth_m <= limit_m)
        fitted = known & outside  # a network that errs inside must not be bent outside
        fitted = fitted if int(fitted.sum()) >= LEAST_PIXELS else known
        inverse = 1 / answer.clamp(min=_TINY) if metric else align(answer, batch.inverse(), fitted)
        found = _depth_figures(inverse, batch, known, parts > 0, outside, limit_m)
        planes = without_borders(true_planes(parts, batch.inverse(), valid))
        if bool((planes > 0).any()):
            found["flat_residual"] = float(planarity_loss(inverse, planes, batch.inverse()))
        if keep:
            self._started[number] = inverse.cpu()
        if number in self._started and bool(fitted.any()):
            started = self._started[number].to(device)
            # An aligned answer may reach infinity, where differences mean nothing.
            least = _TINY if metric else float(batch.inverse()[fitted].min())
            found["drift"] = _drift(inverse if metric else answer, started, fitted, least, metric=metric)
        return found


def _depth_figures(
    inverse: Tensor, batch: Batch, known: Tensor, flat: Tensor, outside: Tensor, limit_m: float
) -> dict[str, float]:
    least = 1 / limit_m if np.isfinite(limit_m) else 1e-3 * float(batch.inverse().max())
    depth_m = 1 / inverse.clamp(min=least)
    found: dict[str, float] = {}
    for prefix, part in (("", known), ("outside_", known & outside), ("flat_", known & flat)):
        figures, measured = depth_figures(depth_m, batch.depth_m, part)
        if measured:
            kept = figures if not prefix else {"abs_rel": figures["abs_rel"]}
            found |= {f"{prefix}{name}": value for name, value in kept.items()}
    if "flat_abs_rel" not in found:
        found.pop("outside_abs_rel", None)
    return found


def _drift(answer: Tensor, started: Tensor, judged: Tensor, least: float, *, metric: bool) -> float:
    """Return the mean relative difference of depth from the starting network's, as the evaluation measures it.

    Args:
        answer: (1, h, w), inverse depth; without a unit, it is first fitted to the starting network's.
        started: (1, h, w), inverse depth of the starting network, aligned to the truth.
        judged: (1, h, w) bool.
        least: Inverse depth that both are taken for where they are below it.
        metric: Whether the answer is in 1/m.
    """
    moved = answer if metric else align(answer, started, judged)
    return float((started.clamp(min=least) / moved.clamp(min=least) - 1)[judged].abs().mean())
