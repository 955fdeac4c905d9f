"""Which figures of two reports are not of the same images: a mean over other images is another figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ..numbers.figures import IMAGE_NAMES, conditions_of
from ..numbers.result import Report, SubjectResult

_TELLING = (IMAGE_NAMES, "images")

Others = Mapping[tuple[str, str], str]


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
