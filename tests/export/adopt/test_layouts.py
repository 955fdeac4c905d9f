"""Every layout of depth ONNX files that people hold is adopted, and answers as when it is run by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from foreign_layouts import BROKEN, LAYOUTS, SIDES_PX

import depthrt
from depthrt import DepthrtError
from depthrt.engine.modelfile.canary import canary_input, drift
from depthrt.export.adopt import plan
from depthrt.export.adopt.adopt import adopt
from depthrt.export.adopt.probes import meaning, probe
from depthrt.export.adopt.probes.rooms import read_rooms

# Of the range, mean: the same operators on the same numbers. In float16 a sum in another order can move the last digit.
SAME = 1e-4


@pytest.fixture(autouse=True)
def _in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a small canary, two rooms, two kinds of colours and no official rule: fifty files are adopted here."""
    monkeypatch.setattr(sys.modules[adopt.__module__], "remark_on_rule", lambda *_, **__: "")
    rooms, colours = read_rooms()[:2], meaning.IN_USE
    monkeypatch.setattr(plan, "CANARY_PX", SIDES_PX)
    monkeypatch.setattr(probe, "read_rooms", lambda: rooms)
    monkeypatch.setattr(meaning, "IN_USE", {name: colours[name] for name in list(colours)[::3]})


def by_hand(path: Path, batch: np.ndarray) -> np.ndarray:
    """Return the depth (h, w) that a file answers in ONNX Runtime, without depthrt."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    depth: np.ndarray = session.run([session.get_outputs()[0].name], {image.name: batch})[0]
    first: np.ndarray = depth.astype(np.float32).reshape(-1, *batch_sides(batch))[0]
    return first


def batch_sides(batch: np.ndarray) -> tuple[int, int]:
    height, width = (side for side in batch.shape if side > 3)
    return height, width


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_is_adopted_and_answers_as_by_hand(name: str, theirs: Path, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    folder = tmp_path / "theirs"
    folder.mkdir()
    source = layout.write(theirs, folder)
    adopted = adopt(source, tmp_path / "ours.onnx", options=layout.options)
    contract = adopted.contract
    assert contract.adopted is not None and contract.adopted.notes == ()
    batch = canary_input(contract.canary.size_px, contract.mean, contract.std)
    with depthrt.load(adopted.path, device="cpu", threads=1) as model:
        ours = model.runner.run(np.repeat(batch, contract.batch or 1, axis=0))[0]
    expected = by_hand(source, layout.feed(np.repeat(batch, contract.batch or 1, axis=0)))
    assert drift(ours, expected) <= SAME


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_in_one_line(name: str, theirs: Path, tmp_path: Path) -> None:
    layout, words = BROKEN[name]
    folder = tmp_path / "theirs"
    folder.mkdir()
    source = layout.write(theirs, folder)
    with pytest.raises(DepthrtError) as refusal:
        adopt(source, tmp_path / "ours.onnx", options=layout.options)
    line = str(refusal.value)
    assert words in line and source.name in line and "\n" not in line
    assert not any(tmp_path.glob("ours*"))


def test_the_tables_of_the_manual_name_what_runs_here() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "adopt.md").read_text(encoding="utf-8")
    section = manual.split("## Which files it takes")[1].split("##")[0]
    tables = [table.splitlines() for table in section.split("\n\n") if table.strip().startswith("|")]
    named = [[name for row in table[2:] for name in row.split("|")[2].strip().split("; ")] for table in tables]
    assert [sorted(names) for names in named] == [sorted(LAYOUTS), sorted(BROKEN)]
