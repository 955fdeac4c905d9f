"""Scenes from several processes."""

from __future__ import annotations

import torch
from seen_scenes import SMALL

from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.stream import stream_scenes


def test_a_stream_from_another_process_gives_the_same_scenes_in_order() -> None:
    batches = list(stream_scenes(range(5), batch=2, workers=1, **SMALL))
    whole = render_scenes(range(5), **SMALL)
    assert [batch.seeds for batch in batches] == [(0, 1), (2, 3), (4,)]
    assert torch.equal(torch.cat([batch.image for batch in batches]), whole.image)
    assert torch.equal(torch.cat([batch.depth_m for batch in batches]), whole.depth_m)
