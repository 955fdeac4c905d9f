from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir
import pytest
from foreign_graphs import MEAN, STD, Graph, write_graph

from depthrt import ModelFileError
from depthrt.engine.modelfile.canary import canary_drift, canary_input
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.adopt.ask import ask_canary, open_graph, save_graph
from depthrt.export.adopt.plan import Plan
from depthrt.export.onnx_file import saved

SIZE_PX = (56, 84)
PLAN = Plan(SizeRule(SIZE_PX, 14, "stretch"), SIZE_PX, MEAN, STD, None, ())
THEIRS = Path("theirs.onnx")


def test_a_graph_is_run_and_its_answer_is_the_canary(tmp_path: Path) -> None:
    answer = open_graph(write_graph(tmp_path / "ours.onnx", Graph(image="image", depth="depth")), THEIRS)
    canary = ask_canary(THEIRS, PLAN, answer, batch=2, precision="fp16")
    assert (canary.size_px, canary.tolerance) == (SIZE_PX, 5e-3)
    batch = canary_input(SIZE_PX, MEAN, STD)
    assert canary_drift(canary, answer(batch)[0]) == 0
    with pytest.raises(ModelFileError, match=r"cannot run an input of \(1, 4, 8, 8\) through theirs\.onnx"):
        answer(np.zeros((1, 4, 8, 8), np.float32))


def test_a_graph_that_no_runtime_takes_is_refused_by_the_name_of_the_other_file(tmp_path: Path) -> None:
    (tmp_path / "ours.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelFileError, match=r"ONNX Runtime refuses theirs\.onnx: "):
        open_graph(tmp_path / "ours.onnx", THEIRS)


@pytest.mark.parametrize(
    ("depth", "message"),
    [
        (
            np.zeros((1, 7, 9), np.float32),
            r"theirs\.onnx answers 1x7x9 for an input of 1x3x56x84, expected 1x56x84; if",
        ),
        (np.full((1, *SIZE_PX), np.nan, np.float32), r"answers numbers that are not finite on the canary"),
        (np.full((1, *SIZE_PX), 2, np.float32), r"answers 2 everywhere on the canary, so it does not depend on the im"),
    ],
)
def test_an_answer_that_checks_nothing_is_refused(depth: np.ndarray, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        ask_canary(THEIRS, PLAN, lambda _: depth, batch=1, precision="fp32")


def test_large_weights_lie_beside_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = onnx_ir.load(write_graph(tmp_path / "theirs.onnx", Graph()))
    assert save_graph(theirs, tmp_path / "ours.onnx") is None
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 10)
    assert save_graph(theirs, tmp_path / "ours.onnx") == tmp_path / "ours.data"
