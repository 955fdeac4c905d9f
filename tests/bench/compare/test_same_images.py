"""Figures of other images are other figures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from compared_reports import run_of, states, with_subject
from made_report import BF16, EAGER, MADE, make_accuracy, make_drift, make_report

from depthrt.bench.compare.compare import compare
from depthrt.bench.compare.same_images import find_other_images
from depthrt.bench.numbers.figures import IMAGE_NAMES, name_images
from depthrt.bench.numbers.result import Accuracy, Report


def judged_on(images: slice, abs_rel: float) -> Accuracy:
    accuracy = make_accuracy(abs_rel, images=50)
    return replace(accuracy, images=accuracy.images[images])


def test_accuracy_on_other_images_is_another_figure() -> None:
    subject = run_of(0).subjects[0]
    before = with_subject(run_of(0), replace(subject, accuracy=(judged_on(slice(0, 12), 0.05),)))
    after = with_subject(run_of(0), replace(subject, accuracy=(judged_on(slice(8, 50), 0.04),)))
    comparison = compare(
        before, after, ["abs_rel>+0.01", "abs_rel>+100%", "abs_rel>0.03", "abs_rel>0.06", "drift>+0.1%"]
    )
    assert list(states(comparison).values()) == ["unclear", "unclear", "failed", "passed", "passed"]
    assert "not of the same images" in comparison.checks[0].reason
    of = "nyu, scale-and-shift, to 10 m, eigen crop"
    assert f"not the same images: {of}: 12 -> 42 images, 4 of them in both" in comparison.notes
    assert any(line.endswith("(not of the same images)") for line in comparison.lines())


def test_images_in_another_order_are_the_same_images() -> None:
    subject = run_of(0).subjects[0]
    turned = replace(subject, accuracy=(judged_on(slice(None, None, -1), 0.05),))
    before = with_subject(run_of(0), replace(subject, accuracy=(judged_on(slice(None), 0.05),)))
    comparison = compare(before, with_subject(run_of(0), turned), ["abs_rel>+0.01"])
    assert states(comparison) == {"abs_rel>+0.01": "passed"} and not comparison.notes
    assert name_images([Path("a/1.png"), Path("a/2.png")]) == name_images([Path("b/2.png"), Path("b/1.png")])


@pytest.mark.parametrize("told", ["number", IMAGE_NAMES, "images"])
def test_drift_on_other_images_is_another_figure(told: str) -> None:
    def report(version: int) -> Report:
        subject = run_of(0).subjects[0]
        assert subject.drift is not None
        drift = replace(subject.drift, images=version) if told == "number" else subject.drift
        settings = MADE.settings if told == "number" else {**MADE.settings, told: str(version)}
        return replace(run_of(0), made=replace(MADE, settings=settings), subjects=(replace(subject, drift=drift),))

    conditions = ["drift>+0.1%", "drift.worst>+0.1%", "edge_f1<-1%", "drift>0.5%", "p50>+5%", "abs_rel>+0.01"]
    other = compare(report(3), report(4), conditions)
    assert list(states(other).values()) == ["unclear"] * 3 + ["passed"] * 3
    assert any(note.startswith("not the same images: drift: ") for note in other.notes)
    same = compare(report(3), report(3), conditions)
    assert set(states(same).values()) == {"passed"} and not same.notes


def test_drift_that_is_no_number_fails_on_other_images_too() -> None:
    subject = replace(run_of(0).subjects[0], drift=replace(make_drift(0.001), mean=math.nan, images=5))
    assert compare(run_of(0), with_subject(run_of(0), subject), ["drift>+0.5%"]).exit_code == 1


NYU = "nyu, scale-and-shift, to 10 m, eigen crop"


def with_settings(**settings: str) -> Report:
    named = {name.replace("_", " "): value for name, value in settings.items()}
    return replace(run_of(0), made=replace(MADE, settings=named))


def test_two_runs_on_the_same_images_have_no_others() -> None:
    assert find_other_images(run_of(0), run_of(1)) == {}


@pytest.mark.parametrize(
    ("before", "after", "others"),
    [
        ({}, {}, False),
        ({"images": "12 of photos/"}, {"images": "11 of photos/"}, True),
        ({"images": "12 of photos/"}, {}, False),
        ({"images": "12 of a/", "image_names": "1f"}, {"images": "12 of b/", "image_names": "1f"}, False),
        ({"images": "12 of a/", "image_names": "1f"}, {"images": "12 of a/", "image_names": "2e"}, True),
        ({"images": "12 of a/", "image_names": "1f"}, {"images": "12 of a/"}, False),
    ],
)
def test_names_tell_first_then_the_description(before: dict[str, str], after: dict[str, str], others: bool) -> None:
    assert IMAGE_NAMES == "image names"
    found = find_other_images(with_settings(**before), with_settings(**after))
    assert set(found) == ({(BF16, "")} if others else set())


def test_another_number_of_images_of_drift_is_stated() -> None:
    subject = replace(run_of(0).subjects[0], drift=replace(make_drift(0.001), images=5))
    found = find_other_images(run_of(0), with_subject(run_of(0), subject))
    assert found == {(BF16, ""): "drift: 12 -> 5 images"}


def test_drift_in_one_report_only_is_not_compared() -> None:
    without = with_subject(with_settings(images="3"), replace(run_of(0).subjects[0], drift=None))
    assert find_other_images(with_settings(images="12"), without) == {}


def test_images_of_a_data_set_are_compared_by_name_and_number() -> None:
    accuracy = make_accuracy(0.05)
    first, *rest = accuracy.images
    twice = replace(accuracy, images=(first, first, *rest[1:]))  # as many, but one of them twice
    subject = run_of(0).subjects[0]
    found = find_other_images(
        with_subject(run_of(0), replace(subject, accuracy=(accuracy,))),
        with_subject(run_of(0), replace(subject, accuracy=(twice,))),
    )
    assert found == {(BF16, NYU): f"{NYU}: 12 -> 12 images, 11 of them in both"}


def test_the_same_data_set_under_another_rule_is_another_figure() -> None:
    subject = run_of(0).subjects[0]
    other = replace(make_accuracy(0.05, images=3), alignment="log")
    assert find_other_images(run_of(0), with_subject(run_of(0), replace(subject, accuracy=(other,)))) == {}


def test_a_subject_in_one_report_only_has_no_others() -> None:
    before, after = (make_report(0, only=(name,)) for name in (BF16, EAGER))
    after = replace(after, made=replace(MADE, settings={"images": "other"}))
    assert find_other_images(before, after) == {}
