"""Exposure: brightness, the tone curve, softened edges and ink."""

from __future__ import annotations

import pytest
import torch

from depthrt.finetune.scenes.draft import Air
from depthrt.finetune.scenes.light.expose import expose

BYTE = 1.5  # of 255: the curve is a table


def lights(*levels: float) -> torch.Tensor:
    """Return an image (1, 3, 16, 16) of vertical bands of grey light."""
    bands = torch.tensor(levels).repeat_interleave(16 // len(levels))
    return bands.expand(1, 3, 16, 16).clone()


def test_the_exposure_of_an_image_does_not_depend_on_its_light() -> None:
    dim, bright = (expose(lights(1.0, 4.0) * gain, [Air()], None) for gain in (1.0, 50.0))
    assert (dim.int() - bright.int()).abs().max() <= 1


def test_a_higher_key_is_brighter_and_more_light_is_never_darker() -> None:
    low, high = (expose(lights(1.0, 4.0), [Air(key=key)], None).float().mean() for key in (0.05, 0.3))
    assert low < 0.7 * high
    ramp = expose(torch.logspace(-3, 3, 64).expand(1, 3, 4, 64).clone(), [Air()], None)[0, 0, 0].int()
    assert bool((ramp.diff() >= 0).all()) and int(ramp[0]) < 10 and int(ramp[-1]) > 245


def test_mid_grey_has_the_byte_of_the_curves() -> None:
    x = 0.18  # the key is the mean brightness, here everywhere
    film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
    srgb = 1.055 * film ** (1 / 2.4) - 0.055
    assert float(expose(lights(3.0), [Air(key=x)], None).float().mean()) == pytest.approx(255 * srgb, abs=BYTE)


def test_each_scene_has_its_exposure() -> None:
    both = expose(torch.cat([lights(1.0, 4.0), lights(9.0, 2.0)]), [Air(key=0.1), Air(key=0.3)], None)
    assert torch.equal(both[:1], expose(lights(1.0, 4.0), [Air(key=0.1)], None))
    assert torch.equal(both[1:], expose(lights(9.0, 2.0), [Air(key=0.3)], None))


@pytest.mark.parametrize("upright", [True, False])
def test_only_the_pixels_beside_an_edge_between_solids_are_softened(upright: bool) -> None:
    def middle(solid: torch.Tensor) -> torch.Tensor:
        """Return the bytes of a line across the edge."""
        linear = lights(1.0, 8.0)
        image = expose(linear if upright else linear.transpose(2, 3), [Air()], solid if upright else solid.mT)
        return (image[0, 0, 8] if upright else image[0, 0, :, 8]).int()

    solid = torch.tensor([0, 1]).repeat_interleave(8).expand(1, 16, 16)
    soft = middle(solid)
    assert [len(part.unique()) for part in (soft[:7], soft[9:])] == [1, 1]
    assert soft[0] < soft[7] < soft[8] < soft[15]
    texture = middle(torch.zeros_like(solid))  # an edge within a solid stays
    assert len(texture[:8].unique()) == len(texture[8:].unique()) == 1


def test_a_cartoon_has_dark_lines_between_solids() -> None:
    solid = torch.tensor([0, 1]).repeat_interleave(8).expand(1, 16, 16)
    row = expose(lights(2.0), [Air(toon=True)], solid)[0, 0, 8].int()
    assert row[7] == row[8] < 0.8 * int(row[0])
    assert len(row[:7].unique()) == 1
