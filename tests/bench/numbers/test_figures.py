"""Figures of a subject by name: their values, their noise and their titles."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from made_report import BF16, EAGER, FP32, make_accuracy, make_constant, make_latency, make_report

from depthrt.bench.numbers.figures import (
    FIGURES,
    best_throughput,
    conditions_of,
    exact,
    first_accuracy,
    latency_in,
    missed_share,
    name_images,
    speed,
)
from depthrt.bench.numbers.result import ColdProcess, Report, SubjectResult
from depthrt.engine.terms import SCOPES


@cache
def whole() -> Report:
    return make_report()


def of(name: str) -> SubjectResult:
    return next(subject for subject in whole().subjects if subject.name == name)


def test_a_latency_is_found_by_its_scope() -> None:
    subject = whole().subjects[0]
    assert [found.scope for scope in ("host", "rate") if (found := latency_in(subject, scope))] == ["host", "rate"]
    assert latency_in(subject, "gpu") is None


def test_every_figure_of_a_measured_subject_has_a_value_and_of_a_failed_one_none() -> None:
    measured, failed = of(BF16), whole().subjects[-1]
    empty = {name for name, figure in FIGURES.items() if not figure.read(measured)}
    assert empty == {"speed", "vram"}  # made_report has neither a run's speeds nor a GPU
    assert failed.failure and not any(figure.read(failed) for figure in FIGURES.values())


@pytest.mark.parametrize("scope", SCOPES)
def test_a_percentile_has_the_interval_of_its_latency(scope: str) -> None:
    latency = latency_in(of(FP32), scope)
    assert latency is not None
    assert FIGURES[f"{scope}.p90"].read(of(FP32)) == {"": latency.p90_ms}


def test_missed_frames_are_a_share_of_all_that_arrived() -> None:
    latency = make_latency("rate", [1.0] * 30, rate_hz=5.0, missed=10, jitter_ms=1.0)
    assert missed_share(latency) == 0.25
    assert missed_share(make_latency("host", [1.0] * 30)) is None


def test_a_metric_is_read_for_each_data_set_and_its_rules() -> None:
    aligned = make_accuracy(0.05)
    raw = replace(make_accuracy(0.09), dataset="room", alignment="none", cap_m=None, crop="none")
    found = FIGURES["abs_rel"].read(replace(of(BF16), accuracy=(aligned, raw)))
    assert found == {"nyu, scale-and-shift, to 10 m, eigen crop": exact(0.05)[""], "room, not aligned": exact(0.09)[""]}
    assert conditions_of(raw) == "room, not aligned"


def test_the_first_accuracy_leaves_out_subjects_of_other_rules() -> None:
    other = replace(of(BF16), accuracy=(replace(make_accuracy(0.01), crop="garg"),))
    conditions, found = first_accuracy(replace(whole(), subjects=(of(EAGER), other, of(FP32))))
    assert conditions == "nyu, scale-and-shift, to 10 m, eigen crop" and list(found) == [EAGER, FP32]


@pytest.mark.parametrize(("loads_ms", "known"), [((), False), ((410.0,), False), ((400.0, 410.0, 430.0), True)])
def test_the_noise_of_a_cold_start_is_known_from_two_processes_on(loads_ms: tuple[float, ...], known: bool) -> None:
    cold = of(BF16).cold
    assert cold is not None
    each = tuple(ColdProcess(1, 1, load_ms, 1, 1, 1) for load_ms in loads_ms)
    subject = replace(of(BF16), cold=replace(cold, each=each))
    (found,) = FIGURES["cold.load"].read(subject).values()
    assert FIGURES["cold.load"].noise_known(subject) is known
    assert found.value == 410.0 and (found.low < 410.0 < found.high) is known


def test_the_best_throughput_is_that_of_most_images_a_second() -> None:
    best = best_throughput(of(BF16))
    assert best is not None and best.value == max(load.images_per_s.value for load in of(BF16).throughput)
    assert best_throughput(whole().subjects[-1]) is None


def test_a_speed_is_the_baseline_s_time_over_the_latency() -> None:
    slow, fast = (latency_in(make_constant("a", ms), "host") for ms in (30.0, 12.0))
    assert slow is not None and fast is not None
    found = speed(slow, fast)
    assert (found.value, found.low, found.high) == pytest.approx((2.5, 2.5, 2.5))


def test_images_are_named_by_their_file_names_in_any_order_and_folder() -> None:
    assert name_images([Path("a/1.png"), Path("a/2.png")]) == name_images([Path("b/2.png"), Path("b/1.png")])
    assert name_images([Path("1.png")]) != name_images([Path("2.png")])
    assert name_images([Path("caf\udce9.png")])  # a name that is not UTF-8
