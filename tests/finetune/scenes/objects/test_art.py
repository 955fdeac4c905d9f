"""Art: mirrors and pictures hang flat on their wall, in their size and nature."""

from __future__ import annotations

from collections import Counter
from functools import partial

from drawn_objects import drawn, reach_of
from seen_scenes import extent

from depthrt.finetune.scenes.objects.art import hang_art
from depthrt.finetune.scenes.textures.materials import ART, MIRROR

W, H = 0.9, 0.6


def test_art_hangs_flat_on_its_wall_in_its_size() -> None:
    for draft in drawn(partial(hang_art, w=W, h=H), draws=60):
        low, high = extent(draft.solids)
        assert high[1] < 0.02 and low[1] > -0.06  # the wall is at y = 0, the room at -y
        assert -0.1 < low[2] < 0.001 and H - 1e-9 <= high[2] < H + 0.1
        assert reach_of(draft)[0] < W / 2 + 0.1


def test_a_mirror_or_a_picture_hangs_with_or_without_a_frame() -> None:
    natures: Counter[float] = Counter()
    framed = []
    for draft in drawn(partial(hang_art, w=W, h=H), draws=60):
        found = [row[-1] for row in draft.solids if row[-1] in (MIRROR, ART)]
        assert len(found) == 1
        natures[found[0]] += 1
        framed.append(len(draft.solids) > 1)
    assert natures[MIRROR] > 5 and natures[ART] > 20
    assert 0.4 < sum(framed) / 60 < 1
