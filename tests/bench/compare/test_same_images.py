"""Figures of other images are other figures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from compared_reports import run_of, states, with_subject
from made_report import MADE, make_accuracy, make_drift

from depthrt.bench.compare.compare import compare
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
