from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from made_report import BF16, FP32, MADE, make_accuracy, make_drift, make_report

from depthrt.bench.compare.change import absolute_change, relative_change
from depthrt.bench.compare.compare import Comparison, compare
from depthrt.bench.compare.conditions import parse_condition
from depthrt.bench.numbers.figures import IMAGE_NAMES, name_images
from depthrt.bench.numbers.result import Accuracy, ColdProcess, ColdStart, Interval, Report, SubjectResult
from depthrt.bench.report.markdown import comparison_to_markdown
from depthrt.engine.errors import InputError

GATE = ("p50>+5%", "kernel.p50>+5%", "host.p90>+10%", "drift>0.5%", "drift>+0.1%", "abs_rel>+0.01", "rss>+50MiB")
COLD = ("cold.load>+5%", "rss>+5%", "vram>+5%")
SEEDS = range(20)
MONTE_CARLO = 0.02  # of the half width, from 200 000 draws


@cache
def run_of(seed: int, *, slower: float = 1.0, drift: float = 9.4e-4) -> Report:
    """Return a run of the bf16 subject alone."""
    return make_report(seed, slower=slower, drift=drift, only=(BF16,))


def with_subject(report: Report, subject: SubjectResult) -> Report:
    return replace(report, subjects=(subject,))


def with_p50(report: Report, p50_ms: Interval) -> Report:
    """Return a report whose only subject has this median from array to array."""
    subject = report.subjects[0]
    latency = tuple(replace(one, p50_ms=p50_ms) if one.scope == "host" else one for one in subject.latency)
    return with_subject(report, replace(subject, latency=latency))


def states(comparison: Comparison) -> dict[str, str]:
    return {check.condition: check.state for check in comparison.checks}


def exact(value: float) -> Interval:
    return Interval(value, value, value)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_runs_of_the_same_raise_no_alarm(seed: int) -> None:
    comparison = compare(run_of(seed), run_of(seed + 1), GATE)
    assert not comparison.failed
    assert comparison.exit_code == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slow_down_of_10_percent_is_caught(seed: int) -> None:
    comparison = compare(run_of(seed), run_of(seed + 100, slower=1.1), GATE)
    assert states(comparison)["p50>+5%"] == states(comparison)["kernel.p50>+5%"] == "failed"
    assert comparison.exit_code == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drift_of_1_percent_is_caught(seed: int) -> None:
    comparison = compare(run_of(seed), run_of(seed + 1, drift=0.01), GATE)
    assert [check.condition for check in comparison.failed] == ["drift>0.5%", "drift>+0.1%"]


def test_a_gain_is_no_alarm_and_is_shown_as_clear() -> None:
    comparison = compare(run_of(0), run_of(1, slower=0.8), GATE)
    assert not comparison.failed
    host = next(one for one in comparison.changes if one.figure.name == "host.p50")
    assert host.clear
    assert host.relative.high < -0.15


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


@pytest.mark.parametrize(
    ("text", "name", "above", "limit", "change", "relative"),
    [
        ("p50>+5%", "host.p50", True, 0.05, True, True),
        (" kernel.p90 > +2 ms ", "kernel.p90", True, 2.0, True, False),
        ("p50>50ms", "host.p50", True, 50.0, False, False),
        ("drift>0.5%", "drift", True, 0.005, False, False),
        ("drift>+0.1%", "drift", True, 0.001, True, False),
        ("abs_rel>+.01", "abs_rel", True, 0.01, True, False),
        ("abs_rel>+5%", "abs_rel", True, 0.05, True, True),
        ("delta1<-1%", "delta1", False, -0.01, True, False),
        ("rss>+50MiB", "rss", True, 50.0, True, False),
        ("throughput<-5%", "throughput", False, -0.05, True, True),
        ("missed>1%", "rate.missed", True, 0.01, False, False),
    ],
)
def test_a_condition_is_read(text: str, name: str, above: bool, limit: float, change: bool, relative: bool) -> None:
    found = parse_condition(text)
    assert (found.figure.name, found.above, found.change, found.relative) == (name, above, change, relative)
    assert found.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a figure, > or <, and a limit"),
        ("p50", "expected a figure"),
        ("p50>=5%", "expected a figure"),
        ("p50>+five%", "expected a figure"),
        ("p50>+5%, drift>1%", "expected a figure"),
        ("p51>+5%", "is about 'p51', expected one of kernel.p50"),
        ("gpu.p50>+5%", "is about 'gpu.p50'"),
        ("p50>5%", "is a change and needs a sign, such as .5%; .* in ms"),
        ("abs_rel>5%", "needs a sign"),
        ("p50>+5MiB", "unit 'MiB' found, expected ms or %"),
        ("p50>50", "unit 'none' found, expected ms or %"),
        ("drift>5ms", "unit 'ms' found, expected no unit or %"),
    ],
)
def test_a_condition_that_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_condition(text)


