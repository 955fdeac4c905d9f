"""What two processes do in the tests of finetune: torchrun --nproc-per-node 2 two_processes.py FOLDER.

All scenarios run in one start of torchrun, because the start takes longer than they do. Each process writes
FOLDER/rank-N.json with what its scenarios returned. A start of torchrun serves a single process group, so the scenarios
share it: the first one joins it, and the program leaves it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import pytest
import torch
import torch.distributed as dist
from tiny_training import QUICK, SMALL_CONVOLUTIONS, run, weights

from depthrt.engine.errors import InputError
from depthrt.finetune import default_model
from depthrt.finetune.data import scene_pool
from depthrt.finetune.data.batches import Batch
from depthrt.finetune.data.scene_pool import PoolSource, Stage
from depthrt.finetune.training.group import join_group
from depthrt.finetune.training.training_state import STATE_NAME

Ranks = tuple[dict[str, Any], dict[str, Any]]
SHARD = 4  # scenes in a file of the pool


def prepare(folder: Path) -> None:
    """Write what the scenarios read."""
    for name in SCENARIOS:
        (folder / name).mkdir()
    apart = folder / "apart" / "0"
    run(apart, replace(QUICK, steps=1))
    state = torch.load(apart / STATE_NAME, weights_only=True)
    torch.save({**state, "processes": 2}, apart / STATE_NAME)
    pool = folder / "default" / "pool"
    pool.mkdir()
    depth_m = np.linspace(1, 9, SHARD * 56 * 70, dtype=np.float16).reshape(SHARD, 56, 70)
    for shard in range(2):
        np.save(pool / f"images-{shard:05d}.npy", np.full((SHARD, 56, 70, 3), 99, np.uint8))
        np.save(pool / f"depth-{shard:05d}.npy", depth_m)


def call_the_group(folder: Path, rank: int) -> dict[str, Any]:
    """Return what every call of a group returns in this process."""
    with join_group("cpu") as group:
        backend = dist.distributed_c10d._get_default_group()._get_backend(group.device)
        model = group.wrap(torch.nn.Linear(1, 1, bias=False))
        gradients = []
        for hold in (True, False):  # the second backward pass adds to the first
            with group.hold_back(model, hold):
                model(torch.full((1, 1), float(rank + 1))).sum().backward()
            (weight,) = model.parameters()
            assert weight.grad is not None
            gradients.append(float(weight.grad))
        group.wait()
        return {
            "rank": group.rank,
            "size": group.size,
            "first": group.first,
            "any": [group.any(False), group.any(rank == 1)],
            "mean": group.mean({"a": float(rank), "b": 4.0}),
            "of_first": group.of_first(7 + rank),
            "gradients": gradients,
            "timeout_s": backend.options._timeout.total_seconds(),
        }


def train_together(folder: Path, rank: int) -> dict[str, Any]:
    """Train three steps in a shared folder."""
    run(folder, replace(QUICK, steps=3))
    return {"saved_step": weights(folder, "course")["step"]}  # of both: neither returns before the state is saved


def train_apart(folder: Path, rank: int) -> dict[str, Any]:
    """Resume in two folders, of which only the first has a state."""
    try:
        run(folder / str(rank), replace(QUICK, steps=4), resume=rank == 0)
    except InputError as error:
        return {"error": str(error)}
    return {}


def train_the_default_model(folder: Path, rank: int) -> dict[str, Any]:
    """Train two steps of the default model's recipe on a tiny network; return the sizes of batches by number."""
    depth_m = torch.linspace(1, 9, 1024).view(1, 32, 32)
    seen = Batch(torch.zeros(1, 3, 32, 32), depth_m, depth_m > 0)
    written, sizes, write, batch = [], {}, default_model.write_default, PoolSource.batch

    def counted(course: str | Path, path: str | Path) -> None:
        written.append(str(path))
        write(course, path)

    def observed(source: PoolSource, index: int) -> Batch:
        made = batch(source, index)
        sizes[index] = len(made.images)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_pool, "SHARD", SHARD)
        patch.setattr(PoolSource, "batch", observed)
        patch.setattr(default_model, "SHARDS", 2)
        patch.setattr(default_model, "held_out_scenes", lambda *arguments: [seen])
        patch.setattr(default_model, "ARCHITECTURE", SMALL_CONVOLUTIONS)
        patch.setattr(default_model, "STAGES", (Stage(0, ((32, 32),), 2), Stage(1, ((32, 64),), 3)))
        patch.setattr(default_model, "OPTIONS", replace(default_model.OPTIONS, steps=2, hold_steps=0, bf16=False))
        patch.setattr(default_model, "write_default", counted)
        default_model.train_default(folder)
    return {"written": written, "sizes": sizes}


SCENARIOS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "together": train_together,
    "group": call_the_group,
    "apart": train_apart,
    "default": train_the_default_model,
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    own, target = int(os.environ["RANK"]), Path(sys.argv[1])
    found = {}
    with pytest.MonkeyPatch.context() as outer:
        outer.setattr(dist, "destroy_process_group", lambda: None)
        for name, scenario in SCENARIOS.items():
            found[name] = scenario(target / name, own)
            outer.setattr(dist, "init_process_group", lambda backend, timeout: None)
    dist.destroy_process_group()
    (target / f"rank-{own}.json").write_text(json.dumps(found))
