"""The hybrid of MiDaS against a second writing, landscape and portrait."""

from __future__ import annotations

import pytest
import torch
from network_answers import SAME_FLOAT32, SAME_FORMULA, difference, photo_batch
from random_midas import TINY_HYBRID, random_midas
from reference_midas import reference_midas

from depthrt.export.network.midas.architecture import PUBLISHED
from depthrt.export.network.midas.network import Midas


@pytest.mark.parametrize("size_px", [(96, 96), (64, 96), (128, 64)], ids=["native", "landscape", "portrait"])
def test_a_network_computes_what_the_reference_computes(size_px: tuple[int, int]) -> None:
    network, batch = random_midas(TINY_HYBRID), photo_batch(*size_px)
    with torch.inference_mode():
        single = network(batch)
        network.double()
        truth = reference_midas(network.state_dict(), batch.double())
        assert difference(network(batch.double()), truth) < SAME_FORMULA
    assert difference(single, truth) < SAME_FLOAT32


def test_baked_positions_give_the_same_answer() -> None:
    network, batch = random_midas(TINY_HYBRID), photo_batch(64, 96)
    with torch.inference_mode():
        before = network(batch)
        network.bake_positions(2, 3)
        assert torch.equal(network(batch), before)


def test_names_of_the_encoder_are_those_of_the_published_file() -> None:
    with torch.device("meta"):
        found = {name: tuple(tensor.shape) for name, tensor in Midas(PUBLISHED["dpt_hybrid_384"]).state_dict().items()}
    backbone, norm = "pretrained.model.patch_embed.backbone.", ("norm.weight", "norm.bias")
    convolutional = {name.removeprefix(backbone): shape for name, shape in found.items() if name.startswith(backbone)}
    expected: dict[str, tuple[int, ...]] = {
        "stem.conv.weight": (64, 3, 7, 7),
        **{f"stem.{part}": (64,) for part in norm},
    }
    before = 64
    for stage, (channels, depth) in enumerate(zip((256, 512, 1024), (3, 4, 9), strict=True)):
        for block in range(depth):
            name, narrow = f"stages.{stage}.blocks.{block}", channels // 4
            sides = ((1, narrow, before, 1), (2, narrow, narrow, 3), (3, channels, narrow, 1))
            for number, outputs, inputs, kernel in sides:
                expected[f"{name}.conv{number}.weight"] = (outputs, inputs, kernel, kernel)
                expected |= {f"{name}.norm{number}.{part}": (outputs,) for part in ("weight", "bias")}
            if block == 0:
                expected[f"{name}.downsample.conv.weight"] = (channels, before, 1, 1)
                expected |= {f"{name}.downsample.{part}": (channels,) for part in norm}
            before = channels
    assert convolutional == expected
    assert found["pretrained.model.patch_embed.proj.weight"] == (768, 1024, 1, 1)
    levels = {name.split(".")[1] for name in found if name.startswith("pretrained.act_postprocess")}
    assert levels == {"act_postprocess3", "act_postprocess4"}
