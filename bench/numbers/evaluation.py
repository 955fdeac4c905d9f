"""The records of an evaluation: models judged by regions of images, as figures with intervals, by image and by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ...engine.terms import Alignment, Crop
from .limits import Count, NotNegative, Positive
from .result import METRICS, Interval, Machine, Made

EVALUATION_SCHEMA: Literal[1] = 1  # version of the JSON
State = Literal["passed", "unclear", "failed"]
_LARGER = {"delta1", "delta2", "delta3"}


@dataclass(frozen=True, slots=True)
class EvaluatedFigure:
    """One kind of figure of an evaluation.

    Args:
        name: In requirements and in the JSON.
        unit: "share" (1 is the whole), or "".
        title: For people.
        larger_is_better: Whether a larger value is better.
    """

    name: str
    unit: str
    title: str
    larger_is_better: bool = False


# Which pixels the nine metrics judge, by the prefix of their names.
SCOPES: Mapping[str, str] = {
    "": "whole images",
    "clean_images": "clean images",  # without mirrors and art
    "clean": "clean pixels",  # outside mirrors, art and windows
    "mirror": "mirrors",
    "art": "art",
    "window": "windows",
}
FLAT_SCOPES: Mapping[str, str] = {"": "mirrors and art", "mirror": "mirrors", "art": "art"}
_OF_FLAT = {
    "flat_residual": "flat residual",
    "plane_error": "plane error",
    "step_error": "step error",
    "picture_leak": "picture leak",
}


def scoped(scope: str, name: str) -> str:
    """Return the name of a figure in a scope, such as "mirror.abs_rel"."""
    return f"{scope}.{name}" if scope else name


def _all_figures() -> Mapping[str, EvaluatedFigure]:
    found = [
        EvaluatedFigure(
            scoped(scope, metric),
            "share" if metric in _LARGER else "",
            f"{metric} of {of}" if scope else metric,
            metric in _LARGER,
        )
        for scope, of in SCOPES.items()
        for metric in METRICS
    ]
    found += [
        EvaluatedFigure(scoped(scope, name), "", f"{title} of {of}" if scope else title)
        for scope, of in FLAT_SCOPES.items()
        for name, title in _OF_FLAT.items()
    ]
    found += [
        EvaluatedFigure("window_depth", "share", "window depth", larger_is_better=True),
        EvaluatedFigure("drift", "share", "drift outside mirrors and art"),
    ]
    return {figure.name: figure for figure in found}


EVALUATED: Mapping[str, EvaluatedFigure] = _all_figures()


@dataclass(frozen=True, slots=True)
class ImageFigures:
    """The figures of one image, by name; those that it does not have are missing."""

    image: str
    scene: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PartFigures:
    """The figures of one connected part of a mirror, a picture or a window.

    Args:
        image: Name.
        region: "mirror", "art" or "window".
        top_px, left_px, height_px, width_px: In the measured depth.
        figures: By name.
    """

    image: str
    region: str
    top_px: Count
    left_px: Count
    height_px: Positive
    width_px: Positive
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Moved:
    """The change of a figure against the starting network, over the images that both have, in pairs.

    Args:
        before, after: Means over these images.
        absolute: The change in the figure's unit.
        relative: The change over `before`; None if that is 0 or below somewhere in its interval.
    """

    before: float
    after: float
    absolute: Interval
    relative: Interval | None


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """All figures of one model.

    Args:
        name: Unique in the evaluation.
        facts: File, model, runner, provider, precision, input size.
        notes: Fallbacks and compromises, one sentence each.
        alignment: Of the nine metrics; flat things are aligned always.
        figures: Means over images, by name.
        moved: How figures changed against the starting network; empty for itself and without one.
        images: One entry for each image.
        parts: One entry for each part that was judged.
        failure: Why figures are missing; "" if nothing failed.
    """

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...] = ()
    alignment: Alignment = "none"
    figures: Mapping[str, Interval] = field(default_factory=dict)
    moved: Mapping[str, Moved] = field(default_factory=dict)
    images: tuple[ImageFigures, ...] = ()
    parts: tuple[PartFigures, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Models judged on one data set.

    Args:
        dataset: Name.
        images, scenes: Numbers of those that were judged.
        parts: Number of judged parts by region.
        cap_m: Depth beyond it is not judged; None if the data set's depth has no unit.
        crop: Which pixels were judged.
        models: In the order given; the starting network first if it is none of them.
        against: Name of the starting network; "" without one.
        baselines: Names of the models that need no network.
        warnings: What a reader must know before the figures.
    """

    dataset: str
    images: Count
    scenes: Count
    parts: Mapping[str, Count]
    cap_m: NotNegative | None
    crop: Crop
    models: tuple[ModelEvaluation, ...]
    against: str = ""
    baselines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def judged(self) -> tuple[ModelEvaluation, ...]:
        """Return the models that the evaluation is about: all but the starting network and the baselines."""
        return tuple(model for model in self.models if model.name not in (self.against, *self.baselines))


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of one model.

    Args:
        text: As written.
        model: Name.
        state: "failed" if the figure does not hold or is missing, "unclear" if only its 95 % interval does not.
        reason: The figures, one line.
    """

    text: str
    model: str
    state: State
    reason: str

    def line(self) -> str:
        """Return it as one line of text."""
        return f"{self.state}: {self.text} for {self.model}: {self.reason}"


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """An evaluation with the machine, how it was made, and the requirements that were checked."""

    # As in result.Report.
    __pydantic_config__: ClassVar[Mapping[str, object]] = {
        "strict": True,
        "extra": "forbid",
        "allow_inf_nan": False,
        "ser_json_inf_nan": "strings",
    }

    schema: Literal[1] = field(default=EVALUATION_SCHEMA, kw_only=True)
    machine: Machine
    made: Made
    evaluation: Evaluation
    requirements: tuple[Requirement, ...] = ()
