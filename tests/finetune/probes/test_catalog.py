"""Probes: the true depth is perfect on each, baselines score as the formula says, a painted failure is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from depthrt.bench.numbers.probes import Question
from depthrt.bench.subjects.baselines import baseline_subjects
from depthrt.bench.subjects.subject import open_subject
from depthrt.engine.terms import Kind
from depthrt.finetune.probes.align import Map, align_inverse
from depthrt.finetune.probes.catalog import PROBES, Probe
from depthrt.finetune.probes.run import Answer, aligned, answer_of
from depthrt.finetune.probes.shot import Shot

# A mirror is 2 mm in front of its wall, and medians are of few pixels.
PERFECT = 0.02
SEEN = 0.1  # a figure that moves less would be lost in its interval


@pytest.fixture(scope="module")
def baselines() -> list[Answer]:
    """Constant and vertical gradient."""
    return [answer_of(open_subject(subject)) for subject in baseline_subjects()]


def badness(question: Question, figure: float) -> float:
    """Return the distance from the best figure."""
    return 1 - figure if question.higher_is_better else figure


def as_kind(inverse: Map, kind: Kind) -> Map:
    """Return inverse depth as an answer of a kind; the sky is 1 km away."""
    depth = 1 / np.maximum(inverse, 1e-3)
    kinds: dict[Kind, Map] = {"inverse": 9 * inverse + 4, "metric": 0.8 * depth, "affine": depth / 40 - 1}
    return kinds.get(kind, 70 * depth)


def toward(shot: Shot, region: str, value: Callable[[Map], Map | float], share: float) -> Map:
    """Return the true depth with a region moved towards a value of it by a share."""
    where = shot.regions[region]
    found = shot.inverse.copy()
    found[where] += share * (value(found[where]) - found[where])
    return found


def merged(shot: Shot, region: str, other: str, share: float) -> Map:
    """Return the true depth with a region moved to the depth of another."""
    return toward(shot, region, lambda own: float(np.median(shot.inverse[shot.regions[other]])), share)


def all_merged(shot: Shot, share: float) -> Map:
    """Return the true depth with all regions moved to one depth."""
    regions = [*shot.regions.values()]
    middle = float(np.median(np.concatenate([shot.inverse[region] for region in regions])))
    found = shot.inverse.copy()
    for region in regions:
        found[region] += share * (middle - found[region])
    return found


def tiled(shot: Shot, share: float) -> Map:
    """Return the true depth with light tiles nearer than dark ones."""
    floor, light = shot.regions["floor"], shot.images[0].mean(axis=2)
    bright = light > np.median(light[floor])
    found: Map = shot.inverse + 0.6 * share * float(shot.inverse[floor].std()) * (bright & floor)
    return found


def blurred(shot: Shot, share: float) -> Map:
    """Return the true depth, nearer to its mean on the left half."""
    found = shot.inverse.copy()
    half = found[:, : found.shape[1] // 2]
    half += share * (shot.inverse[shot.known].mean() - half)
    return found


FAILURES: dict[str, Callable[[Shot, float], list[Map]]] = {
    "stem": lambda shot, share: [merged(shot, "stem", "person", share)],
    "wheel": lambda shot, share: [merged(shot, "gaps", "blades", share)],
    "tiles": lambda shot, share: [tiled(shot, share)],
    "distant": lambda shot, share: [all_merged(shot, share)],
    "clouds": lambda shot, share: [toward(shot, "sky", lambda own: shot.inverse[shot.known].mean(), share)],
    "mirror": lambda shot, share: [toward(shot, "inside", lambda own: own / 2, share)],
    "painting": lambda shot, share: [toward(shot, "inside", lambda own: own / 2, share)],
    "parallel": lambda shot, share: [all_merged(shot, share)],
    "size": lambda shot, share: [merged(shot, "other", "subject", share)],
    "split": lambda shot, share: [merged(shot, "left", "pillar", share)],
    "cartoon": lambda shot, share: [blurred(shot, share)],
    "light": lambda shot, share: [shot.inverse, blurred(shot, share)],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["inverse", "metric", "affine", "scale"])
def test_the_true_depth_is_perfect(probe: Probe, shots: list[Shot], kind: Kind) -> None:
    for shot in shots:
        found = [align_inverse(as_kind(shot.inverse, kind), kind, shot.inverse, shot.known)] * len(shot.images)
        assert badness(probe.question, probe.figure(found, shot)) < PERFECT


def test_a_constant_is_the_worst(probe: Probe, shots: list[Shot], baselines: list[Answer]) -> None:
    for shot in shots:
        found = badness(probe.question, probe.figure(aligned(baselines[0], shot), shot))
        assert found == pytest.approx(1, abs=1e-6)


def test_a_gradient_knows_no_more_than_up_and_down(probe: Probe, shots: list[Shot], baselines: list[Answer]) -> None:
    for shot in shots:
        found = aligned(baselines[1], shot)
        assert all(np.ptp(one, axis=1).max() == 0 for one in found)
        if probe.name in ("stem", "wheel", "split"):  # what is compared has one height
            assert probe.figure(found, shot) < 0.5
        if probe.name in ("mirror", "painting", "light"):  # it is a plane; if the top is nearer, a constant
            assert probe.figure(found, shot) == pytest.approx(float(np.ptp(found[0]) == 0), abs=1e-6)


def test_a_painted_failure_makes_the_figure_worse_the_more_of_it_there_is(probe: Probe, shots: list[Shot]) -> None:
    for shot in shots:
        found = [
            badness(probe.question, probe.figure(FAILURES[probe.name](shot, share), shot)) for share in (0, 0.5, 1)
        ]
        assert found[0] < PERFECT and found[0] < found[1] < found[2] <= 1
        assert found[2] > SEEN


def test_each_probe_has_a_name_of_its_own_and_says_what_it_is() -> None:
    assert len({probe.name for probe in PROBES}) == len(PROBES) == 12
    for probe in PROBES:
        assert probe.question.asks and "/" in probe.question.formula
