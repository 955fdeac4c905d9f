"""Options of a checkpoint reach its reader, and travel without torch."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_model import TinyModel

from depthrt.bench.subjects.checkpoint_options import TORCH_PRECISIONS, CheckpointOptions
from depthrt.engine.errors import DepthrtError, ModelFileError

INVERSE = CheckpointOptions(126, "depth-anything-v2", "inverse")


def test_a_checkpoint_is_read_with_the_family_and_kind_of_the_options(tiny: TinyModel) -> None:
    found = INVERSE.read(tiny.checkpoint)
    assert (found.path, found.family, found.max_depth_m) == (tiny.checkpoint, "depth-anything-v2", None)
    metric = replace(INVERSE, kind="metric", max_depth_m=20.0).read(tiny.checkpoint)
    assert (metric.kind, metric.max_depth_m) == ("metric", 20.0)


@pytest.mark.parametrize(
    "options",
    [
        CheckpointOptions(),  # the tensors do not tell the kind
        replace(INVERSE, kind="metric"),  # without its largest depth
        replace(INVERSE, max_depth_m=20.0),
        replace(INVERSE, weights="ema"),
    ],
    ids=["none", "no largest depth", "a largest depth of inverse depth", "no such weights"],
)
def test_options_that_do_not_suit_the_checkpoint_are_refused(tiny: TinyModel, options: CheckpointOptions) -> None:
    with pytest.raises(DepthrtError) as caught:
        options.read(tiny.checkpoint)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("text")
    with pytest.raises(ModelFileError, match=r"text\.pth"):
        INVERSE.read(tmp_path / "text.pth")


def test_options_travel_to_another_process_without_torch() -> None:
    code = (
        "import pickle, sys; "
        "from depthrt.bench.subjects.checkpoint_options import CheckpointOptions; "
        f"options = pickle.loads({pickle.dumps(INVERSE)!r}); "
        "print(options.size, options.kind, [name for name in ('torch', 'numpy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["126", "inverse", "[]"]


def test_torch_computes_in_no_integers() -> None:
    assert TORCH_PRECISIONS == ("fp32", "fp16", "bf16")
