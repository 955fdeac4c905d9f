"""The sizes of MiDaS v2.1 from tensors under official names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from made_midas_v21 import TINY_LARGE, TINY_SMALL

from depthrt.engine.errors import ModelFileError
from depthrt.export.network.midas.v21.architecture import (
    PUBLISHED_LARGE,
    PUBLISHED_SMALL,
    UNUSED,
    LargeArchitecture,
    SmallArchitecture,
    infer,
)
from depthrt.export.network.midas.v21.midas_v21 import MidasV21

FILE = Path("v21.pt")
Tensors = dict[str, torch.Tensor]


def state_of(architecture: LargeArchitecture | SmallArchitecture) -> Tensors:
    with torch.device("meta"):
        return MidasV21(architecture).state_dict()


@pytest.mark.parametrize("architecture", [TINY_LARGE, TINY_SMALL, PUBLISHED_LARGE, PUBLISHED_SMALL])
def test_sizes_are_read_off_the_tensors(architecture: LargeArchitecture | SmallArchitecture) -> None:
    assert infer(state_of(architecture), FILE) == architecture


def test_published_sizes_have_the_name_of_the_file_and_others_say_what_they_are() -> None:
    found = [one.encoder for one in (PUBLISHED_LARGE, PUBLISHED_SMALL, TINY_LARGE, TINY_SMALL)]
    assert found == ["midas_v21_384", "midas_v21_small_256", "resnext256x5", "lite32x9"]
    assert PUBLISHED_LARGE.patch_px == PUBLISHED_SMALL.patch_px == 32


def test_only_counters_of_training_steps_are_beyond_the_network() -> None:
    assert UNUSED.search("pretrained.layer1.1.num_batches_tracked")
    for architecture in (TINY_LARGE, TINY_SMALL):
        assert not [name for name in state_of(architecture) if UNUSED.search(name)]


@pytest.mark.parametrize(
    ("architecture", "name", "shape", "message"),
    [
        (TINY_LARGE, "pretrained.layer1.0.weight", None, "lacks pretrained.layer1.0.weight, so the size of"),
        (TINY_SMALL, "scratch.layer1_rn.weight", None, "lacks scratch.layer1_rn.weight, so the size of"),
        (TINY_SMALL, "pretrained.layer3.1.0.conv_pwl.weight", (24, 96), r"with the shape \(24, 96\), expected 4 dim"),
        (TINY_LARGE, "pretrained.layer1.4.0.conv2.weight", (16, 5, 3, 3), "16 channels in groups of 5, expected whole"),
    ],
)
def test_a_tensor_that_shows_no_size_is_one_line(
    architecture: LargeArchitecture | SmallArchitecture, name: str, shape: tuple[int, ...] | None, message: str
) -> None:
    tensors = state_of(architecture)
    if shape is None:
        del tensors[name]
    else:
        tensors[name] = torch.zeros(shape)
    with pytest.raises(ModelFileError, match=rf"^v21\.pt.* {message}") as caught:
        infer(tensors, FILE)
    assert "\n" not in str(caught.value)
