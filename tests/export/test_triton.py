"""A repository is what Triton reads, and its client gives the depth that depthrt gives."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tritonclient
import tritonclient.http
from google.protobuf import text_format
from made import CONTRACT
from refusal import refusal
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.triton import check_repository, config, model_name, readme, write_repository

COFFEE = PHOTOS / "coffee.jpg"
FP32 = 11  # TYPE_FP32 of inference.DataType


def parse(text: str) -> Any:  # noqa: ANN401 - a message that protobuf makes
    """Read a configuration with Triton's own message, without grpc, which the client's package imports around it."""
    path = Path(tritonclient.__file__).parent / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return text_format.Parse(text, module.ModelConfig())


def full_dims(tensor: Any, max_batch: int) -> list[int]:  # noqa: ANN401
    """Return the shape that Triton expects of a graph: with a batch of any size if it may make batches."""
    return [*([-1] if max_batch else []), *tensor.dims]


@pytest.mark.parametrize("name", ["tiny", "tiny_static", "tiny_sky"])
def test_the_configuration_has_the_tensors_of_the_graph(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    onnx = request.getfixturevalue(name).onnx
    target = write_repository(tmp_path, onnx, read_contract(onnx))
    found = parse((target / "config.pbtxt").read_text())
    session = onnxruntime.InferenceSession(str(target / "1" / "model.onnx"))
    for ours, graphs in ((found.input, session.get_inputs()), (found.output, session.get_outputs())):
        shapes = {tensor.name: full_dims(tensor, found.max_batch_size) for tensor in ours}
        assert {tensor.data_type for tensor in ours} == {FP32}
        assert shapes == {
            tensor.name: [side if isinstance(side, int) else -1 for side in tensor.shape] for tensor in graphs
        }
    assert (found.name, found.backend) == (target.name, "onnxruntime") and found.instance_group[0].count == 1
    assert found.HasField("dynamic_batching") == (found.max_batch_size > 1)
    assert found.parameters["depthrt.kind"].string_value == read_contract(onnx).kind


def test_a_graph_of_one_image_gets_no_batches(tiny_static: TinyModel) -> None:
    contract = replace(CONTRACT, size=SizeRule((126, 196), 14, "letterbox"), batch=1)
    found = parse(config(contract, "a"))
    assert found.max_batch_size == 0 and not found.HasField("dynamic_batching")
    assert list(found.input[0].dims) == [1, 3, 126, 196] and list(found.output[0].dims) == [1, 126, 196]
    assert "makes no batches" in readme(contract, "a")


def test_any_text_of_a_contract_is_a_text_of_protobuf() -> None:
    licence = 'a "licence" \\ of Zoë'
    found = parse(config(replace(CONTRACT, licence=licence), "a"))
    assert found.parameters["depthrt.licence"].string_value == licence


class OrtInsteadOfTriton:
    """Runs a repository's file as the server would, behind the client that the README uses."""

    folder = Path()

    def __init__(self, address: str) -> None:
        assert address == "127.0.0.1:8000"

    def infer(self, name: str, inputs: list[tritonclient.http.InferInput]) -> OrtInsteadOfTriton:
        (tensor,) = inputs
        session = onnxruntime.InferenceSession(str(self.folder / name / "1" / "model.onnx"))
        batch = np.frombuffer(tensor._raw_data, "<f4").reshape(tensor.shape())
        names = [output.name for output in session.get_outputs()]
        self.found = dict(zip(names, session.run(None, {tensor.name(): batch}), strict=True))
        return self

    def as_numpy(self, name: str) -> Any:  # noqa: ANN401
        return self.found[name]

    def close(self) -> None: ...


@pytest.mark.parametrize("name", ["tiny", "tiny_static", "tiny_sky"])
def test_the_client_in_the_readme_gives_the_depth_of_depthrt(
    name: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = request.getfixturevalue(name).onnx
    target = write_repository(tmp_path, onnx, read_contract(onnx))
    (target / "photo.jpg").write_bytes(COFFEE.read_bytes())
    monkeypatch.chdir(target)
    monkeypatch.setattr(OrtInsteadOfTriton, "folder", tmp_path)
    monkeypatch.setattr(tritonclient.http, "InferenceServerClient", OrtInsteadOfTriton)
    code = (target / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    exec(compile(code, "README.md", "exec"), {"__name__": "client"})
    with depthrt.load(onnx, device="cpu") as model:
        expected = model.infer(depthrt.read_image(COFFEE))
    found = np.load("depth.npy")
    near = 1e-5 * np.ptp(expected.values[expected.valid])  # of other threads, which add in another order
    assert np.abs(found - expected.values)[expected.valid].max() <= near


def test_the_contract_stands_beside_and_a_second_export_replaces_the_first(
    tiny: TinyModel, tiny_metric: TinyModel, tmp_path: Path
) -> None:
    contract = read_contract(tiny.onnx)
    write_repository(tmp_path / "models", tiny.onnx, contract)
    target = write_repository(tmp_path / "models", tiny_metric.onnx, read_contract(tiny_metric.onnx))
    assert Contract.from_json((target / "contract.json").read_text()) == read_contract(tiny_metric.onnx)
    assert (target / "1" / "model.onnx").read_bytes() == tiny_metric.onnx.read_bytes()
    names = {path.relative_to(target).as_posix() for path in target.rglob("*")}
    assert names == {"config.pbtxt", "contract.json", "README.md", "1", "1/model.onnx"}
    assert json.loads((target / "contract.json").read_text())["kind"] == "metric"


def test_weights_beside_the_file_come_with_it(tiny: TinyModel, tmp_path: Path) -> None:
    model, weights = tmp_path / "a.onnx", tmp_path / "a-0123abcd-0123456789ab.data"
    weights.write_bytes(b"weights")
    model.write_bytes(tiny.onnx.read_bytes() + weights.name.encode())
    target = write_repository(tmp_path / "models", model, read_contract(tiny.onnx))
    assert (target / "1" / weights.name).read_bytes() == b"weights"
    write_repository(tmp_path / "models", tiny.onnx.with_name("tiny.onnx"), read_contract(tiny.onnx))
    model.write_bytes(tiny.onnx.read_bytes())
    weights.unlink()
    write_repository(tmp_path / "models", model, read_contract(tiny.onnx))
    assert [path.name for path in (target / "1").iterdir()] == ["model.onnx"], "the weights of the first are in no use"


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/my model.onnx", "my-model"), ("Größe.onnx", "Gr-e"), ("...onnx", "model"), ("v2.1.onnx", "v2.1")],
)
def test_the_name_is_that_of_the_file(path: str, name: str) -> None:
    assert model_name(Path(path)) == name


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    model = Path("a.onnx")
    assert "is for TensorRT" in refusal(lambda: check_repository(tmp_path, model, "bf16"))
    assert "create it first" in refusal(lambda: check_repository(tmp_path / "none" / "models", model, "fp32"))
    assert "is a file, expected a folder" in refusal(lambda: check_repository(tmp_path / "file", model, "fp32"))
    check_repository(tmp_path, model, "fp32")
    check_repository(tmp_path / "models", model, "fp32")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
