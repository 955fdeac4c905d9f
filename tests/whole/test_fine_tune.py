"""The whole way of a fine-tuning by its verbs, as docs/finetune.md has them, from scenes to the depth of a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from random_checkpoint import TINY, random_network, save_official
from run_verb import run
from safetensors.torch import load_file
from tiny_model import PHOTOS

import depthrt
from depthrt.finetune.data.write_dataset import write_hypersim

SCENES, SIZE_PX = 8, (60, 80)  # (h, w)
METRIC = ("--family", "depth-anything-v2", "--kind", "metric", "--max-depth", 20)


def verb(*arguments: object) -> str:
    """Run a verb, which must end well, and return what it printed."""
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_a_checkpoint_becomes_a_tuned_file_by_the_verbs_alone(tmp_path: Path) -> None:
    official = save_official(random_network(TINY, max_depth_m=20.0), tmp_path / "official.pth")
    rooms, edited, tuned = tmp_path / "rooms", tmp_path / "edited", tmp_path / "tuned"
    write_hypersim(rooms, SCENES, height_px=SIZE_PX[0], width_px=SIZE_PX[1])

    assert f"{SCENES} pairs" in verb("finetune", "check", rooms)
    verb("finetune", "augment", rooms, "-o", edited, "--preview", 1)
    train = ("finetune", "train", official, edited, rooms, "-o", tuned, "--epochs", 1, "--size", 42)
    assert verb(*train, *METRIC).strip() == str(tuned / "trained.safetensors")
    judge = ("--against", tuned / "trained.safetensors", "--data", edited, "--count", 3, "--no-examples", "--json")
    report = json.loads(verb("finetune", "evaluate", official, *judge, *METRIC, "-o", tmp_path / "report"))
    judged = report["evaluation"]["models"][-1]["figures"]
    assert judged["drift"]["value"] > 0 and judged["flat_residual"]["value"] > 0
    merged = ("--into", official, "-o", tmp_path / "merged.pth")
    assert " 0 kept, 0 mismatched" in verb("finetune", "merge", tuned / "trained.safetensors", *merged)

    merged_state, trained = torch.load(tmp_path / "merged.pth"), load_file(tuned / "trained.safetensors")
    assert all(torch.equal(merged_state[name], tensor) for name, tensor in trained.items())

    verb("export", tuned / "trained.safetensors", "-o", tmp_path / "tuned.onnx", "--size", 42)
    verb("run", PHOTOS / "coffee.jpg", "--model", tmp_path / "tuned.onnx", "-o", tmp_path / "coffee.npz")
    with depthrt.load(tmp_path / "tuned.onnx") as model:
        depth = model.infer(depthrt.read_image(PHOTOS / "coffee.jpg"))
    assert (depth.kind, depth.unit) == ("metric", "m")
    assert np.array_equal(np.load(tmp_path / "coffee.npz")["values"], depth.values)
