"""Candidates are tried in fresh processes, so that a crash takes nothing with it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from tiny_model import PHOTOS, TinyModel

from depthrt import BackendUnavailable
from depthrt.bench.latency.turns import Rounds
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
