from __future__ import annotations

from pathlib import Path

import pytest
from random_checkpoint import TINY, random_network, save_official

from depthrt import ParityError
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.adopt.compare import compare_with
from depthrt.export.adopt.plan import Plan
from depthrt.export.checkpoint.checkpoint import Checkpoint, load_network, read_checkpoint
from depthrt.export.families.rules import HALF, IMAGENET_MEAN, IMAGENET_STD
from depthrt.export.network.depth_anything import DepthAnything
from depthrt.export.parity.parity import torch_answer

SIZE_PX = (56, 84)
PLAN = Plan(SizeRule(SIZE_PX, 14, "stretch"), SIZE_PX, IMAGENET_MEAN, IMAGENET_STD, None, ())
PATH = Path("theirs.onnx")
SAME = 1e-5  # as TOLERANCE of fp32: a batch of two sums in another order


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return written(random_network(TINY), tmp_path_factory.mktemp("compared") / "tiny.pth")


def written(network: DepthAnything, path: Path) -> Checkpoint:
    return read_checkpoint(save_official(network, path), family="depth-anything-v2", kind="inverse")


def test_a_file_of_the_same_weights_has_a_small_drift(checkpoint: Checkpoint) -> None:
    network = load_network(checkpoint)
    assert compare_with(checkpoint, PLAN, lambda batch: torch_answer(network, batch), file=PATH, batch=2) < SAME
    rounded = compare_with(
        checkpoint,
        PLAN,
        lambda batch: torch_answer(network, batch.astype("float16").astype("float32")),
        file=PATH,
        batch=1,
    )
    assert SAME < rounded < 0.01


def test_one_of_other_weights_or_colours_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    other = load_network(written(random_network(TINY, seed=5), tmp_path / "other.pth"))
    message = r"theirs\.onnx is not the network of .*tiny\.pth: its drift is .* at 56x84 px, at most 0\.1 expected"
    with pytest.raises(ParityError, match=message):
        compare_with(checkpoint, PLAN, lambda batch: torch_answer(other, batch), file=PATH, batch=1)
    network = load_network(checkpoint)
    swapped = Plan(PLAN.size, SIZE_PX, HALF, (0.05,) * 3, None, ())
    with pytest.raises(ParityError, match=r"or another --mean and --std"):
        compare_with(checkpoint, swapped, lambda batch: torch_answer(network, batch), file=PATH, batch=1)
