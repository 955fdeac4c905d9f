"""The checkpoint of the model that comes with depthrt: the network that was exported, to be trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from made_mirror_rooms import write_rooms

from depthrt.engine.modelfile.shipped import model_path
from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint
from depthrt.finetune.adapt.plan import Wishes
from depthrt.finetune.fine_tune import prepare
from depthrt.finetune.shipped_checkpoint import write_shipped_checkpoint

CLOSE = 2e-5  # of the range: float32 in two runtimes


def test_it_answers_as_the_model_file_does(tmp_path: Path) -> None:
    network = load_network(read_checkpoint(write_shipped_checkpoint(tmp_path / "default.safetensors"))).eval()
    image = torch.rand(1, 3, 160, 224, generator=torch.Generator().manual_seed(0)) - 0.5
    session = onnxruntime.InferenceSession(model_path("default"), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {session.get_inputs()[0].name: image.numpy()})
    with torch.no_grad():
        ours = network(image).numpy()
    assert np.abs(ours - theirs).max() < CLOSE * np.ptp(theirs)


def test_a_training_begins_from_the_model_that_comes_with_depthrt(tmp_path: Path) -> None:
    prepared = prepare(model_path("default"), [write_rooms(tmp_path / "rooms", 5)], Wishes())
    assert (prepared.checkpoint.family, prepared.plan.size_px) == ("depthrt", 160)
