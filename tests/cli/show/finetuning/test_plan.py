"""What a fine-tuning says of its data, weights and memory; and how few names a merge prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.cli.show.finetuning.plan import _memory, _trained, show_merged
from depthrt.finetune.adapt.memory import StepMemory
from depthrt.finetune.adapt.merge import Merged
from depthrt.finetune.training.options import TrainOptions

MEMORY = StepMemory(1279, 1279, 2558, 0, 640, 500, 300, 335_000_000, 335_300_000)


def test_memory_is_said_in_parts_and_in_total() -> None:
    said = _memory(MEMORY)
    assert said.startswith("6.87 GB a step: weights 1.34, gradients 1.34, AdamW 2.68, starting network 0.67")
    assert "moving average" not in said


def test_rates_are_those_of_head_and_encoder() -> None:
    assert _trained(TrainOptions(), MEMORY) == "335.0 of 335.3 million weights; head at 5e-05, encoder at 5e-06"
    assert "encoder by LoRA of rank 8" in _trained(TrainOptions(lora_rank=8), MEMORY)
    assert "each block at 0.9 of the next one's rate" in _trained(TrainOptions(layer_decay=0.9), MEMORY)


def test_long_lists_of_names_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show_merged(Merged(Path("out.pth"), ("a",), tuple("bcdef"), (), ()))
    shown = capsys.readouterr()
    assert "5 tensors were kept as they are in the official file: b, c, d and 2 more" in shown.err
    assert shown.out == "out.pth: 1 tensors replaced, 5 kept, 0 mismatched\n"
