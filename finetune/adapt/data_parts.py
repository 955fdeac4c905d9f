"""Opens the data sets of a training and splits them by scene, so that no scene is trained on and validated on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...bench.datasets.ground_truth import GroundTruth, open_ground_truths
from ...bench.datasets.pair import Pair
from ...engine.errors import InputError
from ..data.pair_source import Mixed, by_marks
from ..data.splits import Sides, fold_scenes, split_scenes
from .plan import Wishes

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DataPart:
    """A data set of a training.

    Args:
        name: Of the data set.
        mixed: Its training pairs.
        held_out: Its held-out pairs.
        cap_m: As in GroundTruth.
        notes: As in GroundTruth.
    """

    name: str
    mixed: Mixed
    held_out: tuple[Pair, ...]
    cap_m: float | None
    notes: tuple[str, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Its training pairs."""
        return (*self.mixed.marked, *self.mixed.clean)


def open_parts(
    datasets: Sequence[str | Path],
    held_out: Sequence[str | Path],
    wishes: Wishes,
    *,
    units_per_m: float,
    on_masks: Progress | None = None,
) -> tuple[DataPart, ...]:
    """Open data sets and split them together: scenes of one name are one scene, in whatever data set they stand.

    Args:
        datasets: To train on.
        held_out: To validate on; without any, a part of the scenes of `datasets` is held out.
        wishes: Their seed, mix and fold.
        units_per_m: As in open_ground_truth.
        on_masks: Called with (masks read, all masks) of a data set.

    Raises:
        InputError: A data set cannot be opened or split, or there are not as many shares as data sets.
    """
    found = open_ground_truths(datasets, units_per_m=units_per_m)
    if wishes.mix is not None and len(wishes.mix) != len(found):
        raise InputError(f"{len(wishes.mix)} shares for {len(found)} data sets found, expected one for each data set")
    sides = _split([pair for dataset in found for pair in dataset.pairs], wishes, whole=bool(held_out))
    trained, apart = ({id(pair) for pair in side} for side in sides)
    parts = []
    for number, dataset in enumerate(found):
        own = [pair for pair in dataset.pairs if id(pair) in trained]
        share = len(own) if wishes.mix is None else wishes.mix[number]
        mixed = Mixed(*by_marks(own, on_progress=on_masks), float(share))
        parts.append(_part(dataset, mixed, tuple(pair for pair in dataset.pairs if id(pair) in apart)))
    others = open_ground_truths(held_out, units_per_m=units_per_m)
    return (*parts, *(_part(dataset, Mixed((), (), 0.0), dataset.pairs) for dataset in others))


def _part(dataset: GroundTruth, mixed: Mixed, held_out: tuple[Pair, ...]) -> DataPart:
    return DataPart(dataset.name, mixed, held_out, dataset.cap_m, dataset.notes)


def _split(pairs: Sequence[Pair], wishes: Wishes, *, whole: bool) -> Sides:
    """Return the training and held-out pairs; nothing is held out of a single scene."""
    seed = wishes.seed or 0
    if whole or len({pair.scene for pair in pairs}) == 1:
        return split_scenes(pairs, seed=seed, shares=(1.0, 0.0))
    if wishes.fold is not None:
        number, folds = wishes.fold
        return fold_scenes(pairs, seed=seed, folds=folds)[number - 1]
    return split_scenes(pairs, seed=seed)
