"""A fine-tuning that can be killed in its middle: python slow_fine_tuning.py CHECKPOINT DATASET OUT."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch

from depthrt.finetune.adapt.plan import Wishes
from depthrt.finetune.data.batches import Batch
from depthrt.finetune.data.pair_source import PairSource
from depthrt.finetune.fine_tune import fine_tune, prepare

WISHES = Wishes(epochs=3, batch=2, size_px=42, bf16=False, learning_rate=1e-3, warmup_steps=0, save_every=1)
_PAUSE_S = 0.05  # before each batch


def _slowly(self: PairSource, index: int) -> Batch:
    time.sleep(_PAUSE_S)
    return _BATCH(self, index)


_BATCH = PairSource.batch

if __name__ == "__main__":
    torch.set_num_threads(1)
    PairSource.batch = _slowly  # type: ignore[method-assign]
    checkpoint, dataset, out = map(Path, sys.argv[1:])
    ready = prepare(checkpoint, [dataset], WISHES, family="depth-anything-v2", kind="metric", max_depth_m=20.0)
    fine_tune(ready, out, quiet=True)
