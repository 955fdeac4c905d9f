"""Figures of two reports that are not of the same images: a mean over other images is another figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ..numbers.figures import IMAGE_NAMES, conditions_of
from ..numbers.result import Report, SubjectResult

_IDENTIFYING = (IMAGE_NAMES, "images")  # settings that identify the images of drift, the best first

Others = Mapping[tuple[str, str], str]  # by subject and data set: how the images differ


def find_other_images(before: Report, after: Report) -> Others:
    """Return how the images differ, by subject name and data set as in conditions_of, "" for drift.

    Figures of the same images are left out.
    """
    new = {subject.name: subject for subject in after.subjects}
    old_settings, new_settings = before.made.settings, after.made.settings
    key = next((key for key in _IDENTIFYING if key in old_settings and key in new_settings), None)
    others = key is not None and old_settings[key] != new_settings[key]
    pairs = [(subject, new[subject.name]) for subject in before.subjects if subject.name in new]
    return {(old.name, of): line for old, now in pairs for of, line in _differences(old, now, others=others)}


def _differences(before: SubjectResult, after: SubjectResult, *, others: bool) -> Iterator[tuple[str, str]]:
    if before.drift and after.drift and (others or before.drift.images != after.drift.images):
        yield "", f"drift: {before.drift.images} -> {after.drift.images} images"
    now = {conditions_of(accuracy): accuracy for accuracy in after.accuracy}
    for accuracy in before.accuracy:
        of = conditions_of(accuracy)
        if of in now:
            old, new = (Counter(image.image for image in judged.images) for judged in (accuracy, now[of]))
            if old != new:
                yield of, f"{of}: {old.total()} -> {new.total()} images, {(old & new).total()} of them in both"
