from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from foreign_graphs import Graph, write_graph
from onnx import helper, numpy_helper

import depthrt
from depthrt import DepthrtError, InputError, ModelFileError
from depthrt.engine.images.preprocess import fit_image, make_batch
from depthrt.engine.model.file_check import check_file
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.seal import check_whole
from depthrt.engine.modelfile.shipped import PHOTO, model_path
from depthrt.export.adopt.adopt import Adopted, adopt
from depthrt.export.adopt.options import Options
from depthrt.export.onnx_file import saved

SIDES_PX = (70, 98)
SAME = 1e-5  # of the range: the same graph, optimised with other nodes at its ends
STATIC = Graph(image="input", depth="output", image_dims=(1, 3, *SIDES_PX), depth_dims=(1, *SIDES_PX))
LIKE = Options(like="depth-anything-v2", kind="inverse")


def adopted_of(folder: Path, graph: Graph = STATIC, options: Options = LIKE, **more: object) -> Adopted:
    """Adopt a graph by force: it is no depth network, and fails a probe."""
    theirs = write_graph(folder / "theirs.onnx", graph)
    return adopt(theirs, folder / "ours.onnx", options=options, force=True, **more)  # type: ignore[arg-type]


def test_an_adopted_file_runs_like_our_own_and_answers_as_by_hand(theirs: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    options = Options(like="depth-anything-v2", kind="inverse", size=98)
    adopted = adopt(theirs, tmp_path / "ours.onnx", options=options, on_note=notes.append)
    contract = read_contract(adopted.path)
    assert contract == adopted.contract and contract.adopted is not None
    assert (contract.adopted.source, contract.adopted.compared, contract.adopted.notes) == ("model.onnx", False, ())
    check_whole(adopted.path, contract, thorough=True)
    assert [check.outcome for check in check_file(adopted.path)] == ["right", "right"]
    assert tuple(notes) == adopted.remarks and notes[0] == "Its graph is pixel_values -> predicted_depth."
    image = depthrt.read_image(PHOTO)
    batch = make_batch(image, contract, fit_image(contract.size, (image.shape[0], image.shape[1])), "bgr")
    session = onnxruntime.InferenceSession(str(theirs), providers=["CPUExecutionProvider"])
    (by_hand,) = session.run(["predicted_depth"], {"pixel_values": batch})
    with depthrt.load(adopted.path, device="cpu", threads=1) as model:
        assert np.abs(model.runner.run(batch) - by_hand).max() <= SAME * np.ptp(by_hand)
        found = model.infer(image)
    assert found.values.shape == image.shape[:2] and found.provenance.source_sha256 == contract.adopted.sha256


def test_a_file_that_fails_a_probe_is_refused_and_a_forced_one_says_so_in_every_result(tmp_path: Path) -> None:
    theirs = write_graph(tmp_path / "theirs.onnx", STATIC)
    with pytest.raises(
        ModelFileError, match=r"theirs\.onnx cannot be trusted: its answers are not depth: .*--force ad"
    ):
        adopt(theirs, tmp_path / "ours.onnx", options=LIKE)
    assert not (tmp_path / "ours.onnx").exists()
    said: list[str] = []
    adopted = adopted_of(tmp_path, on_note=said.append)
    assert adopted.contract.adopted is not None
    (doubt,) = adopted.contract.adopted.notes
    assert f"warning: {doubt}" in said
    with depthrt.load(adopted.path, device="cpu", threads=1) as model:
        assert doubt in model.infer(depthrt.read_image(PHOTO)).provenance.notes


def test_a_folder_of_a_repository_is_adopted(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    write_graph(tmp_path / "onnx" / "model.onnx", STATIC)
    (tmp_path / "config.json").write_text('{"model_type": "depth_anything"}')
    adopted = adopt(tmp_path, tmp_path / "ours.onnx", force=True)
    assert adopted.contract.family == "depth-anything" and adopted.contract.kind == "inverse"


def test_weights_too_large_for_one_file_lie_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 10)
    adopted = adopted_of(tmp_path)
    assert adopted.weights is not None and adopted.weights.exists()
    with depthrt.load(adopted.path, device="cpu", threads=1) as model:
        assert np.isfinite(model.infer(depthrt.read_image(PHOTO)).values).all()


@pytest.mark.parametrize(
    ("graph", "options", "failure", "message"),
    [
        (Graph(), Options(), InputError, r"does not say what its numbers mean"),
        (STATIC, Options(kind="inverse"), InputError, r"does not say how colours are normalised"),
        (STATIC, Options(like="depth-anything-v2", output="x"), InputError, r"has no output 'x'"),
        (STATIC, Options(mean=(0.5,) * 3), InputError, r"--mean found without --std"),
    ],
)
def test_what_cannot_be_adopted_leaves_no_file(
    graph: Graph, options: Options, failure: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(failure, match=message):
        adopted_of(tmp_path, graph, options)
    assert [path.name for path in tmp_path.iterdir()] in (["theirs.onnx"], [])


def test_a_baked_size_is_found_when_the_canary_is_asked(tmp_path: Path) -> None:
    baked = Graph(depth_axes="n1hw", depth_dims=("b", 1, "h", "w"), opset=17)
    path = write_graph(tmp_path / "theirs.onnx", baked)
    model = onnx.load(path)
    last = model.graph.node.pop()
    sizes = numpy_helper.from_array(np.array([1, 1, *SIDES_PX], np.int64), "baked")
    model.graph.initializer.append(sizes)
    model.graph.node.append(helper.make_node("Resize", [last.input[0], "", "", "baked"], list(last.output)))
    onnx.save(model, path)
    with pytest.raises(ModelFileError, match=r"answers 1x70x98 for an input of 1x3x252x336, expected 1x252x336"):
        adopt(path, tmp_path / "ours.onnx", options=LIKE, force=True)
    sized = Options(like=LIKE.like, kind="inverse", size=SIDES_PX)
    assert adopt(path, tmp_path / "ours.onnx", options=sized, force=True).contract.size.static


def test_a_file_of_ours_and_one_that_would_be_replaced_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a model file of depthrt"):
        adopt(model_path("default"), tmp_path / "ours.onnx")
    path = write_graph(tmp_path / "theirs.onnx", STATIC)
    with pytest.raises(DepthrtError, match=r"which the file is made from; choose another name"):
        adopt(path, path, options=LIKE)
