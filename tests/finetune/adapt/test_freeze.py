"""Frozen weights stay bit-identical through steps, weight decay, the moving average and batch norms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from made_midas_v21 import TINY_SMALL, random_v21
from random_checkpoint import TINY, random_network
from random_midas import TINY_VIT, random_midas
from tiny_training import QUICK, Planes, run, small_convolutions, weights
from torch import Tensor

from depthrt.engine.errors import InputError
from depthrt.export.network.network import Network
from depthrt.finetune.adapt.freeze import block_of, count_blocks, freeze

STEPS = replace(QUICK, steps=3, weight_decay=0.5)


def moved(out: Path, network: Network, part: str) -> set[str]:
    """Return the names of the tensors of a saved state that differ from those of a network in any bit."""
    found = weights(out, part)
    return {name for name, value in network.state_dict().items() if not _same_bits(value, found[name])}


def _same_bits(first: Tensor, second: Tensor) -> bool:
    return first.numpy().tobytes() == second.numpy().tobytes()


@pytest.mark.parametrize("convolutional", [False, True])
@pytest.mark.parametrize(
    ("frozen", "prefixes"),
    [
        ({"freeze_encoder": True}, ("pretrained.",)),
        ({"freeze_decoder": True}, ("depth_head.",)),
        (
            {"freeze_blocks": 2},
            tuple(
                f"pretrained.{part}" for part in ("blocks.0", "blocks.1", "stages.0", "stages.1", "p", "cls", "stem")
            ),
        ),
    ],
    ids=["encoder", "decoder", "blocks"],
)
def test_frozen_weights_stay_bit_identical(
    frozen: dict[str, Any], prefixes: tuple[str, ...], convolutional: bool, tmp_path: Path
) -> None:
    made = small_convolutions if convolutional else lambda: random_network(TINY)
    size_px = (32, 32) if convolutional else (28, 28)
    run(tmp_path, replace(STEPS, muon_factor=1.0, **frozen), network=made(), source=Planes(size_px))
    for part in ("network", "average"):
        changed = moved(tmp_path, made(), part)
        assert changed and not {name for name in changed if name.startswith(prefixes)}, part
        kept = {name for name in made().state_dict() if name.startswith(prefixes)}
        assert kept


def test_blocks_are_counted_and_numbered() -> None:
    network = random_network(TINY)
    assert count_blocks(network) == 4
    assert [block_of(name, 4) for name in ("pretrained.pos_embed", "pretrained.blocks.3.norm1.weight")] == [-1, 3]
    assert block_of("pretrained.norm.weight", 4) == 4
    assert [block_of(name, 4) for name in ("pretrained.layer1.0.conv1.weight", "pretrained.model.blocks.2.mlp")] == [
        0,
        2,
    ]


@pytest.mark.parametrize("made", [lambda: random_midas(TINY_VIT), lambda: random_v21(TINY_SMALL)], ids=["ViT", "v2.1"])
def test_networks_of_midas_are_trained_and_frozen_too(made: Callable[[], Network], tmp_path: Path) -> None:
    source = Planes((64, 64))
    run(tmp_path, replace(STEPS, freeze_encoder=True), network=made(), source=source)
    changed = moved(tmp_path, made(), "network")
    assert changed and all(name.startswith(("scratch.", "pretrained.act_postprocess")) for name in changed)
    freeze(network := made(), QUICK)
    batch = source.batch(0)
    network.train().values(batch.normalised()).mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None), name


def test_parameters_that_nothing_reads_are_never_trained() -> None:
    network = random_network(TINY)
    freeze(network, QUICK)
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert len(frozen) == 5 and "pretrained.mask_token" in frozen


def test_more_blocks_than_there_are_cannot_be_frozen() -> None:
    with pytest.raises(
        InputError, match="freeze_blocks is 9, and the encoder vit64x4 has 4 blocks; give as many or fewer"
    ):
        freeze(random_network(TINY), replace(QUICK, freeze_blocks=9))
    with pytest.raises(InputError, match="freeze_decoder is true and so is freeze_encoder"):
        replace(QUICK, freeze_encoder=True, freeze_decoder=True)


def test_all_blocks_and_the_decoder_leave_the_last_norm() -> None:
    network = random_network(TINY)
    freeze(network, replace(QUICK, freeze_decoder=True, freeze_blocks=4))
    trained = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert trained == ["pretrained.norm.weight", "pretrained.norm.bias"]


def test_norms_of_a_trained_part_still_move(tmp_path: Path) -> None:
    run(tmp_path, replace(STEPS, freeze_decoder=True), network=small_convolutions(), source=Planes((32, 32)))
    changed = moved(tmp_path, small_convolutions(), "network")
    assert any("running_mean" in name for name in changed)
    assert torch.is_grad_enabled()
