"""Whatever a runtime raises becomes one line: a wrong size, a damaged graph, memory that is short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_model import TinyModel, export_again

from depthrt import BackendUnavailable, DepthrtError, InputError, ModelFileError
from depthrt.engine.modelfile.model_file import as_model_file, open_model_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.runners.calls import calling, enough_memory
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.terms import CPU_RUNNERS, CpuRunner
from depthrt.export.onnx_file import saved

PATH = Path("model.onnx")


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (
            RuntimeError("Check failed:\n  at node 7"),
            ModelFileError,
            "Runtime refuses model.onnx: Check failed: at node 7",
        ),
        (KeyError(), ModelFileError, "Runtime refuses model.onnx: KeyError; export it again"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), ModelFileError, "refuses model.onnx: 'utf-8' codec"),
        (RuntimeError("x" * 500), ModelFileError, f": {'x' * 500}; export it again"),
        (RuntimeError("x" * 501), ModelFileError, f": {'x' * 500} ...; export it again"),
        (MemoryError(), BackendUnavailable, "Runtime has not enough memory for model.onnx (MemoryError); run fewer"),
        (RuntimeError("std::bad_alloc"), BackendUnavailable, "has not enough memory for model.onnx (std::bad_alloc)"),
        (InputError("the image is small"), InputError, "the image is small"),
    ],
)
def test_what_a_runtime_raises_is_one_line(raised: Exception, kind: type[DepthrtError], message: str) -> None:
    with pytest.raises(kind) as caught, calling("Runtime", "refuses", PATH):
        raise raised
    assert message in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_an_interrupt_passes() -> None:
    with pytest.raises(KeyboardInterrupt), calling("Runtime", "refuses", PATH):
        raise KeyboardInterrupt


def test_only_a_failed_allocation_is_a_lack_of_memory() -> None:
    shortage = r"not enough memory to resize an image .*; run fewer or smaller"
    with pytest.raises(BackendUnavailable, match=shortage), enough_memory("resize an image"):
        np.empty((1 << 50,), np.float64)
    with pytest.raises(ZeroDivisionError), enough_memory("resize an image"):
        raise ZeroDivisionError


@pytest.mark.parametrize("runner", CPU_RUNNERS)
def test_a_graph_of_another_size_than_its_contract_says_is_one_line(runner: CpuRunner, tiny_static: TinyModel) -> None:
    file = open_model_file(tiny_static.onnx)
    promised = replace(file.contract, size=SizeRule((14, 14), 14, "lower_bound"))
    choice = Choice(runner, "fp32", 1)
    with pytest.raises(ModelFileError, match=r"tiny\.onnx: .*; export it again") as caught:
        opened = open_runner(as_model_file(file.path, promised), device="cpu", threads=None, choice=choice)
        opened.run(np.zeros((1, 3, 140, 140), np.float32))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("runner", CPU_RUNNERS)
def test_a_damaged_graph_is_one_line(runner: CpuRunner, tiny: TinyModel, tmp_path: Path) -> None:
    file = open_model_file(tiny.onnx)
    whole = bytearray(tiny.onnx.read_bytes())
    for place in range(0, len(whole), 977):
        whole[place] = 0xFF
    path = tmp_path / "damaged.onnx"
    path.write_bytes(whole)
    with pytest.raises(ModelFileError, match=r"refuses .*damaged\.onnx: ") as caught:
        open_runner(as_model_file(path, file.contract), device="cpu", threads=None, choice=Choice(runner, "fp32", 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("runner", CPU_RUNNERS)
def test_weights_that_are_a_link_into_another_folder_are_read_or_one_line_says_what_to_do(
    runner: CpuRunner, tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 1000)
    made = tmp_path / "made"
    made.mkdir()
    exported = export_again(tiny, made / "model.onnx", size=(28, 42))
    assert exported.weights is not None
    blobs, snapshot, mixed = (tmp_path / name for name in ("blobs", "snapshot", "mixed"))
    for folder in (blobs, snapshot, mixed):
        folder.mkdir()
    # As the cache of Hugging Face does it; and a file beside a link to its weights.
    for number, path in enumerate((exported.path, exported.weights)):
        (blobs / str(number)).write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(blobs / str(number))
    (mixed / "model.onnx").write_bytes(exported.path.read_bytes())
    (mixed / exported.weights.name).symlink_to(exported.weights)
    choice, refused = Choice(runner, "fp32", 1), rf"its weights {exported.weights.name} are a link .*; copy the files"
    for folder in (snapshot, mixed):
        file = open_model_file(folder / "model.onnx")
        if (runner, folder) == ("onnxruntime", snapshot):
            opened = open_runner(file, device="cpu", threads=None, choice=choice)
            assert np.isfinite(opened.run(np.zeros((1, 3, 28, 42), np.float32))).all()
            continue
        with pytest.raises(ModelFileError, match=refused) as caught:
            open_runner(file, device="cpu", threads=None, choice=choice)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 700
