"""Batches of scenes that are joined keep every field in order."""

from __future__ import annotations

from dataclasses import fields

import torch
from seen_scenes import SMALL

from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes, join_scenes


def test_joined_batches_are_the_batch_rendered_at_once() -> None:
    parts = [render_scenes(seeds, **SMALL) for seeds in ([5], [1, 6], [2])]
    joined, whole = join_scenes(parts), render_scenes([5, 1, 6, 2], **SMALL)
    assert len(joined) == 4 and joined.seeds == (5, 1, 6, 2) and joined.settings == whole.settings
    for field in fields(Scenes):
        found, expected = getattr(joined, field.name), getattr(whole, field.name)
        if isinstance(found, torch.Tensor):
            assert torch.equal(found, expected), field.name
    for name in ("position", "rotation", "fov_rad"):
        assert torch.equal(getattr(joined.cameras, name), getattr(whole.cameras, name))


def test_planes_are_padded_with_zeros_to_the_longest_scene() -> None:
    parts = [render_scenes([seed], **SMALL) for seed in (5, 1)]
    counts = [part.planes.shape[1] for part in parts]
    assert counts[0] != counts[1]
    joined = join_scenes(parts)
    assert joined.planes.shape[1] == max(counts)
    short = counts.index(min(counts))
    assert float(joined.planes[short, min(counts) :].abs().max()) == 0


def test_a_single_batch_is_returned_unchanged() -> None:
    scenes = render_scenes([1], **SMALL)
    assert join_scenes([scenes]) is scenes
