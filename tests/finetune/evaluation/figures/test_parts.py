"""Connected parts of regions, their inner pixels, and the pairs of pixels across their edges."""

from __future__ import annotations

import numpy as np
import pytest
from judged_rooms import ART, MIRROR, SIZE_PX, inside

from depthrt.finetune.evaluation.figures.parts import LEAST_PX, across_edge, find_parts, margin_px

EVERYWHERE = np.ones(SIZE_PX, np.bool_)


def test_each_connected_part_is_found_with_its_box_and_the_region_of_most_pixels() -> None:
    regions = {"mirror": inside(MIRROR), "art": inside(ART)}
    regions["mirror"][24:26, 78:80] = True  # a corner of the picture
    regions["art"][24:26, 78:80] = False
    first, second = find_parts(regions, EVERYWHERE, 1)
    assert (first.name, first.box, second.name, second.box) == ("mirror", (20, 12, 30, 40), "art", (24, 78, 32, 40))
    assert np.count_nonzero(first.inner) == 28 * 38 and not (first.inner & ~first.mask).any()


def test_a_part_without_enough_inner_pixels_is_left_out() -> None:
    thin = np.zeros(SIZE_PX, np.bool_)
    thin[10:12, 5:100] = True
    assert not [*find_parts({"mirror": thin}, EVERYWHERE, 1)]
    unknown = ~inside(MIRROR)
    unknown[30, 20 : 19 + LEAST_PX] = True
    assert not [*find_parts({"mirror": inside(MIRROR)}, unknown, 1)]


def test_the_edge_of_the_image_is_no_edge_of_a_part() -> None:
    (part,) = find_parts({"mirror": inside(np.s_[0:40, 0:50])}, EVERYWHERE, 2)
    assert part.inner[0, 0] and not part.inner[39, 20] and not part.inner[20, 49]


@pytest.mark.parametrize("margin", [1, 3])
def test_pairs_stand_on_both_sides_of_the_edge_a_margin_away(margin: int) -> None:
    (part,) = find_parts({"mirror": inside(MIRROR)}, EVERYWHERE, margin)
    inner, outer = across_edge(part, ~part.mask, margin)
    assert inner[0].size > 100 and part.inner[inner].all() and not part.mask[outer].any()
    apart = np.hypot(inner[0] - outer[0], inner[1] - outer[1])
    assert apart.min() > 2 * margin and apart.max() < 3 * margin + 4


def test_pixels_that_may_not_stand_outside_have_no_pair() -> None:
    (part,) = find_parts({"mirror": inside(MIRROR)}, EVERYWHERE, 1)
    left = np.zeros(SIZE_PX, np.bool_)
    left[:, :12] = True
    _, outer = across_edge(part, left, 1)
    assert outer[1].size and outer[1].max() < 12
    (whole,) = find_parts({"mirror": EVERYWHERE}, EVERYWHERE, 1)
    assert across_edge(whole, EVERYWHERE, 1)[0][0].size == 0


def test_the_margin_is_a_share_of_the_shorter_side() -> None:
    assert (margin_px((768, 1024)), margin_px((40, 30))) == (8, 1)
