"""MiDaS with a Swin transformer in torch against transformers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_midas_swin import TINY_CONTINUED, TINY_SWIN, TINY_SWIN2, random_swin, transformers_network
from network_answers import SAME_FLOAT32, SAME_FORMULA, answer, difference, photo, photo_batch
from torch import Tensor

from depthrt.engine.errors import InputError
from depthrt.export.network.midas.swin.architecture import SwinArchitecture
from depthrt.export.network.midas.swin.attention import Attention2
from depthrt.export.network.midas.swin.midas_swin import MidasSwin

SAME_TABLE = 2e-6  # transformers holds version 2's table of offsets in float32: 2e-7 measured
ALL = pytest.mark.parametrize("architecture", [TINY_SWIN2, TINY_CONTINUED, TINY_SWIN], ids=["2", "continued", "1"])
BOTH = pytest.mark.parametrize("architecture", [TINY_SWIN2, TINY_SWIN], ids=["2", "1"])


def witness_answer(network: MidasSwin, batch: Tensor) -> Tensor:
    witness = transformers_network(network).to(batch.dtype)
    with torch.inference_mode():
        depth: Tensor = witness(pixel_values=batch).predicted_depth
    return depth


@ALL
def test_a_network_computes_what_transformers_computes(architecture: SwinArchitecture) -> None:
    network = random_swin(architecture)
    batch = photo_batch(architecture.side_px, architecture.side_px)
    single = answer(network, batch)
    truth = witness_answer(network, batch.double())
    exact = answer(network.double(), batch.double())
    assert difference(exact, truth) < (SAME_FORMULA if architecture.version == 1 else SAME_TABLE)
    assert difference(single, truth) < SAME_FLOAT32


def test_transformers_clamps_the_scale_alike() -> None:
    network = random_swin(TINY_SWIN2)
    scales = [module.logit_scale for module in network.modules() if isinstance(module, Attention2)]
    for scale in scales[::2]:  # without shifted windows, whose mask transformers adds twice
        scale.data.fill_(6.0)
    batch = photo_batch(128, 128).double()
    truth = witness_answer(network, batch)
    assert difference(answer(network.double(), batch), truth) < SAME_FLOAT32


@BOTH
def test_every_form_of_attention_and_baked_biases_compute_the_same(architecture: SwinArchitecture) -> None:
    network = random_swin(architecture).double()
    batch = photo_batch(architecture.side_px, architecture.side_px).double()
    expected, names = answer(network, batch), list(network.state_dict())
    network.set_attention("plain")
    assert difference(answer(network, batch), expected) < SAME_FORMULA
    network.bake_positions(architecture.side_px // 32, architecture.side_px // 32)
    assert difference(answer(network, batch), expected) < SAME_FORMULA
    assert list(network.state_dict()) == names


@BOTH
def test_images_of_a_batch_do_not_meet(architecture: SwinArchitecture) -> None:
    network = random_swin(architecture).double()
    image = photo_batch(architecture.side_px, architecture.side_px)
    batch = torch.cat((image, image.flip(3))).double()
    together = answer(network, batch)
    for index in range(2):
        assert difference(together[index : index + 1], answer(network, batch[index : index + 1])) < SAME_FORMULA


@BOTH
def test_random_weights_give_depth_and_the_same_seed_the_same(architecture: SwinArchitecture) -> None:
    pixels = torch.from_numpy(np.ascontiguousarray(photo("coffee.jpg")[:128, :128])).permute(2, 0, 1)[None] / 64 - 2
    depth = answer(random_swin(architecture), pixels).numpy()
    assert np.isfinite(depth).all() and np.ptp(np.percentile(depth, (2, 98))) > 0.5 and (depth > 0).mean() > 0.8
    assert np.array_equal(answer(random_swin(architecture), pixels), depth)
    assert not np.array_equal(answer(random_swin(architecture, seed=1), pixels), depth)


def test_another_size_than_its_own_is_refused_in_one_line() -> None:
    network = random_swin(TINY_SWIN2)
    message = r"^input of 128x96 px found, a Swin transformer takes 128x128 px only; resize the image$"
    with pytest.raises(InputError, match=message):
        answer(network, photo_batch(128, 96))
    with pytest.raises(InputError, match=message):
        network.bake_positions(4, 3)
