"""A fine-tuning: from a checkpoint and data on disk to a checkpoint that export reads; killed, it goes on the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import slow_fine_tuning
import torch
from made_mirror_rooms import write_rooms
from random_checkpoint import TINY, random_network, save_official
from tiny_training import assert_same, losses, small_convolutions

import depthrt
from depthrt.engine.errors import InputError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint, save_checkpoint
from depthrt.export.network.conv_depth import fold_norms
from depthrt.export.to_onnx import export_onnx
from depthrt.finetune.adapt.merge import merge_checkpoint
from depthrt.finetune.adapt.plan import Wishes
from depthrt.finetune.default_model import OPTIONS
from depthrt.finetune.fine_tune import TRAINED_NAME, FineTuning, fine_tune, prepare

WISHES = Wishes(epochs=2, batch=2, size_px=42, bf16=False, learning_rate=1e-3, warmup_steps=0)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rooms(tmp_path_factory.mktemp("data") / "rooms", 5, space=" ")


@pytest.fixture(scope="module")
def metric(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = random_network(TINY, max_depth_m=20.0)
    return save_official(network, tmp_path_factory.mktemp("made") / "tiny.pth")


def prepared(metric: Path, rooms: Path, wishes: Wishes = WISHES) -> FineTuning:
    return prepare(metric, [rooms], wishes, family="depth-anything-v2", kind="metric", max_depth_m=20.0)


def test_a_checkpoint_goes_the_whole_way_from_scenes_to_depth(metric: Path, rooms: Path, tmp_path: Path) -> None:
    ready = prepared(metric, rooms, replace(WISHES, freeze="2"))
    (part,) = ready.parts
    assert (len(part.pairs), len(part.held_out)) == (8, 2)
    assert not {pair.scene for pair in part.pairs} & {pair.scene for pair in part.held_out}
    trained = fine_tune(ready, tmp_path / "out", quiet=True)
    assert trained.path == tmp_path / "out" / TRAINED_NAME
    facts = describe_checkpoint(trained.path)
    assert (facts.family, facts.kind, facts.max_depth_m) == ("depth-anything-v2", "metric", 20.0)
    assert facts.notes["data"] == "rooms (8 pairs, 4 with flat regions)"
    assert (facts.notes["started_from"], facts.notes["preset"], facts.notes["size_px"]) == ("tiny.pth", "none", "42")
    assert {"score", "flat_residual", "drift", "step"} <= facts.notes.keys()
    state, first = load_network(read_checkpoint(trained.path)).state_dict(), torch.load(metric, weights_only=True)
    frozen = [name for name in state if name.startswith(("pretrained.blocks.0", "pretrained.blocks.1"))]
    assert frozen and all(torch.equal(state[name], first[name]) for name in frozen)
    assert not torch.equal(state["depth_head.projects.0.weight"], first["depth_head.projects.0.weight"])

    merged = merge_checkpoint(trained.path, metric, tmp_path / "merged.pth")
    assert merged.kept == ()
    checkpoint = read_checkpoint(merged.path, family="depth-anything-v2", kind="metric", max_depth_m=20.0)
    export_onnx(checkpoint, tmp_path / "tuned.onnx", size=(42, 56))
    image = part.held_out[0].read().image
    with depthrt.load(tmp_path / "tuned.onnx") as model:
        depth = model.infer(image)
    assert depth.kind == "metric" and np.isfinite(depth.values).all()


def test_a_training_that_is_killed_goes_on_to_the_same_weights(metric: Path, rooms: Path, tmp_path: Path) -> None:
    wishes = slow_fine_tuning.WISHES
    whole = fine_tune(prepared(metric, rooms, wishes), tmp_path / "whole", quiet=True)
    folder = tmp_path / "killed"
    arguments = [sys.executable, slow_fine_tuning.__file__, str(metric), str(rooms), str(folder)]
    with subprocess.Popen(arguments) as process:
        _wait_for(lambda: _steps(folder) >= 4, process)
        os.kill(process.pid, signal.SIGKILL)
    assert not (folder / TRAINED_NAME).exists()
    again = fine_tune(prepared(metric, rooms, wishes), folder, quiet=True)
    assert losses(folder) == losses(tmp_path / "whole")
    first, second = (load_network(read_checkpoint(found.path)).state_dict() for found in (whole, again))
    assert_same(first, second)
    names = {path.name for path in folder.iterdir()}
    assert {TRAINED_NAME, "state.pt", "log.jsonl", "training.json"} <= names
    assert {path.name for path in (tmp_path / "whole").iterdir()} == names, "nothing unfinished is left"


def _steps(folder: Path) -> int:
    """Return the number of lines of a log that a program may be writing."""
    log = folder / "log.jsonl"
    return log.read_bytes().count(b"\n") if log.is_file() else 0


def _wait_for(seen: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    limit_s = time.monotonic() + 120
    while not seen():
        assert process.poll() is None and time.monotonic() < limit_s
        time.sleep(0.01)


def test_another_beginning_does_not_go_on(metric: Path, rooms: Path, tmp_path: Path) -> None:
    fine_tune(prepared(metric, rooms), tmp_path, quiet=True)
    for wishes, name in ((replace(WISHES, size_px=56), "size_px"), (replace(WISHES, clean_share=0.9), "clean_share")):
        with pytest.raises(InputError, match=f"holds a training whose {name} was"):
            fine_tune(prepared(metric, rooms, wishes), tmp_path, quiet=True)
    with pytest.raises(InputError, match=r"learning_rate is 0\.1 and was 0\.001 when the run began"):
        fine_tune(prepared(metric, rooms, replace(WISHES, learning_rate=0.1)), tmp_path, quiet=True)


def test_the_network_that_comes_with_depthrt_learns_from_inverse_depth(rooms: Path, tmp_path: Path) -> None:
    network = fold_norms(small_convolutions())
    path = tmp_path / "small.safetensors"
    save_checkpoint(path, network, family="depthrt", kind="inverse", max_depth_m=None, licence="MIT")
    wishes = replace(WISHES, size_px=64, epochs=1, variation=0.5, recompute=True)
    ready = prepare(path, [rooms], wishes)
    assert ready.plan.options.aligned_weight == OPTIONS.aligned_weight > 0 == ready.plan.options.affine_weight
    trained = fine_tune(ready, tmp_path / "out", quiet=True)
    facts = describe_checkpoint(trained.path)
    assert (facts.family, facts.kind, facts.licence) == ("depthrt", "inverse", "MIT")
    assert list(load_network(read_checkpoint(trained.path)).state_dict()) == list(network.state_dict())


def test_all_pairs_of_a_single_scene_are_trained_and_others_can_be_held_out(
    metric: Path, rooms: Path, tmp_path: Path
) -> None:
    single = write_rooms(tmp_path / "single", 1, mirrors=False)
    ready = prepared(metric, single, replace(WISHES, epochs=1))
    assert not any(part.held_out for part in ready.parts)
    assert ready.start is None, "nothing is flat, so nothing is distilled"
    trained = fine_tune(ready, tmp_path / "out", quiet=True)
    assert trained.result.best is None and read_checkpoint(trained.path).max_depth_m == 20.0
    options = {"family": "depth-anything-v2", "kind": "metric", "max_depth_m": 20.0}
    apart = prepare(metric, [single], WISHES, held_out=[rooms], **options)  # type: ignore[arg-type]
    assert [(len(part.pairs), len(part.held_out)) for part in apart.parts] == [(2, 0), (0, 10)]


def test_a_preset_knows_the_maximum_depth_that_a_checkpoint_does_not_record(metric: Path, rooms: Path) -> None:
    wishes = replace(WISHES, preset="outdoor-art")
    found = prepare(metric, [rooms], wishes, family="depth-anything-v2", kind="metric")
    assert found.network.max_depth_m == 80.0
    with pytest.raises(InputError, match=r"max.depth"):
        prepare(metric, [rooms], WISHES, family="depth-anything-v2", kind="metric")


def test_a_trained_checkpoint_is_whole_or_absent(
    metric: Path, rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_halfway(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:1000])
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.copyfile", stop_halfway)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(prepared(metric, rooms, replace(WISHES, epochs=1)), tmp_path, quiet=True)
    assert not (tmp_path / TRAINED_NAME).exists()
    monkeypatch.undo()
    again = fine_tune(prepared(metric, rooms, replace(WISHES, epochs=1)), tmp_path, quiet=True)
    assert describe_checkpoint(again.path).kind == "metric"
    assert not [
        path.name for path in tmp_path.iterdir() if path.name.endswith(".safetensors") and path.name.startswith(".")
    ]


@pytest.mark.gpu
def test_a_gpu_fine_tunes_with_regions(metric: Path, rooms: Path, tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch finds no GPU")
    wishes = replace(WISHES, bf16=True, recompute=True, lora_rank=2, variation=0.5)
    trained = fine_tune(prepared(metric, rooms, wishes), tmp_path, device="cuda", quiet=True)
    assert describe_checkpoint(trained.path).max_depth_m == 20.0 and "drift" in trained.result.figures
