"""ViT of MiDaS against a second writing, and against transformers where that takes the size."""

from __future__ import annotations

import pytest
import torch
from network_answers import SAME_FLOAT32, SAME_FORMULA, difference, photo_batch
from random_midas import TINY_VIT, random_midas
from reference_midas import reference_midas
from witness_midas import transformers_network, witness_answer

from depthrt.export.network.midas.architecture import PUBLISHED
from depthrt.export.network.midas.network import Midas


@pytest.mark.parametrize("size_px", [(96, 96), (64, 96), (128, 64)], ids=["native", "landscape", "portrait"])
def test_a_network_computes_what_the_reference_computes(size_px: tuple[int, int]) -> None:
    network, batch = random_midas(TINY_VIT), photo_batch(*size_px)
    with torch.inference_mode():
        single = network(batch)
        network.double()
        truth = reference_midas(network.state_dict(), batch.double())
        assert difference(network(batch.double()), truth) < SAME_FORMULA
    assert difference(single, truth) < SAME_FLOAT32


@pytest.mark.parametrize("side_px", [64, 96])
def test_transformers_computes_the_same_for_a_square(side_px: int) -> None:
    network, batch = random_midas(TINY_VIT).double(), photo_batch(side_px, side_px).double()
    with torch.inference_mode():
        assert difference(network(batch), witness_answer(transformers_network(network), batch)) < SAME_FORMULA


def test_names_and_shapes_are_those_of_the_published_file() -> None:
    with torch.device("meta"):
        found = {name: tuple(tensor.shape) for name, tensor in Midas(PUBLISHED["dpt_large_384"]).state_dict().items()}
    width, model = 1024, "pretrained.model."
    assert found[f"{model}cls_token"] == (1, 1, width)
    assert found[f"{model}pos_embed"] == (1, 577, width)
    assert found[f"{model}patch_embed.proj.weight"] == (width, 3, 16, 16)
    layers = {
        "norm1": (width,),
        "attn.qkv": (3 * width, width),
        "attn.proj": (width, width),
        "norm2": (width,),
        "mlp.fc1": (4 * width, width),
        "mlp.fc2": (width, 4 * width),
    }
    expected = {f"{name}.weight": shape for name, shape in layers.items()}
    expected |= {f"{name}.bias": shape[:1] for name, shape in layers.items()}
    block = f"{model}blocks.23."
    assert {name.removeprefix(block): shape for name, shape in found.items() if name.startswith(block)} == expected
    assert len([name for name in found if name.startswith(model)]) == 4 + 24 * len(expected)
