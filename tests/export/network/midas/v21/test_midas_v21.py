"""MiDaS v2.1 in torch against a second writing of the published code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_midas_v21 import TINY_LARGE, TINY_SMALL, random_v21
from network_answers import SAME_FLOAT32, SAME_FORMULA, answer, difference, photo_batch
from reference_midas_v21 import reference_large, reference_small

from depthrt.engine.errors import InputError
from depthrt.export.network.midas.v21.architecture import (
    PUBLISHED_LARGE,
    PUBLISHED_SMALL,
    LargeArchitecture,
    SmallArchitecture,
)
from depthrt.export.network.midas.v21.midas_v21 import MidasV21

TINY = pytest.mark.parametrize("architecture", [TINY_LARGE, TINY_SMALL], ids=["large", "small"])
REFERENCES = {LargeArchitecture: reference_large, SmallArchitecture: reference_small}


@TINY
@pytest.mark.parametrize("size_px", [(128, 192), (192, 128)], ids=["landscape", "portrait"])
def test_a_network_computes_what_the_reference_computes(
    architecture: LargeArchitecture | SmallArchitecture, size_px: tuple[int, int]
) -> None:
    network = random_v21(architecture)
    reference = REFERENCES[type(architecture)]
    batch = photo_batch(*size_px)
    single = answer(network, batch)
    network.double()
    truth = reference(network.state_dict(), batch.double())
    assert difference(answer(network, batch.double()), truth) < SAME_FORMULA
    assert difference(single, truth) < SAME_FLOAT32


@pytest.mark.parametrize(
    ("architecture", "weights"),
    [(PUBLISHED_LARGE, 105_362_945), (PUBLISHED_SMALL, 21_320_545)],  # Source: the classes of MiDaS, counted
    ids=["large", "small"],
)
def test_a_network_has_as_many_weights_as_the_published_one(
    architecture: LargeArchitecture | SmallArchitecture, weights: int
) -> None:
    with torch.device("meta"):
        network = MidasV21(architecture)
    assert sum(weight.numel() for weight in network.parameters()) == weights


@TINY
def test_images_of_a_batch_do_not_meet(architecture: LargeArchitecture | SmallArchitecture) -> None:
    network = random_v21(architecture).double()
    batch = torch.cat((photo_batch(96, 128), photo_batch(96, 128).flip(3))).double()
    together = answer(network, batch)
    for index in range(2):
        assert difference(together[index : index + 1], answer(network, batch[index : index + 1])) < SAME_FORMULA


@TINY
def test_random_weights_give_depth_and_the_same_seed_the_same(
    architecture: LargeArchitecture | SmallArchitecture,
) -> None:
    depth = answer(random_v21(architecture), photo_batch(128, 192)).numpy()
    assert np.isfinite(depth).all() and np.ptp(np.percentile(depth, (2, 98))) > 0.1 and (depth > 0).mean() > 0.9
    assert np.array_equal(answer(random_v21(architecture), photo_batch(128, 192)), depth)
    assert not np.array_equal(answer(random_v21(architecture, seed=1), photo_batch(128, 192)), depth)


def test_a_side_that_is_no_multiple_of_a_cell_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^input of 100x128 px found, both sides must be multiples of 32; resize"):
        answer(random_v21(TINY_SMALL), photo_batch(100, 128))
