"""The probes: for each, what it asks, its scenes, its regions and its figure.

Source: the failures are those that the study listed of MiDaS and Depth Anything; `light` and `size` are also questions
of van Dijk and de Croon, How Do Neural Networks See Depth in Single Images?, ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...bench.numbers.probes import Question
from ..scenes.render import Change
from ..scenes.settings.stage import light_unnaturally
from . import figures, regions
from .align import Map
from .shot import SIZE_PX, Shot, shoot

Figure = Callable[[Sequence[Map], Shot], float]  # aligned inverse depth of each image, and the scene
_STEP = "min(r, 1/r), r = step of the answer / true step between the medians of {}; 0 if r <= 0"


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe.

    Args:
        question: What it asks, its formula and direction.
        setting: Of its scenes.
        regions: Of a scene.
        figure: From 0 to 1.
        change: Makes the second picture of a scene.
    """

    question: Question
    setting: str
    regions: regions.Regions
    figure: Figure
    change: Change | None = None

    @property
    def name(self) -> str:
        """Return its name."""
        return self.question.name

    def shoot(self, count: int, size_px: tuple[int, int] = SIZE_PX) -> Iterator[Shot]:
        """Yield its scenes; errors as shot.shoot."""
        return shoot(self.setting, self.regions, count, change=self.change, size_px=size_px)


def _step(near: str, far: str) -> Figure:
    def figure(found: Sequence[Map], shot: Shot) -> float:
        return figures.step_kept(found[0], shot.inverse, shot.regions[near], shot.regions[far])

    return figure


def _steps(found: Sequence[Map], shot: Shot) -> float:
    return figures.steps_kept(found[0], shot.inverse, [*shot.regions.values()])


def _both_parts(found: Sequence[Map], shot: Shot) -> float:
    return min(_step("pillar", part)(found, shot) for part in ("left", "right"))


def _bump(found: Sequence[Map], shot: Shot) -> float:
    return figures.bump(found[0], shot.regions["inside"], shot.regions["around"])


def _ripple(found: Sequence[Map], shot: Shot) -> float:
    return figures.ripple(found[0], shot.inverse, shot.regions["floor"])


def _nearness(found: Sequence[Map], shot: Shot) -> float:
    return figures.nearness(found[0], shot.regions["sky"], shot.regions["land"], shot.inverse)


def _unexplained(found: Sequence[Map], shot: Shot) -> float:
    return figures.unexplained(found[0], shot.inverse, shot.regions["known"])


def _change(found: Sequence[Map], shot: Shot) -> float:
    return figures.change(found[0], found[1])


_BUMP = "mean distance of the answer in the {} from the plane of the wall around it / the answer's 2-98 % spread"
PROBES: tuple[Probe, ...] = (
    Probe(
        Question("stem", "a thin stem in front of a person", _STEP.format("stem and person beside it"), True),
        "stem",
        regions.stem_and_person,
        _step("stem", "person"),
    ),
    Probe(
        Question("wheel", "gaps between the blades of a wind wheel", _STEP.format("blades and gaps"), True),
        "wheel",
        regions.blades_and_gaps,
        _step("blades", "gaps"),
    ),
    Probe(
        Question(
            "tiles",
            "a flat floor whatever its pattern",
            "rms distance of the answer on the floor from its best quadratic surface / standard deviation of that "
            "surface; 1 if the near floor is not nearer",
            False,
        ),
        "tiles",
        regions.floor,
        _ripple,
    ),
    Probe(
        Question(
            "distant",
            "houses at 10, 18, 32 and 57 m apart from each other",
            "mean over neighbours in depth of " + _STEP.format("two houses"),
            True,
        ),
        "distant",
        regions.layers,
        _steps,
    ),
    Probe(
        Question(
            "clouds",
            "clouds as far as the sky",
            "90th percentile of the answer over the sky / mean true inverse depth of the land",
            False,
        ),
        "clouds",
        regions.sky_and_land,
        _nearness,
    ),
    Probe(
        Question("mirror", "a mirror as flat as its wall", _BUMP.format("mirror"), False),
        "mirror",
        regions.flat_and_wall,
        _bump,
    ),
    Probe(
        Question("painting", "a picture as flat as its wall", _BUMP.format("picture"), False),
        "painting",
        regions.flat_and_wall,
        _bump,
    ),
    Probe(
        Question(
            "parallel",
            "equal things in parallel planes, the smaller the farther",
            "mean over neighbours in depth of " + _STEP.format("two things"),
            True,
        ),
        "equal",
        regions.things,
        _steps,
    ),
    Probe(
        Question(
            "size",
            "a small near and a large far copy that look equally large",
            _STEP.format("the two copies"),
            True,
        ),
        "apparent",
        regions.subject_and_other,
        _step("subject", "other"),
    ),
    Probe(
        Question(
            "split",
            "one thing on both sides of a pillar",
            "the worse of both sides: " + _STEP.format("pillar and that part of the thing"),
            True,
        ),
        "split",
        regions.parts_and_pillar,
        _both_parts,
    ),
    Probe(
        Question(
            "cartoon",
            "depth in flat colours with ink lines",
            "rms error of the answer / standard deviation of the true inverse depth",
            False,
        ),
        "cartoon",
        regions.whole,
        _unexplained,
    ),
    Probe(
        Question(
            "light",
            "the same room in natural and in unnatural light",
            "mean difference of the two answers / their 2-98 % spread",
            False,
        ),
        "lit",
        regions.whole,
        _change,
        light_unnaturally,
    ),
)
