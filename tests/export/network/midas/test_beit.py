"""BEiT of MiDaS against transformers, square, landscape and portrait."""

from __future__ import annotations

import pytest
import torch
from network_answers import SAME_FLOAT32, SAME_FORMULA, difference, photo_batch
from random_midas import TINY_BEIT, random_midas
from witness_midas import transformers_network, witness_answer

from depthrt.engine.errors import InputError
from depthrt.export.network.midas.architecture import PUBLISHED
from depthrt.export.network.midas.network import Midas

SIZES = [(96, 96), (64, 96), (96, 64)]  # the table's own grid, landscape, portrait


@pytest.mark.parametrize("size_px", SIZES)
def test_a_network_computes_what_transformers_computes(size_px: tuple[int, int]) -> None:
    network, batch = random_midas(TINY_BEIT), photo_batch(*size_px)
    with torch.inference_mode():
        single = network(batch)
        truth = witness_answer(transformers_network(network.double()), batch.double())
        assert difference(network(batch.double()), truth) < SAME_FORMULA
    assert difference(single, truth) < SAME_FLOAT32


def test_plain_attention_gives_the_same_answer_as_eager() -> None:
    network, batch = random_midas(TINY_BEIT).double(), photo_batch(64, 96).double()
    with torch.inference_mode():
        eager = network(batch)
        network.set_attention("plain")
        assert difference(network(batch), eager) < SAME_FORMULA


def test_baked_positions_give_the_same_answer_at_their_size_and_refuse_others() -> None:
    network, batch = random_midas(TINY_BEIT), photo_batch(64, 96)
    with torch.inference_mode():
        before = network(batch)
        network.bake_positions(2, 3)
        assert torch.equal(network(batch), before)
        expected = "^input of 96x64 px found, but positions are baked for 64x96 px; use that input size or bake again$"
        with pytest.raises(InputError, match=expected):
            network(photo_batch(96, 64))
        network.bake_positions(3, 2)
        network(photo_batch(96, 64))


def test_names_and_shapes_are_those_of_the_published_file() -> None:
    with torch.device("meta"):
        found = {
            name: tuple(tensor.shape) for name, tensor in Midas(PUBLISHED["dpt_beit_large_512"]).state_dict().items()
        }
    width, block = 1024, "pretrained.model.blocks.23."
    expected: dict[str, tuple[int, ...]] = {
        "gamma_1": (width,),
        "gamma_2": (width,),
        "norm1.weight": (width,),
        "norm1.bias": (width,),
        "attn.q_bias": (width,),
        "attn.v_bias": (width,),
        "attn.relative_position_bias_table": (3972, 16),
        "attn.qkv.weight": (3 * width, width),
        "attn.proj.weight": (width, width),
        "attn.proj.bias": (width,),
        "norm2.weight": (width,),
        "norm2.bias": (width,),
        "mlp.fc1.weight": (4 * width, width),
        "mlp.fc1.bias": (4 * width,),
        "mlp.fc2.weight": (width, 4 * width),
        "mlp.fc2.bias": (width,),
    }
    assert {name.removeprefix(block): shape for name, shape in found.items() if name.startswith(block)} == expected
    outside = {name: shape for name, shape in found.items() if not name.startswith(("pretrained.model.bl", "scratch"))}
    readout = [(f"pretrained.act_postprocess{level}.0.project.0", (width, 2 * width)) for level in range(1, 5)]
    project = [
        (f"pretrained.act_postprocess{level}.3", (channels, width, 1, 1))
        for level, channels in zip(range(1, 5), (256, 512, 1024, 1024), strict=True)
    ]
    layers: list[tuple[str, tuple[int, ...]]] = [
        ("pretrained.model.patch_embed.proj", (width, 3, 16, 16)),
        *readout,
        *project,
        ("pretrained.act_postprocess1.4", (256, 256, 4, 4)),
        ("pretrained.act_postprocess2.4", (512, 512, 2, 2)),
        ("pretrained.act_postprocess4.4", (1024, 1024, 3, 3)),
    ]
    expected = {f"{name}.weight": shape for name, shape in layers}
    expected |= {f"{name}.bias": (shape[0],) for name, shape in layers}
    assert outside == {"pretrained.model.cls_token": (1, 1, width), **expected}
