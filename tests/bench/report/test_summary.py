"""The sentences of a report: the winner, its gain and its price."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from made_report import (
    BF16,
    EAGER,
    FP32,
    INT8,
    make_accuracy,
    make_constant,
    make_report,
)

from depthrt.bench.numbers.figures import COMPUTED_IN
from depthrt.bench.numbers.result import Interval, Report, SubjectResult
from depthrt.bench.report.summary import summarise_report
from depthrt.bench.report.tables import summary_table
from depthrt.engine.terms import Alignment


@cache
def whole() -> Report:
    return make_report()


def test_the_fastest_within_the_budget_wins_not_the_fastest() -> None:
    summary = summarise_report(whole())
    assert (summary.winner, summary.baseline) == (BF16, EAGER)
    assert summary.headline.startswith(f"{BF16} is the fastest within a drift of 1 %: ")
    assert any(INT8 in sentence and "1.42 % is over 1 %" in sentence for sentence in summary.sentences)
    assert summarise_report(whole(), drift_budget=0.02).winner == INT8
    assert summarise_report(whole(), drift_budget=1e-9).winner == EAGER


def test_a_subject_with_values_that_are_not_finite_never_wins() -> None:
    fast = make_constant("fast", 1.0, drift=0.0)
    assert fast.drift is not None
    broken = replace(fast, drift=replace(fast.drift, nonfinite=3))
    report = replace(whole(), subjects=(make_constant("slow", 9.0), broken), reference="slow")
    assert summarise_report(report).winner == "slow"
    assert "fast takes 1.00 ms, but 3 values are not finite." in summarise_report(report).sentences


def test_a_subject_that_failed_on_the_way_never_wins_although_it_has_times() -> None:
    broken = replace(make_constant("fast", 1.0), failure="RuntimeError: the device is gone")
    summary = summarise_report(replace(whole(), subjects=(make_constant("slow", 9.0), broken), reference=""))
    assert (summary.winner, summary.baseline, list(summary.speeds)) == ("slow", "slow", ["slow"])
    assert "fast failed: RuntimeError: the device is gone." in summary.sentences


def test_the_speed_that_a_run_measured_is_the_one_that_is_shown() -> None:
    measured = replace(make_constant("b", 12.0), speed=Interval(2.6, 2.5, 2.7))
    report = replace(whole(), subjects=(make_constant("a", 30.0), measured), reference="a")
    assert summarise_report(report).speeds["b"] == measured.speed
    other = summarise_report(replace(report, reference="")).speeds["b"]  # against what stands first
    assert other.value == pytest.approx(2.5)


def test_speed_is_the_baselines_time_over_the_subjects() -> None:
    report = replace(whole(), subjects=(make_constant("a", 30.0), make_constant("b", 12.0, drift=0.002)), reference="a")
    summary = summarise_report(report)
    assert summary.speeds["a"].value == pytest.approx(1)
    assert summary.speeds["b"].value == pytest.approx(2.5)
    assert summary.headline == (
        "b is the fastest within a drift of 1 %: 12.0 ms from image array to depth array, 2.5× as fast as a, "
        "drift 0.200 %."
    )


def test_two_subjects_that_the_times_do_not_tell_apart_are_said_to_be_alike() -> None:
    first, again = make_report(1, only=(FP32,)).subjects[0], make_report(2, only=(FP32,)).subjects[0]
    report = replace(whole(), subjects=(first, replace(again, name="again")), reference="")
    assert any("is not clearly slower than" in sentence for sentence in summarise_report(report).sentences)


def test_subjects_that_were_judged_otherwise_are_not_ranked_together() -> None:
    def judged(name: str, abs_rel: float, alignment: Alignment) -> SubjectResult:
        return replace(make_constant(name, 9.0), accuracy=(replace(make_accuracy(abs_rel), alignment=alignment),))

    metric, better = judged("metric", 0.12, "none"), judged("better", 0.11, "none")
    inverse = judged("inverse", 0.05, "scale-and-shift")
    alone = summarise_report(replace(whole(), subjects=(metric, inverse), reference=""))
    assert not any("abs_rel" in sentence for sentence in alone.sentences)
    alike = replace(whole(), subjects=(metric, inverse, better), reference="")
    assert summarise_report(alike).sentences[-1] == (
        "abs_rel (nyu, not aligned, to 10 m, eigen crop) is 0.110 (better) to 0.120 (metric)."
    )
    table = summary_table(alike, summarise_report(alike))
    assert [row[table.columns.index("abs_rel")] for row in table.rows] == ["0.120", "–", "0.110"]


def test_missed_frames_are_a_share_of_all_that_came() -> None:
    # 1015 ms: 51 dropped beside 90 answered
    assert any("misses 36.2 %" in sentence for sentence in summarise_report(whole()).sentences)


def test_a_margin_below_the_noise_between_runs_is_named_and_not_hidden() -> None:
    report = replace(whole(), subjects=(make_constant("a", 30.0), make_constant("b", 30.6)), reference="a")
    (sentence,) = [one for one in summarise_report(report).sentences if "slower" in one]
    assert sentence == (
        "b is slower than a (95 % 1.02–1.02×), perhaps by less than the 3 % "
        "that two runs of the same code may differ by."
    )


def test_a_drift_that_was_not_measured_is_not_in_the_headline() -> None:
    subjects = tuple(replace(make_constant(name, ms), drift=None) for name, ms in (("a", 9.0), ("b", 30.0)))
    first = summarise_report(replace(whole(), subjects=subjects, reference="a")).headline
    assert first == "Nothing is faster than a: 9.00 ms from image array to depth array."
    second = summarise_report(replace(whole(), subjects=subjects[::-1], reference="b")).headline
    assert second.startswith("a is the fastest: ") and "drift" not in second
    turned = replace(whole(), subjects=subjects[::-1], reference="b")
    assert [row[-1] for row in summary_table(turned, summarise_report(turned)).rows] == ["baseline", "fastest"]


def test_a_gain_that_is_not_clear_is_no_headline_of_the_fastest() -> None:
    unclear = replace(make_constant("b", 28.0, drift=0.002), speed=Interval(1.07, 0.8, 1.4))
    report = replace(whole(), subjects=(make_constant("a", 30.0), unclear), reference="a")
    assert summarise_report(report).headline == (
        "Nothing within a drift of 1 % is clearly faster than a: b takes 28.0 ms from image array to depth array, "
        "1.07× as fast as a (95 % 0.800–1.40×)."
    )
    assert summary_table(report, summarise_report(report)).rows[1][-1] == "not clearly faster"


def test_a_file_that_is_computed_in_another_precision_says_so_in_headline_and_table() -> None:
    half = make_constant("half.onnx cpu", 10.0, drift=0.001)
    half = replace(half, facts={**half.facts, "precision": "fp16", COMPUTED_IN: "fp32"})
    report = replace(whole(), subjects=(make_constant("a", 30.0), half), reference="a")
    summary = summarise_report(report)
    assert (
        "is the fastest within a drift of 1 %: 10.0 ms" in summary.headline
        and ", computed in fp32, " in summary.headline
    )
    table = summary_table(report, summary)
    assert table.rows[1][table.columns.index("precision")] == "fp16, computed in fp32"
