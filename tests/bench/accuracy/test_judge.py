"""Subjects judged on a data set, by its custom or by rules of the user."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_subjects import (
    SIDE_PX,
    MadeRunner,
    dataset,
    fails_at,
    opened,
    slope,
    subject,
    truth,
    uneven,
)
from numpy.typing import NDArray

from depthrt.bench.accuracy.accuracy_meter import LEAST_PIXELS, Rules
from depthrt.bench.accuracy.judge import CUSTOM, RuleChoices, judge
from depthrt.bench.datasets.ground_truth import GroundTruth, Pair
from depthrt.bench.datasets.true_depth import Sample, TrueDepth
from depthrt.bench.subjects.subject import open_subject
from depthrt.engine.errors import InputError
from depthrt.engine.terms import KINDS, Alignment, Kind


def test_a_subject_that_fails_on_a_data_set_leaves_and_the_others_go_on() -> None:
    judgement = judge([opened("bad", fails_at(2)), opened("good", slope())], dataset(truth(2.0), truth(4.0)))
    assert judgement.failures == {"bad": "RuntimeError: the device is gone"}
    assert list(judgement.found) == ["good"] and len(judgement.found["good"].images) == 2


@pytest.mark.parametrize(
    ("asked", "metric", "inverse"),
    [
        (RuleChoices(), Rules("none", 10.0), Rules("scale-and-shift", 10.0)),
        (RuleChoices(crop="eigen"), Rules("none", 10.0, "eigen"), Rules("scale-and-shift", 10.0, "eigen")),
        (RuleChoices(cap_m=5.0), Rules("none", 5.0), Rules("scale-and-shift", 5.0)),
        (RuleChoices("scale"), Rules("scale", 10.0), Rules("scale", 10.0)),
    ],
)
def test_what_is_not_asked_for_stays_the_data_set_s_custom(asked: RuleChoices, metric: Rules, inverse: Rules) -> None:
    subjects = [opened("metric", slope(), "metric"), opened("inverse", slope())]
    found = judge(subjects, dataset(truth(2.0)), asked).found
    rules = {name: Rules(one.alignment, one.cap_m, one.crop) for name, one in found.items()}
    assert rules == {"metric": metric, "inverse": inverse}


def test_depth_without_a_unit_has_no_cap_and_is_aligned() -> None:
    unitless = replace(dataset(truth(2.0)), cap_m=None)
    assert [RuleChoices(crop="garg").rules(kind, unitless) for kind in ("metric", "inverse")] == [
        Rules("scale-and-shift", None, "garg")
    ] * 2


@pytest.mark.parametrize(
    ("kind", "in_metres", "in_medians"),
    [
        ("inverse", "scale-and-shift", "scale-and-shift"),
        ("metric", "none", "scale"),
        ("affine", "scale-and-shift", "scale-and-shift"),
        ("scale", "scale", "scale"),
    ],
)
def test_by_custom_what_is_unknown_is_aligned(kind: Kind, in_metres: Alignment, in_medians: Alignment) -> None:
    measured = dataset(truth(2.0))
    assert CUSTOM.rules(kind, measured).alignment == in_metres
    assert CUSTOM.rules(kind, replace(measured, cap_m=None, unitless="scale")).alignment == in_medians


def test_a_reader_is_told_what_is_aligned_as_depth() -> None:
    subjects = [opened(kind, slope(), kind) for kind in KINDS]
    assert judge(subjects, dataset(uneven(2.0))).warnings == (
        "made: affine-invariant depth is aligned as depth, not as inverse depth.",
        "made: scale-invariant depth is aligned as depth, not as inverse depth.",
    )
    assert judge(subjects[:2], dataset(uneven(2.0))).warnings == ()


def test_a_cap_that_judges_nothing_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"a cap of 0\.0005 m found"):
        RuleChoices(cap_m=0.0005)


def test_rules_that_suit_one_subject_alone_cost_the_other_its_accuracy_and_no_more() -> None:
    subjects = [opened("metric", slope(), "metric"), opened("inverse", slope())]
    found = judge(subjects, dataset(truth(2.0)), RuleChoices("none"))
    assert list(found.found) == ["metric"] and not found.failures
    assert found.notes["inverse"][0].startswith("no accuracy on made: the model gives inverse depth without a unit")


@pytest.mark.parametrize("options", [{"alignment": "affine"}, {"crop": "center"}, {"cap_m": float("nan")}])
def test_choices_that_no_rules_allow_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match="found, expected"):
        RuleChoices(**options)  # type: ignore[arg-type]


def test_a_metric_subject_is_judged_in_metres() -> None:
    # The slope goes from 1 to 2 m; the truth is 2 m everywhere.
    (found,) = judge([opened("metric", slope(), "metric")], dataset(truth(2.0))).found.values()
    assert found.alignment == "none"
    assert found.metrics["abs_rel"] == pytest.approx(0.25, abs=1e-3)  # 784 steps
    assert [(image.image, image.pixels) for image in found.images] == [("at 2.0 m", SIDE_PX**2)]


def test_an_answer_is_judged_with_its_own_image() -> None:
    metric = opened("metric", lambda call: np.full((SIDE_PX, SIDE_PX), float(call), np.float32), "metric")
    (found,) = judge([metric], dataset(truth(1.0), truth(2.0), truth(3.0))).found.values()
    assert [image.metrics["abs_rel"] for image in found.images] == [0.0] * 3


def test_each_image_is_reported_before_it_is_judged() -> None:
    steps: list[tuple[int, int]] = []
    judge([opened("one", slope())], dataset(truth(1.0), truth(2.0)), on_image=lambda *step: steps.append(step))
    assert steps == [(0, 2), (1, 2)]


def test_an_image_that_cannot_be_read_costs_a_warning_and_no_subject() -> None:
    def damaged() -> Sample:
        raise OSError("unexpected\n end of file.")

    data = dataset(uneven(2.0))
    broken = GroundTruth("made", (Pair("room", damaged), *data.pairs), data.cap_m, notes=("read as metres",))
    judgement = judge([opened("one", slope())], broken)
    assert judgement.warnings == (
        "room of made is left out: OSError: unexpected end of file.",
        "made: read as metres.",
    )
    assert not judgement.failures and len(judgement.found["one"].images) == 1


def test_images_with_few_measured_pixels_are_counted_in_a_note() -> None:
    values = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    values[0, : LEAST_PIXELS - 1] = 2.0
    few = Sample("few", np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8), TrueDepth(values, values > 0))
    judgement = judge([opened("one", slope())], dataset(few, truth(2.0)))
    assert len(judgement.found["one"].images) == 1
    assert judgement.notes == {"one": ("1 images of made have too few measured pixels",)}


def test_a_subject_that_failed_is_not_asked_again() -> None:
    runner = MadeRunner(fails_at(2))
    judge([open_subject(subject("bad", runner))], dataset(*map(truth, (1.0, 2.0, 3.0))))
    assert runner.calls == 2


def test_without_a_unit_in_the_truth_no_subject_is_judged_unaligned() -> None:
    unitless = replace(dataset(truth(2.0)), cap_m=None)
    judgement = judge([opened("one", slope(), "metric")], unitless, RuleChoices("none"))
    assert not judgement.found and not judgement.failures
    assert judgement.notes["one"][0].startswith("no accuracy on made: made has inverse depth without a unit")
    assert judge([opened("one", slope(), "metric")], dataset(truth(2.0)), CUSTOM).found


def test_the_pixels_without_depth_are_said_with_their_reasons() -> None:
    sample = uneven(2.0)
    values = sample.truth.values.copy()
    values[:7] = 0  # a quarter
    known = TrueDepth(values, values > 0)
    masked = known.without(np.arange(SIDE_PX)[:, None] + np.zeros(SIDE_PX) >= SIDE_PX - 7, "by masks")
    data = dataset(replace(sample, truth=masked))
    assert judge([opened("one", slope(), "metric")], data).warnings == (
        "made: 50.0 % of its pixels have no depth; 25.0 % left out by masks.",
    )


def test_images_of_one_depth_are_said_where_alignment_makes_every_answer_right() -> None:
    said = "made: 2 of its images have one depth everywhere, which alignment reaches with any answer."
    data = dataset(truth(2.0), truth(3.0), uneven(4.0))
    assert said in judge([opened("one", slope())], data).warnings
    assert judge([opened("one", slope(), "metric")], data).warnings == ()


def test_depth_that_grows_where_the_answer_comes_nearer_is_said() -> None:
    rising = np.linspace(1, 2, SIDE_PX * SIDE_PX, dtype=np.float32).reshape(SIDE_PX, SIDE_PX)
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)

    def notes(values: NDArray[np.float32]) -> tuple[str, ...]:
        data = dataset(Sample("ramp", picture, TrueDepth(values, values > 0)))
        return tuple(judge([opened("one", slope())], data).notes.get("one", ()))

    assert notes((1 / rising).astype(np.float32)) == ()
    (note,) = notes(rising)  # the answer is inverse depth, and so is this, under the name of depth
    assert note.startswith("in 1 of 1 images of made the measured depth grows where the answer comes nearer")
