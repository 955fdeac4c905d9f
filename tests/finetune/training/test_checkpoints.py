"""The best checkpoints: how they are ranked, which are removed, and which facts they hold."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_checkpoint import TINY, random_network
from tiny_training import QUICK, Planes, Scores, run, small_convolutions

from depthrt.engine.errors import InputError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.finetune.training.checkpoints import Course, Origin, keep_checkpoint, write_weights


def test_the_best_checkpoints_are_kept_and_no_others(tmp_path: Path) -> None:
    options = replace(QUICK, steps=5, validate_every=1, keep_best=2)
    result = run(tmp_path, options, validation=Scores([0.9, 0.3, 0.8, 0.2, 0.5]))
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "best-0000002.safetensors",
        "best-0000004.safetensors",
    ]
    assert result.best == tmp_path / "best-0000004.safetensors"
    assert describe_checkpoint(result.best).notes == {"step": "4", "error": "0.2"}


@pytest.mark.parametrize("score", [math.nan, -math.inf])
def test_a_score_that_is_not_finite_is_never_the_best(tmp_path: Path, score: float) -> None:
    options = replace(QUICK, steps=3, validate_every=1, keep_best=1)
    result = run(tmp_path, options, validation=Scores([score, 0.5, score]))
    assert result.best == tmp_path / "best-0000002.safetensors"
    assert list(tmp_path.glob("best-*")) == [result.best]


def test_the_best_checkpoint_of_a_network_with_norms_reads_back(tmp_path: Path) -> None:
    network = small_convolutions()
    options = replace(QUICK, steps=2)
    result = run(tmp_path, options, network=network, source=Planes((32, 32)), validation=Scores([1.0]))
    assert result.best is not None
    batch = torch.randn((1, 3, 32, 64), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(load_network(read_checkpoint(result.best))(batch), network.eval()(batch), atol=1e-4)


def test_written_weights_say_family_kind_licence_and_figures(tmp_path: Path) -> None:
    path = tmp_path / "metric.safetensors"
    write_weights(
        path, random_network(TINY, max_depth_m=7.5), {"step": 3, "error": 0.1234567}, Origin("MIT", {"data": "rooms"})
    )
    facts = describe_checkpoint(path)
    assert (facts.family, facts.kind, facts.licence) == ("depth-anything-v2", "metric", "MIT")
    assert facts.notes == {"data": "rooms", "step": "3", "error": "0.123457"}
    assert load_network(read_checkpoint(path)).max_depth_m == 7.5


def test_a_checkpoint_is_kept_if_it_is_among_the_best_and_removes_the_worst(tmp_path: Path) -> None:
    network, options, course = random_network(TINY), replace(QUICK, keep_best=2), Course()
    best = []
    for step, score in enumerate((0.5, 0.7, 0.6, 0.9, 0.4), 1):
        course.step = step
        best.append(keep_checkpoint(tmp_path, course, {"error": score}, options, network))
    assert best == [True, False, False, False, True]
    assert course.waits == 0
    assert course.kept == [(0.4, 5, "best-0000005.safetensors"), (0.5, 1, "best-0000001.safetensors")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(name for *_, name in course.kept)


def test_validations_without_a_better_score_are_counted(tmp_path: Path) -> None:
    network, course = random_network(TINY), Course()
    for score in (0.5, 0.5, 0.6, math.nan):
        keep_checkpoint(tmp_path, course, {"error": score}, QUICK, network)
    assert course.waits == 3


def test_a_judge_that_the_validation_did_not_return_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the validation returned a, b, not error; choose the judge among them"):
        keep_checkpoint(tmp_path, Course(), {"a": 1.0, "b": 2.0}, QUICK, random_network(TINY))
    assert list(tmp_path.iterdir()) == []
