"""Which figures of two reports are not of the same images: a mean over other images is another figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from .figures import conditions_of
from .result import Report, SubjectResult

# Settings that tell which images drift is of, the best first; older reports have their number and the first name alone.
IMAGE_NAMES = "image names"
_TELLING = (IMAGE_NAMES, "images")
_DIGITS = 12  # of the digest: two lists do not share them by chance

Others = Mapping[tuple[str, str], str]


def name_images(images: Sequence[Path]) -> str:
    """Return a digest of the names of images, the same in whichever folder and order they are."""
    names = "\n".join(sorted(path.name for path in images))
    return sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def find_other_images(before: Report, after: Report) -> Others:
    """Return how the images differ, by subject name and data set as conditions_of, "" for drift; the same ones not."""
    new = {one.name: one for one in after.subjects}
    told = next((key for key in _TELLING if key in before.made.settings and key in after.made.settings), None)
    others = told is not None and before.made.settings[told] != after.made.settings[told]
    pairs = [(one, new[one.name]) for one in before.subjects if one.name in new]
    return {(one.name, of): line for one, now in pairs for of, line in _differences(one, now, others=others)}


def _differences(before: SubjectResult, after: SubjectResult, *, others: bool) -> Iterator[tuple[str, str]]:
    if before.drift and after.drift and (others or before.drift.images != after.drift.images):
        yield "", f"drift: {before.drift.images} -> {after.drift.images} images"
    now = {conditions_of(one): one for one in after.accuracy}
    for one in before.accuracy:
        of = conditions_of(one)
        if of in now:
            old, new = (Counter(image.image for image in which.images) for which in (one, now[of]))
            if old != new:
                yield of, f"{of}: {old.total()} -> {new.total()} images, {(old & new).total()} of them in both"
