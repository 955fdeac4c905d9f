"""Subjects: opened, waited for, described."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_subjects import depth_of, find
from made_subjects import MadeRunner, slope
from made_subjects import subject as made_subject
from planted_runner import PlantedRunner, Time, planted
from tiny_model import TinyModel

from depthrt.bench.numbers.figures import COMPUTED_IN
from depthrt.bench.subjects.subject import (
    BLOCKING_RUNNERS,
    CPU_PROVIDERS,
    Subject,
    facts_of,
    find_wait,
    open_subject,
    open_subjects,
)
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.terms import Precision


def test_a_runner_that_cannot_say_when_its_device_is_done_gets_no_figure() -> None:
    runner = PlantedRunner(Time())
    runner.synchronise = None  # type: ignore[method-assign, assignment]
    with pytest.raises(BackendUnavailable, match=r"planted on npu cannot wait for its device, .*`synchronise`"):
        planted(runner)
    assert runner.closed == 1


def test_what_cannot_be_opened_is_a_failure_and_the_others_go_on(tiny: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "plan.engine").write_bytes(b"x")
    (tmp_path / "broken.pth").write_bytes(b"x")
    found = find(tmp_path / "none.onnx", tmp_path / "plan.engine", tmp_path / "broken.pth", tiny.onnx)
    loaded = open_subjects([*found, Subject("mine", open=lambda: 1 / 0)])  # type: ignore[arg-type, return-value]
    assert [*loaded.found] == ["tiny.onnx cpu"]
    failures = loaded.failures
    assert [*failures] == ["none.onnx cpu", "plan.engine cuda", "broken.pth torch fp32 cpu", "mine"]
    assert "does not exist" in failures["none.onnx cpu"] and "is not an engine file" in failures["plan.engine cuda"]
    assert failures["mine"] == "ZeroDivisionError: division by zero"
    assert not any("\n" in why for why in failures.values())
    loaded.found["tiny.onnx cpu"].model.close()


def test_a_device_that_was_asked_for_and_does_not_work_is_a_failure(tiny: TinyModel) -> None:
    if torch.cuda.is_available():
        pytest.skip("CUDA works here")
    failures = open_subjects(find(tiny.onnx, tiny.checkpoint, devices=["cuda"])).failures
    assert [*failures] == ["tiny.onnx cuda", "tiny.pth torch fp32 cuda"]
    by_onnx, by_torch = failures.values()
    assert "CUDA" in by_onnx and "torch finds no CUDA device" in by_torch


def test_subjects_travel_to_other_processes(tiny: TinyModel) -> None:
    for subject in find(tiny.onnx, tiny.checkpoint, study=True):
        again: Subject = pickle.loads(pickle.dumps(subject))
        assert (again.name, again.facts, again.needs) == (subject.name, subject.facts, subject.needs)
        assert np.array_equal(depth_of(again), depth_of(subject))


def test_facts_say_what_truly_runs(tiny: TinyModel) -> None:
    (subject,) = find(tiny.onnx)
    with (opened := open_subject(subject)).model:
        facts = facts_of(opened, (400, 600))
    assert facts["file"] == str(tiny.onnx)
    assert (facts["runner"], facts["provider"], facts["precision"]) == ("onnxruntime", "CPUExecutionProvider", "fp32")
    assert (facts["input"], facts["threads"], facts["model"]) == ("126x196", "1", "depth-anything-v2-vit64x4")


@pytest.mark.parametrize("name", BLOCKING_RUNNERS)
def test_a_runner_that_blocks_needs_no_wait_on_a_device(name: str) -> None:
    runner = MadeRunner(slope())
    runner.name, runner.provider = name, "cuda"
    with made_subject("made", runner).open() as model:
        find_wait(model)()


@pytest.mark.parametrize("provider", CPU_PROVIDERS)
def test_any_runner_on_the_cpu_needs_no_wait(provider: str) -> None:
    runner = MadeRunner(slope())
    runner.name, runner.provider = "other", provider
    with made_subject("made", runner).open() as model:
        find_wait(model)()


def test_a_runner_s_own_wait_is_called_wherever_it_runs() -> None:
    time = Time()
    runner = PlantedRunner(time, device_ms=20.0)
    runner.provider = "cpu"
    with (opened := planted(runner)).model:
        opened.wait()
    assert time.now_ns == 20e6


def test_facts_known_before_are_kept_and_the_input_is_that_of_the_image() -> None:
    made = replace(made_subject("made", MadeRunner(slope(), "bf16")), facts={"file": "made.pth"})
    with (opened := open_subject(made)).model:
        facts = facts_of(opened, (100, 200))
    assert (facts["file"], facts["input"], facts["precision"]) == ("made.pth", "28x56", "bf16")
    assert facts["source"] == opened.model.contract.source_name


@pytest.mark.parametrize(
    ("runner", "provider", "precision", "computed"),
    [
        ("onnxruntime", "CPUExecutionProvider", "fp16", "fp32"),
        ("onnxruntime", "CPUExecutionProvider", "fp16-safe", "fp32"),
        ("onnxruntime", "CPUExecutionProvider", "fp32", None),
        ("onnxruntime", "CUDAExecutionProvider", "fp16", None),
        ("torch", "cpu", "fp16", None),
    ],
)
def test_half_precision_that_a_cpu_computes_in_float32_is_a_fact(
    runner: str, provider: str, precision: Precision, computed: str | None
) -> None:
    made = MadeRunner(slope(), precision)
    made.name, made.provider = runner, provider
    with (opened := open_subject(made_subject("made", made))).model:
        assert facts_of(opened, (100, 200)).get(COMPUTED_IN) == computed
