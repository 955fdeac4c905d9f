"""The library call of `depthrt tune`: what it measures and what it picks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_report import make_latency
from numpy.typing import NDArray
from recalled import recall_choice
from tiny_model import PHOTOS, TinyModel

from depthrt import BackendUnavailable, BudgetError, InputError
from depthrt.bench.drift.drift_meter import DriftMeter
from depthrt.bench.numbers.result import Drift, Interval
from depthrt.bench.numbers.statistics import compare_medians
from depthrt.bench.run.candidates import Candidate
from depthrt.bench.run.request import TuneRequest
from depthrt.bench.run.tune import ROUNDS, fastest, find_reference, tune
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners.choice import Choice
from depthrt.engine.system.spread import spread
from depthrt.engine.terms import CpuRunner, Precision

THREADS = 1  # two that share the cores of a busy machine wait for each other
COFFEE = PHOTOS / "coffee.jpg"
PLAIN = Choice("onnxruntime", "fp32", THREADS)


def drift(mean: float) -> Drift:
    reference = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    meter = DriftMeter("reference", kind="inverse")
    meter.add("image", reference, reference + np.float32(0.96 * mean))
    return replace(meter.result(), mean=mean)


def candidate(
    speed: float, mean: float, *, runner: CpuRunner = "openvino", precision: Precision = "bf16", failure: str = ""
) -> Candidate:
    return Candidate(
        Choice(runner, precision, THREADS), speed=Interval(speed, speed, speed), drift=drift(mean), failure=failure
    )


def test_fewer_threads_are_tried_and_taken_where_they_are_faster(tiny: TinyModel) -> None:
    found = tune(TuneRequest(tiny.onnx, images=[COFFEE], threads=2, rounds=2, choices=()))
    wide, *narrow = found.candidates  # ONNX Runtime alone, which is always measured
    assert wide.choice == found.default == replace(PLAIN, threads=2) and wide.speed is not None
    if not narrow:
        assert any(note.startswith("onnxruntime fp32, 1 thread was left out") for note in found.notes)
        assert found.chosen is wide
        return
    (one,) = narrow
    assert one.choice == replace(PLAIN, threads=1) and one.speed is not None
    assert (found.chosen is one) == (one.speed.low > 1.0)  # noise leaves the default
    assert recall_choice(open_model_file(tiny.onnx), 2) == found.chosen.choice


def test_a_choice_that_fails_is_listed_with_its_reason_and_the_others_go_on(tiny: TinyModel) -> None:
    impossible = Choice("onnxruntime", "bf16", 1)
    found = tune(TuneRequest(tiny.onnx, images=[COFFEE], threads=1, rounds=2, choices=[impossible]))
    by_choice = {one.choice: one for one in found.candidates}
    assert by_choice[impossible].failure and by_choice[impossible].latency is None
    assert found.chosen.choice in (PLAIN, found.default)
    (trial,) = [one for one in found.tuning.trials if one.choice == impossible]
    assert trial.failure == by_choice[impossible].failure and trial.median_ms is None


def test_the_fastest_within_the_budget_wins() -> None:
    plain, quick = candidate(1.0, 0.0, runner="onnxruntime", precision="fp32"), candidate(2.0, 0.002)
    over = candidate(3.0, 0.02, precision="int8")
    assert fastest([plain, quick, over], 0.005) is quick
    assert fastest([plain, quick, over], 0.03) is over
    assert fastest([plain, quick, over], 0.001) is plain


def test_of_two_that_are_as_fast_the_one_that_drifts_less_wins() -> None:
    slower, coarse = candidate(1.99, 0.001), candidate(2.0, 0.004, precision="int8")
    assert fastest([coarse, slower], 0.005) is slower
    exact, rounded = candidate(2.0, 0.0, precision="fp32"), candidate(2.01, 1e-7, precision="fp32")
    assert fastest([exact, rounded], 0.005) is rounded  # rounding is no drift, so speed decides


def noisy(value: float, low: float, high: float, mean: float = 0.002, precision: Precision = "bf16") -> Candidate:
    return replace(candidate(value, mean, precision=precision), speed=Interval(value, low, high))


def test_the_default_stays_unless_another_is_clearly_faster() -> None:
    plain = candidate(1.0, 0.0, runner="onnxruntime", precision="fp32")
    unclear, clear = noisy(2.0, 0.805, 4.9), noisy(1.4, 1.3, 1.5, precision="int8")
    assert fastest([plain, unclear], 0.005, default=plain.choice) is plain
    assert fastest([plain, unclear, clear], 0.005, default=plain.choice) is clear
    assert fastest([plain, unclear], 0.005) is unclear
    assert fastest([plain, noisy(2.0, 1.0, 4.9)], 0.005, default=plain.choice) is plain
    broken = replace(plain, failure="it fails in a fresh process")
    assert fastest([broken, unclear], 0.005, default=plain.choice) is unclear  # something has to run the file


def drawn(choice: Choice, times_ms: NDArray[np.float64], base_ms: NDArray[np.float64], mean: float) -> Candidate:
    samples, base = tuple(times_ms.tolist()), tuple(base_ms.tolist())
    speed = compare_medians(samples, base, per_round=ROUNDS.calls, paired=True)
    latency = make_latency("host", samples)
    return Candidate(choice, latency=latency, speed=speed, drift=drift(mean))


@pytest.mark.parametrize("rounds", [3, 9])
def test_noise_does_not_choose(rounds: int) -> None:
    """The same code under three names, on a machine whose speed varies by a third from turn to turn."""
    names = [PLAIN, Choice("openvino", "fp32", 1), Choice("openvino", "bf16", 1)]
    chosen = Counter[Choice]()
    for seed in range(40):
        series = 20 * np.exp(np.random.default_rng(seed).normal(0, 0.3, (3, rounds * ROUNDS.calls)))
        found = [drawn(name, times, series[0], 0.001) for name, times in zip(names, series, strict=True)]
        chosen[fastest(found, 0.005, default=PLAIN).choice] += 1
    assert chosen[PLAIN] >= 36  # of 40; two names, each wrong in 2.5 % of the runs


def test_of_two_that_noise_does_not_tell_apart_the_one_that_drifts_less_wins() -> None:
    random = np.random.default_rng(0)
    series = np.array([40.0, 20.0, 18.0])[:, None] * np.exp(random.normal(0, [[0.02], [0.3], [0.3]], (3, 18)))
    names = [PLAIN, Choice("openvino", "fp32", 1), Choice("openvino", "bf16", 1)]
    found = [
        drawn(name, times, series[0], mean) for name, times, mean in zip(names, series, (0.0, 0.0, 0.004), strict=True)
    ]
    assert fastest(found, 0.005, default=PLAIN).choice == names[1]


def test_a_budget_of_nothing_allows_the_rounding_of_float32_alone() -> None:
    assert candidate(1.0, 1e-6, precision="fp32").within(0.0)
    assert not candidate(1.0, 1e-4, precision="fp32").within(0.0)
    assert not candidate(1.0, 1e-6, precision="bf16").within(0.0)


def test_what_failed_never_wins_and_each_reason_is_named() -> None:
    broken, over = candidate(9.0, 0.0, failure="3 values of its answers are not finite"), candidate(2.0, 0.02)
    with pytest.raises(BudgetError, match=r"within a drift of 0.500 % .*not finite.*drift 2.00 %"):
        fastest([broken, over], 0.005)


def test_images_for_times_are_spread_over_all() -> None:
    paths = [Path(str(number)) for number in range(10)]
    assert spread(paths, 4) == [paths[0], paths[2], paths[5], paths[7]]
    assert spread(paths[:3], 4) == paths[:3]


def test_the_reference_is_onnx_runtime() -> None:
    assert find_reference([Choice("openvino", "fp32", 2), PLAIN]) == PLAIN
    with pytest.raises(BackendUnavailable, match=r"pip install 'depthrt\[cpu\]'"):
        find_reference([Choice("openvino", "fp32", 2)])


@pytest.mark.parametrize("budget", [1.0, -0.1, float("nan")])
def test_a_budget_that_is_not_a_share_is_refused(budget: float) -> None:
    with pytest.raises(InputError, match=f"drift_budget {budget} found, expected a share from 0 to below 1"):
        TuneRequest("model.onnx", drift_budget=budget)
