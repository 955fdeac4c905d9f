"""Soft shadows: the share of light at points behind, beside and before a solid."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from seen_scenes import made_draft

from depthrt.finetune.scenes.draft import Draft, Light
from depthrt.finetune.scenes.light.shadow import cast_shadows
from depthrt.finetune.scenes.rays.solids import gather_solids
from depthrt.finetune.scenes.textures.materials import Material, Palette

LAMP = Light((0.0, 0.0, 6.0), (0.0, 0.0, 0.0), 0.7, (1.0, 1.0, 1.0), True, 1.0)
DARK, LIT = 0.05, 0.95


def table_under(material: Callable[[Palette], Material]) -> Callable[[Draft, Palette], None]:
    def content(d: Draft, p: Palette) -> None:
        d.box(0, 0, -1, 40, 40, 1, p.floor())
        d.box(0, 0, 2, 2, 2, 0.1, material(p))

    return content


def lit_at(drafts: list[Draft], points: list[tuple[float, float, float]], *, of: int = 0) -> list[float]:
    """Return the share of light at points of a scene among those of the drafts."""
    shadows = cast_shadows(gather_solids(drafts, "cpu"), [LAMP] * len(drafts), 128, "cpu")
    point = torch.tensor(points).T[:, None, :]  # (3, 1, n)
    found: list[float] = shadows.lit(torch.tensor([of]), point)[0].tolist()
    return found


def test_light_reaches_points_unless_a_solid_is_between() -> None:
    draft = made_draft(table_under(Palette.wood))
    behind, beside, before, below_the_edge = lit_at(
        [draft], [(0.0, 0.0, 0.0), (3.0, 0.0, 0.0), (0.0, 0.0, 2.2), (1.5, 0.0, 0.0)]
    )
    assert behind < DARK and beside > LIT and before > LIT
    assert DARK < below_the_edge < LIT  # the shadow of an edge at 1 m, from 6 m to the floor, ends at 1.5 m: it is soft


def test_what_glows_casts_no_shadow() -> None:
    (behind,) = lit_at([made_draft(table_under(lambda p: p.lamp()))], [(0.0, 0.0, 0.0)])
    assert behind > LIT


@pytest.mark.parametrize("company", [1, 2, 6])
def test_a_shadow_does_not_depend_on_other_scenes(company: int) -> None:
    draft, other = made_draft(table_under(Palette.wood)), made_draft(lambda d, p: d.box(0, 0, 0, 1, 1, 1, p.wood()))
    points = [(x / 10, 0.3, 0.0) for x in range(-30, 30)]
    expected = lit_at([draft], points)
    assert lit_at([other] * company + [draft] + [other], points, of=company) == expected
