"""The planarity loss is zero for planes, ignores scale, and sees what is no plane."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from judged_rooms import SIZE_PX, room_view
from torch import Tensor

from depthrt.finetune.evaluation.figures.flat_parts import flat_residual
from depthrt.finetune.training.regions.planarity import (
    LEAST_PART_PX,
    affine_fit,
    flat_parts,
    part_means,
    planarity_loss,
    true_planes,
    without_borders,
)

MIRROR, ART, WINDOW = 1, 2, 4
FLOAT = 1e-6  # float32 has steps of 6e-8 of the level, and a fit sums them up
SAME = 1e-5  # relative: the same figure from other numbers


def plane(height: int = 20, width: int = 30) -> Tensor:
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return (0.3 + 0.01 * rows - 0.004 * columns)[None]


def saddle() -> Tensor:
    rows, columns = torch.linspace(-1, 1, 20)[:, None], torch.linspace(-1, 1, 30)
    return plane() + 0.05 * (rows * columns)[None]


def marked(bits: int = MIRROR) -> Tensor:
    regions = torch.zeros((1, 20, 30), dtype=torch.uint8)
    regions[:, 3:15, 4:24] = bits
    return regions


def loss_of(values: Tensor, parts: Tensor) -> float:
    """Return the loss over the mean of each part."""
    return float(planarity_loss(values, parts, part_means(values, parts)))


def test_a_plane_has_no_loss_and_a_saddle_has() -> None:
    parts = flat_parts(marked())
    assert loss_of(plane(), parts) < FLOAT
    assert loss_of(saddle(), parts) > 0.005


def test_only_the_inside_of_flat_regions_counts() -> None:
    bent = torch.where(marked() != 0, plane(), 5 * torch.rand(1, 20, 30, generator=torch.Generator().manual_seed(0)))
    assert loss_of(bent, flat_parts(marked())) < FLOAT
    for regions in (marked(WINDOW), torch.zeros((1, 20, 30), dtype=torch.uint8)):
        assert loss_of(saddle(), flat_parts(regions)) == 0


def test_the_loss_is_a_share_of_the_level_and_ignores_a_shift() -> None:
    parts, ones = flat_parts(marked()), torch.ones((1, 20, 30))
    loss = planarity_loss(saddle(), parts, ones)
    for same in (planarity_loss(7 * saddle(), parts, 7 * ones), planarity_loss(saddle() + 3, parts, ones)):
        torch.testing.assert_close(same, loss, rtol=1e-3, atol=0)
    torch.testing.assert_close(planarity_loss(saddle(), parts, 2 * ones), loss / 2, rtol=SAME, atol=0)


def test_each_connected_part_has_a_plane_of_its_own() -> None:
    regions = torch.zeros((2, 20, 30), dtype=torch.uint8)
    regions[0, 2:8, 2:10], regions[0, 10:18, 15:28], regions[1, 5:12, 5:12] = MIRROR, ART, MIRROR | WINDOW
    parts = flat_parts(regions)
    assert parts.unique().tolist() == [0, 1, 2, 3]
    values = torch.where(parts == 1, plane(), torch.where(parts == 2, 2 - 3 * plane(), 0.5)).float()
    assert loss_of(values, parts) < FLOAT
    one = (parts > 0).long()
    assert loss_of(values, one) > 0.01


def test_parts_that_touch_are_one_and_specks_are_none() -> None:
    regions = marked()
    regions[:, 3:15, 14:24] = ART
    assert int(flat_parts(regions).max()) == 1
    regions[:] = 0
    regions[0, 0, : LEAST_PART_PX - 1] = MIRROR
    assert int(flat_parts(regions).max()) == 0
    regions[0, 0, :LEAST_PART_PX] = MIRROR  # a row is a part, too
    assert loss_of(plane(), flat_parts(regions)) < FLOAT


def test_the_fit_is_that_of_least_squares() -> None:
    parts = flat_parts(marked())
    values = torch.rand((1, 20, 30), generator=torch.Generator().manual_seed(1))
    inside = parts[0] > 0
    rows, columns = torch.nonzero(inside, as_tuple=True)
    terms = torch.stack([torch.ones(len(rows)), rows, columns], 1).double()
    expected = terms @ torch.linalg.lstsq(terms, values[0][inside].double()[:, None]).solution
    torch.testing.assert_close(affine_fit(values, parts)[0][inside], expected[:, 0].float(), rtol=SAME, atol=FLOAT)


def test_a_step_along_the_gradient_makes_a_region_flatter() -> None:
    values = saddle().requires_grad_()
    parts = flat_parts(marked())
    loss = planarity_loss(values, parts, part_means(values.detach(), parts))
    loss.backward()
    assert values.grad is not None
    assert float(values.grad[parts == 0].abs().max()) == 0
    assert loss_of((values - 0.5 * values.grad).detach(), parts) < float(loss.detach())


def test_small_parts_count_as_much_as_large_ones() -> None:
    regions = torch.zeros((1, 20, 30), dtype=torch.uint8)
    regions[0, 1:19, 1:19], regions[0, 8:14, 22:28] = MIRROR, ART
    parts, ones = flat_parts(regions), torch.ones((1, 20, 30))
    steep = torch.where(torch.arange(30) % 2 == 0, 0.1, -0.1).expand(1, 20, 30)
    large, small = (planarity_loss(torch.where(parts == part, steep, 0.0), parts, ones) for part in (1, 2))
    torch.testing.assert_close(large, torch.tensor(0.05), rtol=0.02, atol=0)  # the root of the mean square, halved
    torch.testing.assert_close(small, torch.tensor(0.05), rtol=0.1, atol=0)


def test_borders_are_left_out_but_not_the_edge_of_the_image() -> None:
    regions = torch.zeros((1, 150, 200), dtype=torch.uint8)
    regions[0, :40, 50:100] = MIRROR
    inner = without_borders(flat_parts(regions))
    expected = torch.zeros_like(inner)
    expected[0, :38, 52:98] = 1  # 1 % of 150 px is 1.5, so 2
    assert torch.equal(inner, expected)


def test_the_loss_is_the_flat_residual_of_the_evaluation() -> None:
    view = room_view()
    rows, columns = np.mgrid[: SIZE_PX[0], : SIZE_PX[1]]
    bent = view.inverse + 2e-4 * (rows - 34.5) * (columns - 31.5)
    assert view.sample.regions is not None
    inverse, answer = (torch.from_numpy(maps)[None].float() for maps in (view.inverse, bent))
    known = torch.from_numpy(view.sample.truth.valid)[None]
    parts = without_borders(true_planes(flat_parts(torch.from_numpy(view.sample.regions)[None]), inverse, known))
    expected = np.mean([flat_residual(bent, view, part) for part in view.flat])
    assert float(planarity_loss(answer, parts, inverse)) == pytest.approx(expected, rel=1e-3)


def test_two_pictures_that_touch_are_split_where_the_true_depth_jumps() -> None:
    parts, known = flat_parts(marked()), torch.ones((1, 20, 30), dtype=torch.bool)
    assert torch.equal(true_planes(parts, plane(), known), parts)
    two = torch.where(torch.arange(30) < 14, plane(), 2 * plane())
    split = true_planes(parts, two, known)
    assert split.unique().tolist() == [0, 1, 2] and int(split[0, 8, 8]) != int(split[0, 8, 20])
    assert loss_of(two, split) < FLOAT
    assert loss_of(two, parts) > 0.05


def test_a_part_that_is_no_plane_of_the_true_depth_is_left_out() -> None:
    known = torch.ones((1, 20, 30), dtype=torch.bool)
    bowl = plane() + 0.2 * (torch.linspace(-1, 1, 30).square())
    assert int(true_planes(flat_parts(marked()), bowl, known).max()) == 0
    assert int(true_planes(flat_parts(marked()), bowl, ~known).max()) == 1, "nothing is known against it"
    nothing = torch.zeros((1, 20, 30), dtype=torch.int64)
    assert torch.equal(true_planes(nothing, bowl, known), nothing)
