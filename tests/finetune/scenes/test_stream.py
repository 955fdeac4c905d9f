"""Scenes from several processes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch
from seen_scenes import SMALL

from depthrt.finetune.scenes import stream
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.stream import stream_scenes


def test_a_stream_from_another_process_gives_the_same_scenes_in_order() -> None:
    batches = list(stream_scenes(range(5), batch=2, workers=1, **SMALL))
    whole = render_scenes(range(5), **SMALL)
    assert [batch.seeds for batch in batches] == [(0, 1), (2, 3), (4,)]
    assert torch.equal(torch.cat([batch.image for batch in batches]), whole.image)
    assert torch.equal(torch.cat([batch.depth_m for batch in batches]), whole.depth_m)


def test_without_workers_scenes_are_rendered_in_this_process() -> None:
    before = dict(os.environ)
    (first, second) = stream_scenes([3, 1], batch=1, workers=0, **SMALL, setting="outdoor", texture_seed=0)
    assert (first.seeds, second.seeds) == ((3,), (1,))
    assert torch.equal(first.image, render_scenes([3], **SMALL, setting="outdoor").image)
    assert dict(os.environ) == before


def test_processes_get_options_for_memory_unless_the_user_has_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TOP_PAD_", "7")
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    seen: list[tuple[int, str | None, str | None]] = []

    class Loader:
        def __init__(self, batches: object, *, batch_size: None, num_workers: int, **options: object) -> None:
            self.workers = num_workers

        def __iter__(self) -> Iterator[object]:
            seen.append((self.workers, os.environ.get("GLIBC_TUNABLES"), os.environ.get("MALLOC_TOP_PAD_")))
            return iter(())

    monkeypatch.setattr(stream, "DataLoader", Loader)
    assert list(stream_scenes([1], workers=2)) == list(stream_scenes([1], workers=0)) == []
    assert seen == [(2, "glibc.malloc.hugetlb=1", "7"), (0, None, "7")]
    assert "GLIBC_TUNABLES" not in os.environ
