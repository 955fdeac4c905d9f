"""A condition is passed, unclear or failed; noise turns no check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from compared_reports import exact, run_of, states, with_p50, with_subject
from made_report import BF16, FP32, make_drift, make_report

from depthrt.bench.compare.checks import Check, changes_of, check_condition
from depthrt.bench.compare.compare import compare
from depthrt.bench.compare.conditions import parse_condition
from depthrt.bench.numbers.figures import FIGURES
from depthrt.bench.numbers.result import ColdProcess, ColdStart, Interval, Report, SubjectResult
from depthrt.engine.errors import InputError

COLD = ("cold.load>+5%", "rss>+5%", "vram>+5%")


def test_a_change_past_the_limit_with_an_interval_that_is_not_is_unclear() -> None:
    before = with_p50(run_of(0), Interval(100, 97, 103))
    after = with_p50(run_of(0), Interval(107, 103, 111))
    assert states(compare(before, after, ["p50>+5%"])) == {"p50>+5%": "unclear"}
    assert states(compare(before, after, ["p50>+1%"])) == {"p50>+1%": "failed"}
    assert states(compare(before, after, ["p50>+8%"])) == {"p50>+8%": "passed"}


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        ("p50>100ms", "failed"),
        ("p50>104ms", "unclear"),
        ("p50>120ms", "passed"),
        ("p50<120ms", "failed"),
        ("p50<104ms", "passed"),
        ("p50>+5ms", "failed"),
        ("p50>+9ms", "unclear"),
        ("p50>+50%", "passed"),
        ("p50<-1%", "passed"),
        ("kernel.p50>+0%", "passed"),
        ("rss>701MiB", "failed"),
        ("rss>702MiB", "passed"),
        ("rss>+0MiB", "passed"),
        ("nonfinite>0", "passed"),
        ("delta1<95%", "failed"),
        ("delta1<0.94", "passed"),
        ("drift.worst>0.1%", "failed"),
        ("rate.missed>1%", "passed"),
    ],
)
def test_a_condition_holds_for_hand_made_figures(condition: str, state: str) -> None:
    # delta1 is 0.9477, drift.worst 0.0018, rss 702 MiB; the median went from 95±1 to 105±3 ms.
    before = with_p50(run_of(0), Interval(95, 94, 96))
    after = with_p50(run_of(0), Interval(105, 102, 108))
    comparison = compare(before, after, [condition])
    assert states(comparison) == {condition: state}
    said = "a machine that was slower counts, as the reports share no reference; measure with --reference"
    (check,) = comparison.checks
    assert check.reason.endswith(said) == (state == "failed" and "p50>+" in condition)


def test_figures_that_are_parts_of_a_whole_change_by_points() -> None:
    before, after = run_of(0).subjects[0], run_of(0).subjects[0]
    lower = replace(after.accuracy[0], metrics={**after.accuracy[0].metrics, "delta1": 0.9377})  # a point less
    after = replace(after, accuracy=(lower,))
    reports = (with_subject(run_of(0), before), with_subject(run_of(0), after))
    assert states(compare(*reports, ["delta1<-0.9%", "delta1<-1.1%", "abs_rel>+1%"])) == {
        "delta1<-0.9%": "failed",
        "delta1<-1.1%": "passed",
        "abs_rel>+1%": "passed",
    }


@pytest.mark.parametrize("drift", [math.nan, math.inf])
def test_a_figure_that_is_no_number_is_within_no_limit(drift: float) -> None:
    after = replace(run_of(0).subjects[0], drift=replace(make_drift(0.001), mean=drift))
    comparison = compare(run_of(0), with_subject(run_of(0), after), ["drift>0.5%", "drift>+0.5%"])
    assert len(comparison.failed) == 2


def test_a_figure_that_is_gone_fails_its_condition() -> None:
    broken = SubjectResult(BF16, {}, failure="the provider refused the graph")
    comparison = compare(run_of(0), with_subject(run_of(0), broken), ["p50>+5%"])
    assert "host p50 is in the first report and not in the second: the provider refused" in comparison.failed[0].reason


def test_a_subject_that_is_gone_fails_its_conditions_and_is_named() -> None:
    both, one = make_report(0, only=(FP32, BF16)), run_of(1)
    comparison = compare(both, one, ["p50>+5%"])
    assert [(check.subject, check.state) for check in comparison.checks] == [(FP32, "failed"), (BF16, "passed")]
    assert f"{FP32} is only in the first report" in comparison.notes


def test_a_new_subject_is_judged_by_its_values_alone() -> None:
    comparison = compare(run_of(1), make_report(0, only=(FP32, BF16)), ["p50>+5%", "p50>400ms"])
    assert [(one.condition, one.subject) for one in comparison.failed] == [("p50>400ms", FP32)]
    assert f"{FP32} is only in the second report" in comparison.notes


def test_a_condition_that_checks_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="'vram>100MiB': neither report has vram"):
        compare(run_of(0), run_of(1), ["vram>100MiB"])


def started(loads_ms: Sequence[float]) -> Report:
    """Return a report of one subject that was loaded in several fresh processes, with 100 MiB for each millisecond."""
    each = tuple(ColdProcess(10.0, 200.0, load, 50.0, 40.0, 100 * load, vram_mib=100 * load) for load in loads_ms)
    load = median(loads_ms)
    cold = ColdStart(10.0, 200.0, load, 50.0, 40.0, 100 * load, len(each), each=each)
    return with_subject(run_of(0), SubjectResult(BF16, {}, cold=cold, vram_mib=100 * max(loads_ms)))


@pytest.mark.parametrize("processes", [2, 3, 4, 5])
def test_cold_starts_whose_processes_overlap_fail_nothing(processes: int) -> None:
    random = np.random.default_rng(processes)
    tried = 0
    while tried < 40:
        before_ms, after_ms = random.uniform(100, 140, processes), random.uniform(115, 155, processes)
        if after_ms.min() <= before_ms.max():
            tried += 1
            comparison = compare(started(before_ms.tolist()), started(after_ms.tolist()), COLD)
            assert not comparison.failed, (before_ms, after_ms)


def test_a_load_that_became_longer_in_every_process_fails() -> None:
    comparison = compare(started([100, 103, 101]), started([150, 152, 157]), [*COLD, "cold.first>+5%"])
    assert states(comparison) == {**dict.fromkeys(COLD, "failed"), "cold.first>+5%": "passed"}
    assert next(one for one in comparison.changes if one.figure.name == "rss").clear


@pytest.mark.parametrize("figure", ["cold.load", "rss", "vram", "energy", "jitter"])
def test_a_change_of_what_was_measured_once_is_unclear_and_its_value_still_judged(figure: str) -> None:
    subject = replace(run_of(0).subjects[0], vram_mib=900.0)
    assert subject.cold is not None and subject.energy is not None
    more = replace(
        subject,
        cold=replace(subject.cold, load_ms=2 * subject.cold.load_ms, peak_rss_mib=2 * subject.cold.peak_rss_mib),
        energy=replace(subject.energy, joules=2 * subject.energy.joules),
        vram_mib=1800.0,
        latency=tuple(
            replace(one, jitter_ms=None if one.jitter_ms is None else 2 * one.jitter_ms) for one in subject.latency
        ),
    )
    unit = parse_condition(f"{figure}>+5%").figure.unit
    conditions = [f"{figure}>+5%", f"{figure}>+150%", f"{figure}>0{unit}"]
    comparison = compare(with_subject(run_of(0), subject), with_subject(run_of(0), more), conditions)
    assert list(states(comparison).values()) == ["unclear", "passed", "failed"]
    assert "its single values are not in both reports, so its noise is unknown" in comparison.checks[0].reason
    assert not any(one.clear for one in comparison.changes if one.figure.name == figure)


@pytest.mark.parametrize(
    ("condition", "before", "after", "state"),
    [
        ("p50>+5%", Interval(100, 99, 101), Interval(104, 103, 105), "passed"),
        ("p50>+5%", Interval(100, 99, 101), Interval(106, 103, 109), "unclear"),
        ("p50>+5%", Interval(100, 99, 101), Interval(120, 119, 121), "failed"),
        ("p50<-5%", Interval(100, 99, 101), Interval(94, 91, 97), "unclear"),
        ("p50<-5%", Interval(100, 99, 101), Interval(80, 79, 81), "failed"),
        ("p50>105ms", exact(1.0), exact(105.0), "passed"),  # the limit itself is allowed
        ("p50>105ms", exact(1.0), exact(105.1), "failed"),
    ],
)
def test_a_state_is_where_the_limit_lies_beside_the_interval(
    condition: str, before: Interval, after: Interval, state: str
) -> None:
    old, new = ({BF16: with_p50(run_of(0), p50).subjects[0]} for p50 in (before, after))
    (check,) = check_condition(parse_condition(condition), old, new, None, {})
    assert (check.state, check.subject, check.condition) == (state, BF16, condition)


def test_a_check_is_one_line_that_names_its_state_condition_and_subject() -> None:
    assert Check("p50>+5%", "one", "failed", "host p50 grew").line() == "failed: p50>+5% for one: host p50 grew"


def test_a_change_on_other_images_is_in_doubt_and_of_others_is_not() -> None:
    before, after = run_of(0).subjects[0], run_of(1).subjects[0]
    (change,) = changes_of(FIGURES["drift"], before, after, {(BF16, ""): "drift: 3 -> 4 images"})
    assert change.doubt == "not of the same images" and not change.clear
    for others in ({}, {("another", ""): "drift: 3 -> 4 images"}):
        (change,) = changes_of(FIGURES["drift"], before, after, others)
        assert change.doubt == ""
    (change,) = changes_of(FIGURES["host.p50"], before, after, {(BF16, ""): "drift: 3 -> 4 images"})
    assert change.doubt == ""  # times are of no images


def test_a_figure_changes_once_for_each_data_set_in_both_reports() -> None:
    subject = run_of(0).subjects[0]
    other = replace(subject.accuracy[0], dataset="kitti")
    both, single = replace(subject, accuracy=(*subject.accuracy, other)), replace(subject, accuracy=(other,))
    changes = [list(changes_of(FIGURES["abs_rel"], both, after, {})) for after in (both, single)]
    assert [[change.of.split(",")[0] for change in found] for found in changes] == [["nyu", "kitti"], ["kitti"]]
