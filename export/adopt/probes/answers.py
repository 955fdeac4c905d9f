"""Probes of the answers themselves: finite, of the image, the same twice, and of an image whatever is beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....engine.errors import ModelFileError
from ....engine.images.preprocess import Float32
from ....engine.modelfile.canary import RANGE_PERCENTILES, drift
from ....engine.modelfile.size_rule import in_px
from .asked import Asked, Image, smaller
from .finding import Finding
from .ranks import rank_correlation

LEAST_RANGE = 1e-4  # of an answer's 2-98 % range, as a share of its largest value; trained depth has 0.3 and more
LEAST_CHANGE = 1e-2  # drift between the answers to two pictures; other rooms measure 0.2 and more
MOST_CHANGE = 1e-3  # drift of an answer when nothing of its image changed: runtimes sum in another order, 1e-6
# Mean rank correlation between the answers at two sizes. The model that comes with depthrt has 0.97, and 0.77 at three
# times its size; a network whose last layer alone is trained has 0.6.
LEAST_SAMENESS = 0.5


def probe_finite(named: Sequence[tuple[str, Float32]]) -> Finding:
    """Return whether every value of every answer is a number.

    Args:
        named: What each answer is of, for people, and the answer.
    """
    bad = {name: int((~np.isfinite(answer)).sum()) for name, answer in named}
    worst = max(bad, key=lambda name: bad[name])
    if not bad[worst]:
        return Finding("finite", True, f"all values of {len(named)} answers are finite", {"bad_px": 0})
    share = bad[worst] / dict(named)[worst].size
    return Finding(
        "finite",
        False,
        f"{share:.0%} of its answer to {worst} is not finite, expected none: a number of the graph is broken, or its "
        "precision overflows; take a float32 file",
        {"bad_px": sum(bad.values())},
    )


def probe_image(answers: Sequence[Float32]) -> Finding:
    """Return whether answers, each (H, W) of another picture of one size, differ, and vary within."""
    ranges = [_relative_range(answer) for answer in answers]
    change = min(drift(other, answers[0]) for other in answers[1:])
    figures = {"range": min(ranges), "change": min(change, 1e9)}
    if min(ranges) < LEAST_RANGE:
        value = float(np.median(answers[int(np.argmin(ranges))]))
        return Finding(
            "image",
            False,
            f"its answer to a picture is {value:.4g} everywhere, expected depth that varies: the output does not "
            "depend on the image; export it again, or name the right one with --output-name",
            figures,
        )
    passed = change >= LEAST_CHANGE
    sentence = f"its answers to {len(answers)} pictures differ by {change:.2g} of their range or more"
    if not passed:
        sentence = (
            f"its answers to two pictures differ by {change:.2g} of their range, expected {LEAST_CHANGE:g} or more: "
            "the output does not depend on the image; export it again, or name the right one with --output-name"
        )
    return Finding("image", passed, sentence, figures)


def probe_repeat(first: Float32, second: Float32) -> Finding:
    """Return whether two answers to one picture are the same."""
    change = drift(second, first)
    passed = change <= MOST_CHANGE
    sentence = f"it answers the same twice, within {change:.1g} of the range"
    if not passed:
        sentence = (
            f"its answers to the same picture differ by {change:.2g} of their range, expected {MOST_CHANGE:g} or "
            "less: the graph draws random numbers; export it again in eval mode, or with a seed"
        )
    return Finding("repeat", passed, sentence, {"change": change})


def probe_batch(asked: Asked, images: Sequence[Image]) -> Finding | None:
    """Return whether images of one size have the same answers in a batch and by themselves; None for a fixed batch."""
    contract = asked.contract
    if contract.batch is not None:
        return None
    within = asked if contract.size.static else asked.under(smaller(contract))
    alone = [within.answer(image) for image in images]
    try:
        together = within.answers(images)
    except ModelFileError as error:
        return Finding("batch", False, f"it takes no batch of {len(images)}, and its axis says any: {error}")
    change = max(drift(found, expected) for found, expected in zip(together, alone, strict=True))
    passed = change <= MOST_CHANGE
    sentence = f"a batch does not change its members, within {change:.1g} of the range"
    if not passed:
        sentence = (
            f"a batch of {len(images)} changes its members by {change:.2g} of their range, expected {MOST_CHANGE:g} or "
            "less: the graph mixes the images of a batch; export it for a batch of 1"
        )
    return Finding("batch", passed, sentence, {"change": change})


def probe_sizes(asked: Asked, images: Sequence[Image], answers: Sequence[Float32]) -> Finding | None:
    """Return whether a dynamic file answers alike at another size, and takes an upright image; None for a static file.

    Args:
        asked: The file.
        images: Of one size.
        answers: To the images, at the size of the contract.
    """
    contract = asked.contract
    if contract.size.static:
        return None
    other = asked.under(smaller(contract))
    sizes = f"{in_px(contract.size.base_px)} and {in_px(other.contract.size.base_px)}"
    try:
        there = [other.answer(image) for image in images]
        upright = other.answer(np.ascontiguousarray(images[0][:, : images[0].shape[0] // 2]))
    except ModelFileError as error:
        return Finding("sizes", False, f"its axes say any size, and at another size it fails: {error}")
    pairs = [(one[::4, ::4], two[::4, ::4]) for one, two in zip(there, answers, strict=True)]
    same = float(np.mean([rank_correlation(*pair) for pair in pairs]))
    passed = same >= LEAST_SAMENESS and bool(np.isfinite(upright).all())
    sentence = f"it orders pixels alike at {sizes} (rank correlation {same:.2f})"
    if not passed:
        sentence = (
            f"it orders pixels otherwise at {sizes} (rank correlation {same:.2f}, expected {LEAST_SAMENESS:g} or "
            "more): the graph baked a size, or its colours are others; give the size that it was exported for with "
            "--size HxW"
        )
    return Finding("sizes", passed, sentence, {"sameness": same})


def _relative_range(answer: Float32) -> float:
    low, high = np.percentile(answer, RANGE_PERCENTILES)
    return float(high - low) / max(float(np.abs(answer).max()), float(np.finfo(np.float32).tiny))
