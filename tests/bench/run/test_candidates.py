"""Candidates are tried in fresh processes, so that a crash takes nothing with it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_subjects import Answer, MadeRunner, slope, subject, write_images
from tiny_model import PHOTOS, TinyModel

from depthrt import BackendUnavailable
from depthrt.bench.latency.turns import Rounds
from depthrt.bench.machine.cold_start import ColdRun
from depthrt.bench.numbers.result import ColdStart
from depthrt.bench.run import candidates as candidates_module
from depthrt.bench.run.candidates import Candidates
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.runners.choice import Choice

THREADS = 1  # two that share the cores of a busy machine wait for each other
COFFEE = PHOTOS / "coffee.jpg"
PLAIN = Choice("onnxruntime", "fp32", THREADS)


class Crashing(Candidates):
    """One choice ends its process in the way of a wrong instruction in a library."""

    def subject(self, choice: Choice) -> Subject:
        found = super().subject(choice)
        return replace(found, open=os.abort) if choice.precision == "int8" else found


def test_a_choice_that_crashes_takes_nothing_with_it(tiny: TinyModel) -> None:
    good, bad = PLAIN, Choice("onnxruntime", "int8", 1)
    with Crashing(tiny.onnx, [COFFEE], reference=good, on_step=lambda *_: None) as field:
        field.start([good, bad])
        worked, crashed = field.measure([good, bad], Rounds(2, 1, ("host",), 2), base=good)
    assert "fails in a fresh process" in crashed.failure and crashed.speed is None
    assert worked.speed is not None and worked.speed.value == 1.0 and not worked.failure


def test_a_reference_that_fails_stops_the_run_with_its_reason(tiny: TinyModel) -> None:
    bad = Choice("onnxruntime", "int8", 1)
    with Crashing(tiny.onnx, [COFFEE], reference=bad, on_step=lambda *_: None) as field:
        field.start([bad])
        with pytest.raises(BackendUnavailable, match="the reference for drift, onnxruntime int8, 1 thread, fails here"):
            field.measure([bad], Rounds(2, 1, ("host",), 2), base=bad)


COLD = ColdStart(10.0, 200.0, 40.0, 50.0, 45.0, 300.0, 1)
QUICK = Rounds(2, 1, ("host",), 2)
BF16, OPENVINO = Choice("onnxruntime", "bf16", THREADS), Choice("openvino", "fp32", THREADS)


class Planted(Candidates):
    """Each choice answers what it is told to, by the runner and precision of its name or of a fallback."""

    def __init__(
        self, images: Sequence[Path], answers: Mapping[Choice, Answer], fallback: Mapping[Choice, Choice] | None = None
    ) -> None:
        self.steps: list[tuple[str, int, int]] = []
        super().__init__(Path("made.onnx"), images, reference=PLAIN, on_step=lambda *step: self.steps.append(step))
        self.runners: dict[Choice, MadeRunner] = {}
        self.closed: list[Choice] = []
        for choice, answer in answers.items():
            runs = (fallback or {}).get(choice, choice)
            self.runners[choice] = MadeRunner(answer, runs.precision)
            self.runners[choice].name = runs.runner
            self.runners[choice].close = lambda choice=choice: self.closed.append(choice)  # type: ignore[method-assign,misc]

    def __enter__(self) -> Planted:
        return self

    def subject(self, choice: Choice) -> Subject:
        return subject(str(choice), self.runners[choice])


@pytest.fixture
def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates_module, "measure_cold_start", lambda *_, **__: ColdRun(COLD, None))


@pytest.mark.usefixtures("_no_processes")
def test_choices_have_drift_from_the_reference_and_speed_against_the_base(tmp_path: Path) -> None:
    answers = {PLAIN: slope(), BF16: slope(0.1), OPENVINO: slope()}
    with Planted(write_images(tmp_path), answers) as field:
        assert [found.cold for found in field.start([PLAIN, BF16, OPENVINO])] == [COLD] * 3
        assert field.start([PLAIN]) == []  # tried before
        plain, rounded, other = field.measure([PLAIN, BF16, OPENVINO], QUICK, base=PLAIN)
        assert not field.closed
    assert sorted(map(str, field.closed)) == sorted(map(str, answers))
    assert plain.speed is not None and plain.speed.value == 1
    assert rounded.speed is not None and other.speed is not None
    for found, drifts in ((plain, False), (rounded, True), (other, False)):
        assert found.drift is not None and found.drift.images == 3
        assert (found.drift.mean > 0) == drifts


@pytest.mark.usefixtures("_no_processes")
def test_a_fallback_is_not_measured_under_the_name_of_the_choice(tmp_path: Path) -> None:
    with Planted(write_images(tmp_path), {PLAIN: slope(), OPENVINO: slope()}, {OPENVINO: PLAIN}) as field:
        field.start([PLAIN, OPENVINO])
        _, other = field.measure([PLAIN, OPENVINO], QUICK, base=PLAIN)
    assert "onnxruntime fp32 was opened in its place" in other.failure
    assert other.speed is None and other.drift is None and not other.within(1.0)


@pytest.mark.usefixtures("_no_processes")
def test_answers_that_are_not_finite_fail_the_choice_before_it_is_timed(tmp_path: Path) -> None:
    def lost(call: int) -> np.ndarray:
        values = slope()(call).copy()
        values[0, :2] = np.nan
        return values

    with Planted(write_images(tmp_path), {PLAIN: slope(), BF16: lost}) as field:
        field.start([PLAIN, BF16])
        _, rounded = field.measure([PLAIN, BF16], QUICK, base=PLAIN)
    assert rounded.failure.startswith("6 values of its answers are not finite")
    assert rounded.latency is None and not rounded.within(1.0)


@pytest.mark.usefixtures("_no_processes")
@pytest.mark.parametrize("fails_at", [1, 3, 5], ids=["first image", "last image", "times"])
def test_a_choice_that_fails_late_keeps_its_reason_and_the_others_their_figures(tmp_path: Path, fails_at: int) -> None:
    def answer(call: int) -> np.ndarray:
        if call >= fails_at:
            raise RuntimeError("the device\n is gone")
        return slope()(call)

    with Planted(write_images(tmp_path), {PLAIN: slope(), BF16: answer}) as field:
        field.start([PLAIN, BF16])
        plain, rounded = field.measure([PLAIN, BF16], QUICK, base=BF16)
    assert rounded.failure == "RuntimeError: the device is gone" and rounded.speed is None
    assert plain.speed is not None and plain.speed.value == 1  # against the reference, as the base failed


@pytest.mark.usefixtures("_no_processes")
def test_each_step_is_reported_with_its_place(tmp_path: Path) -> None:
    with Planted(write_images(tmp_path, 2), {PLAIN: slope(), BF16: slope()}) as field:
        field.start([PLAIN, BF16])
        field.measure([PLAIN, BF16], QUICK, base=PLAIN)
    titles = [title for title, _, _ in field.steps]
    assert list(dict.fromkeys(titles)) == ["trying each in a fresh process", "loading", "drift", "times"]
    assert [step[1:] for step in field.steps if step[0] == "drift"] == [(0, 2), (1, 2)]
