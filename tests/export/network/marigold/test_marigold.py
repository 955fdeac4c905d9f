"""The network answers as diffusers' pipeline, from the image's pixels to depth at the image's size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from made_marigold import contract_of, pipeline_answer, tiny_marigold
from network_answers import photo

from depthrt.engine.errors import InputError
from depthrt.engine.images.preprocess import fit_image, make_batch, to_image_size
from depthrt.export.network.marigold.architecture import Variant
from depthrt.export.parity.parity import torch_answer

ALLOWED = 5e-5  # of [0, 1]; tiny networks with random weights measure 2e-6 to 3e-5


@pytest.mark.parametrize(
    ("variant", "steps"), [("v1-1", 1), ("v1-1", 4), ("v1-1", 10), ("v1-0", 10), ("lcm", 1), ("e2e-ft", 1)]
)
@pytest.mark.parametrize("size_px", [(60, 45), (300, 400)], ids=["smaller", "larger"])  # than what is computed on
def test_depth_is_that_of_the_pipeline(variant: Variant, steps: int, size_px: tuple[int, int]) -> None:
    network = tiny_marigold(variant, steps)
    contract = contract_of(network)
    bgr = np.asarray(cv2.resize(photo("coffee.jpg"), size_px[::-1], interpolation=cv2.INTER_AREA), np.uint8)  # (w, h)
    fit = fit_image(contract.size, size_px)
    values = torch_answer(network, make_batch(bgr, contract, fit, "bgr"))[0]
    found = to_image_size(values, contract, fit, size_px)
    expected = pipeline_answer(variant, np.ascontiguousarray(bgr[..., ::-1]), steps=steps)
    assert expected.std() > 0.05 and values.min() >= 0 and values.max() <= 1
    assert np.abs(found - expected).max() < ALLOWED


def test_each_image_of_a_batch_is_answered_as_alone() -> None:
    network, batch = tiny_marigold("v1-1", 1), torch.rand(2, 3, 16, 32) * 2 - 1
    with torch.inference_mode():
        both, alone = network(batch), torch.cat([network(image[None]) for image in batch])
    assert (both - alone).abs().max() < ALLOWED


def test_sides_that_the_latent_does_not_divide_are_refused() -> None:
    with pytest.raises(InputError, match="input of 16x36 px found, both sides must be multiples of 8"):
        tiny_marigold("lcm")(torch.zeros(1, 3, 16, 36))


def test_the_state_is_that_of_the_folder_and_the_prompt() -> None:
    names = tiny_marigold("lcm").state_dict()
    assert {name.split(".", 1)[0] for name in names} == {"unet", "vae", "prompt"}
