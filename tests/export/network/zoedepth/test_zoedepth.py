"""ZoeDepth against transformers, landscape and portrait, with the official steps before and after it."""

from __future__ import annotations

from typing import get_args

import cv2
import pytest
import torch
from network_answers import SAME_FLOAT32, answer, difference, photo, photo_batch
from random_zoedepth import SIZES, TINY_ZOE_DEPTH_ANYTHING, random_zoe, routed_batch, routes, tiny_zoe
from witness_zoedepth import (
    official_answer,
    official_input,
    transformers_zoe,
    with_margin,
    without_margin,
    witness_answer,
    witness_on_depth_anything,
)

from depthrt.engine.errors import InputError
from depthrt.engine.terms import Precision
from depthrt.export.network.zoedepth.architecture import Variant
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth
from depthrt.export.parity.rounding import rounded_answer
from depthrt.export.precision import set_precision

VARIANTS: tuple[Variant, ...] = get_args(Variant)
# Softplus is a series here: 2e-10 to 4e-10 in float64. The smallest wrong constant (a norm's eps) costs 6e-6.
SAME_SERIES = 1e-8
WHOLE_BINS = 0.2  # largest difference over the range if only the core computes in half precision; 2e-3 to 9e-2 measured


@pytest.mark.parametrize("size_px", SIZES, ids=["landscape", "portrait"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_computes_what_transformers_computes(variant: Variant, size_px: tuple[int, int]) -> None:
    network, batch = random_zoe(tiny_zoe(variant)), routed_batch(*size_px)
    with torch.inference_mode():
        single = network(batch)
        truth = witness_answer(transformers_zoe(network.double()), batch.double(), mirrored=True)
        assert difference(network(batch.double()), truth) < SAME_SERIES
    assert difference(single, truth) < SAME_FLOAT32
    assert (truth > 0).all()
    assert truth.std() > 0.05


@pytest.mark.parametrize("size_px", [(70, 98), (98, 70)], ids=["landscape", "portrait"])
def test_a_network_on_depth_anything_computes_what_its_second_writing_computes(size_px: tuple[int, int]) -> None:
    network, batch = random_zoe(TINY_ZOE_DEPTH_ANYTHING), torch.cat([photo_batch(*size_px), -photo_batch(*size_px)])
    with torch.inference_mode():
        single = network(batch)
        truth = witness_on_depth_anything(network.double(), batch.double())
        assert difference(network(batch.double()), truth) < SAME_SERIES
    assert difference(single, truth) < SAME_FLOAT32
    assert (truth > 0).all()
    assert truth.std() > 0.05


@pytest.mark.parametrize(("variant", "base_px"), [("N", (64, 96)), ("K", (64, 128)), ("NK", (64, 96))])
@pytest.mark.parametrize("portrait", [False, True], ids=["landscape", "portrait"])
def test_a_photograph_gets_the_official_answer(variant: Variant, base_px: tuple[int, int], portrait: bool) -> None:
    network = random_zoe(tiny_zoe(variant)).double()
    pixels = cv2.cvtColor(photo("coffee.jpg"), cv2.COLOR_BGR2RGB)
    pixels = cv2.resize(pixels, (90, 121) if portrait else (130, 87), interpolation=cv2.INTER_AREA)  # (w, h)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].double() / 255
    padded, margin = with_margin(image)
    with torch.inference_mode():
        found = without_margin(network(official_input(padded, base_px)), padded, margin)
    assert found.shape == image.shape[2:]
    assert difference(found, official_answer(transformers_zoe(network), image, base_px)) < SAME_SERIES


def test_the_routes_of_a_batch_are_those_of_its_images() -> None:
    network, batch = random_zoe(tiny_zoe("NK")), routed_batch(64, 96)
    assert routes(network, batch).tolist() == [False, True]
    with torch.inference_mode():
        together = network(batch)
        for image, depth in zip(batch, together, strict=True):
            assert difference(depth[None], network(image[None])) < SAME_FLOAT32
        swapped = network(batch.flip(0))
        assert difference(swapped.flip(0), together) < SAME_FLOAT32


def test_without_the_mirror_image_the_answer_is_that_of_the_image() -> None:
    network = random_zoe(tiny_zoe("N"))
    alone, batch = random_zoe(tiny_zoe("N"), mirrored=False), photo_batch(64, 96)
    with torch.inference_mode():
        mean = (alone(batch) + alone(batch.flip(-1)).flip(-1)) / 2
        assert difference(network(batch), mean) < SAME_FLOAT32
        assert difference(network(batch.flip(-1)).flip(-1), mean) < SAME_FLOAT32
        assert difference(alone(batch), mean) > 0.01


def test_plain_attention_gives_the_same_answer_as_eager() -> None:
    network, batch = random_zoe(tiny_zoe("NK"), mirrored=False), photo_batch(64, 96)
    with torch.inference_mode():
        eager = network(batch)
        network.set_attention("plain")
        assert difference(network(batch), eager) < SAME_FLOAT32


def test_baked_positions_give_the_same_answer_at_their_size_and_refuse_others() -> None:
    network, batch = random_zoe(tiny_zoe("N")), photo_batch(64, 96)
    with torch.inference_mode():
        before = network(batch)
        network.bake_positions(2, 3)
        assert torch.equal(network(batch), before)
        with pytest.raises(InputError, match="input of 96x64 px found, but positions are baked for 64x96 px"):
            network(photo_batch(96, 64))


def test_sides_that_are_no_multiples_of_32_are_refused() -> None:
    with pytest.raises(InputError, match="input of 48x64 px found, both sides must be multiples of 32"):
        random_zoe(tiny_zoe("N"))(torch.zeros(1, 3, 48, 64))


@pytest.mark.parametrize("precision", ["fp16", "fp16-safe", "bf16"])
def test_the_bins_stay_in_float32_bit_by_bit_in_half_precision(precision: Precision) -> None:
    network, before, batch = random_zoe(tiny_zoe("NK")), random_zoe(tiny_zoe("NK")), photo_batch(64, 96)
    network.set_attention("plain")
    dtype = set_precision(network, precision)
    assert {tensor.dtype for tensor in network.core.core.pretrained.parameters()} >= {dtype}
    after = {name.replace(".module.", "."): tensor for name, tensor in network.state_dict().items()}
    for name, tensor in before.state_dict().items():
        assert name.startswith("core.") or torch.equal(after[name], tensor), name
    with torch.inference_mode():
        whole, found = before(batch), network(batch.to(dtype))
    assert found.dtype == torch.float32
    assert difference(found, whole) < WHOLE_BINS


def test_rounding_leaves_the_bins_alone() -> None:
    network, batch = random_zoe(tiny_zoe("NK"), mirrored=False), photo_batch(64, 96)
    found = torch.from_numpy(rounded_answer(network, "bf16")(batch.numpy()))
    assert not torch.equal(found.to(torch.bfloat16).float(), found), "metres keep the digits of float32"
    assert 0 < difference(found, answer(network, batch)) < WHOLE_BINS


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_made_without_memory_answers_like_the_one_whose_weights_it_gets(variant: Variant) -> None:
    network = random_zoe(tiny_zoe(variant))
    with torch.device("meta"):
        again = ZoeDepth(network.architecture)
    again.load_state_dict(network.state_dict(), assign=True)
    with torch.inference_mode():
        assert torch.equal(again.eval()(photo_batch(64, 96)), network(photo_batch(64, 96)))
