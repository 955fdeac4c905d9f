from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_model import TinyModel, read_inverse

from depthrt import ParityError
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.adopt.compare import compare_with
from depthrt.export.adopt.plan import Plan
from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint
from depthrt.export.families.rules import HALF, IMAGENET_MEAN, IMAGENET_STD
from depthrt.export.parity.parity import torch_answer

SIZE_PX = (56, 84)
PLAN = Plan(SizeRule(SIZE_PX, 14, "stretch"), SIZE_PX, IMAGENET_MEAN, IMAGENET_STD, None, ())
PATH = Path("theirs.onnx")


def test_a_file_of_the_same_weights_has_a_small_drift(tiny: TinyModel) -> None:
    checkpoint = read_inverse(tiny)
    network = load_network(checkpoint)
    assert compare_with(checkpoint, PLAN, lambda batch: torch_answer(network, batch), file=PATH, batch=2) == 0
    rounded = compare_with(
        checkpoint,
        PLAN,
        lambda batch: torch_answer(network, batch.astype("float16").astype("float32")),
        file=PATH,
        batch=1,
    )
    assert 0 < rounded < 0.01


def test_one_of_other_weights_or_colours_is_refused(tiny: TinyModel, tmp_path: Path) -> None:
    checkpoint = read_inverse(tiny)
    state = {name: tensor.flip(0) if "depth_head" in name else tensor for name, tensor in tiny.state.items()}
    torch.save(state, tmp_path / "other.pth")
    other = load_network(read_checkpoint(tmp_path / "other.pth", family="depth-anything-v2", kind="inverse"))
    message = r"theirs\.onnx is not the network of .*tiny\.pth: its drift is .* at 56x84 px, at most 0\.1 expected"
    with pytest.raises(ParityError, match=message):
        compare_with(checkpoint, PLAN, lambda batch: torch_answer(other, batch), file=PATH, batch=1)
    network = load_network(checkpoint)
    swapped = Plan(PLAN.size, SIZE_PX, HALF, (0.05,) * 3, None, ())
    with pytest.raises(ParityError, match=r"or another --mean and --std"):
        compare_with(checkpoint, swapped, lambda batch: torch_answer(network, batch), file=PATH, batch=1)
