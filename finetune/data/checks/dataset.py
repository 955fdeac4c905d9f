"""Checks a data set before a training: lists every pair that is missing, unreadable or mismatched."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ....bench.datasets.ground_truth import open_ground_truth
from ....bench.datasets.manifest import Split
from ....bench.datasets.masks import Masks
from ....bench.datasets.pair import Pair, depth_readers, make_pairs
from ....bench.datasets.pairs.find import Found, PairFiles, find_files
from ....bench.datasets.pairs.names import find_other_frames
from ....bench.datasets.same_view import OtherView
from ....bench.datasets.true_depth import MM_PER_M
from ....bench.subjects.stage import failure_of
from ....engine.errors import BackendUnavailable, InputError
from ....engine.system.cores import usable_cores
from ....engine.system.files import check_plain

FlawKind = Literal["missing", "unreadable", "mismatched", "split"]
FLAWS: tuple[FlawKind, ...] = ("missing", "unreadable", "mismatched", "split")

Progress = Callable[[int, int], None]


def silent(done: int, wanted: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a pair.

    Args:
        kind: Missing: a file of it does not exist. Mismatched: its files do not belong together. Split: its scene is
            on two sides.
        name: Of the image, or of the scene.
        reason: One sentence that names the file.
    """

    kind: FlawKind
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a data set holds.

    Args:
        source: Where it was found.
        count: Number of pairs, and of files that should be in one.
        good: Number of pairs without a flaw.
        flaws: In the order of the pairs.
        scenes: Scenes of the good pairs.
        files: Of the good pairs; none if the data set is one file.
        notes: What a reader assumes, one sentence each.
        masked: A mask of the pixels that count, which a manifest cannot name; None if there is none.
    """

    source: str
    count: int
    good: int
    flaws: tuple[Flaw, ...]
    scenes: tuple[str, ...]
    files: tuple[PairFiles, ...]
    notes: tuple[str, ...]
    masked: Path | None = None


def check_dataset(
    source: str,
    *,
    units_per_m: float | None = None,
    roots: Sequence[Path] = (),
    shown: str | None = None,
    on_progress: Progress = silent,
) -> Checked:
    """Read every pair of a data set.

    Args:
        source: As open_ground_truth takes it.
        units_per_m: Units a metre of files that state none; the good pairs then have it. None reads millimetres.
        roots: Folders where the files of a list are looked for.
        shown: Region that masks of 0 and one other value show, those of a list and those beside depth. None expects
            region masks in a list, and takes masks beside depth as those of the pixels that count.
        on_progress: Called with (pairs read, all pairs).

    Raises:
        InputError: The source does not exist, or its layout is not understood.
        BackendUnavailable: A package that the data set needs is missing.
    """
    path = Path(source)
    if path.exists() and not path.is_dir():
        check_plain(path)
    found = find_files(path, roots) if path.exists() and path.suffix.lower() != ".mat" else None
    if found is not None:
        found = found if shown is None else replace(found, pairs=tuple(_with_regions(found, shown)))
        return _check_files(source, found, units_per_m, on_progress)
    dataset = open_ground_truth(source)  # one file, or an error that says what is understood
    flaws = tuple(flaw for flaw in _read_all(dataset.pairs, on_progress) if flaw is not None)
    scenes = tuple(sorted({pair.scene for pair in dataset.pairs}))
    return Checked(source, len(dataset), len(dataset) - len(flaws), flaws, scenes, (), dataset.notes)


def _check_files(source: str, found: Found, units_per_m: float | None, on_progress: Progress) -> Checked:
    pairs = tuple(dict.fromkeys(found.pairs))
    flaws = {one: _flaw("missing", one, found, why) for one in pairs if (why := _absent(one))}
    for one, why in {**_find_contradictions(pairs), **find_other_frames(pairs)}.items():
        flaws.setdefault(one, _flaw("mismatched", one, found, why))
    present = [one for one in pairs if one not in flaws]
    readers, cameras = depth_readers(present, found, units_per_m=units_per_m or MM_PER_M)
    read = _read_all(make_pairs(present, found, readers), on_progress)
    flaws |= {one: flaw for one, flaw in zip(present, read, strict=True) if flaw is not None}
    good = tuple(one for one in pairs if one not in flaws)
    masks = None if found.is_manifest else Masks(found.root)
    return Checked(
        source,
        len(found.pairs) + len(found.alone) + len(found.depths_alone),
        len(good),
        (*(flaws[one] for one in pairs if one in flaws), *_find_others(found, good)),
        tuple(sorted({one.scene for one in good})),
        tuple(_with_unit(one, units_per_m) for one in good),
        (*found.notes, *((found.left_out,) if found.left_out else ()), *cameras),
        next((mask for one in good if masks and not one.mask and (mask := masks.find(one.depth, one.image))), None),
    )


def _with_regions(found: Found, shown: str) -> Iterator[PairFiles]:
    """Yield the pairs with masks that show a region."""
    masks = Masks(found.root)
    for one in found.pairs:
        mask = one.mask
        if mask is None and not found.is_manifest:
            with suppress(InputError):  # which the reading of the pair raises again
                mask = masks.find(one.depth, one.image)
        yield one if mask is None else replace(one, mask=mask, shows=shown)


def _absent(one: PairFiles) -> str | None:
    """Return which file of a pair does not exist."""
    files = {"image": one.image, "depth file": one.depth, "region mask": one.mask}
    return next((f"{what} {file} does not exist" for what, file in files.items() if file and not file.is_file()), None)


def _find_contradictions(pairs: Sequence[PairFiles]) -> dict[PairFiles, str]:
    """Return the pairs whose image is in another pair too, with another depth, scene or split."""
    of_image: defaultdict[Path, list[PairFiles]] = defaultdict(list)
    for one in pairs:
        of_image[one.image].append(one)
    return {
        one: f"{image} is named {len(found)} times, with different depth, scene or split"
        for image, found in of_image.items()
        for one in found
        if len(found) > 1
    }


def _read_all(pairs: Sequence[Pair], on_progress: Progress) -> list[Flaw | None]:
    """Read pairs, several at once; return the flaw of each."""
    flaws = []
    on_progress(0, len(pairs))
    with ThreadPoolExecutor(usable_cores()) as pool:
        try:
            for done, flaw in enumerate(pool.map(_read, pairs), 1):
                flaws.append(flaw)
                on_progress(done, len(pairs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return flaws


def _read(pair: Pair) -> Flaw | None:
    try:
        sample = pair.read()
    except BackendUnavailable:
        raise
    except OtherView as error:
        return Flaw("mismatched", pair.name, str(error))
    except Exception as error:  # any damage of one file
        return Flaw("unreadable", pair.name, failure_of(error))
    if not sample.truth.valid.any():
        return Flaw("unreadable", pair.name, f"{pair.depth or pair.name} has no pixel of known depth")
    return None


def _find_others(found: Found, good: Sequence[PairFiles]) -> Iterator[Flaw]:
    """Yield what is wrong besides the pairs: photographs without depth, pairs named twice, scenes on two sides."""
    for image in found.alone:
        yield Flaw("missing", _name(image, found), f"{image} has no depth file")
    for depth in found.depths_alone:
        yield Flaw("missing", _name(depth, found), f"{depth} has no image")
    for one, times in Counter(found.pairs).items():
        if times > 1:
            yield _flaw("mismatched", one, found, f"{one.image} with {one.depth.name} is named {times} times")
    sides: defaultdict[str, set[Split]] = defaultdict(set)
    for one in good:
        sides[one.scene] |= {one.split} if one.split else set()
    for scene, splits in sides.items():
        if len(splits) > 1:
            yield Flaw("split", scene, f"scene {scene} is in {' and '.join(sorted(splits))}, expected one split")


def _with_unit(one: PairFiles, units_per_m: float | None) -> PairFiles:
    return replace(one, units_per_m=units_per_m) if one.layout == "files" and one.units_per_m is None else one


def _flaw(kind: FlawKind, one: PairFiles, found: Found, reason: str) -> Flaw:
    return Flaw(kind, _name(one.image, found), reason)


def _name(image: Path, found: Found) -> str:
    named = image.relative_to(found.root) if image.is_relative_to(found.root) else image
    return named.with_suffix("").as_posix()