def test_the_interval_of_a_change_is_that_of_two_independent_figures() -> None:
    random = np.random.default_rng(1)
    spread = (0.02, 0.035)  # standard deviations of the two logarithms
    drawn = [math.log(value) + random.normal(0, one, 200_000) for value, one in zip((50, 60), spread, strict=True)]
    low, high = np.percentile(np.exp(drawn[1] - drawn[0]) - 1, (2.5, 97.5))
    figures = [
        Interval(value, value * math.exp(-1.96 * one), value * math.exp(1.96 * one))
        for value, one in zip((50, 60), spread, strict=True)
    ]
    found = relative_change(*figures)
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(low, abs=MONTE_CARLO * (high - low))
    assert found.high == pytest.approx(high, abs=MONTE_CARLO * (high - low))


def test_a_change_of_exact_figures_has_no_interval() -> None:
    assert absolute_change(exact(2.0), exact(3.5)) == exact(1.5)
    assert relative_change(exact(2.0), exact(3.0)).low == pytest.approx(0.5)
    assert relative_change(exact(0.0), exact(0.0)) == exact(0.0)
    assert relative_change(exact(0.0), exact(1.0)) == exact(math.inf)


def test_an_interval_that_reaches_zero_leaves_the_change_open() -> None:
    found = relative_change(Interval(10, 9, 11), Interval(20, 0, 25))
    assert found.low == -1
    assert found.high > 1


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


def test_reports_without_a_common_subject_are_refused() -> None:
    other = with_subject(run_of(0), replace(run_of(0).subjects[0], name="other.onnx"))
    with pytest.raises(InputError, match="at least one name in both"):
        compare(run_of(0), other)


@pytest.mark.parametrize("difference", [{"cpu": "Intel Xeon"}, {"cores": 4}, {"gpu": "NVIDIA L4"}])
def test_another_machine_is_refused_unless_it_is_asked_for(difference: Mapping[str, object]) -> None:
    machine = replace(run_of(1).machine, **difference)  # type: ignore[arg-type]
    elsewhere = replace(run_of(1), machine=machine)
    with pytest.raises(InputError, match=f"different machines .{next(iter(difference))} .* --across-machines"):
        compare(run_of(0), elsewhere)
    comparison = compare(run_of(0), elsewhere, across_machines=True)
    assert any(note.startswith("machine: ") for note in comparison.notes)


def test_other_versions_and_settings_are_noted() -> None:
    made = replace(MADE, versions={**MADE.versions, "onnxruntime": "1.25.0"}, settings={**MADE.settings, "rounds": "3"})
    comparison = compare(run_of(0), replace(run_of(1), made=made))
    assert "version of onnxruntime: 1.24.1 -> 1.25.0" in comparison.notes
    assert "setting rounds: 30 -> 3" in comparison.notes


def test_the_text_says_what_failed_and_by_how_much() -> None:
    before = with_p50(run_of(0), Interval(100, 99, 101))
    after = with_p50(run_of(0), Interval(110, 109, 111))
    comparison = compare(before, after, ["p50>+5%"])
    lines = list(comparison.lines())
    assert lines[0] == BF16
    failed = next(line for line in lines if line.startswith("failed: "))
    assert failed.startswith(f"failed: p50>+5% for {BF16}: host p50 100 ms -> 110 ms: +10.0 % (95 % +8.")
    assert lines[-1] == "1 of 1 checks failed"
    assert "**1 of 1 checks failed**" in comparison_to_markdown(comparison)
    assert "p50\\>+5%" in comparison_to_markdown(comparison)


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
