"""Checks several data sets of one training: what each holds, and whether they have images or scenes in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ....bench.datasets.manifest import SPLITS, Split
from ....bench.datasets.pairs.lists import LIST_SUFFIX
from .dataset import Checked, Flaw, Progress, check_dataset, silent


def check_datasets(
    sources: Sequence[str | Path],
    *,
    units_per_m: float | None = None,
    roots: Sequence[Path] = (),
    shown: str | None = None,
    on_progress: Progress = silent,
) -> list[Checked]:
    """Read every pair of data sets.

    If several lists are named after their splits, as train.txt and val.txt, their pairs get these splits.

    Args:
        sources: Each as open_ground_truth takes it.
        units_per_m, roots, shown: As in check_dataset.
        on_progress: Called with (pairs read, all pairs), for each data set.

    Raises:
        InputError: A source does not exist, or its layout is not understood.
        BackendUnavailable: A package that a data set needs is missing.
    """
    check = partial(check_dataset, units_per_m=units_per_m, roots=roots, shown=shown, on_progress=on_progress)
    found = [check(str(source)) for source in sources]
    if len(found) == 1:
        return found
    taken: dict[Path, str] = {}
    sides: dict[str, dict[Split, str]] = {}
    return [_beside_others(_with_split(checked), taken, sides) for checked in found]


def _with_split(checked: Checked) -> Checked:
    """Return it with the split that its list is named after."""
    source = Path(checked.source)
    words = re.findall("[a-z]+", source.stem.lower()) if source.suffix.lower() == LIST_SUFFIX else []
    named: list[Split] = [split for split in SPLITS if split in words]
    if len(named) != 1:
        return checked
    return replace(checked, files=tuple(replace(one, split=named[0]) for one in checked.files))


def _beside_others(checked: Checked, taken: dict[Path, str], sides: dict[str, dict[Split, str]]) -> Checked:
    """Return it with the flaws that it has beside the data sets before it.

    Args:
        checked: The data set.
        taken: Images of those before, and where they were found; grows.
        sides: Splits of their scenes, and where they were found; grows.
    """
    flaws, kept = list(checked.flaws), []
    for one in checked.files:
        if one.image in taken:
            flaws.append(Flaw("mismatched", one.image.stem, f"{one.image} is in {taken[one.image]} too"))
            continue
        taken[one.image] = checked.source
        kept.append(one)
        splits = sides.setdefault(one.scene, {})
        if one.split and one.split not in splits:
            for split, source in splits.items():
                why = (
                    f"scene {one.scene} is in {split} ({source}) and {one.split} ({checked.source}), expected one split"
                )
                flaws.append(Flaw("split", one.scene, why))
            splits[one.split] = checked.source
    return replace(checked, flaws=tuple(flaws), files=tuple(kept), good=checked.good - len(checked.files) + len(kept))
