"""The bank of textures: slots, lookups at texels, mip levels and stains."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from depthrt.finetune.scenes.textures.patterns import PATTERNS, SIDE_PX
from depthrt.finetune.scenes.textures.pictures import PICTURES
from depthrt.finetune.scenes.textures.textures import LEVELS, PICTURE_SLOTS, RENDERED_SLOTS, SLOTS, Bank

EXACT = 1e-4  # coordinates in the atlas are float32
COUNT = 11  # textures; more than fit side by side


@pytest.fixture(scope="module")
def textures() -> torch.Tensor:
    return torch.rand((COUNT, 3, SIDE_PX, SIDE_PX), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def bank(textures: torch.Tensor) -> Bank:
    return Bank(textures)


def look_up(bank: Bank, slot: int, x: list[int], y: list[int], level: int) -> torch.Tensor:
    """Return the texels (3, n) at columns and rows of a level."""
    side = SIDE_PX >> level
    u, v = ((torch.tensor(at) + 0.5) / side for at in (x, y))
    return bank.look_up(torch.full(u.shape, float(slot)), u, v, torch.full(u.shape, float(level)))


def test_every_pattern_and_picture_has_slots_that_no_other_has() -> None:
    assert {name: len(slots) for name, slots in SLOTS.items()} == {name: count for name, (count, _) in PATTERNS.items()}
    used = [slot for slots in SLOTS.values() for slot in slots]
    assert used == list(range(PICTURE_SLOTS.start))
    assert len(PICTURE_SLOTS) == PICTURES + len(RENDERED_SLOTS) and RENDERED_SLOTS.stop == PICTURE_SLOTS.stop


@pytest.mark.parametrize("slot", [0, 3, 4, COUNT - 1])
@pytest.mark.parametrize("level", [0, 1, LEVELS - 1])
def test_a_lookup_at_a_texel_is_the_mean_of_what_it_covers(
    slot: int, level: int, bank: Bank, textures: torch.Tensor
) -> None:
    side = SIDE_PX >> level
    x, y = [0, 1, side - 1, side // 2], [0, side - 1, 2, side // 2]
    expected = F.avg_pool2d(textures[slot : slot + 1], 1 << level)[0][:, y, x]
    assert torch.allclose(look_up(bank, slot, x, y, level), expected, atol=EXACT)


def test_a_texture_repeats_and_its_border_is_blended_with_the_other_side(bank: Bank, textures: torch.Tensor) -> None:
    near = look_up(bank, 5, [3], [7], 0)
    for tiles in (-2, 1, 3):
        assert torch.allclose(look_up(bank, 5, [3 + tiles * SIDE_PX], [7 - tiles * SIDE_PX], 0), near, atol=EXACT)
    zero, middle = torch.zeros(1), torch.full((1,), 7.5 / SIDE_PX)
    between = bank.look_up(torch.full((1,), 5.0), zero, middle, torch.zeros(1))[:, 0]  # on the left border
    assert torch.allclose(between, (textures[5, :, 7, 0] + textures[5, :, 7, -1]) / 2, atol=EXACT)


def test_levels_are_rounded_and_clamped(bank: Bank) -> None:
    slot, u, v = torch.full((1,), 2.0), torch.full((1,), 0.3), torch.full((1,), 0.6)
    found = [bank.look_up(slot, u, v, torch.tensor([level])) for level in (-3.0, 0.4, 0.6, 1.0, 50.0, LEVELS - 1.0)]
    assert torch.equal(found[0], found[1]) and torch.equal(found[2], found[3]) and torch.equal(found[4], found[5])
    assert not torch.equal(found[1], found[2])


def test_a_replaced_texture_changes_its_slot_at_every_level_and_no_other(textures: torch.Tensor) -> None:
    bank, white = Bank(textures), torch.ones((1, 3, SIDE_PX, SIDE_PX))
    before = [look_up(bank, slot, [9], [9], 0) for slot in (5, 7)]
    bank.replace(6, white)
    for level in (0, LEVELS - 1):
        assert torch.allclose(look_up(bank, 6, [1], [2], level), torch.ones((3, 1)))
    assert all(torch.equal(look_up(bank, slot, [9], [9], 0), old) for slot, old in zip((5, 7), before, strict=True))


def test_stains_are_slow_variation_around_zero_by_slot(bank: Bank) -> None:
    u = torch.linspace(-5, 5, 1000)[None]
    first, second = (bank.stains(torch.full_like(u, slot), u, u.flip(1)) for slot in (1.0, 2.0))
    assert -1 <= float(first.min()) < 0 < float(first.max()) <= 1
    assert not torch.equal(first, second)
